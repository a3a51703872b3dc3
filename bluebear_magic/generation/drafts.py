"""The draft as a tool's arguments: its schema, and a ``Draft`` from what a model gave."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from bluebear_magic.records import ChartHint, Draft

TOOL = "draft"
CODE_NAMES = ("code", "pyspark_code", "python_code", "pyspark", "python", "script")
_WRAPPERS = (
    "draft",
    "input",
    "arguments",
    "parameters",
    "args",
    "tool_input",
    "function",
    "answer",
)
_KINDS = {"bar", "line", "scatter", "none"}
_MOST_TEXT = 4000

_TEXTS = {"type": "array", "items": {"type": "string"}}
CHART: Mapping[str, Any] = {
    "type": "object",
    "description": "A chart of the result, where one helps.",
    "properties": {
        "kind": {"type": "string", "enum": sorted(_KINDS)},
        "x": {"type": "string", "description": "A column of the result."},
        "y": {**_TEXTS, "description": "Columns of the result with numbers."},
    },
    "required": ["kind"],
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "code": {
            "type": "string",
            "description": "The whole cell of PySpark. Empty only when you ask questions.",
        },
        "explanation": {
            "type": "string",
            "description": "What the code computes, in one or two plain sentences.",
        },
        "assumptions": {
            **_TEXTS,
            "description": "What you took for granted where the words left it open.",
        },
        "chart": CHART,
        "questions": {
            **_TEXTS,
            "description": "Only when the request could mean clearly different results and no "
            "reading is the likely one: what you need to know from the user.",
        },
    },
    "required": ["code", "explanation"],
}


def draft_of(arguments: Any) -> Draft | None:
    """The draft that the arguments amount to; None where they hold neither code nor questions.

    Code comes as it was given; a list of lines is joined.
    """
    if not isinstance(arguments, Mapping):
        return None
    code = next((arguments[name] for name in CODE_NAMES if arguments.get(name)), "")
    if isinstance(code, list) and all(isinstance(line, str) for line in code):
        code = "\n".join(line.rstrip("\n") for line in code)
    questions = _texts(arguments.get("questions"))
    if not isinstance(code, str) or not (code.strip() or questions):
        inner = (arguments.get(name) for name in _WRAPPERS)
        return next((draft for item in inner if (draft := draft_of(_decoded(item)))), None)
    return Draft(
        code,
        _text(arguments.get("explanation")),
        _texts(arguments.get("assumptions")),
        chart_of(arguments.get("chart")),
        questions,
    )


def loads(text: str) -> Any:
    """The value of a JSON text, forgiving what models do: newlines inside strings, Python's
    spelling, a JSON text inside a JSON text. None where it is none of these.
    """
    for read in (_json, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        return _json_inside(value)
    return None


def objects(text: str) -> Iterator[tuple[Any, int, int]]:
    """JSON objects that stand in a text, with where they begin and end."""
    decoder = json.JSONDecoder(strict=False)
    at = text.find("{")
    for _ in range(50):
        if at < 0:
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        yield value, at, end
        at = text.find("{", end)


def _json(text: str) -> Any:
    return json.loads(text, strict=False)


def _json_inside(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return _json(value)
        except (ValueError, RecursionError):
            return value
    return value


def _decoded(value: Any) -> Any:
    return _json_inside(value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = " ".join(item for item in value if isinstance(item, str))
    return value.strip()[:_MOST_TEXT] if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list):
        return ()
    return tuple(text for item in value if (text := _text(item)))


def chart_of(value: Any) -> ChartHint | None:
    """The chart that a model asked for; None where it is none."""
    value = _decoded(value)
    if isinstance(value, str):
        value = {"kind": value}
    if not isinstance(value, Mapping) or value.get("kind", value.get("type")) not in _KINDS:
        return None
    kind = cast(Literal["bar", "line", "scatter", "none"], value.get("kind", value.get("type")))
    x = value.get("x")
    return ChartHint(kind, x if isinstance(x, str) and x else None, _texts(value.get("y")))
