"""What text an expression can be, worked out without running it.

Text that reaches Spark (a query, an expression, a dataset's name) must be
known before it runs. This joins constants as Python would, over everything that
names and parameters can stand for. It over-approximates: an expression may
never be one of the texts found, but it is never another. What cannot be worked
out is ``unknown``.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Collection, Sequence

from bluebear_magic.guard import lists
from bluebear_magic.guard.constants import (
    MAX_TEXTS,
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
from bluebear_magic.guard.scopes import Binding, Program, Scope, Step

MAX_ALTERNATIVES = 20  # containers that one name may stand for
_BUILTIN_NAMES = frozenset(dir(builtins))
_VIEWS = frozenset(["items", "keys", "values"])
_NUMBER_CALLS: dict[str, Callable[..., Scalar]] = {
    "int": int, "float": float, "round": round, "abs": abs,
}  # fmt: skip


class Texts(Origins):
    """Answers questions about one program's expressions."""

    def __init__(
        self,
        program: Program,
        path_of: Callable[[ast.expr, Scope], str | None],
        *,
        has_pandas: bool = False,
        known: Collection[str] = (),
    ) -> None:
        super().__init__(program, path_of, has_pandas=has_pandas)
        self.known = known  # attributes that objects of libraries have
        self.open_names: set[tuple[int, str]] = set()
        self.spark_names: dict[tuple[int, str], bool] = {}  # what was found out about names
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
        if isinstance(node, ast.Compare) and self.compares:
            return OTHER if self.is_spark(node.left, scope, depth) else UNKNOWN
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
            if function.attr in self.own_methods:
                made = self._own_method(function.attr, depth)
                if made != UNKNOWN:
                    return made
            return OTHER if self.is_spark(node, scope, depth) else UNKNOWN
        if isinstance(function, ast.Name):
            bindings = scope.meanings(function.id)
            if not bindings:
                return self._builtin(function.id, node, scope, depth)
            made = self._own_call(bindings, depth)
            if function.id in _BUILTIN_NAMES and scope.homes(function.id)[0].kind != "function":
                return union([made, UNKNOWN])  # before the cell binds the name, the builtin answers
            return made
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

    def _own_call(self, bindings: list[Binding], depth: int) -> Value:
        """What a function of this cell can give back."""
        made: list[Value] = []
        for binding in bindings:
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

    def _own_method(self, name: str, depth: int) -> Value:
        """What ``x.name()`` can give, where only classes of the cell have such a method."""
        if self.any_attribute or name in self.known or name in self.stored:
            return UNKNOWN
        bindings = [
            binding
            for scope in self.program.scope_of.values()
            if scope.kind == "class"
            for binding in scope.bindings.get(name, ())
        ]
        if not all(binding.kind == "function" for binding in bindings):
            return UNKNOWN
        return union(self._returned(binding, depth) for binding in bindings)

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
        made: list[Value] = []
        for exact in self._sequences(items, scope) or [None]:
            if exact is None or len(exact) > MAX_TEXTS:
                return UNKNOWN
            texts = [self.value(*place, depth) for place in exact]
            made.append(combine([base, *texts], lambda glue, *parts: glue.join(parts)))
        return union(made)

    def _sequences(
        self, node: ast.expr, scope: Scope, depth: int = 0
    ) -> Sequence[list[Place] | None] | None:
        """What iterating over ``node`` gives, all of it and in order, for each thing it can be."""
        exact = self._exact(node, scope) if depth < 10 else None
        found: list[list[Place] | None] = []
        for literal, where in exact or ():
            if isinstance(literal, ast.List | ast.Tuple):
                starred = any(isinstance(item, ast.Starred) for item in literal.elts)
                found.append(None if starred else [(item, where) for item in literal.elts])
            elif isinstance(literal, ast.Dict):
                found.append(self._pairs(literal, where, "keys"))
            elif isinstance(literal, ast.ListComp | ast.GeneratorExp):
                found += self._loop_sequences(literal, where, depth)
            elif isinstance(literal, ast.Call) and not literal.keywords:
                found += self._call_sequences(literal, where, depth)
            else:
                return None
            if len(found) > MAX_ALTERNATIVES:
                return None
        return found

    def _call_sequences(
        self, node: ast.Call, scope: Scope, depth: int
    ) -> Sequence[list[Place] | None]:
        function = node.func
        if isinstance(function, ast.Name) and not scope.meanings(function.id):
            if function.id in {"list", "tuple"} and len(node.args) == 1:
                return self._sequences(node.args[0], scope, depth + 1) or [None]
            return [self._range(node, scope, 0) if function.id == "range" else None]
        if not isinstance(function, ast.Attribute) or function.attr not in _VIEWS or node.args:
            return [None]
        return [
            self._pairs(literal, where, function.attr) if isinstance(literal, ast.Dict) else None
            for literal, where in self._exact(function.value, scope) or ()
        ] or [None]

    def _pairs(self, node: ast.Dict, scope: Scope, view: str) -> list[Place] | None:
        keys = [key for key in node.keys if isinstance(key, ast.Constant)]
        if len({key.value for key in keys}) != len(node.keys):
            return None  # ``**other``, or a key that is there twice or not known
        if view == "keys":
            return [(key, scope) for key in keys]
        if view == "values":
            return [(value, scope) for value in node.values]
        pairs = zip(keys, node.values, strict=True)
        return [(self._pair((key, scope), (value, scope)), scope) for key, value in pairs]

    def _loop_sequences(
        self, node: ast.ListComp | ast.GeneratorExp, scope: Scope, depth: int
    ) -> Sequence[list[Place] | None]:
        loop = node.generators[0]
        if len(node.generators) > 1 or loop.ifs:
            return [None]
        found: list[list[Place] | None] = []
        for items in self._sequences(loop.iter, scope, depth + 1) or [None]:
            made = [self._turn(node, *place) for place in items or ()]
            places = [place for place in made if place is not None]
            whole = items is not None and len(places) == len(items) <= MAX_TEXTS
            found.append(places if whole else None)
        return found

    def _turn(
        self, node: ast.ListComp | ast.GeneratorExp, item: ast.expr, where: Scope
    ) -> Place | None:
        """What one turn of the loop gives, with ``item`` for the loop's target."""
        loop = node.generators[0]
        inner = Scope("comprehension", node, self.program.scope_of[id(node)])
        targets: list[tuple[ast.expr, tuple[Step, ...]]] = [(loop.target, ())]
        if isinstance(loop.target, ast.Tuple):
            targets = [(name, (index,)) for index, name in enumerate(loop.target.elts)]
        for target, steps in targets:
            if not isinstance(target, ast.Name):
                return None
            inner.bindings[target.id] = [Binding("value", loop, where, item, steps)]
        return node.elt, inner

    def _exact(self, node: ast.expr, scope: Scope) -> list[Place] | None:
        """The expressions that ``node`` can stand for, unchanged since they were made."""
        pending, found = [(node, scope, 0)], []
        while pending:
            node, scope, depth = pending.pop()
            if not isinstance(node, ast.Name):
                found.append((node, scope))
                continue
            if not self._is_only_read(node, scope) or self._appended(node, scope) or depth > 9:
                return None
            for one in scope.meanings(node.id):
                if one.kind != "value" or one.value is None or one.steps or one.shared:
                    return None
                pending.append((one.value, one.scope, depth + 1))
            if len(pending) + len(found) > MAX_ALTERNATIVES:
                return None
        return found

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
        bindings = scope.meanings(function.id)
        if function.id in _BUILTIN_NAMES:
            return False  # before the cell binds the name, the builtin answers
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
        homes = scope.homes(node.id)
        key = (id(homes[0]), node.id) if homes else (0, node.id)
        if key in self.open_names:
            return True  # df = df.filter(...): decided by the other bindings
        if key in self.spark_names:
            return self.spark_names[key]
        first = not self.open_names
        self.open_names.add(key)
        try:
            places = self.origins(node, scope, depth, frames=True)
            found = bool(places) and all(
                place is not None and self.is_spark(*place, depth) for place in places or ()
            )
        finally:
            self.open_names.discard(key)
        if first:  # nothing was taken for granted but the name itself
            self.spark_names[key] = found
        return found

    def _is_frame_item(self, node: ast.expr, scope: Scope, depth: int) -> bool:
        return isinstance(node, ast.Subscript) and self.is_spark(node.value, scope, depth)
