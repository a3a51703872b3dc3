"""Python text laid out as black would: literals, calls, chains of calls."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from itertools import pairwise

from bluebear_magic.generation.offline.tokens import split_name

WIDTH = 88  # black's line length
_INDENT = "    "
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def literal(value: int | float | str | bool) -> str:
    """A Python literal; anything that does not print plainly is escaped."""
    if not isinstance(value, str):
        return repr(value)
    quote = "'" if '"' in value and "'" not in value else '"'
    return quote + "".join(_escaped(ch, quote) for ch in value) + quote


def _escaped(ch: str, quote: str) -> str:
    if ch in {"\\", quote}:
        return "\\" + ch
    if ch.isprintable():
        return ch
    code = ord(ch)
    return {10: "\\n", 13: "\\r", 9: "\\t"}.get(
        code, f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )


def column_name(name: str) -> str:
    """A column's name as Spark's functions take it, as a literal; odd ones in backticks."""
    return literal(name if _PLAIN.match(name) else "`" + name.replace("`", "``") + "`")


def identifier(name: str, taken: set[str]) -> str:
    """A snake_case Python name for something, not yet taken; it is taken from now on."""
    ascii_words = [re.sub(r"[^a-z0-9]", "", word) for word in split_name(name)]
    base = "_".join(word for word in ascii_words if word) or "data"
    if base[0].isdigit():
        base = f"data_{base}"
    unique, number = base, 2
    while unique in taken or keyword.iskeyword(unique):
        unique, number = f"{base}_{number}", number + 1
    taken.add(unique)
    return unique


@dataclass(frozen=True)
class Call:
    """A method call in a chain; arguments as text."""

    method: str
    arguments: tuple[str, ...] = ()

    def on_one_line(self) -> str:
        """``.method(a, b)``"""
        return f".{self.method}({', '.join(self.arguments)})"


def assignment(name: str, head: str, calls: tuple[Call, ...]) -> str:
    """``name = head.call(...).call(...)``, over as many lines as black would take."""
    line = f"{name} = {head}" + "".join(call.on_one_line() for call in calls)
    if len(line) <= WIDTH or not calls:
        return line
    if len(calls) == 1:
        return _call_lines(f"{name} = {head}.{calls[0].method}", calls[0].arguments, "")
    if len(calls) == 2:
        short = _two_calls(f"{name} = {head}", *calls)
        if short:
            return short
    inside = _INDENT + line[len(f"{name} = ") :]
    if len(inside) <= WIDTH:
        return f"{name} = (\n{inside}\n)"
    lines = [_call_lines(f"{_INDENT}{head}.{calls[0].method}", calls[0].arguments, _INDENT)]
    lines += [
        _call_lines(f"{_INDENT}.{call.method}", call.arguments, _INDENT) for call in calls[1:]
    ]
    return "\n".join([f"{name} = (", *lines, ")"])


def _two_calls(opening: str, first: Call, last: Call) -> str:
    """Two calls without brackets around them, if their arguments can go on lines below."""
    line = opening + first.on_one_line() + "."
    if len(line) + len(last.method) < WIDTH and last.arguments:
        return _call_lines(line + last.method, last.arguments, "")
    if not first.arguments or len(last.on_one_line()) >= WIDTH:
        return ""
    return _below(f"{opening}.{first.method}", first.arguments, "") + last.on_one_line()


def _operands(expression: str) -> list[str]:
    """The sides of an expression's outermost operators, each with its operator in front."""
    marks = _outermost(expression)
    loose = [at for at, text in marks if text in {"&", "|"}]
    cuts = loose or [at for at, text in marks if text not in {"&", "|"}]
    edges = [0, *cuts, len(expression)]
    return [expression[start:end].rstrip() for start, end in pairwise(edges)]


def _outermost(expression: str) -> list[tuple[int, str]]:
    """Where operators stand outside of brackets and quotes."""
    found, depth, quote, skip = [], 0, "", False
    for at, ch in enumerate(expression):
        if quote:
            skip, quote = ch == "\\" and not skip, "" if ch == quote and not skip else quote
        elif ch in "'\"":
            quote = ch
        elif ch in "([":
            depth += 1
        elif ch in ")]":
            depth -= 1
        elif not depth and ch in "&|<>=!" and expression[at - 1] == " ":
            found.append((at, expression[at:].split(" ", 1)[0]))
    return found


def _call_lines(opening: str, arguments: tuple[str, ...], indent: str) -> str:
    """A call whose arguments go on the same line, on one line below, or on one each."""
    line = f"{opening}({', '.join(arguments)})"
    if len(line) <= WIDTH or not arguments:
        return line
    return _below(opening, arguments, indent)


def _below(opening: str, arguments: tuple[str, ...], indent: str) -> str:
    inner = indent + _INDENT
    below = inner + ", ".join(arguments)
    if len(below) <= WIDTH:
        return f"{opening}(\n{below}\n{indent})"
    if len(arguments) == 1 and len(operands := _operands(arguments[0])) > 1:
        rows = "".join(f"{inner}{operand}\n" for operand in operands)
        return f"{opening}(\n{rows}{indent})"
    each = "".join(f"{inner}{argument},\n" for argument in arguments)
    return f"{opening}(\n{each}{indent})"
