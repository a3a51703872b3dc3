"""Constants that an expression can be, and Python's own arithmetic over them.

Everything is bounded: the number of texts, their length, the widths in format
specifications, so that no expression can keep the guard busy.
"""

from __future__ import annotations

import ast
import itertools
import re
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

MAX_TEXTS = 200  # different texts that one expression may stand for
MAX_LENGTH = 100_000  # characters of one text

Scalar = str | int | float | bool | None

# A width taken from an argument, or one that would fill the memory.
_WIDTHS = re.compile(r"\d{4,}|\*")
_PERCENT_WIDTHS = re.compile(r"%[-+ #0]*(?:\d*\.)?(?:\*|\d{4,})")


@dataclass(frozen=True)
class Value:
    """``texts``: what text (or number, as Python value) it can be; ``other``: it can be something
    that is not text; ``unknown``: it can be anything.
    """

    texts: frozenset[Scalar] = frozenset()
    other: bool = False
    unknown: bool = False

    @property
    def strings(self) -> list[str]:
        """The texts proper, in a stable order."""
        return sorted(text for text in self.texts if isinstance(text, str))

    @property
    def is_constant(self) -> bool:
        """Whether it is nothing but known constants."""
        return bool(self.texts) and not self.other and not self.unknown


UNKNOWN = Value(unknown=True)
OTHER = Value(other=True)


def simple_fields(template: str) -> bool:
    """Whether ``str.format`` with this template reads no attributes and no items."""
    try:
        for _, name, spec, _ in string.Formatter().parse(template):
            if name is not None and not (name == "" or name.isdigit() or name.isidentifier()):
                return False
            if name and name.startswith("__"):
                return False
            if spec and (_WIDTHS.search(spec) or not simple_fields(spec)):
                return False
    except ValueError:
        return False
    return True


def union(values: Iterable[Value]) -> Value:
    """Anything that any of the values can be."""
    texts: set[Scalar] = set()
    other = unknown = False
    for value in values:
        texts |= value.texts
        other |= value.other
        unknown |= value.unknown
    if len(texts) > MAX_TEXTS:
        return UNKNOWN
    return Value(frozenset(texts), other, unknown)


def combine(values: list[Value], join: Callable[..., Scalar]) -> Value:
    """``join`` over every combination of constants; unknown where any part is not constant."""
    if not all(value.is_constant for value in values):
        return UNKNOWN
    size = 1
    for value in values:
        size *= len(value.texts)
    if size > MAX_TEXTS:
        return UNKNOWN
    made: set[Scalar] = set()
    length = 0
    for parts in itertools.product(*(value.texts for value in values)):
        try:
            text = join(*parts)
        except (TypeError, ValueError, IndexError, KeyError, ArithmeticError):
            return UNKNOWN
        length += len(text) if isinstance(text, str) else 1
        if length > MAX_LENGTH:
            return UNKNOWN
        made.add(text)
    return Value(frozenset(made))


def formatter(code: int) -> Callable[..., Scalar]:
    """What an f-string does with a value: ``code`` is that of ``!s``, ``!r``, ``!a`` or -1."""
    conversions: dict[int, Callable[[object], str]] = {115: str, 114: repr, 97: ascii}
    conversion = conversions.get(code)

    def apply(value: Scalar, spec: Scalar) -> Scalar:
        if not isinstance(spec, str) or _WIDTHS.search(spec):
            raise ValueError(spec)
        return format(conversion(value) if conversion else value, spec)

    return apply


def percent(text: Scalar, values: tuple[Scalar, ...]) -> Scalar:
    """``text % values``; ValueError where a width could fill the memory."""
    if not isinstance(text, str) or _PERCENT_WIDTHS.search(text):
        raise ValueError(text)
    return text % values


def format_text(text: Scalar, values: tuple[Scalar, ...], names: list[str]) -> Scalar:
    """``text.format(...)``, the last values by name; ValueError where it reads attributes."""
    if not isinstance(text, str) or not simple_fields(text):
        raise ValueError(text)
    count = len(values) - len(names)
    return text.format(*values[:count], **dict(zip(names, values[count:], strict=True)))


def text_method(text: Scalar, name: str, arguments: tuple[Scalar, ...]) -> Scalar:
    """A method of text, such as ``lower``, called."""
    if not isinstance(text, str):
        raise TypeError(text)
    methods: dict[str, Callable[..., str]] = {
        "lower": str.lower, "upper": str.upper, "strip": str.strip, "lstrip": str.lstrip,
        "rstrip": str.rstrip, "replace": str.replace, "title": str.title,
        "capitalize": str.capitalize,
    }  # fmt: skip
    return methods[name](text, *arguments)


def _add(left: Any, right: Any) -> Any:
    return left + right


def _multiply(left: Any, right: Any) -> Any:
    sizes = [abs(item) for item in (left, right) if isinstance(item, int | float)]
    texts = [item for item in (left, right) if isinstance(item, str)]
    if any(size > MAX_LENGTH for size in sizes) and (texts or len(sizes) > 1):
        raise ValueError("too large")
    if texts and sizes and len(texts[0]) * sizes[0] > MAX_LENGTH:
        raise ValueError("too large")
    return left * right


OPERATIONS: dict[type[ast.operator], Callable[..., Scalar]] = {
    ast.Add: _add,
    ast.Mult: _multiply,
    ast.Mod: lambda left, right: percent(left, (right,)) if isinstance(left, str) else left % right,
    ast.Sub: lambda left, right: left - right,
}
