"""What may be read on an object, a module or a class: an allow-list over attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bluebear_magic.guard import lists
from bluebear_magic.guard.annotations import MAKERS
from bluebear_magic.guard.classes import OwnClasses
from bluebear_magic.guard.constants import simple_fields
from bluebear_magic.guard.part import Case, Part
from bluebear_magic.guard.scopes import Scope
from bluebear_magic.guard.writes import Writes


class AttributeRules(Part):
    """The rules about attributes, and about what is done with things of a library."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.classes = OwnClasses(case.program, case.paths.sure_path_of, case.texts.origins)
        self.refused: set[int] = set()  # attributes refused, so that a chain is refused once
        self.built: set[int] = set()  # attributes of a builder's chain, judged as a whole
        self.own_attributes = case.texts.own_methods
        self.free: set[str] = set()  # paths that may be used as they like

    def run(self) -> None:
        """Adds every finding to the report."""
        self._builders()
        self.built |= Writes(self.case).judged()
        plain = self.policy.plain_attributes
        # The program lists a node before what it is made of, and the last first: turned round,
        # a chain's first attribute comes before the ones that go on from it.
        for node, scope in reversed(self.program.each(ast.Attribute)):
            if type(node.value) is ast.Call and node.attr in plain and type(node.ctx) is ast.Load:
                continue  # a method on what a call gives, as in most of a chain
            if id(node) not in self.built:
                self._attribute(node, scope)

    def used_path(self, path: str, node: ast.expr, parent: ast.AST) -> None:
        """A module, or something of a module, is named: is it used as it may be?"""
        if path in self.free:
            return
        if path in self.policy.modules:
            if not (isinstance(parent, ast.Attribute) and parent.value is node):
                self.report.add("PY-MODULE-VALUE", node, source(node))
            return
        module, _, name = path.rpartition(".")
        checked = module == "pyspark.sql.functions" and name in lists.SQL_FUNCTION_CALLS
        if checked or path in {"pandas.pivot_table", "pandas.crosstab"}:
            if id(node) not in self.program.call_of:
                self.report.add("SPARK-REFERENCE", node, source(node))
        else:
            self._used_object(path, node, parent)

    def _used_object(self, path: str, node: ast.expr, parent: ast.AST) -> None:
        """Things that may be named, but not handed about or called as they like."""
        call = self.program.call_of.get(id(node))
        if path in self.policy.classes and not path.endswith(".Row"):
            if call is not None:
                self.report.add("SPARK-CONTEXT", node, source(node))
        elif path == "numpy.ndarray":
            if not self._names_a_type(node, parent):
                self.report.add("PY-MEMORY", node, source(node))
        elif path in MAKERS:
            if call is None and not isinstance(parent, ast.ClassDef):
                self.report.add("PY-MODULE-VALUE", node, source(node))
        elif path == "functools.wraps":
            if call is None or len(call.args) != 1 or call.keywords:
                self.report.add("PY-ARGUMENT", node, source(node))
        else:
            self.free.add(path)

    def _names_a_type(self, node: ast.expr, parent: ast.AST) -> bool:
        """Whether a class stands in an annotation or in ``isinstance``, and is not called."""
        inside: ast.AST = node
        while isinstance(parent, ast.Tuple):
            inside, parent = parent, self.program.around[id(parent)]
        if isinstance(parent, ast.Call):
            function = parent.func
            return isinstance(function, ast.Name) and function.id == "isinstance"
        if isinstance(parent, ast.Subscript):
            return parent.slice is inside and self._is_typing(parent.value)
        if isinstance(parent, ast.FunctionDef):
            return parent.returns is inside
        if isinstance(parent, ast.AnnAssign):
            return parent.annotation is inside
        return isinstance(parent, ast.arg) or (
            isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.BitOr)
        )

    def _is_typing(self, node: ast.expr) -> bool:
        module = self.program.module
        if isinstance(node, ast.Name) and node.id in {"dict", "list", "tuple"}:
            return not module.meanings(node.id)
        path = self.paths.sure_path_of(node, module) or ""
        return path.startswith(("typing.", "collections.abc."))

    def _attribute(self, node: ast.Attribute, scope: Scope) -> None:
        name = node.attr
        if name.startswith("__"):
            if not (isinstance(node.ctx, ast.Load) and self._is_harmless_dunder(node, scope)):
                self._refuse("PY-DUNDER", node, name)
        elif not isinstance(node.ctx, ast.Load):
            self._assigned(node, scope)
        else:
            self._loaded(node, scope)

    def _loaded(self, node: ast.Attribute, scope: Scope) -> None:
        base = self.paths.path_of(node.value, scope)
        parent = self.program.parent_of_attribute[id(node)]
        if base is not None and base in self.policy.modules:
            self._of_module(node, base, parent)
            if self.paths.sure_path_of(node.value, scope) is None:
                self._of_object(node, scope, parent)
        elif base is not None and base in self.policy.classes:
            name = node.attr
            if name not in self.policy.classes[base] or name == "builder":  # see builders()
                self._refuse_attribute(node)
        elif isinstance(node.value, ast.Name) and node.value.id == "spark":
            self._of_session(node, scope, parent)
        else:
            self._of_object(node, scope, parent)

    def _of_session(self, node: ast.Attribute, scope: Scope, parent: ast.AST) -> None:
        name = node.attr
        if name == "read":
            self._read(node, parent)
        elif name == "conf":
            self._conf(node, scope, parent)
        elif name not in self.policy.session:
            self._refuse_attribute(node)
        elif name in lists.CHECKED_METHODS and id(node) not in self.program.call_of:
            self.report.add("SPARK-REFERENCE", node, f"spark.{name}")

    def _of_module(self, node: ast.Attribute, module: str, parent: ast.AST) -> None:
        path = f"{module}.{node.attr}"
        if node.attr not in self.policy.modules[module]:
            if module == "pyspark.sql.functions" and node.attr in lists.FUNCTIONS_LEFT_OUT:
                self._refuse("SPARK-FUNCTION", node, source(node))
            elif module == "pyspark.sql.functions" and not node.attr.startswith("_"):
                near = self.report.near(node.attr, self.policy.modules[module])
                self._refuse("PY-MODULE", node, source(node), near=near)
            else:
                self._refuse(self.paths.family(node.attr, "PY-MODULE"), node, source(node))
            return
        self.used_path(path, node, parent)

    def _of_object(self, node: ast.Attribute, scope: Scope, parent: ast.AST) -> None:
        name = node.attr
        called = id(node) in self.program.call_of
        if self.classes.may_read(node, scope):
            return
        if name == "read" and isinstance(parent, ast.Attribute):
            self._read(node, parent)
        elif name in {"format", "format_map"}:
            self._format(node, scope)
        elif name == "json" and called and not has_arguments(self.program.call_of[id(node)]):
            return  # a schema's own text
        elif name in lists.SHOWING_METHODS and called:
            call = self.program.call_of[id(node)]
            if call.args or not {item.arg for item in call.keywords} <= lists.SHOWING_ARGUMENTS:
                self._refuse_attribute(node)
        elif name == "args":
            self._args(node, parent)
        elif name == "data" and self.paths.has_arrays:
            self._refuse("PY-MEMORY", node, name)
        elif not self._may_read(name, called=called):
            self._refuse_attribute(node)
        elif name in lists.CHECKED_METHODS and not called:
            self.report.add("SPARK-REFERENCE", node, f".{name}")

    def _is_harmless_dunder(self, node: ast.Attribute, scope: Scope) -> bool:
        """``type(x).__name__``, a function's ``__name__``, and ``super().__init__(...)``."""
        value = node.value
        if node.attr == "__init__":
            return (
                id(node) in self.program.call_of
                and isinstance(value, ast.Call)
                and isinstance(value.func, ast.Name)
                and value.func.id == "super"
            )
        if node.attr != "__name__":
            return False
        if isinstance(value, ast.Call):
            function = value.func
            return isinstance(function, ast.Name) and function.id == "type"
        if not isinstance(value, ast.Name):
            return False
        bindings = scope.meanings(value.id)
        return bool(bindings) and all(
            item.kind in {"parameter", "function", "class"} for item in bindings
        )

    def _args(self, node: ast.Attribute, parent: ast.AST) -> None:
        """An error's first argument is its message; another can be an object of Java."""
        shown = isinstance(parent, ast.FormattedValue) or (
            isinstance(parent, ast.Subscript)
            and isinstance(parent.slice, ast.Constant)
            and parent.slice.value == 0
        )
        if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name):
            shown = parent.func.id in {"len", "print", "repr", "str"}
        if isinstance(parent, ast.If | ast.IfExp):
            shown = parent.test is node
        if not shown:
            self._refuse("PY-ATTRIBUTE", node, node.attr)

    def _conf(self, node: ast.Attribute, scope: Scope, parent: ast.AST) -> None:
        """``spark.conf.get`` and ``set`` of the settings on the list."""
        call = self.program.call_of.get(id(parent))
        known = isinstance(parent, ast.Attribute) and parent.attr in {"get", "set", "unset"}
        if known and call and call.args and not call.keywords and self._named(call, scope):
            self.built.add(id(parent))
            return
        self._refuse("SPARK-CONF", node, source(call or node))

    def _named(self, call: ast.Call, scope: Scope) -> bool:
        """Whether the call's first argument is a setting on the list."""
        key = self.texts.value(call.args[0], scope)
        return key.is_constant and all(
            isinstance(text, str)
            and text.startswith(self.policy.settings)
            and "class" not in text.lower()  # those load code
            for text in key.texts
        )

    def _may_read(self, name: str, *, called: bool) -> bool:
        policy = self.policy
        if name.startswith("_"):
            # _1 is a column without a name, the others are a named tuple's.
            return name[1:].isdecimal() or name in {"_asdict", "_replace", "_fields"}
        if name in policy.attributes:
            return True
        if called:
            return name in self.own_attributes and name not in policy.known
        return name in policy.readable or name not in policy.known

    def read_name(self, name: str, node: ast.AST) -> None:
        """An attribute that a match pattern reads."""
        if name.startswith("__"):
            self.report.add("PY-DUNDER", node, name)
        elif name in lists.CHECKED_METHODS | {"args", "data"} or not self._may_read(
            name, called=False
        ):
            self.report.add(self.paths.family(name, "PY-ATTRIBUTE"), node, name)

    def _assigned(self, node: ast.Attribute, scope: Scope) -> None:
        root: ast.expr = node
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if not isinstance(root, ast.Name):
            self._refuse("PY-ASSIGN", node, source(node))
            return
        imported = self.paths.path_of(root, scope) is not None
        fitting = node.attr in {"columns", "index", "name", "names", "nullable", "value"}
        if imported or root.id in self.policy.given or node.attr in lists.PROTOCOL:
            self._refuse("PY-ASSIGN", node, source(node))
        elif self.classes.is_self(node.value, scope):
            return
        elif node.attr.startswith("_"):
            self._refuse("PY-PRIVATE", node, node.attr)
        elif not fitting and node.attr in self.policy.known:
            self._refuse("PY-ASSIGN", node, source(node))

    def _read(self, node: ast.Attribute, parent: ast.AST) -> None:
        if isinstance(parent, ast.Attribute) and parent.attr == "table":
            return
        name = self.paths.file_stem(node)
        self._refuse("SPARK-READ", node, "read", tables=self.report.advise_table(name))

    def _format(self, node: ast.Attribute, scope: Scope) -> None:
        if self._in_refused_chain(node):
            return
        base = self.texts.value(node.value, scope)
        plain = base.is_constant and all(simple_fields(text) for text in base.strings)
        if node.attr == "format_map" or not plain:
            self._refuse("PY-FORMAT", node, source(node))

    def _refuse_attribute(self, node: ast.Attribute) -> None:
        if node.attr.startswith("_"):
            rule = self.paths.family(node.attr, "PY-PRIVATE")
        else:
            rule = self.paths.family(node.attr, "PY-ATTRIBUTE")
        near = ""
        if rule == "PY-ATTRIBUTE":
            near = self.report.near(node.attr, self.policy.attributes)
        tables = self.report.advise_table(self.paths.file_stem(node))
        self._refuse(rule, node, node.attr, near=near, tables=tables)

    def _refuse(self, rule: str, node: ast.Attribute, text: str, **words: str) -> None:
        if not self._in_refused_chain(node):
            self.report.add_at(
                rule, node.end_lineno or 1, max(0, (node.end_col_offset or 0) - len(node.attr)),
                text, **words,
            )  # fmt: skip
        self.refused.add(id(node))

    def _in_refused_chain(self, node: ast.Attribute) -> bool:
        """Whether ``node`` only goes on from something that is refused already."""
        return any(id(below) in self.refused for below in _below(node))

    # --- the builder ---

    def _builders(self) -> None:
        """``SparkSession.builder...getOrCreate()`` gives the session at hand, with a warning."""
        for node, scope in self.program.each(ast.Attribute):
            base = self.paths.path_of(node.value, scope) if node.attr == "builder" else None
            if base is not None and base.endswith(".SparkSession"):
                self._builder(node, scope)

    def _builder(self, node: ast.Attribute, scope: Scope) -> None:
        chain: list[ast.Attribute] = []
        step: ast.AST = self.program.parent_of_attribute[id(node)]
        while isinstance(step, ast.Attribute) and step.attr in lists.BUILDER_METHODS:
            call = self.program.call_of.get(id(step))
            if call is None:
                break
            chain.append(step)
            if step.attr == "config" and not self._harmless(call, scope):
                self.report.add("SPARK-CONF", call, source(call))
            if step.attr == "getOrCreate":
                self.built.update(id(item) for item in (node, *chain))
                self.report.add("SPARK-BUILDER", node, "SparkSession.builder")
                self._session_names(call)
                return
            step = self.paths.parent_of_call.get(id(call), call)

    def _harmless(self, call: ast.Call, scope: Scope) -> bool:
        return len(call.args) == 2 and not call.keywords and self._named(call, scope)

    def _session_names(self, call: ast.Call) -> None:
        for node, _ in self.program.each(ast.Assign):
            if node.value is call:
                self.built.update(id(target) for target in node.targets)
        for annotated, _ in self.program.each(ast.AnnAssign):
            if annotated.value is call:
                self.built.add(id(annotated.target))


def _below(node: ast.Attribute) -> Iterator[ast.AST]:
    """What ``node`` goes on from: the objects of its chain of attributes, calls and items."""
    current: ast.AST = node.value
    while True:
        yield current
        if isinstance(current, ast.Attribute | ast.Subscript):
            current = current.value
        elif isinstance(current, ast.Call):
            current = current.func
        else:
            return


def has_arguments(call: ast.Call) -> bool:
    """Whether anything is given to the call."""
    return bool(call.args or call.keywords)


def source(node: ast.AST) -> str:
    """The code of a node, or the name of its kind where it is too deep."""
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return type(node).__name__
