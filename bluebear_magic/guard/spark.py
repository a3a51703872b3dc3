"""What may be handed to Spark as text: queries, expressions, names and schemas."""

from __future__ import annotations

import ast
import string
from collections.abc import Callable, Collection, Iterable

from bluebear_magic.guard import lists, sql
from bluebear_magic.guard.constants import Value
from bluebear_magic.guard.part import Case, Part
from bluebear_magic.guard.policy import Policy
from bluebear_magic.guard.scopes import Scope
from bluebear_magic.guard.sql import Fault, Names

MAX_QUERIES = 1_000  # texts of SQL; a cell has some dozens at most
MAX_SQL = 60_000  # characters of all of them; one text may have sql.MAX_SQL
_Check = Callable[[str, Names, Policy], list[Fault]]
_FUNCTIONS = "pyspark.sql.functions."
_TYPES = "pyspark.sql.types."
_NAMED = "pandas.NamedAgg"


class SparkRules(Part):
    """The rules about arguments of Spark's functions and methods."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        tables = case.report.tables
        self.tables = None if tables is None else {table.lower() for table in tables}
        self.views: dict[str, list[tuple[ast.Call, Scope]]] = {}  # name -> where it is made
        self.functions: set[str] = set()
        self.judged: dict[tuple[bool | str, ...], list[Fault]] = {}
        self.texts_judged = self.letters_judged = 0
        self.has_pandas = case.paths.has_pandas

    def run(self) -> None:
        """Adds every finding to the report."""
        calls: list[tuple[ast.Call, Scope]] = list(self.program.each(ast.Call))
        if not self.program.attributes.isdisjoint({"register", *lists.VIEW_METHODS}):
            for call, scope in calls:
                self._made(call, scope)
        for call, scope in calls:
            function = call.func
            if type(function) is ast.Attribute:
                rule = _METHODS.get(function.attr)
                if rule is not None and self.paths.sure_path_of(function, scope) is None:
                    rule(self, call, scope)
                if type(function.value) is ast.Call:
                    continue  # of what a call gives: no function of a library
            path = self.paths.path_of(function, scope)
            if path in _CALLS:
                _CALLS[path](self, call, scope)

    def _made(self, call: ast.Call, scope: Scope) -> None:
        """Takes down the views and functions that the cell makes."""
        if isinstance(call.func, ast.Attribute):
            if call.func.attr in lists.VIEW_METHODS:
                self._view(call, scope)
            elif call.func.attr == "register":
                self._registered(call, scope)

    # --- functions and methods ---

    def _expr(self, call: ast.Call, scope: Scope) -> None:
        self._expressions(_given(call, 0, "str"), call, scope)

    def _call_by_name(self, call: ast.Call, scope: Scope) -> None:
        self._function_name(_given(call, 0, "funcName", "udfName"), call, scope)

    def _from_text(self, call: ast.Call, scope: Scope) -> None:
        self._schema(_given(call, 1, "schema"), call, scope)

    def _table_method(self, call: ast.Call, scope: Scope) -> None:
        self._table(_given(call, 0, "tableName"), call, scope)

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
            self._expression(text, node or call, (call, scope))

    def _conditions(self, call: ast.Call, scope: Scope) -> None:
        arguments = [*call.args]
        spread = {id(keyword.value) for keyword in call.keywords if keyword.arg is None}
        for keyword in call.keywords:
            # pandas' filter(items=, like=, regex=) picks columns by name.
            if keyword.arg not in {"items", "like", "regex", "axis"}:
                arguments.append(keyword.value)
        for node in arguments:
            value = (
                Value(unknown=True)
                if isinstance(node, ast.Starred) or id(node) in spread
                else self.texts.value(node, scope)
            )
            if value.unknown:
                self._dynamic(node)
            for text in value.strings:
                self._expression(text, node, (call, scope))

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

    def _expression(self, text: str, node: ast.AST, place: tuple[ast.Call, Scope]) -> None:
        self._faults(self._judged(sql.check_expression, text, self._names(place)), node)

    def _query(self, call: ast.Call, scope: Scope) -> None:
        node = _given(call, 0, "sqlQuery")
        others = [item for item in call.keywords if item.arg not in {"sqlQuery", "args"}]
        for item in others:
            self._field(item.value, scope)
        names = [item.arg or "" for item in others]
        for text in self._texts_of(node, call, scope):
            if names:
                self._formatted_query(text, names, node or call, (call, scope))
            else:
                judged = self._judged(sql.check_query, text, self._names((call, scope)))
                self._faults(judged, node or call)

    def _field(self, node: ast.expr, scope: Scope) -> None:
        """A value for a field of a query: Spark quotes text, but puts ``str()`` of most else in."""
        value = self.texts.value(node, scope)
        if not (value.is_constant or self.texts.is_spark(node, scope)):
            self._dynamic(node)

    def _formatted_query(
        self, text: str, names: list[str], node: ast.AST, place: tuple[ast.Call, Scope]
    ) -> None:
        """``spark.sql("... {df} ...", df=df)``: fields stand for DataFrames, columns and values."""
        made: list[str] = []
        fields: set[int] = set()
        length = 0
        try:
            for literal, field, spec, conversion in string.Formatter().parse(text):
                made.append(literal)
                length += len(literal)
                if field is None:
                    continue
                if field not in names or spec or conversion:
                    self.report.add("PY-FORMAT", node, "{" + field + "}")
                    return
                fields.add(length)
                made.append(f"`{field}`")
                length += len(made[-1])
        except ValueError as error:
            self.report.add("SQL-SYNTAX", node, text, detail=str(error))
            return
        whole = "".join(made)
        if not fields <= sql.quoted_names(whole):
            # In quotes or a comment, or after ``r``, its own quotes would end what it stands in.
            self.report.add("PY-FORMAT", node, text)
            return
        given = {name.lower() for name in names}
        self._faults(self._judged(sql.check_query, whole, self._names(place, given), given), node)

    def _judged(
        self, check: _Check, text: str, names: Names, given: Collection[str] = ()
    ) -> list[Fault]:
        """The faults of a text, worked out once where they are the same everywhere."""
        key: tuple[bool | str, ...] = (check is sql.check_query, text, *sorted(given))
        if key in self.judged and not self.views:
            return self.judged[key]
        self.texts_judged += 1
        self.letters_judged += len(text)
        if self.texts_judged > MAX_QUERIES:
            return self._too_much(f"{MAX_QUERIES:,} texts of SQL")
        if self.letters_judged > MAX_SQL and self.texts_judged > 1:
            return self._too_much(f"{MAX_SQL:,} characters of SQL")
        self.judged[key] = check(text, names, self.policy)
        return self.judged[key]

    def _too_much(self, what: str) -> list[Fault]:
        self.report.add_at("PY-SIZE", 1, 0, "", detail=f"it has more than {what}")
        return []

    def _names(self, place: tuple[ast.Call, Scope], given: Iterable[str] = ()) -> Names:
        extra = set(given)
        return Names(
            lambda name: name.lower() in extra or self._is_table(name, *place), self.functions
        )

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

    def _is_table(self, name: str, call: ast.Call, scope: Scope) -> bool:
        """Whether it is a dataset, or a view of the cell that can be there at this place."""
        lowered = name.lower()
        if self.tables is None:
            return _is_plain(name) or lowered in self.views
        if lowered in self.tables:
            return True
        # In a function the order of lines says nothing; elsewhere the view must come first.
        inside = _in_function(scope)
        return any(
            inside or _in_function(where) or made.lineno <= call.lineno
            for made, where in self.views.get(lowered, ())
        )

    def _advise(self, name: str) -> str:
        return "Write " + self.report.advise_table(name)

    def _table(self, node: ast.expr | None, call: ast.Call, scope: Scope) -> None:
        for name in self._texts_of(node, call, scope):
            quoted = len(name) > 2 and name[0] == name[-1] == "`"
            if self._is_table(name[1:-1] if quoted else name, call, scope):
                continue
            if any(letter in name for letter in ".`/\\:${}"):
                tables = self.report.advise_table(name.strip("`").split(".")[-1].strip("`"))
                self.report.add("SPARK-PATH", node or call, name, tables=tables)
            else:
                self.report.add("SPARK-TABLE", node or call, name, tables=self._advise(name))

    def _view(self, call: ast.Call, scope: Scope) -> None:
        node = _given(call, 0, "name")
        for name in self._texts_of(node, call, scope):
            if (
                not _is_plain(name)
                or name.lower() in lists.SQL_WORDS | {"table"}
                or (self.tables is not None and name.lower() in self.tables)
            ):
                self.report.add("SPARK-VIEW", node or call, name)
            else:
                self.views.setdefault(name.lower(), []).append((call, scope))

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

    def _string_call(self, call: ast.Call, scope: Scope) -> None:
        """Pandas' ``agg("to_csv", ...)`` calls any method whose name it is given."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        first = call.args[0] if call.args else None
        candidates = [] if first is None else [first]
        if first is None or (isinstance(first, ast.Constant) and first.value is None):
            for item in call.keywords:
                if item.arg is None and isinstance(item.value, ast.Dict):
                    candidates += [_aggregate(value) for value in item.value.values]
                elif item.arg not in {"axis", "raw", "result_type", "args", "meta"}:
                    candidates.append(_aggregate(item.value))
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
        if isinstance(node, ast.Call) and self.paths.path_of(node.func, scope) == _NAMED:
            named = _given(node, 1, "aggfunc")
            return named is not None and self._is_callable(named, scope, depth + 1)
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


# The later of two wins, as the more particular.
_METHODS: dict[str, Callable[[SparkRules, ast.Call, Scope], None]] = {
    **dict.fromkeys(lists.PIVOT_METHODS, SparkRules._pivot),
    **dict.fromkeys(lists.STRING_CALL_METHODS, SparkRules._string_call),
    "filter": SparkRules._conditions,
    "where": SparkRules._conditions,
    "selectExpr": SparkRules._select_expressions,
    "sql": SparkRules._query,
    "table": SparkRules._table_method,
}
_CALLS: dict[str | None, Callable[[SparkRules, ast.Call, Scope], None]] = {
    f"{_FUNCTIONS}expr": SparkRules._expr,
    f"{_FUNCTIONS}call_function": SparkRules._call_by_name,
    f"{_FUNCTIONS}call_udf": SparkRules._call_by_name,
    f"{_FUNCTIONS}from_json": SparkRules._from_text,
    f"{_FUNCTIONS}from_csv": SparkRules._from_text,
    "pandas.pivot_table": SparkRules._pivot,
    "pandas.crosstab": SparkRules._pivot,
}


def _given(call: ast.Call, index: int, *names: str) -> ast.expr | None:
    """An argument by place or name; None where it is missing or hidden behind a star."""
    if any(isinstance(item, ast.Starred) for item in call.args[: index + 1]):
        return None
    if any(item.arg is None for item in call.keywords):
        return None
    if index < len(call.args):
        return call.args[index]
    return next((item.value for item in call.keywords if item.arg in names), None)


def _aggregate(node: ast.expr) -> ast.expr:
    """What ``x=("column", "sum")`` and ``x=pd.NamedAgg("column", "sum")`` call by name."""
    if isinstance(node, ast.Tuple) and node.elts:
        return node.elts[-1]
    return node


def _all(judged: list[bool | None]) -> bool | None:
    if False in judged:
        return False
    return None if None in judged else True


def _in_function(scope: Scope) -> bool:
    current: Scope | None = scope
    while current is not None:
        if current.kind == "function":
            return True
        current = current.parent
    return False


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isidentifier()


def _short(node: ast.AST) -> str:
    try:
        return ast.unparse(node)[:80]
    except (RecursionError, ValueError):
        return type(node).__name__
