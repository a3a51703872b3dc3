"""Attributes of the cell's own classes, which may have any name.

``self.rdd`` is harmless where ``self`` can only be an instance of a plain class
of this cell. That is so if the class is only ever called: then nobody can take
one of its methods and hand it another object as ``self``.
"""

from __future__ import annotations

import ast

from bluebear_magic.guard.scopes import Program, Scope


class OwnClasses:
    """Knows which expressions are surely instances of plain classes of the cell."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.attributes: dict[int, set[str]] = {}  # id of a class's scope -> its attributes
        if any(use.node.id == "type" for use in program.uses):
            return  # type(x) hands out classes
        for node, scope in program.each(ast.ClassDef):
            if self._is_plain(node, scope):
                inner = program.scope_of[id(node)]
                self.attributes[id(inner)] = set(inner.bindings)
        for attribute, scope in program.each(ast.Attribute):
            if isinstance(attribute.ctx, ast.Store):
                home = self._class_of_self(attribute.value, scope)
                if home is not None:
                    self.attributes[id(home)].add(attribute.attr)

    def may_read(self, node: ast.Attribute, scope: Scope) -> bool:
        """Whether the attribute's object is an instance and the class gives it that name."""
        home = self._class_of_self(node.value, scope) or self._class_of_variable(node.value, scope)
        return home is not None and node.attr in self.attributes[id(home)]

    def is_self(self, node: ast.expr, scope: Scope) -> bool:
        """Whether ``node`` is ``self`` in a method of such a class."""
        return self._class_of_self(node, scope) is not None

    def _is_plain(self, node: ast.ClassDef, scope: Scope) -> bool:
        inner = self.program.scope_of[id(node)]
        if node.bases or node.keywords or node.decorator_list:
            return False
        if len(scope.bindings.get(node.name, ())) != 1:
            return False
        for use in self.program.uses:
            home = use.scope.resolve(use.node.id)
            if home is inner and inner.bindings[use.node.id][0].kind == "function":
                return False  # a method named in the class body, where it is a plain function
            if home is scope and use.node.id == node.name:
                call = self.program.call_of.get(id(use.node))
                if call is None:
                    return False
        return all(
            not (isinstance(step, ast.FunctionDef) and step.decorator_list) for step in node.body
        )

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
        arguments = [*function.args.posonlyargs, *function.args.args]
        if not arguments or arguments[0].arg != node.id:
            return None
        if len(function.args.defaults) == len(arguments):
            return None  # a default for self
        return outer if id(outer) in self.attributes else None

    def _class_of_variable(self, node: ast.expr, scope: Scope) -> Scope | None:
        """The class's scope, if ``node`` names a variable that is only ever ``Class(...)``."""
        if not isinstance(node, ast.Name):
            return None
        home = scope.resolve(node.id)
        bindings = home.bindings[node.id] if home is not None else []
        if len(bindings) != 1 or bindings[0].kind != "value" or bindings[0].steps:
            return None
        value = bindings[0].value
        if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
            return None
        made = bindings[0].scope.resolve(value.func.id)
        if made is None or len(made.bindings[value.func.id]) != 1:
            return None
        inner = self.program.scope_of.get(id(made.bindings[value.func.id][0].node))
        return inner if inner is not None and id(inner) in self.attributes else None
