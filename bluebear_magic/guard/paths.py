"""Which library object an expression names: ``F.col`` is ``pyspark.sql.functions.col``."""

from __future__ import annotations

import ast
import builtins
from pathlib import PurePosixPath

from bluebear_magic.guard import lists
from bluebear_magic.guard.policy import Policy
from bluebear_magic.guard.scopes import Binding, Program, Scope

_BUILTIN_NAMES = frozenset(dir(builtins))
_LOADERS = {"csv", "parquet", "json", "orc", "text", "load", "table"}


class Paths:
    """Follows imports, star imports and attributes of modules."""

    def __init__(self, program: Program, policy: Policy) -> None:
        self.program = program
        self.policy = policy
        self._names: dict[tuple[Scope, str], str | None] = {}  # what was found out, by name
        self._known: dict[int, str | None] = {}  # ... and by attribute
        self._sure: dict[int, str | None] = {}
        self.starred: dict[str, str] = {}  # name that a star import binds -> its path
        self.stars = [
            node
            for node, _ in program.each(ast.ImportFrom)
            if any(alias.name == "*" for alias in node.names)
        ]
        for node in self.stars:
            for name in policy.star.get(node.module or "", ()):
                self.starred[name] = f"{node.module}.{name}"
        tree = program.module.node
        self.top = {id(node) for node in tree.body} if isinstance(tree, ast.Module) else set()
        self.has_pandas = self._uses_pandas()
        self.has_arrays = self.has_pandas or any(
            path.split(".")[0] == "numpy" for path in program.imported
        )
        self.parent_of_call = program.parent_of_call

    def _uses_pandas(self) -> bool:
        """Whether objects of pandas or pyarrow can come up."""
        if self.program.attributes & lists.PANDAS_MAKERS:
            return True
        imported = {part for path in self.program.imported for part in path.split(".")}
        if imported & lists.PANDAS_MAKERS:
            return True
        return bool(lists.PANDAS_MAKERS & self.starred.keys()) and any(
            use.node.id in lists.PANDAS_MAKERS for use in self.program.uses
        )

    def path_of(self, node: ast.expr, scope: Scope) -> str | None:
        """The dotted path of what ``node`` names in a library; None for everything else."""
        if isinstance(node, ast.Name):
            name = (scope, node.id)
            if name not in self._names:
                self._names[name] = self._path_of_name(node.id, scope)
            return self._names[name]
        if not isinstance(node, ast.Attribute):
            return None
        key = id(node)
        if key not in self._known:
            self._known[key] = self._path_of_attribute(node, scope)
        return self._known[key]

    def _path_of_attribute(self, node: ast.Attribute, scope: Scope) -> str | None:
        base = self.path_of(node.value, scope)
        if base is None or not (base in self.policy.modules or base in self.policy.classes):
            return None
        return f"{base}.{node.attr}"

    def sure_path_of(self, node: ast.expr, scope: Scope) -> str | None:
        """Like ``path_of``, where the name is bound by that import and by nothing else."""
        path = self.path_of(node, scope)
        if path is None:
            return None
        key = id(node)
        if key not in self._sure:
            self._sure[key] = path if self._is_sure(node, scope) else None
        return self._sure[key]

    def _is_sure(self, node: ast.expr, scope: Scope) -> bool:
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name):
            bindings = scope.meanings(root.id)
            if len(bindings) > 1 and len({binding.path for binding in bindings}) != 1:
                return False
            if root.id in _BUILTIN_NAMES:
                home = scope.resolve(root.id)
                local = home is not None and home.kind == "function"
                return local or self._is_bound_before(root, bindings)
        return True

    def _is_bound_before(self, name: ast.Name, bindings: list[Binding]) -> bool:
        """Whether an import of the module's top level has taken a builtin's name before its use.

        Before that line, or where the line does not run, the builtin answers.
        """
        imports: list[ast.AST] = [
            node
            for node in self.stars
            if name.id in self.policy.star.get(node.module or "", ()) and not bindings
        ] + [binding.node for binding in bindings]
        return name.id not in self.program.deleted and any(
            id(node) in self.top and getattr(node, "lineno", 0) < name.lineno for node in imports
        )

    def _path_of_name(self, name: str, scope: Scope) -> str | None:
        home = scope.resolve(name)
        if home is None:
            return self.starred.get(name)
        bindings = scope.meanings(name) if home.kind == "class" else home.bindings[name]
        for binding in bindings:
            if binding.kind == "import":
                return binding.path
        starred = self.starred.get(name)
        # A name that is also bound by the cell may still be the function, before that line.
        if starred and home is self.program.module and name in lists.SQL_FUNCTION_CALLS:
            return starred
        return None

    def family(self, name: str, default: str) -> str:
        """The rule that speaks of an attribute that is not allowed."""
        for rule, names in lists.FAMILIES.items():
            if name in names:
                return rule
        return default

    def file_stem(self, node: ast.Attribute) -> str:
        """The stem of the file that a chain such as ``spark.read.csv("a/b.csv")`` names, or ''."""
        step: ast.AST = node
        above: ast.AST | None
        for _ in range(50):
            call = self.program.call_of.get(id(step))
            above = self.parent_of_call.get(id(call)) if call else None
            if call is None:
                above = self.program.parent_of_attribute.get(id(step))
            elif isinstance(step, ast.Attribute) and step.attr in _LOADERS:
                for argument in call.args[:1]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        return PurePosixPath(argument.value.rstrip("/*")).name.split(".")[0]
            if not isinstance(above, ast.Attribute):
                return ""
            step = above
        return ""
