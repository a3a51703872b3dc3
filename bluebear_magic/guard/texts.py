"""What text an expression can be, worked out without running it.

Text that reaches Spark (a query, an expression, a dataset's name) must be
known before it runs. This joins constants as Python would, over everything that
names and parameters can stand for. It over-approximates: an expression may
never be one of the texts found, but it is never another. What cannot be worked
out is ``unknown``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from bluebear_magic.guard import lists
from bluebear_magic.guard.constants import (
    OPERATIONS,
    OTHER,
    UNKNOWN,
    Scalar,
    Value,
    combine,
    format_text,
    formatter,
    percent,
    text_method,
    union,
)
from bluebear_magic.guard.origins import MAX_DEPTH, MAX_STEPS, Origins, Place
from bluebear_magic.guard.scopes import Binding, Program, Scope

_NUMBER_CALLS: dict[str, Callable[..., Scalar]] = {
    "int": int, "float": float, "round": round, "abs": abs,
}  # fmt: skip


class Texts(Origins):
    """Answers questions about one program's expressions."""

    def __init__(self, program: Program, path_of: Callable[[ast.expr, Scope], str | None]) -> None:
        super().__init__(program, path_of)
        self.returns: dict[int, list[Place]] = {}
        for node, scope in program.each(ast.Return):
            home = scope
            while home.kind == "comprehension" and home.parent is not None:
                home = home.parent
            value = node.value or ast.Constant(None)
            self.returns.setdefault(id(home), []).append((value, scope))

    # --- what an expression can be ---

    def value(self, node: ast.expr, scope: Scope, depth: int = 0) -> Value:
        """Every text that ``node`` can be."""
        self.steps += 1
        if depth > MAX_DEPTH or self.steps > MAX_STEPS:
            return UNKNOWN
        if isinstance(node, ast.Constant):
            constant = node.value
            if isinstance(constant, str | int | float) or constant is None:
                return Value(frozenset({constant}))
            return OTHER
        key = (id(node), id(scope))
        if key in self.open:
            return UNKNOWN
        self.open.add(key)
        try:
            return self._value(node, scope, depth + 1)
        finally:
            self.open.discard(key)

    def _value(self, node: ast.expr, scope: Scope, depth: int) -> Value:
        if isinstance(node, ast.Name | ast.IfExp | ast.BoolOp | ast.NamedExpr | ast.Subscript):
            places = self.origins(node, scope, depth)
            if places is None:
                return OTHER if self._is_frame_item(node, scope, depth) else UNKNOWN
            return union(OTHER if place is None else self.value(*place, depth) for place in places)
        if isinstance(node, ast.JoinedStr):
            return self._f_string(node, scope, depth)
        if isinstance(node, ast.BinOp):
            return self._operation(node, scope, depth)
        if isinstance(node, ast.Call):
            return self._call(node, scope, depth)
        if isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.USub):
                inner = self.value(node.operand, scope, depth)
                return combine([inner], lambda x: -x) if inner.is_constant else OTHER
            return OTHER
        if isinstance(node, ast.Attribute):
            return self._attribute(node, scope, depth)
        if isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.Starred):
            return UNKNOWN
        return OTHER  # comparisons, lambdas, containers, comprehensions

    def _f_string(self, node: ast.JoinedStr, scope: Scope, depth: int) -> Value:
        parts: list[Value] = []
        for piece in node.values:
            if isinstance(piece, ast.FormattedValue):
                inner = self.value(piece.value, scope, depth)
                spec = Value(frozenset({""}))
                if piece.format_spec is not None:
                    spec = self.value(piece.format_spec, scope, depth)
                parts.append(combine([inner, spec], formatter(piece.conversion)))
            else:
                parts.append(self.value(piece, scope, depth))
        return combine(parts, lambda *texts: "".join(texts)) if parts else Value(frozenset({""}))

    def _operation(self, node: ast.BinOp, scope: Scope, depth: int) -> Value:
        if not isinstance(node.op, ast.Add | ast.Mod | ast.Mult | ast.Sub):
            return OTHER  # no text comes of these
        left = self.value(node.left, scope, depth)
        if isinstance(node.op, ast.Mod) and isinstance(node.right, ast.Tuple):
            items = [self.value(item, scope, depth) for item in node.right.elts]
            return combine([left, *items], lambda text, *rest: percent(text, rest))
        right = self.value(node.right, scope, depth)
        if left.is_constant and right.is_constant:
            return combine([left, right], OPERATIONS[type(node.op)])
        if isinstance(node.op, ast.Sub):
            return OTHER
        sides = (left,) if isinstance(node.op, ast.Mod) else (left, right)
        if any(side.other and not side.texts and not side.unknown for side in sides):
            return OTHER  # a Column, a list, ... : the sum is no text either
        return UNKNOWN

    def _attribute(self, node: ast.Attribute, scope: Scope, depth: int) -> Value:
        if self.path_of(node, scope) is not None:
            return UNKNOWN
        if self.is_spark(node.value, scope, depth):
            return UNKNOWN if node.attr in {"columns", "dtypes", "version"} else OTHER
        return UNKNOWN

    def _call(self, node: ast.Call, scope: Scope, depth: int) -> Value:
        function = node.func
        path = self.path_of(function, scope)
        if path == "functools.reduce":
            return self._reduced(node, scope, depth)
        if path is not None:
            return OTHER if path.startswith("pyspark.") else UNKNOWN
        if isinstance(function, ast.Attribute):
            if function.attr in lists.TEXT_METHODS:
                made = self._text_method(node, function, scope, depth)
                if made is not None:
                    return made
            return OTHER if self.is_spark(node, scope, depth) else UNKNOWN
        if isinstance(function, ast.Name):
            home = scope.resolve(function.id)
            if home is None:
                return self._builtin(function.id, node, scope, depth)
            return self._own_call(function, home, depth)
        return UNKNOWN

    def _reduced(self, node: ast.Call, scope: Scope, depth: int) -> Value:
        """``reduce(lambda a, b: a & b, items)``: what the function gives, or an item as it is."""
        if not 2 <= len(node.args) <= 3 or node.keywords:
            return UNKNOWN
        function = node.args[0]
        if isinstance(function, ast.Lambda):
            made = self.value(function.body, self.program.scope_of[id(function)], depth)
        elif self.path_of(function, scope) in {"operator.and_", "operator.or_"}:
            made = OTHER
        else:
            return UNKNOWN
        elements = self.elements(node.args[1], scope, depth)
        if elements is None:
            return UNKNOWN
        first = [self.value(item, scope, depth) for item in node.args[2:]]
        return union([made, *first, *(self.value(*place, depth) for place in elements)])

    def _builtin(self, name: str, node: ast.Call, scope: Scope, depth: int) -> Value:
        arguments = [self.value(item, scope, depth) for item in node.args]
        if name == "str" and len(arguments) == 1:
            return combine(arguments, str)
        if name in _NUMBER_CALLS and len(arguments) == 1:
            return combine(arguments, _NUMBER_CALLS[name])
        if name in {"len", "sum", "range", "list", "dict", "set", "tuple", "sorted", "isinstance"}:
            return OTHER
        return UNKNOWN

    def _own_call(self, function: ast.Name, home: Scope, depth: int) -> Value:
        """What a function of this cell can give back."""
        made: list[Value] = []
        for binding in home.bindings[function.id]:
            if binding.kind == "class":
                # A class of its own is no text; one made from another may be a kind of str.
                made.append(UNKNOWN if getattr(binding.node, "bases", True) else OTHER)
            elif binding.kind == "import" and binding.path.startswith("pyspark."):
                made.append(OTHER)
            elif binding.kind == "function":
                made.append(self._returned(binding, depth))
            elif binding.kind == "value" and binding.value is not None and not binding.steps:
                made.append(self._called_value(binding, depth))
            else:
                return UNKNOWN
        return union(made) if made else UNKNOWN

    def _returned(self, binding: Binding, depth: int) -> Value:
        node = binding.node
        decorators = getattr(node, "decorator_list", [])
        for decorator in decorators:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            path = self.path_of(target, binding.scope) or ""
            if path.endswith((".udf", ".pandas_udf", ".arrow_udf")):
                return OTHER  # a call makes a Column
        if decorators:
            return UNKNOWN
        inner = self.program.scope_of[id(node)]
        return union(self.value(*place, depth) for place in self.returns.get(id(inner), ()))

    def _called_value(self, binding: Binding, depth: int) -> Value:
        value = binding.value
        if isinstance(value, ast.Lambda):
            return self.value(value.body, self.program.scope_of[id(value)], depth)
        if isinstance(value, ast.Call):
            path = self.path_of(value.func, binding.scope) or ""
            if path.endswith((".udf", ".pandas_udf", ".arrow_udf")):
                return OTHER
            if isinstance(value.func, ast.Attribute) and value.func.attr == "register":
                return OTHER
        return UNKNOWN

    def _text_method(
        self, node: ast.Call, function: ast.Attribute, scope: Scope, depth: int
    ) -> Value | None:
        base = self.value(function.value, scope, depth)
        if not base.is_constant:
            return None
        name = function.attr
        if name == "join" and len(node.args) == 1:
            return self._join(base, node.args[0], scope, depth)
        if any(isinstance(item, ast.Starred) for item in node.args):
            return UNKNOWN
        arguments = [self.value(item, scope, depth) for item in node.args]
        if name == "format":
            names = [item.arg or "" for item in node.keywords]
            arguments += [self.value(item.value, scope, depth) for item in node.keywords]
            return combine([base, *arguments], lambda text, *rest: format_text(text, rest, names))
        if node.keywords:
            return UNKNOWN
        return combine([base, *arguments], lambda text, *rest: text_method(text, name, rest))

    def _join(self, base: Value, items: ast.expr, scope: Scope, depth: int) -> Value:
        """``glue.join(items)``, where the items and their order are known exactly."""
        exact = self._exact(items, scope)
        if exact is None:
            return UNKNOWN
        literal, where = exact
        if isinstance(literal, ast.List | ast.Tuple):
            if any(isinstance(item, ast.Starred) for item in literal.elts):
                return UNKNOWN
            texts = [self.value(item, where, depth) for item in literal.elts]
        elif isinstance(literal, ast.ListComp | ast.GeneratorExp):
            loop = literal.generators[0]
            if len(literal.generators) > 1 or loop.ifs or not isinstance(loop.target, ast.Name):
                return UNKNOWN
            source = self._exact(loop.iter, where)
            if source is None or not isinstance(source[0], ast.List | ast.Tuple):
                return UNKNOWN
            texts = []
            for item in source[0].elts:
                one = Scope("comprehension", literal, self.program.scope_of[id(literal)])
                one.bindings[loop.target.id] = [Binding("value", loop, source[1], item)]
                texts.append(self.value(literal.elt, one, depth))
        else:
            return UNKNOWN
        return combine([base, *texts], lambda glue, *parts: glue.join(parts))

    def _exact(self, node: ast.expr, scope: Scope) -> Place | None:
        """The one expression that ``node`` stands for, unchanged since; None if there are more."""
        for _ in range(MAX_DEPTH):
            if not isinstance(node, ast.Name):
                return node, scope
            home = scope.resolve(node.id)
            bindings = home.bindings[node.id] if home is not None else []
            if home is None or len(bindings) != 1 or not self._is_only_read(node, scope):
                return None
            only = bindings[0]
            if only.kind != "value" or only.value is None or only.steps:
                return None
            if self._appended(node, scope):
                return None
            node, scope = only.value, only.scope
        return None

    def is_spark(self, node: ast.expr, scope: Scope, depth: int = 0) -> bool:
        """Whether ``node`` is surely a DataFrame, a Column, the session or the like."""
        if depth > MAX_DEPTH:
            return False
        depth += 1
        if isinstance(node, ast.Call):
            function = node.func
            path = self.path_of(function, scope)
            if isinstance(function, ast.Attribute) and path is None:
                return self._gives_spark(function, scope, depth)
            if isinstance(function, ast.Name) and path is None:
                return self._own_gives_spark(function, scope, depth)
            return (path or "").startswith("pyspark.sql.functions.")
        if isinstance(node, ast.Attribute):
            column = node.attr not in lists.ATTRIBUTES  # not a list of names, a version, ...
            return column and self.is_spark(node.value, scope, depth)
        if isinstance(node, ast.Subscript):
            return self.is_spark(node.value, scope, depth)
        if isinstance(node, ast.BinOp | ast.Compare):
            left = node.left
            return self.is_spark(left, scope, depth)
        if isinstance(node, ast.UnaryOp):
            return self.is_spark(node.operand, scope, depth)
        return isinstance(node, ast.Name) and self._is_spark_name(node, scope, depth)

    def _gives_spark(self, function: ast.Attribute, scope: Scope, depth: int) -> bool:
        """Whether a method's name alone, or with its object, says that it gives Spark's objects."""
        name = function.attr
        if name == "getOrCreate":
            return True
        if name in {"join", "agg"}:  # text and pandas have these too
            return self.is_spark(function.value, scope, depth)
        if name not in lists.SPARK_RESULTS:
            return False
        if self.any_attribute or name in self.own_methods:
            return self.is_spark(function.value, scope, depth)
        return True

    def _own_gives_spark(self, function: ast.Name, scope: Scope, depth: int) -> bool:
        """Whether every function of the cell that the name can mean gives Spark's objects."""
        home = scope.resolve(function.id)
        bindings = home.bindings[function.id] if home is not None else []
        for binding in bindings:
            node = binding.node
            if binding.kind == "function":
                if getattr(node, "decorator_list", ()):
                    given = self._returned(binding, depth) == OTHER
                else:
                    inner = self.program.scope_of[id(node)]
                    places = self.returns.get(id(inner), [])
                    given = bool(places) and all(self.is_spark(*p, depth) for p in places)
            elif isinstance(binding.value, ast.Lambda) and not binding.steps:
                body = binding.value.body
                given = self.is_spark(body, self.program.scope_of[id(binding.value)], depth)
            else:
                is_call = isinstance(binding.value, ast.Call) and not binding.steps
                given = is_call and self._called_value(binding, depth) == OTHER
            if not given:
                return False
        return bool(bindings)

    def _is_spark_name(self, node: ast.Name, scope: Scope, depth: int) -> bool:
        if node.id == "spark" and scope.resolve("spark") is None:
            return True
        key = (id(node), -1)
        if key in self.open:
            return True  # df = df.filter(...): decided by the other bindings
        self.open.add(key)
        try:
            places = self.origins(node, scope, depth, frames=True)
            return bool(places) and all(
                place is not None and self.is_spark(*place, depth) for place in places or ()
            )
        finally:
            self.open.discard(key)

    def _is_frame_item(self, node: ast.expr, scope: Scope, depth: int) -> bool:
        return isinstance(node, ast.Subscript) and self.is_spark(node.value, scope, depth)
