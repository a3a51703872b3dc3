"""What Python may say: an allow-list over the syntax tree."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Collection, Iterator

from bluebear_magic.guard import lists
from bluebear_magic.guard.classes import OwnClasses
from bluebear_magic.guard.constants import simple_fields
from bluebear_magic.guard.paths import Paths
from bluebear_magic.guard.policy import Policy
from bluebear_magic.guard.report import Report
from bluebear_magic.guard.scopes import Program, Scope, Use, analyse
from bluebear_magic.guard.spark import SparkRules
from bluebear_magic.guard.texts import Texts
from bluebear_magic.guard.writes import Writes
from bluebear_magic.records import Finding

MAX_CODE = 200_000  # characters; a cell has some thousand at most
_BUILTINS = frozenset(dir(builtins)) | lists.BUILTINS_REFUSED


def judge(code: str, tables: Collection[str] | None, policy: Policy) -> tuple[Finding, ...]:
    """All findings on ``code``."""
    report = Report(code[:MAX_CODE], policy, tables)
    if len(code) > MAX_CODE:
        report.add_at("PY-SIZE", 1, 0, "", detail=f"it has more than {MAX_CODE:,} characters")
        return report.findings()
    tree = _parse(code, report)
    if tree is not None:
        try:
            _judge_tree(tree, report, policy)
        except RecursionError:
            report.add_at("PY-SIZE", 1, 0, "", detail="it is too deeply nested")
    return report.findings()


def _parse(code: str, report: Report) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string is not the guard's business
            return ast.parse(code)
    except SyntaxError as error:
        line, column = error.lineno or 1, max(0, (error.offset or 1) - 1)
        text = (error.text or "").strip()
        report.add_at("PY-SYNTAX", line, column, text, detail=error.msg or "it cannot be parsed")
    except (ValueError, UnicodeError) as error:  # null bytes, lone surrogates, huge numbers
        report.add_at("PY-SYNTAX", 1, 0, "", detail=str(error).splitlines()[0])
    except (RecursionError, MemoryError):
        report.add_at("PY-SIZE", 1, 0, "", detail="it is too deeply nested")
    return None


def _judge_tree(tree: ast.Module, report: Report, policy: Policy) -> None:
    program = analyse(tree)
    paths = Paths(program, policy)
    texts = Texts(program, paths.sure_path_of)
    PythonRules(program, paths, texts, report, policy).run()
    SparkRules(program, paths, texts, report, policy).run()


class PythonRules:
    """The rules about names, attributes and statements."""

    def __init__(
        self, program: Program, paths: Paths, texts: Texts, report: Report, policy: Policy
    ) -> None:
        self.program = program
        self.paths = paths
        self.texts = texts
        self.report = report
        self.policy = policy
        self.classes = OwnClasses(program)
        self.builtins_refused = _BUILTINS - policy.builtins
        self.refused: set[int] = set()  # attributes refused, so that a chain is refused once
        self.built: set[int] = set()  # attributes of a builder's chain, judged as a whole
        self.own_attributes = texts.own_methods | {
            node.attr
            for node, _ in program.each(ast.Attribute)
            if not isinstance(node.ctx, ast.Load)
        }

    def run(self) -> None:
        """Adds every finding to the report."""
        self._syntax()
        self._imports()
        self._builders()
        self.built |= Writes(
            self.program, self.paths, self.texts, self.report, self.policy
        ).judged()
        for use in self.program.uses:
            self._name(use)
        for use in self.program.stores:
            self._bound(use.node.id, use.node, use.scope)
        attributes = sorted(self.program.each(ast.Attribute), key=lambda item: _depth_key(item[0]))
        for node, scope in attributes:
            self._attribute(node, scope)
        self._statements()
        self._result()

    # --- syntax and statements ---

    def _syntax(self) -> None:
        for kind, nodes in self.program.nodes.items():
            name = kind.__name__
            if name in lists.SYNTAX:
                continue
            rule = "PY-ASYNC" if name in lists.ASYNC_SYNTAX else "PY-STATEMENT"
            for node, _ in nodes:
                self.report.add(rule, node, name)
        for node, _ in self.program.each(ast.comprehension):
            if node.is_async:
                self.report.add("PY-ASYNC", node.target, "async for")

    def _statements(self) -> None:
        program = self.program
        for function, scope in program.each(ast.FunctionDef):
            self._definition(function, scope)
        for class_, scope in program.each(ast.ClassDef):
            self._class(class_, scope)
        for argument, scope in program.each(ast.arg):
            self._bound(argument.arg, argument, scope, parameter=True)
        for keyword, _ in program.each(ast.keyword):
            if (keyword.arg or "").startswith("__"):
                self.report.add("PY-DUNDER", keyword, keyword.arg or "")
        for handler, scope in program.each(ast.ExceptHandler):
            self._handler(handler, scope)
        for outer, scope in program.each(ast.Global):
            for name in outer.names:
                self._bound(name, outer, scope)
        for middle, scope in program.each(ast.Nonlocal):
            for name in middle.names:
                self._bound(name, middle, scope)
        self._patterns()

    def _patterns(self) -> None:
        program = self.program
        for capture, scope in program.each(ast.MatchAs):
            self._bound(capture.name or "", capture, scope)
        for star, scope in program.each(ast.MatchStar):
            self._bound(star.name or "", star, scope)
        for mapping, scope in program.each(ast.MatchMapping):
            self._bound(mapping.rest or "", mapping, scope)
        for pattern, _ in program.each(ast.MatchClass):
            for name in pattern.kwd_attrs:
                self._read_name(name, pattern)

    def _definition(self, node: ast.FunctionDef, scope: Scope) -> None:
        if not (scope.kind == "class" and node.name in lists.SPECIAL_METHODS):
            self._bound(node.name, node, scope)
        for decorator in node.decorator_list:
            self._decorator(decorator)

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        self._bound(node.name, node, scope)
        for keyword in node.keywords:
            if keyword.arg != "total":  # of a TypedDict
                self.report.add("PY-CLASS", keyword.value, keyword.arg or "**")
        for base in node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base
            if not isinstance(plain, ast.Name | ast.Attribute):
                self.report.add("PY-CLASS", base, _source(base))
        for decorator in node.decorator_list:
            self._decorator(decorator)

    def _decorator(self, node: ast.expr) -> None:
        target = node.func if isinstance(node, ast.Call) else node
        while isinstance(target, ast.Attribute):
            target = target.value
        if not isinstance(target, ast.Name):
            self.report.add("PY-DECORATOR", node, _source(node))

    def _handler(self, node: ast.ExceptHandler, scope: Scope) -> None:
        if node.name:
            self._bound(node.name, node, scope)
        if node.type is None:
            self.report.add("PY-EXCEPT", node, "except:")
            return
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        broad = any(isinstance(kind, ast.Name) and kind.id == "Exception" for kind in kinds)
        empty = all(
            isinstance(step, ast.Pass | ast.Continue)
            or (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))
            for step in node.body
        )
        if broad and empty:
            self.report.add("PY-EXCEPT", node, "except Exception: pass")

    def _result(self) -> None:
        bound = self.program.module.bindings
        if "result" not in bound and "results" not in bound:
            last = max(1, len(self.report.lines))
            self.report.add_at("CODE-RESULT", last, 0, "")

    # --- imports ---

    def _imports(self) -> None:
        for node, scope in self.program.each(ast.Import):
            for alias in node.names:
                self._bound(alias.asname or alias.name.split(".")[0], node, scope)
                if alias.name not in self.policy.modules:
                    self._refuse_import(node, alias.name)
        for names, scope in self.program.each(ast.ImportFrom):
            self._import_from(names, scope)

    def _import_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        module = "." * node.level + (node.module or "")
        allowed = self.policy.modules.get(module)
        if allowed is None:
            self._refuse_import(node, module)
            return
        for alias in node.names:
            if alias.name == "*":
                if module not in self.policy.star:
                    self._refuse_import(node, f"{module}.*")
                continue
            self._bound(alias.asname or alias.name, node, scope)
            if alias.name not in allowed:
                text = f"{module}.{alias.name}"
                if module == "pyspark.sql.functions":
                    near = self.report.near(alias.name, allowed)
                    self.report.add("SPARK-FUNCTION", node, text, near=near)
                else:
                    self._refuse_import(node, text)

    def _refuse_import(self, node: ast.AST, text: str) -> None:
        modules = ", ".join(lists.COMMON_MODULES)
        self.report.add("PY-IMPORT", node, text, modules=modules)

    # --- names ---

    def _bound(self, name: str, node: ast.AST, scope: Scope, *, parameter: bool = False) -> None:
        """Judges a name that the cell gives a value."""
        if name.startswith("__"):
            self.report.add("PY-DUNDER", node, name)
        elif name == "spark" and not parameter and id(node) not in self.built:
            home = scope.resolve(name)
            if home is self.program.module:
                self.report.add("PY-REBIND", node, name)

    def _name(self, use: Use) -> None:
        node, name = use.node, use.node.id
        if name.startswith("__"):
            if not (name == "__name__" and _asks_for_main(use)):
                self.report.add("PY-DUNDER", node, name)
            return
        home = use.scope.resolve(name)
        if home is None:
            self._unbound(use)
        elif name in self.builtins_refused and home.kind in {"module", "class"}:
            # Before the cell binds the name, and after it deletes it, the builtin answers.
            self.report.add("PY-BUILTIN", node, name)
        if name == "type" and (home is None or home.kind in {"module", "class"}):
            self._type(use)
        path = self.paths.path_of(node, use.scope)
        if path is not None:
            self._used_path(path, node, use.parent)

    def _unbound(self, use: Use) -> None:
        name = use.node.id
        if name in self.paths.starred or name in self.policy.given:
            return
        if name in self.policy.builtins:
            if name == "print":
                self._print(use)
            return
        if name in _BUILTINS:
            self.report.add("PY-BUILTIN", use.node, name)
            return
        near = ""
        if self.report.looks_for_near:
            names = {n for scope in _outward(use.scope) for n in scope.bindings}
            near = self.report.near(name, names | self.policy.given | self.policy.builtins)
        self.report.add("PY-NAME", use.node, name, near=near)

    def _print(self, use: Use) -> None:
        call = self.program.call_of.get(id(use.node))
        for keyword in call.keywords if call else ():
            if keyword.arg not in {"sep", "end", "flush"}:
                self.report.add("PY-ARGUMENT", keyword.value, f"{keyword.arg or '**'}=")

    def _type(self, use: Use) -> None:
        call = self.program.call_of.get(id(use.node))
        plain = (
            call is not None
            and len(call.args) == 1
            and not call.keywords
            and not isinstance(call.args[0], ast.Starred)
        )
        if not plain:
            self.report.add("PY-TYPE", use.node, "type")

    def _used_path(self, path: str, node: ast.expr, parent: ast.AST) -> None:
        """A module, or something of a module, is named: is it used as it may be?"""
        if path in self.policy.modules:
            if not (isinstance(parent, ast.Attribute) and parent.value is node):
                self.report.add("PY-MODULE-VALUE", node, _source(node))
            return
        module, _, name = path.rpartition(".")
        checked = module == "pyspark.sql.functions" and name in lists.SQL_FUNCTION_CALLS
        if checked or path in {"pandas.pivot_table", "pandas.crosstab"}:
            if id(node) not in self.program.call_of:
                self.report.add("SPARK-REFERENCE", node, _source(node))
        elif path == "functools.wraps":
            call = self.program.call_of.get(id(node))
            if call is None or len(call.args) != 1 or call.keywords:
                self.report.add("PY-ARGUMENT", node, _source(node))

    # --- attributes ---

    def _attribute(self, node: ast.Attribute, scope: Scope) -> None:
        name = node.attr
        if id(node) in self.built:
            return
        if name.startswith("__"):
            self._refuse("PY-DUNDER", node, name)
            return
        if not isinstance(node.ctx, ast.Load):
            self._assigned(node, scope)
            return
        base = self.paths.path_of(node.value, scope)
        parent = self.program.parent_of_attribute[id(node)]
        if base is not None and base in self.policy.modules:
            self._of_module(node, base, parent)
        elif base is not None and base in self.policy.classes:
            if name not in self.policy.classes[base] or name == "builder":  # see builders()
                self._refuse_attribute(node)
        elif isinstance(node.value, ast.Name) and node.value.id == "spark":
            if name == "read":
                self._read(node, parent)
            elif name not in self.policy.session:
                self._refuse_attribute(node)
            elif name in lists.CHECKED_METHODS and id(node) not in self.program.call_of:
                self.report.add("SPARK-REFERENCE", node, f"spark.{name}")
        else:
            self._of_object(node, scope, parent)

    def _of_module(self, node: ast.Attribute, module: str, parent: ast.AST) -> None:
        path = f"{module}.{node.attr}"
        if node.attr not in self.policy.modules[module]:
            if module == "pyspark.sql.functions" and node.attr in lists.FUNCTIONS_LEFT_OUT:
                self._refuse("SPARK-FUNCTION", node, _source(node))
            elif module == "pyspark.sql.functions" and not node.attr.startswith("_"):
                near = self.report.near(node.attr, self.policy.modules[module])
                self._refuse("PY-MODULE", node, _source(node), near=near)
            else:
                self._refuse(self.paths.family(node.attr, "PY-MODULE"), node, _source(node))
            return
        self._used_path(path, node, parent)

    def _of_object(self, node: ast.Attribute, scope: Scope, parent: ast.AST) -> None:
        name = node.attr
        called = id(node) in self.program.call_of
        if self.classes.may_read(node, scope):
            return
        if name == "read" and isinstance(parent, ast.Attribute):
            self._read(node, parent)
        elif name in {"format", "format_map"}:
            self._format(node, scope)
        elif name == "json" and called and not _has_arguments(self.program.call_of[id(node)]):
            return  # a schema's own text
        elif not self._may_read(name, called=called):
            self._refuse_attribute(node)
        elif name in lists.CHECKED_METHODS and not called:
            self.report.add("SPARK-REFERENCE", node, f".{name}")

    def _may_read(self, name: str, *, called: bool) -> bool:
        policy = self.policy
        if name.startswith("_"):
            return name in {"_asdict", "_replace", "_fields"}
        if name in policy.attributes:
            return True
        if called:
            return name in self.own_attributes and name not in policy.known
        return name in policy.readable or name not in policy.known

    def _read_name(self, name: str, node: ast.AST) -> None:
        """An attribute that a match pattern reads."""
        if name.startswith("__"):
            self.report.add("PY-DUNDER", node, name)
        elif name in lists.CHECKED_METHODS or not self._may_read(name, called=False):
            self.report.add(self.paths.family(name, "PY-ATTRIBUTE"), node, name)

    def _assigned(self, node: ast.Attribute, scope: Scope) -> None:
        root: ast.expr = node
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if not isinstance(root, ast.Name):
            self._refuse("PY-ASSIGN", node, _source(node))
            return
        imported = self.paths.path_of(root, scope) is not None
        fitting = node.attr in {"columns", "index", "name", "names", "value"}
        if imported or root.id in self.policy.given:
            self._refuse("PY-ASSIGN", node, _source(node))
        elif self.classes.is_self(node.value, scope):
            return
        elif node.attr.startswith("_"):
            self._refuse("PY-PRIVATE", node, node.attr)
        elif not fitting and node.attr in self.policy.known:
            self._refuse("PY-ASSIGN", node, _source(node))

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
            self._refuse("PY-FORMAT", node, _source(node))

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
                self.report.add("SPARK-CONF", call, _source(call))
            if step.attr == "getOrCreate":
                self.built.update(id(item) for item in (node, *chain))
                self.report.add("SPARK-BUILDER", node, "SparkSession.builder")
                self._session_names(call)
                return
            step = self.paths.parent_of_call.get(id(call), call)

    def _harmless(self, call: ast.Call, scope: Scope) -> bool:
        if len(call.args) != 2 or call.keywords:
            return False
        key = self.texts.value(call.args[0], scope)
        return key.is_constant and all(
            isinstance(text, str) and text.startswith(self.policy.settings) for text in key.texts
        )

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


def _depth_key(node: ast.AST) -> tuple[int, int]:
    """Sorts a chain's first attribute before the ones that go on from it."""
    return (getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0))


def _outward(scope: Scope) -> Iterator[Scope]:
    current: Scope | None = scope
    while current is not None:
        yield current
        current = current.parent


def _asks_for_main(use: Use) -> bool:
    """``__name__ == "__main__"``, as scripts end."""
    parent = use.parent
    return (
        isinstance(parent, ast.Compare)
        and parent.left is use.node
        and len(parent.comparators) == 1
        and isinstance(parent.comparators[0], ast.Constant)
    )


def _has_arguments(call: ast.Call) -> bool:
    return bool(call.args or call.keywords)


def _source(node: ast.AST) -> str:
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return type(node).__name__
