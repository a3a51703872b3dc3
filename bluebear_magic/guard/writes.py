"""Writes that a person may approve: what they write, where and how, read in the code.

``df.write...`` and ``df.writeTo(...)...`` are read as one chain that ends where it writes.
Every part has to be written out: a target, a mode or an option that is only known at run
time cannot be shown to anybody, so it is refused. Where the policy lets nobody approve
writes, none of this is asked: they are refused as any other attribute.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import Literal

from bluebear_magic.guard import places
from bluebear_magic.guard.part import Part
from bluebear_magic.guard.scopes import Scope
from bluebear_magic.runner.envelope import Write

RULE = "SPARK-WRITE"
MOST = 20  # writes that one place in the code may stand for
FORMATS = frozenset({"parquet", "csv", "json", "orc", "text", "delta", "iceberg"})
MODES = {"default": "errorifexists", "error": "errorifexists", "errorifexists": "errorifexists",
         "ignore": "ignore", "append": "append", "overwrite": "overwrite"}  # fmt: skip
_TOLD = {
    "errorifexists": "fails where there is something already",
    "ignore": "does nothing where there is something already",
    "append": "adds to what is there",
    "overwrite": "replaces what is there",
    "create": "fails where the table exists",
    "replace": "replaces the table",
    "createOrReplace": "replaces the table where it exists",
    "overwritePartitions": "replaces the partitions that it writes",
}
# What says how files are spelled, and nothing of where they go.
OPTIONS = frozenset(
    """
    charToEscapeQuoteEscaping compression dateFormat delimiter emptyValue encoding escape
    escapeQuotes header ignoreLeadingWhiteSpace ignoreNullFields ignoreTrailingWhiteSpace lineSep
    maxRecordsPerFile nullValue quote quoteAll sep timestampFormat timestampNTZFormat
""".lower().split()
)
# Positional arguments of the methods that write; others are named.
_ENDS = {
    "parquet": ("path", "mode", "partitionBy", "compression"),
    "orc": ("path", "mode", "partitionBy", "compression"),
    "csv": ("path", "mode", "compression", "sep", "quote", "escape", "header"),
    "json": ("path", "mode", "compression"),
    "text": ("path", "compression", "lineSep"),
    "save": ("path", "format", "mode", "partitionBy"),
    "saveAsTable": ("name", "format", "mode", "partitionBy"),
    "insertInto": ("tableName", "overwrite"),
}
_STEPS = {"mode": ("saveMode",), "format": ("source",), "option": ("key", "value")}
_TABLE_ENDS = frozenset({"append", "create", "replace", "createOrReplace", "overwritePartitions"})
_TABLE_STEPS = {"using": ("provider",), "option": ("key", "value")}
_COLUMNS = frozenset({"partitionBy", "bucketBy", "sortBy", "clusterBy"})


class _Unread(Exception):
    """What is wrong with a write, in words that go on from "it writes data, and"."""


class Writes(Part):
    """Finds the writes of a program that a person may approve."""

    def judged(self) -> set[int]:
        """The attributes of all chains that write, each chain told of in the report as a whole."""
        done: set[int] = set()
        if RULE not in self.policy.approve:
            return done
        for node, scope in self.program.each(ast.Attribute):
            if node.attr in {"write", "writeTo"} and isinstance(node.ctx, ast.Load):
                done |= self._chain(node, scope)
        return done

    def _chain(self, node: ast.Attribute, scope: Scope) -> set[int]:
        if self.paths.path_of(node.value, scope) is not None:
            return set()  # of a module: refused there
        steps = list(self._steps(node))
        try:
            chain = _Chain(self, node, scope, steps)
            writes = list(chain.writes())
        except _Unread as problem:
            instead = f'; or write it out: `df.write.mode("append").parquet("{places.EXAMPLE}")`'
            self.report.add_at(
                RULE, *_place(node), node.attr, detail=f", and {problem}", instead=instead
            )
            return {id(node), *(id(step) for step, _ in steps)}
        end = steps[-1][0]
        for write in writes:
            self.report.add_write(
                RULE, *_place(end), f'{end.attr}("{write.target}")', write,
                detail=f": {told(write)}", instead=f"; or let a person approve this ({RULE})",
            )  # fmt: skip
        return {id(node), *(id(step) for step, _ in steps)}

    def _steps(self, node: ast.Attribute) -> Iterator[tuple[ast.Attribute, ast.Call]]:
        """The calls that go on from ``.write`` or ``.writeTo(...)``, in order."""
        step: ast.AST | None = self.program.parent_of_attribute[id(node)]
        if node.attr == "writeTo":
            call = self.program.call_of.get(id(node))
            step = self.paths.parent_of_call.get(id(call)) if call else None
        while isinstance(step, ast.Attribute):
            call = self.program.call_of.get(id(step))
            if call is None:
                return
            yield step, call
            if step.attr in _ENDS and node.attr == "write":
                return
            if step.attr in _TABLE_ENDS and node.attr == "writeTo":
                return
            step = self.paths.parent_of_call.get(id(call))


class _Chain:
    """One chain, read step by step; every value is the list of texts that it can be."""

    def __init__(
        self,
        owner: Writes,
        node: ast.Attribute,
        scope: Scope,
        steps: list[tuple[ast.Attribute, ast.Call]],
    ) -> None:
        self.owner = owner
        self.scope = scope
        self.kind: Literal["path", "table"] = "path"
        self.formats = ["parquet"]
        self.modes = ["errorifexists"]
        self.targets: list[str] = []
        self.options: list[tuple[str, str]] = []
        ends = _ENDS if node.attr == "write" else _TABLE_ENDS
        if not steps or steps[-1][0].attr not in ends:
            raise _Unread("it is not written out as one expression, to its end")
        if node.attr == "write":
            for step, call in steps[:-1]:
                self._step(step.attr, call, _STEPS)
            self._end(*steps[-1])
        else:
            self.kind, self.formats = "table", ["table"]
            self.targets = self._texts(self._only(owner.program.call_of[id(node)]), "the table")
            for step, call in steps[:-1]:
                self._step(step.attr, call, _TABLE_STEPS)
            self.modes = [steps[-1][0].attr]
            if steps[-1][1].args or steps[-1][1].keywords:
                raise _Unread(f"`.{steps[-1][0].attr}` has arguments that are not known")

    def writes(self) -> Iterator[Write]:
        """Each write that the chain can be; raises ``_Unread`` for one that may not be."""
        if len(self.targets) * len(self.modes) * len(self.formats) > MOST:
            raise _Unread(f"it stands for more than {MOST} writes")
        for form, target, mode in itertools.product(self.formats, self.targets, self.modes):
            if self.kind == "path":
                problem = places.unfit_path(target)
                if not problem and not places.is_within(target, self.owner.policy.write_to):
                    allowed = ", ".join(self.owner.policy.write_to or ()) or "nowhere"
                    problem = f"is outside of where this machine lets anybody write: {allowed}"
            else:
                problem = places.unfit_table(target)
            if problem:
                raise _Unread(f"`{target}` {problem}")
            yield Write(self.kind, form, target, mode, tuple(self.options))

    # --- steps ---

    def _step(self, name: str, call: ast.Call, known: dict[str, tuple[str, ...]]) -> None:
        if name in _COLUMNS and known is _STEPS:
            if call.keywords:  # columns say nothing of where; the keywords may
                raise _Unread(f"`.{name}` has arguments that are not known")
        elif name == "partitionedBy" and known is _TABLE_STEPS:
            return
        elif name == "options":
            if call.args:
                raise _Unread("`.options` has arguments that are not known")
            self._take({}, call.keywords)
        elif name == "option":
            given = self._arguments(name, call, known[name])
            keys = self._texts(given.get("key"), "an option's name")
            for key in keys:
                self._option(key, given.get("value"))
        elif name in known:
            given = self._arguments(name, call, known[name])
            word = {"mode": "mode", "format": "format", "using": "format"}[name]
            self._take({word: given.get(known[name][0])}, [])
        else:
            raise _Unread(f"`.{name}` is not on the list of what a write may have")

    def _end(self, step: ast.Attribute, call: ast.Call) -> None:
        name = step.attr
        given = self._arguments(name, call, _ENDS[name], more=True)
        target = given.pop(_ENDS[name][0], None)
        if name in {"saveAsTable", "insertInto"}:
            self.kind = "table"
        elif name != "save":
            self.formats = [name]
        self.targets = self._texts(target, "the table" if self.kind == "table" else "the path")
        if name == "insertInto":
            self.formats, self.modes = ["table"], self._inserted(given.pop("overwrite", None))
        self._take(given, [item for item in call.keywords if item.arg not in _ENDS[name]])

    def _inserted(self, node: ast.expr | None) -> list[str]:
        """``insertInto(name, overwrite)``: without it, the mode so far, which is to append."""
        if node is None:
            return ["append" if mode == "errorifexists" else mode for mode in self.modes]
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            return ["overwrite" if node.value else "append"]
        raise _Unread("whether it overwrites is only known at run time")

    def _take(self, given: dict[str, ast.expr | None], keywords: list[ast.keyword]) -> None:
        for word, node in given.items():
            if node is None or (isinstance(node, ast.Constant) and node.value is None):
                continue
            if word == "mode":
                self.modes = [self._mode(text) for text in self._texts(node, "the mode")]
            elif word == "format":
                self.formats = [self._format(text) for text in self._texts(node, "the format")]
            elif word != "partitionBy":
                self._option(word, node)
        for keyword in keywords:
            if keyword.arg is None:
                raise _Unread("`**` hides what it is given")
            self._option(keyword.arg, keyword.value)

    def _mode(self, text: str) -> str:
        if text.lower() not in MODES:
            raise _Unread(f"there is no mode `{text}`")
        return MODES[text.lower()]

    def _format(self, text: str) -> str:
        if text.lower() not in FORMATS:
            raise _Unread(f"`{text}` is not on the list of formats: {', '.join(sorted(FORMATS))}")
        return text.lower()

    def _option(self, key: str, node: ast.expr | None) -> None:
        if key.lower() not in OPTIONS:
            raise _Unread(f"the option `{key}` is not on the list of what a write may have")
        value = self.owner.texts.value(node, self.scope) if node is not None else None
        if value is None or not value.is_constant:
            raise _Unread(f"the option `{key}` is only known at run time")
        self.options.append((key, " or ".join(sorted(map(str, value.texts)))))

    # --- arguments ---

    def _arguments(
        self, name: str, call: ast.Call, names: tuple[str, ...], *, more: bool = False
    ) -> dict[str, ast.expr | None]:
        """The call's arguments by name."""
        if any(isinstance(item, ast.Starred) for item in call.args) or len(call.args) > len(names):
            raise _Unread(f"`.{name}` has arguments that are not known")
        given: dict[str, ast.expr | None] = dict(zip(names, call.args, strict=False))
        for keyword in call.keywords:
            if keyword.arg in names:
                given[keyword.arg] = keyword.value
            elif not more:
                raise _Unread(f"`.{name}` has arguments that are not known")
        return given

    def _only(self, call: ast.Call) -> ast.expr | None:
        return self._arguments("writeTo", call, ("table",)).get("table")

    def _texts(self, node: ast.expr | None, what: str) -> list[str]:
        value = self.owner.texts.value(node, self.scope) if node is not None else None
        if value is None:
            raise _Unread(f"{what} is missing")
        if not value.is_constant or len(value.strings) != len(value.texts):
            raise _Unread(f"{what} is only known at run time")
        return value.strings


def told(write: Write) -> str:
    """What a write does, in one clause."""
    what = "a table" if write.kind == "table" else f"{write.format} files"
    form = f" ({write.format})" if write.kind == "table" and write.format != "table" else ""
    options = ", ".join(f"{key}={value}" for key, value in write.options)
    more = f", with {options}" if options else ""
    return f"{what} to {write.target}{form}; it {_TOLD[write.mode]}{more}"


def _place(node: ast.Attribute) -> tuple[int, int]:
    return node.end_lineno or 1, max(0, (node.end_col_offset or 0) - len(node.attr))
