"""What may be handed to Spark as text: queries, expressions, names and schemas."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterable

from bluebear_magic.guard import lists, sql
from bluebear_magic.guard.constants import Value
from bluebear_magic.guard.paths import Paths
from bluebear_magic.guard.policy import Policy
from bluebear_magic.guard.report import Report
from bluebear_magic.guard.scopes import Program, Scope
from bluebear_magic.guard.sql import Fault, Names
from bluebear_magic.guard.texts import Texts

_FUNCTIONS = "pyspark.sql.functions."
_TYPES = "pyspark.sql.types."


class SparkRules:
    """The rules about arguments of Spark's functions and methods."""

    def __init__(
        self, program: Program, paths: Paths, texts: Texts, report: Report, policy: Policy
    ) -> None:
        self.program = program
        self.paths = paths
        self.texts = texts
        self.report = report
        self.policy = policy
        self.tables = None if report.tables is None else {t.lower() for t in report.tables}
        self.views: set[str] = set()
        self.functions: set[str] = set()
        self.has_pandas = self._has_pandas()

    def run(self) -> None:
        """Adds every finding to the report."""
        calls: list[tuple[ast.Call, Scope]] = list(self.program.each(ast.Call))
        for call, scope in calls:
            if isinstance(call.func, ast.Attribute):
                if call.func.attr in lists.VIEW_METHODS:
                    self._view(call, scope)
                elif call.func.attr == "register":
                    self._registered(call, scope)
        for call, scope in calls:
            path = self.paths.path_of(call.func, scope)
            if path is not None:
                if path.startswith(_FUNCTIONS):
                    self._function(path.removeprefix(_FUNCTIONS), call, scope)
                elif path in {"pandas.pivot_table", "pandas.crosstab"}:
                    self._pivot(call, scope)
            elif isinstance(call.func, ast.Attribute):
                self._method(call.func.attr, call, scope)

    def _has_pandas(self) -> bool:
        if any(node.attr in lists.PANDAS_MAKERS for node, _ in self.program.each(ast.Attribute)):
            return True
        imported = {
            part
            for scope in (self.program.module, *self.program.scope_of.values())
            for bindings in scope.bindings.values()
            for binding in bindings
            for part in binding.path.split(".")
        }
        if imported & lists.PANDAS_MAKERS:
            return True
        return bool(lists.PANDAS_MAKERS & self.paths.starred.keys()) and any(
            use.node.id in lists.PANDAS_MAKERS for use in self.program.uses
        )

    # --- functions and methods ---

    def _function(self, name: str, call: ast.Call, scope: Scope) -> None:
        if name == "expr":
            self._expressions(_given(call, 0, "str"), call, scope)
        elif name in {"call_function", "call_udf"}:
            self._function_name(_given(call, 0, "funcName", "udfName"), call, scope)
        elif name in {"from_json", "from_csv"}:
            self._schema(_given(call, 1, "schema"), call, scope)

    def _method(self, name: str, call: ast.Call, scope: Scope) -> None:
        if name in {"filter", "where"}:
            self._conditions(call, scope)
        elif name == "selectExpr":
            self._select_expressions(call, scope)
        elif name == "sql":
            self._query(call, scope)
        elif name == "table":
            self._table(_given(call, 0, "tableName"), call, scope)
        elif name in lists.STRING_CALL_METHODS:
            self._string_call(name, call, scope)
        elif name in lists.PIVOT_METHODS:
            self._pivot(call, scope)

    def _texts_of(self, node: ast.expr | None, call: ast.Call, scope: Scope) -> list[str]:
        """The texts an argument can be; a finding where that cannot be told."""
        if node is None:
            self._dynamic(call)
            return []
        value = self.texts.value(node, scope)
        if not value.is_constant or len(value.strings) != len(value.texts):
            self._dynamic(node)
            return []
        return value.strings

    def _dynamic(self, node: ast.AST) -> None:
        self.report.add("SPARK-DYNAMIC", node, _short(node))

    # --- SQL ---

    def _expressions(self, node: ast.expr | None, call: ast.Call, scope: Scope) -> None:
        for text in self._texts_of(node, call, scope):
            self._expression(text, node or call, scope)

    def _conditions(self, call: ast.Call, scope: Scope) -> None:
        arguments = [*call.args]
        for keyword in call.keywords:
            # pandas' filter(items=, like=, regex=) picks columns by name.
            if keyword.arg not in {"items", "like", "regex", "axis"}:
                arguments.append(keyword.value)
        for node in arguments:
            value = (
                Value(unknown=True)
                if isinstance(node, ast.Starred)
                else self.texts.value(node, scope)
            )
            if value.unknown:
                self._dynamic(node)
            for text in value.strings:
                self._expression(text, node, scope)

    def _select_expressions(self, call: ast.Call, scope: Scope) -> None:
        for node in call.args:
            inner = node.value if isinstance(node, ast.Starred) else node
            elements = self.texts.elements(inner, scope)
            if elements is not None:
                for element, where in elements:
                    self._expressions(element, call, where)
            elif isinstance(node, ast.Starred):
                self._dynamic(node)
            else:
                self._expressions(node, call, scope)
        if call.keywords:
            self._dynamic(call)

    def _expression(self, text: str, node: ast.AST, scope: Scope) -> None:
        self._faults(sql.check_expression(text, self._names(), self.policy), node)

    def _query(self, call: ast.Call, scope: Scope) -> None:
        node = _given(call, 0, "sqlQuery")
        others = [item.arg for item in call.keywords if item.arg not in {"sqlQuery", "args"}]
        for text in self._texts_of(node, call, scope):
            if others:
                self._formatted_query(text, others, node or call)
            else:
                self._faults(sql.check_query(text, self._names(), self.policy), node or call)

    def _formatted_query(self, text: str, names: list[str | None], node: ast.AST) -> None:
        """``spark.sql("... {df} ...", df=df)``: fields stand for DataFrames, columns and values."""
        made: list[str] = []
        try:
            for literal, field, spec, conversion in string.Formatter().parse(text):
                made.append(literal)
                if field is None:
                    continue
                if field not in names or spec or conversion:
                    self.report.add("PY-FORMAT", node, "{" + field + "}")
                    return
                made.append(f"`{field}`")
        except ValueError as error:
            self.report.add("SQL-SYNTAX", node, text, detail=str(error))
            return
        given = {name.lower() for name in names if name}
        self._faults(sql.check_query("".join(made), self._names(given), self.policy), node)

    def _names(self, given: Iterable[str] = ()) -> Names:
        extra = set(given)
        return Names(lambda name: name.lower() in extra or self._is_table(name), self.functions)

    def _faults(self, faults: Iterable[Fault], node: ast.AST) -> None:
        for fault in faults:
            words = {"detail": fault.detail}
            if fault.rule == "SQL-TABLE":
                words["tables"] = self._advise(fault.text)
            if fault.rule == "SQL-FUNCTION":
                words["near"] = self.report.near(
                    fault.text.lower(),
                    self.policy.sql_functions | self.functions,
                )
            self.report.add_in_text(fault.rule, node, fault.line, fault.column, fault.text, **words)

    # --- tables, views, functions, schemas ---

    def _is_table(self, name: str) -> bool:
        lowered = name.lower()
        if lowered in self.views:
            return True
        if self.tables is None:
            return _is_plain(name)
        return lowered in self.tables

    def _advise(self, name: str) -> str:
        return "Write " + self.report.advise_table(name)

    def _table(self, node: ast.expr | None, call: ast.Call, scope: Scope) -> None:
        for name in self._texts_of(node, call, scope):
            if self._is_table(name) or (
                len(name) > 2 and name[0] == name[-1] == "`" and self._is_table(name[1:-1])
            ):
                continue
            if any(letter in name for letter in ".`/\\:${}"):
                tables = self.report.advise_table(name.strip("`").split(".")[-1].strip("`"))
                self.report.add("SPARK-PATH", node or call, name, tables=tables)
            else:
                self.report.add("SPARK-TABLE", node or call, name, tables=self._advise(name))

    def _view(self, call: ast.Call, scope: Scope) -> None:
        node = _given(call, 0, "name")
        for name in self._texts_of(node, call, scope):
            if not _is_plain(name) or (self.tables is not None and name.lower() in self.tables):
                self.report.add("SPARK-VIEW", node or call, name)
            else:
                self.views.add(name.lower())

    def _registered(self, call: ast.Call, scope: Scope) -> None:
        node = _given(call, 0, "name")
        for name in self._texts_of(node, call, scope):
            if (
                not _is_plain(name)
                or name.lower() in self.policy.sql_functions | lists.SQL_FUNCTIONS_LEFT_OUT
            ):
                self.report.add(
                    "SPARK-FUNCTION", node or call, name, detail=": a built-in has that name"
                )
            else:
                self.functions.add(name.lower())

    def _function_name(self, node: ast.expr | None, call: ast.Call, scope: Scope) -> None:
        for name in self._texts_of(node, call, scope):
            if name.lower() not in self.policy.sql_functions | self.functions:
                near = self.report.near(name.lower(), self.policy.sql_functions | self.functions)
                self.report.add("SPARK-FUNCTION", node or call, name, near=near)

    def _schema(self, node: ast.expr | None, call: ast.Call, scope: Scope) -> None:
        """DDL, or a type built from pyspark.sql.types: JSON could name a class to load."""
        places = None if node is None else self.texts.origins(node, scope)
        if node is None or places is None:
            self._dynamic(node or call)
            return
        for place in places:
            if place is None or not self._is_type(*place):
                value = Value(unknown=True) if place is None else self.texts.value(*place)
                if not value.is_constant or any("{" in text for text in value.strings):
                    self.report.add("SPARK-SCHEMA", node, _short(node))

    def _is_type(self, node: ast.expr, scope: Scope, depth: int = 0) -> bool:
        """Whether ``node`` is surely a type of pyspark.sql.types, or Spark's own schema text."""
        if isinstance(node, ast.Attribute):
            return node.attr == "schema" and self.texts.is_spark(node.value, scope)
        if isinstance(node, ast.Name) and depth < 20:
            places = self.texts.origins(node, scope)
            return bool(places) and all(
                place is not None and self._is_type(*place, depth + 1) for place in places or ()
            )
        if not isinstance(node, ast.Call) or depth >= 20:
            return False
        path = self.paths.sure_path_of(node.func, scope) or ""
        if path.startswith(_TYPES) and path.count(".") == _TYPES.count("."):
            return True
        if path in {f"{_FUNCTIONS}schema_of_json", f"{_FUNCTIONS}schema_of_csv"}:
            return True
        if isinstance(node.func, ast.Attribute) and node.func.attr == "add":
            return self._is_type(node.func.value, scope, depth + 1)
        return (
            isinstance(node.func, ast.Attribute)
            and node.func.attr == "fromDDL"
            and (self.paths.sure_path_of(node.func.value, scope) or "").startswith(_TYPES)
        )

    # --- methods called by name ---

    def _string_call(self, name: str, call: ast.Call, scope: Scope) -> None:
        """Pandas' ``agg("to_csv", ...)`` calls any method whose name it is given."""
        first = call.args[0] if call.args else None
        if first is None:
            candidates = [
                item.value.elts[-1]
                if isinstance(item.value, ast.Tuple) and item.value.elts
                else item.value
                for item in call.keywords
                if item.arg not in {"axis", "raw", "result_type"}
            ]
        else:
            candidates = [first]
        alone = len(call.args) == 1 and not call.keywords and not isinstance(first, ast.Starred)
        for candidate in candidates:
            judged = self._is_callable(candidate, scope)
            if judged is False or (judged is None and self.has_pandas and not alone):
                self.report.add("PY-STRING-CALL", candidate, f".{name}")

    def _is_callable(self, node: ast.expr, scope: Scope, depth: int = 0) -> bool | None:
        """Whether it is a function, a Column or a plain aggregate's name; None if unknown."""
        if depth > 8:
            return None
        if isinstance(node, ast.Starred):
            node = node.value
        if isinstance(node, ast.Attribute) and self.paths.path_of(node, scope) is not None:
            return True
        if isinstance(node, ast.DictComp):
            return self._is_callable(node.value, self.program.scope_of[id(node)], depth + 1)
        if isinstance(node, ast.Dict):
            judged = [self._is_callable(item, scope, depth + 1) for item in node.values]
            return _all(judged)
        elements = self.texts.elements(node, scope)
        if elements is not None:
            return _all([self._is_callable(*place, depth + 1) for place in elements])
        value = self.texts.value(node, scope)
        if any(text not in lists.STRING_CALLS for text in value.strings):
            return False
        return None if value.unknown else True

    def _pivot(self, call: ast.Call, scope: Scope) -> None:
        for keyword in call.keywords:
            if keyword.arg not in lists.PIVOT_ARGUMENTS:
                self.report.add("PY-ARGUMENT", keyword.value, f"{keyword.arg or '**'}=")
            elif keyword.arg == "aggfunc" and self._is_callable(keyword.value, scope) is not True:
                self.report.add("PY-STRING-CALL", keyword.value, "aggfunc")
        if len(call.args) > 3 or any(isinstance(item, ast.Starred) for item in call.args):
            self.report.add("PY-ARGUMENT", call, "aggfunc")


def _given(call: ast.Call, index: int, *names: str) -> ast.expr | None:
    """An argument by place or name; None where it is missing or hidden behind a star."""
    if any(isinstance(item, ast.Starred) for item in call.args[: index + 1]):
        return None
    if any(item.arg is None for item in call.keywords):
        return None
    if index < len(call.args):
        return call.args[index]
    return next((item.value for item in call.keywords if item.arg in names), None)


def _all(judged: list[bool | None]) -> bool | None:
    if False in judged:
        return False
    return None if None in judged else True


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isidentifier()


def _short(node: ast.AST) -> str:
    try:
        return ast.unparse(node)[:80]
    except (RecursionError, ValueError):
        return type(node).__name__
