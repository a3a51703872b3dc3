"""Annotations, which Spark evaluates.

``pandas_udf`` and its kin ask ``typing.get_type_hints`` for a function's types, and that runs
every text it finds in them as Python: in the annotation itself, and in what a name in it stands
for (``T = list["..."]``). So an annotation is made of names, items and ``|``, in text as well.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from bluebear_magic.guard.scopes import Binding, Program, Scope

MAX_DEPTH = 40

# Calls that make a type, and are judged where they stand.
MAKERS = frozenset(
    ["collections.namedtuple"]
    + [f"typing.{name}" for name in "NamedTuple NewType ParamSpec TypeVar TypedDict".split()]
)
_PathOf = Callable[[ast.expr, Scope], str | None]


class Annotations:
    """Tells which annotations are more than the names of types."""

    def __init__(self, program: Program, path_of: _PathOf) -> None:
        self.program = program
        self.path_of = path_of
        self._known: dict[int, bool] = {}
        self._read: list[ast.expr] = []  # kept alive: what is known of nodes goes by their id

    def faulty(self) -> Iterator[ast.expr]:
        """Every annotation, and every type given to a maker of types, that could run code."""
        program = self.program
        for argument, scope in program.each(ast.arg):
            if argument.annotation is not None and not self._plain(argument.annotation, scope):
                yield argument.annotation
        for function, scope in program.each(ast.FunctionDef):
            if function.returns is not None and not self._plain(function.returns, scope):
                yield function.returns
        for variable, scope in program.each(ast.AnnAssign):
            if not self._plain(variable.annotation, scope):
                yield variable.annotation
        if any(path.startswith("typing") for path in program.imported):
            for call, scope in program.each(ast.Call):
                path = self.path_of(call.func, scope)
                if path in MAKERS and path != "collections.namedtuple":
                    yield from self._made(call, scope)

    def _made(self, call: ast.Call, scope: Scope) -> Iterator[ast.expr]:
        """The types in ``NamedTuple("N", [("x", int)])``, ``TypedDict("D", {"x": int})`` ..."""
        given = [*call.args[1:], *(item.value for item in call.keywords if item.arg != "total")]
        for node in given:
            types: list[ast.expr | None] = [node]
            if isinstance(node, ast.Dict):
                types = list(node.values)
            elif isinstance(node, ast.List | ast.Tuple):
                pairs = [item.elts for item in node.elts if isinstance(item, ast.Tuple)]
                types = [item for pair in pairs for item in pair[1:]]
                if len(pairs) != len(node.elts):
                    types = [node]
            elif isinstance(node, ast.Starred):
                yield node
                continue
            for type_ in types:
                if type_ is not None and not self._plain(type_, scope):
                    yield type_

    def _plain(self, node: ast.expr, scope: Scope, depth: int = 0, *, text: bool = False) -> bool:
        """Whether ``node`` names a type and can do no more; ``text``: it was read from a text."""
        if depth > MAX_DEPTH:
            return False
        depth += 1
        if isinstance(node, ast.Constant):
            return self._plain_text(node.value, scope, depth) if node.value else True
        if isinstance(node, ast.Name):
            return self._plain_name(node, scope, depth, text=text)
        if isinstance(node, ast.Attribute):
            return self._plain_attribute(node, scope, text=text)
        if isinstance(node, ast.Subscript):
            if not self._plain(node.value, scope, depth, text=text):
                return False
            if self._names(node.value, scope, "Literal"):
                return _is_literal(node.slice)
            return self._plain(node.slice, scope, depth, text=text)
        if isinstance(node, ast.Tuple | ast.List):
            return all(self._plain(item, scope, depth, text=text) for item in node.elts)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            sides = (node.left, node.right)
            return all(self._plain(side, scope, depth, text=text) for side in sides)
        if isinstance(node, ast.Call):
            return not text and self.path_of(node.func, scope) in MAKERS
        return False

    def _names(self, node: ast.expr, scope: Scope, name: str) -> bool:
        return self.path_of(node, scope) == f"typing.{name}"

    def _plain_text(self, value: object, scope: Scope, depth: int) -> bool:
        if not isinstance(value, str):
            return True
        if len(value) > 500:
            return False
        try:
            inner = ast.parse(value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        self._read.append(inner)
        return self._plain(inner, scope, depth, text=True)

    def _plain_name(self, node: ast.Name, scope: Scope, depth: int, *, text: bool) -> bool:
        if node.id.startswith("__"):
            return False
        return all(self._plain_binding(item, depth) for item in scope.meanings(node.id))

    def _plain_binding(self, binding: Binding, depth: int) -> bool:
        if binding.kind in {"import", "class", "function"}:
            return True
        if binding.kind == "value" and binding.value is not None and not binding.steps:
            key = id(binding.value)
            if key not in self._known:
                self._known[key] = True  # a circle is judged by its other parts
                self._known[key] = self._plain(binding.value, binding.scope, depth)
            return self._known[key]
        return type(binding.node).__name__ in {"TypeVar", "ParamSpec", "TypeVarTuple"}

    def _plain_attribute(self, node: ast.Attribute, scope: Scope, *, text: bool) -> bool:
        """``pd.Series``, or a class inside a class of the cell."""
        if node.attr.startswith("_"):
            return False
        if self.path_of(node.value, scope) is not None:
            return True
        if isinstance(node.value, ast.Attribute):
            return self._plain_attribute(node.value, scope, text=text)
        if not isinstance(node.value, ast.Name) or node.value.id.startswith("_"):
            return False
        bindings = scope.meanings(node.value.id)
        if not bindings:
            return text  # not defined: nothing is run
        return all(item.kind == "class" and self._has_class(item, node.attr) for item in bindings)

    def _has_class(self, outer: Binding, name: str) -> bool:
        inner = self.program.scope_of[id(outer.node)].bindings.get(name, [])
        return bool(inner) and all(item.kind == "class" for item in inner)


def _is_literal(node: ast.expr) -> bool:
    items = node.elts if isinstance(node, ast.Tuple) else [node]
    return all(isinstance(item, ast.Constant | ast.UnaryOp) for item in items)
