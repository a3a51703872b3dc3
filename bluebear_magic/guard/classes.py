"""Attributes of the cell's own classes, which may have any name.

``self.rdd`` is harmless where ``self`` can only be an instance of a plain class
of this cell. That is so if the class is only ever called, inherited from by
another such class, or named in annotations, handlers and ``isinstance``: then
nobody can take one of its methods and hand it another object as ``self``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from bluebear_magic.guard.scopes import Binding, Program, Scope, Use

# Bases that hold nothing of a library's own under a name that a method could change.
_PLAIN_BASES = frozenset(["abc.ABC", "typing.Generic", "typing.Protocol"])
_BUILTIN_BASES = ("object", "Exception", "Error", "Warning")
_CLASS_DECORATORS = frozenset(["dataclasses.dataclass"])
# Decorators of methods, and those under which the first parameter stays the instance.
_METHOD_DECORATORS = frozenset(["property", "staticmethod", "classmethod", "abc.abstractmethod"])
_ON_INSTANCES = frozenset(["property", "abc.abstractmethod"])

_Origins = Callable[[ast.expr, Scope], list[tuple[ast.expr, Scope] | None] | None]
_PathOf = Callable[[ast.expr, Scope], str | None]


class OwnClasses:
    """Knows which expressions are surely instances of plain classes of the cell."""

    def __init__(self, program: Program, path_of: _PathOf, origins: _Origins) -> None:
        self.program = program
        self.path_of = path_of
        self.origins = origins
        self.attributes: dict[int, set[str]] = {}  # id of a class's scope -> its attributes
        self.uses_in: dict[int, list[Use]] = {}  # id of a scope -> names used in it
        self.uses_of: dict[str, list[Use]] = {}
        for use in program.uses if program.each(ast.ClassDef) else ():
            self.uses_in.setdefault(id(use.scope), []).append(use)
            self.uses_of.setdefault(use.node.id, []).append(use)
        self.bases: dict[int, list[ast.ClassDef]] = {}  # id of a class -> the cell's it is made of
        for node, scope in program.each(ast.ClassDef):
            self.bases[id(node)] = list(self._bases(node, scope))
        heirs: dict[int, list[ast.ClassDef]] = {}
        for node, _ in program.each(ast.ClassDef):
            for base in self.bases[id(node)]:
                heirs.setdefault(id(base), []).append(node)
        self._find_plain(heirs)

    def _find_plain(self, heirs: dict[int, list[ast.ClassDef]]) -> None:
        program = self.program
        plain = {
            id(node): node
            for node, scope in program.each(ast.ClassDef)
            if self._is_plain(node, scope)
        }
        while True:
            lost = [
                key
                for key in plain
                if not all(id(other) in plain for other in self.bases[key] + heirs.get(key, []))
            ]
            if not lost:
                break
            for key in lost:
                del plain[key]
        for node in plain.values():
            inner = program.scope_of[id(node)]
            self.attributes[id(inner)] = set(inner.bindings)
        for attribute, scope in program.each(ast.Attribute):
            if isinstance(attribute.ctx, ast.Store):
                home = self._class_of_self(attribute.value, scope)
                if home is not None:
                    self.attributes[id(home)].add(attribute.attr)
        for _ in range(5):  # a base's attributes are its heirs' too
            for node in plain.values():
                mine = self.attributes[id(program.scope_of[id(node)])]
                for base in self.bases[id(node)]:
                    mine |= self.attributes[id(program.scope_of[id(base)])]

    def may_read(self, node: ast.Attribute, scope: Scope) -> bool:
        """Whether the attribute's object is an instance and the class gives it that name."""
        if not self.attributes:
            return False
        homes = self._classes_of(node.value, scope)
        return bool(homes) and all(node.attr in self.attributes[id(home)] for home in homes)

    def is_self(self, node: ast.expr, scope: Scope) -> bool:
        """Whether ``node`` is ``self`` in a method of such a class."""
        return self._class_of_self(node, scope) is not None

    # --- plain classes ---

    def _is_plain(self, node: ast.ClassDef, scope: Scope) -> bool:
        inner = self.program.scope_of[id(node)]
        named = scope.bindings.get(node.name, ())  # empty where ``global`` takes it elsewhere
        if node.keywords or scope.kind == "class" or not named:
            return False
        if any(binding.kind != "class" for binding in named):
            return False
        if not all(self._is_plain_base(base, scope) for base in node.bases):
            return False
        decorators = [self._decorator(item, scope) for item in node.decorator_list]
        if not set(decorators) <= _CLASS_DECORATORS:
            return False
        for use in self.uses_in.get(id(inner), ()):
            bindings = inner.bindings.get(use.node.id)
            if bindings and bindings[0].kind == "function":
                return False  # a method named in the class body, where it is a plain function
        for use in self.uses_of.get(node.name, ()):
            is_meant = scope in use.scope.homes(node.name)
            if is_meant and not self._is_plain_use(use.node, use.parent, use.scope, inner):
                return False
        return all(
            self._decorator(item, inner) in _METHOD_DECORATORS
            for step in node.body
            if isinstance(step, ast.FunctionDef)
            for item in step.decorator_list
        )

    def _is_plain_base(self, node: ast.expr, scope: Scope) -> bool:
        plain = node.value if isinstance(node, ast.Subscript) else node
        if self.path_of(plain, scope) in _PLAIN_BASES:
            return True
        if not isinstance(plain, ast.Name):
            return False
        bindings = scope.meanings(plain.id)
        if not bindings:
            return plain.id.endswith(_BUILTIN_BASES)
        return all(binding.kind == "class" for binding in bindings)

    def _decorator(self, node: ast.expr, scope: Scope) -> str:
        target = node.func if isinstance(node, ast.Call) else node
        if isinstance(target, ast.Name) and not scope.meanings(target.id):
            return target.id
        return self.path_of(target, scope) or "?"

    def _is_plain_use(self, use: ast.Name, parent: ast.AST, scope: Scope, inner: Scope) -> bool:
        """Whether a use of the class's name hands out neither the class nor a method."""
        if id(use) in self.program.call_of or isinstance(
            parent, ast.ClassDef | ast.ExceptHandler | ast.Raise | ast.arg | ast.FunctionDef
        ):
            return not (
                isinstance(parent, ast.ClassDef | ast.FunctionDef) and _decorates(use, parent)
            )
        if isinstance(parent, ast.AnnAssign):
            return parent.annotation is use
        if isinstance(parent, ast.Attribute):
            bindings: list[Binding] = inner.bindings.get(parent.attr, [])
            return (
                isinstance(parent.ctx, ast.Load)
                and bool(bindings)
                and all(item.kind == "value" for item in bindings)
            )
        if isinstance(parent, ast.Subscript):
            return (self.path_of(parent.value, scope) or "").startswith("typing.")
        if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name):
            return parent.func.id == "isinstance" and not scope.meanings("isinstance")
        return False

    def _bases(self, node: ast.ClassDef, scope: Scope) -> Iterator[ast.ClassDef]:
        """The classes of the cell that ``node`` is made from."""
        for base in node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base
            if isinstance(plain, ast.Name):
                for binding in scope.meanings(plain.id):
                    if isinstance(binding.node, ast.ClassDef):
                        yield binding.node

    # --- instances ---

    def _class_of_self(self, node: ast.expr, scope: Scope) -> Scope | None:
        """The class's scope, if ``node`` names the first parameter of one of its methods."""
        if not isinstance(node, ast.Name):
            return None
        home = scope.resolve(node.id)
        if home is None or home.kind != "function" or len(home.bindings[node.id]) != 1:
            return None
        function, outer = home.node, home.parent
        if not isinstance(function, ast.FunctionDef) or outer is None:
            return None
        decorators = {self._decorator(item, outer) for item in function.decorator_list}
        if not decorators <= _ON_INSTANCES:
            return None
        arguments = [*function.args.posonlyargs, *function.args.args]
        if not arguments or arguments[0].arg != node.id:
            return None
        if len(function.args.defaults) == len(arguments):
            return None  # a default for self
        return outer if id(outer) in self.attributes else None

    def _classes_of(self, node: ast.expr, scope: Scope, depth: int = 0) -> list[Scope]:
        """Scopes of the classes that ``node`` can be an instance of; none if that is not sure."""
        home = self._class_of_self(node, scope)
        if home is not None:
            return [home]
        if isinstance(node, ast.Name):
            places = self.origins(node, scope)
        elif isinstance(node, ast.Call):
            places = [(node, scope)]
        else:
            return []
        found: list[Scope] = []
        for place in places or ():
            made = self._made(place[0], place[1], depth) if place and depth < 20 else []
            if not made:
                return []
            found += made
        return found

    def _made(self, node: ast.expr, scope: Scope, depth: int) -> list[Scope]:
        """The classes of ``Class(...)``, and of ``Class(...).method()`` that returns ``self``."""
        if not isinstance(node, ast.Call):
            return []
        if isinstance(node.func, ast.Name):
            made = scope.meanings(node.func.id)
            inner = [self.program.scope_of.get(id(binding.node)) for binding in made]
            plain = [home for home in inner if home is not None and id(home) in self.attributes]
            return plain if len(plain) == len(made) else []
        if not isinstance(node.func, ast.Attribute):
            return []
        homes = self._classes_of(node.func.value, scope, depth + 1)
        fluent = all(self._gives_self(home, node.func.attr) for home in homes)
        return homes if fluent else []

    def _gives_self(self, home: Scope, name: str) -> bool:
        bindings = home.bindings.get(name, [])
        function = bindings[0].node if len(bindings) == 1 else None
        if not isinstance(function, ast.FunctionDef) or function.decorator_list:
            return False
        inner = self.program.scope_of[id(function)]
        given = [node.value for node, where in self.program.each(ast.Return) if where is inner]
        return bool(given) and all(
            value is not None and self._class_of_self(value, inner) is home for value in given
        )


def _decorates(use: ast.Name, node: ast.ClassDef | ast.FunctionDef) -> bool:
    return any(
        use is (item.func if isinstance(item, ast.Call) else item) for item in node.decorator_list
    )
