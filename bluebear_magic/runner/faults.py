"""From an exception to a Fault: which line of the cell, what, what might have been meant."""

from __future__ import annotations

import builtins
import difflib
import re
import traceback
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from bluebear_magic.runner.envelope import Fault, Stage

MESSAGE_LIMIT = 1200  # characters


def fault_of(
    error: BaseException,
    *,
    stage: Stage,
    cell: str,
    code: str,
    names: Collection[str] = (),
) -> Fault:
    """The Fault behind an exception raised while running ``code``.

    ``cell``: the file name the code was compiled under; ``names``: what the code
    could have used, for suggestions. The line is None when the traceback does not
    touch the cell (an action of ours on a lazy result) and Spark does not know it.
    """
    condition = _condition(error)
    fault = Fault(
        stage=stage,
        kind=type(error).__name__,
        message=_message(error),
        condition=condition,
        fragment=_fragment(error),
        suggestion=_suggestion(error, names),
    )
    line = _line(error, cell)
    return at_line(fault, line, code) if line is not None else fault


def at_line(fault: Fault, line: int, code: str) -> Fault:
    """The Fault with its line, and that line's text where Spark gave no fragment."""
    lines = code.splitlines()
    text = lines[line - 1].strip() if 0 < line <= len(lines) else None
    return replace(fault, line=line, fragment=fault.fragment or text)


def _condition(error: BaseException) -> str | None:
    ask = getattr(error, "getCondition", None)
    return str(ask()) if callable(ask) and ask() else None


def _line(error: BaseException, cell: str) -> int | None:
    """The innermost line of the cell that the exception passed through."""
    if isinstance(error, SyntaxError) and error.filename == cell:
        return error.lineno
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == cell and frame.lineno
    ]
    if lines:
        return lines[-1]
    return _line_of_call_site(error, cell) or _line_in_udf(error, cell)


def _line_of_call_site(error: BaseException, cell: str) -> int | None:
    """Where the column that failed was written, as Spark remembers it."""
    for context in _contexts(error):
        try:
            site = context.callSite()
        except Exception:  # noqa: BLE001, S112 - an SQL context has no call site and says so so
            continue
        found = re.search(re.escape(cell) + r":(\d+)", site or "")
        if found:
            return int(found.group(1))
    return None


def _line_in_udf(error: BaseException, cell: str) -> int | None:
    """The line inside a Python function that ran in a worker of Spark's."""
    found = re.findall(r'File "' + re.escape(cell) + r'", line (\d+)', str(error))
    return int(found[-1]) if found else None


def _contexts(error: BaseException) -> list[Any]:
    ask = getattr(error, "getQueryContext", None)
    return list(ask()) if callable(ask) else []


def _fragment(error: BaseException) -> str | None:
    for context in _contexts(error):
        # For the DataFrame API the fragment is a method's name; the cell's line says more.
        if context.contextType().name == "SQL" and context.fragment():
            return str(context.fragment())[:200]
    if isinstance(error, SyntaxError) and error.text:
        return error.text.strip()[:200]
    return None


def _message(error: BaseException) -> str:
    """The message without Java's stack, the plan dump and the SQL context."""
    if isinstance(error, SyntaxError):
        return error.msg
    text = str(error) or type(error).__name__
    in_udf = re.findall(r"^(\w+(?:\.\w+)*(?:Error|Exception): .*)$", text, re.MULTILINE)
    if "PythonException" in type(error).__name__ and in_udf:
        return str(in_udf[-1])[:MESSAGE_LIMIT]
    text = re.split(
        r"\n\s*(?:JVM stacktrace:|== SQL|== DataFrame ==|at (?:org|java|scala)\.)", text
    )[0]
    text = re.split(r";\n(?='|\+-|[A-Z]\w+ )", text)[0]
    # Spark suggests to switch ANSI off and quotes a code: neither helps to fix the cell.
    text = re.sub(r'\s*If necessary set "[^"]*" to "[^"]*" to bypass this error\.', "", text)
    text = re.sub(r"\s*SQLSTATE: \w+", "", text)
    return text.strip()[:MESSAGE_LIMIT]


def _suggestion(error: BaseException, names: Collection[str]) -> str | None:
    ask = getattr(error, "getMessageParameters", None)
    parameters: Mapping[str, str] = (ask() or {}) if callable(ask) else {}
    proposal = parameters.get("proposal")
    if proposal:
        return f"did you mean {proposal}?"
    relation = parameters.get("relationName")
    wanted = relation.strip("`") if relation else getattr(error, "name", None)
    if isinstance(error, NameError | AttributeError) or relation:
        choices = [*names, *(dir(builtins) if isinstance(error, NameError) else ())]
        if isinstance(error, AttributeError):
            choices = [name for name in dir(error.obj) if not name.startswith("_")]
        near = difflib.get_close_matches(str(wanted), choices, n=1)
        if near:
            return f"did you mean {near[0]}?"
    return None
