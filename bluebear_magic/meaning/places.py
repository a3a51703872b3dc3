"""Where in the code something stands that a plan tells of: Spark's plans keep no lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bluebear_magic.meaning.values import number

_SQL = re.compile(r"\s")  # a text with white space may be SQL; a column's name seldom is


@dataclass(frozen=True)
class Place:
    """A line (from 1), a column (from 0) and what stands there."""

    line: int
    column: int
    text: str


class Places:
    """Searches one cell; ``result`` is where to point when nothing is found."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._lines = code.splitlines() or [""]
        try:
            self._tree: ast.AST = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError):
            self._tree = ast.Module([], [])
        self._parents = {
            child: parent
            for parent in ast.walk(self._tree)
            for child in ast.iter_child_nodes(parent)
        }
        self.words = set(re.findall(r"\w+", code.lower()))
        self.result = self._result()

    def literal(self, value: str, column: str) -> Place:
        """Where a column is held against a literal."""
        found: list[tuple[int, Place]] = []
        for node in ast.walk(self._tree):
            if self._is_literal(node, value):
                found.append((3 + self._closeness(node, column), self._place(node)))
            for line, text, place in self._texts(node):
                hit = _quoted(value, line)
                if hit:
                    near = 2 * _mentions(line, column) + _mentions(text, column)
                    found.append((2 + near, place(hit)))
        best = max(found, key=lambda item: item[0], default=None)
        return best[1] if best else self.column(column)

    def column(self, column: str) -> Place:
        """Where a column is named first."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Constant) and node.value == column:
                return self._place(node)
            if isinstance(node, ast.Attribute) and node.attr == column:
                return self._place(node)
            for line, _, place in self._texts(node):
                if _mentions(line, column):
                    return place(re.search(re.escape(column), line, re.IGNORECASE))
        return self.result

    def call(self, names: Collection[str], words: Collection[str] = (), sql: str = "") -> Place:
        """A call of one of the functions, best one that mentions the words; or the SQL."""
        found: list[tuple[int, Place]] = []
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and _called(node) in names:
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                score = sum(any(_names(part, word) for part in given) for word in words)
                found.append((score * 2 + 1, self._end(node)))
            for line, _, place in self._texts(node):
                hit = re.search(sql, line, re.IGNORECASE) if sql else None
                if hit:
                    score = sum(_mentions(line, word) for word in words)
                    found.append((score * 2, place(hit)))
        best = max(found, key=lambda item: item[0], default=None)
        if best:
            return best[1]
        return self.column(next(iter(words))) if words else self.result

    def operation(self, kinds: tuple[type[ast.operator], ...], words: Collection[str],
                  sql: str) -> Place:  # fmt: skip
        """An operator between expressions of which the right one mentions the words."""
        for node in ast.walk(self._tree):
            if (
                isinstance(node, ast.BinOp)
                and isinstance(node.op, kinds)
                and all(_names(node, word) for word in words)
            ):
                return self._place(node.right)
        return self.call((), words, sql)

    def around(self, column: str, names: Collection[str]) -> bool:
        """Whether any of the functions is called around a mention of the column."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and _called(node) in names and _names(node, column):
                return True
            for line, _, _ in self._texts(node):
                if _mentions(line, column) and any(
                    re.search(rf"\b{re.escape(name)}\s*\(|::", line, re.IGNORECASE)
                    for name in names
                ):
                    return True
        return False

    def views(self) -> set[str]:
        """Names, in lower case, that the code gives to views of its own."""
        return {
            str(argument.value).lower()
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Call) and re.search("view|table", _called(node), re.IGNORECASE)
            and re.search("create|register", _called(node), re.IGNORECASE)
            for argument in node.args
            if isinstance(argument, ast.Constant)
        }  # fmt: skip

    # --- inside --------------------------------------------------------------

    def _texts(self, node: ast.AST) -> Iterator[tuple[str, str, _Placer]]:
        """The lines of a text that may be SQL: (line, whole text, how to point into it)."""
        parent = self._parents.get(node)
        if isinstance(node, ast.Constant):
            if not isinstance(node.value, str) or isinstance(parent, ast.JoinedStr):
                return
            if not _SQL.search(node.value):
                return
        elif not isinstance(node, ast.JoinedStr):
            return
        segment = ast.get_source_segment(self._code, node) or ""
        for offset, line in enumerate(segment.splitlines()):
            begin = node.col_offset if offset == 0 else 0
            yield line, segment, _Placer(node.lineno + offset, begin, line)

    def _is_literal(self, node: ast.AST, value: str) -> bool:
        if isinstance(node, ast.Call) and _called(node) in {"date", "datetime", "Timestamp"}:
            given = [part.value for part in node.args if isinstance(part, ast.Constant)]
            parts = [part for part in given if isinstance(part, int)]
            if len(parts) >= 3:
                return value.startswith("-".join(f"{part:02}" for part in parts[:3]))
            return False
        if not isinstance(node, ast.Constant):
            return False
        if isinstance(node.value, str):
            return node.value == value or (value[:10] == node.value and len(value) > 10)
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            wanted, here = number(value), number(str(node.value))
            return wanted is not None and here is not None and abs(wanted) == abs(here)
        return node.value is None and value == "None"

    def _closeness(self, node: ast.AST, column: str) -> int:
        """3: compared with the column right there; 1: in the same statement."""
        step: ast.AST | None = node
        while step is not None and not isinstance(step, ast.stmt):
            if isinstance(step, ast.Compare | ast.Call) and _names(step, column):
                return 3
            step = self._parents.get(step)
        return 1 if step is not None and _names(step, column) else 0

    def at(self, line: int) -> Place:
        """A line."""
        return Place(line, 0, self._line(line))

    def bare_join(self) -> Place | None:
        """A join that is given nothing but the other side."""
        for node in ast.walk(self._tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "join"
                and len(node.args) == 1
                and not any(keyword.arg == "on" for keyword in node.keywords)
                and not isinstance(node.func.value, ast.Constant)
            ):
                return self._end(node)
        return None

    def _place(self, node: ast.AST) -> Place:
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        return Place(line, column, self._line(line))

    def _end(self, node: ast.Call) -> Place:
        """Where the function's own name stands: a chain's call begins where the chain does."""
        func = node.func
        if isinstance(func, ast.Attribute) and func.end_lineno is not None:
            column = (func.end_col_offset or 0) - len(func.attr)
            return Place(func.end_lineno, max(0, column), self._line(func.end_lineno))
        return self._place(node)

    def _line(self, line: int) -> str:
        return self._lines[line - 1].strip() if 0 < line <= len(self._lines) else ""

    def _result(self) -> Place:
        for statement in reversed(getattr(self._tree, "body", [])):
            if isinstance(statement, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id in {"result", "results"}
                for target in statement.targets
            ):
                return self._place(statement)
        last = len(self._code.rstrip().splitlines()) or 1
        return Place(last, 0, self._line(last))


@dataclass(frozen=True)
class _Placer:
    line: int
    begin: int
    text: str

    def __call__(self, hit: re.Match[str] | None) -> Place:
        at = hit.start() if hit else 0
        return Place(self.line, self.begin + at, self.text.strip())


def _called(node: ast.Call) -> str:
    func = node.func
    if isinstance(func, ast.Attribute):
        return func.attr
    return func.id if isinstance(func, ast.Name) else ""


def _names(node: ast.AST, word: str) -> bool:
    """Whether a word is named anywhere in a piece of Python."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            if _mentions(part.value, word):
                return True
        elif (isinstance(part, ast.Attribute) and part.attr.lower() == word.lower()) or (
            isinstance(part, ast.Name) and part.id.lower() == word.lower()
        ):
            return True
    return False


def _mentions(text: str, word: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE))


def _quoted(value: str, text: str) -> re.Match[str] | None:
    """A literal in SQL: a text in quotes, or a number by itself."""
    if number(value) is not None:
        plain = re.search(rf"(?<![\w.]){re.escape(value.lstrip('-'))}(?![\w.])", text)
        if plain:
            return plain
    escaped = re.escape(value)
    if re.match(r"\d{4}-\d\d-\d\d ", value):  # a time of which the code gives the day
        escaped = f"{re.escape(value[:10])}|{escaped}"
    return re.search(rf"'(?:{escaped})'|\"(?:{escaped})\"", text)
