"""What Python may say: an allow-list over the syntax tree."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Collection, Iterator

from bluebear_magic.guard import lists
from bluebear_magic.guard.annotations import Annotations
from bluebear_magic.guard.attributes import AttributeRules, has_arguments, source
from bluebear_magic.guard.part import Case, Part
from bluebear_magic.guard.paths import Paths
from bluebear_magic.guard.policy import Policy
from bluebear_magic.guard.report import Report
from bluebear_magic.guard.scopes import Program, Scope, Use, analyse
from bluebear_magic.guard.spark import SparkRules
from bluebear_magic.guard.texts import Texts
from bluebear_magic.records import Finding

MAX_CODE = 100_000  # characters; a cell has some thousand
MAX_CLASSES = 200  # each may be made from, or stand for, any other
MAX_CHAIN = 500  # calls, each on what the one before gives
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
    too_much = ""
    if len(program.each(ast.ClassDef)) > MAX_CLASSES:
        too_much = f"it has more than {MAX_CLASSES} classes"
    elif _has_long_chain(program):
        too_much = f"it chains more than {MAX_CHAIN} calls"
    if too_much:
        report.add_at("PY-SIZE", 1, 0, "", detail=too_much)
        program.close()
        return
    try:
        _judge_program(program, report, policy)
    finally:
        program.close()


def _has_long_chain(program: Program) -> bool:
    """Whether more calls follow each other than anybody writes."""
    links = program.parent_of_call
    if len(links) <= MAX_CHAIN:
        return False
    for call, _ in program.each(ast.Call):
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
            continue  # not the first of its chain
        length, node = 0, call
        while (read := links.get(id(node))) is not None:
            length += 1
            parent = program.parent_of_attribute[id(read)]
            if not isinstance(parent, ast.Call) or parent.func is not read:
                break
            node = parent
        if length > MAX_CHAIN:
            return True
    return False


def _judge_program(program: Program, report: Report, policy: Policy) -> None:
    paths = Paths(program, policy)
    texts = Texts(
        program,
        paths.sure_path_of,
        has_pandas=paths.has_pandas,
        known=policy.library_names,
    )
    case = Case(program, paths, texts, report, policy)
    PythonRules(case).run()
    SparkRules(case).run()


class PythonRules(Part):
    """The rules about names and statements; those about attributes are its part."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.attributes = AttributeRules(case)
        self.builtins_refused = _BUILTINS - case.policy.builtins
        self.named: set[int] = set()  # names in calls that are judged as a whole

    def run(self) -> None:
        """Adds every finding to the report."""
        self._syntax()
        self._imports()
        self.attributes.run()
        self._getattrs()
        for use in self.program.uses:
            self._name(use)
        for use in self.program.stores:
            self._bound(use.node.id, use.node, use.scope)
        self._statements()
        for annotation in Annotations(self.program, self.paths.sure_path_of).faulty():
            self.report.add("PY-ANNOTATION", annotation, source(annotation))
        self._texts()
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
            elif keyword.arg in lists.PROTOCOL:
                self.report.add("SPARK-SCHEMA", keyword, keyword.arg or "")
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
                self.attributes.read_name(name, pattern)

    def _texts(self) -> None:
        """Words that make something of the data that holds them: an array, a class to load."""
        texts = [text for _, text in self.program.texts]
        whole = "\0".join(texts)  # looked through once: few programs have any of the words
        words = (*lists.ADDRESS_KEYS, *lists.CLASS_KEYS)
        if lists.PROTOCOL.isdisjoint(texts) and not any(word in whole for word in words):
            return
        for constant, text in self.program.texts:
            if any(word in text for word in lists.ADDRESS_KEYS):
                self.report.add("PY-MEMORY", constant, text)
            elif text in lists.PROTOCOL or any(word in text for word in lists.CLASS_KEYS):
                self.report.add("SPARK-SCHEMA", constant, text)

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
            if not self._is_base(base.value if isinstance(base, ast.Subscript) else base, scope):
                self.report.add("PY-CLASS", base, source(base))
        for decorator in node.decorator_list:
            self._decorator(decorator)

    def _is_base(self, node: ast.expr, scope: Scope, depth: int = 0) -> bool:
        """Whether a class of the cell may be made from ``node``: Spark trusts its own classes."""
        path = self.paths.path_of(node, scope)
        if path is not None:
            return path in lists.BASES
        if not isinstance(node, ast.Name) or depth > 5:
            return False
        bindings = scope.meanings(node.id)
        if node.id in _BUILTINS and not bindings:
            return node.id in self.policy.builtins and node.id != "type"
        return bool(bindings) and all(
            item.kind == "class"
            or (
                isinstance(item.value, ast.Call)
                and not item.steps
                and self.paths.path_of(item.value.func, item.scope) in lists.BASE_MAKERS
            )
            for item in bindings
        )

    def _decorator(self, node: ast.expr) -> None:
        target = node.func if isinstance(node, ast.Call) else node
        while isinstance(target, ast.Attribute):
            target = target.value
        if not isinstance(target, ast.Name):
            self.report.add("PY-DECORATOR", node, source(node))

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
        elif scope.kind == "class" and (name in lists.PROTOCOL or name.startswith("_j")):
            self.report.add("PY-CLASS", node, name)
        elif name == "spark" and not parameter and id(node) not in self.attributes.built:
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
        if id(node) in self.named:
            return
        path = self.paths.path_of(node, use.scope)
        if path is not None:
            self.attributes.used_path(path, node, use.parent)

    def _unbound(self, use: Use) -> None:
        name = use.node.id
        if name in self.paths.starred or name in self.policy.given:
            return
        if name in self.policy.builtins:
            if name == "print":
                self._print(use)
            return
        if name in _BUILTINS:
            if not (id(use.node) in self.named or (name == "super" and self._is_super(use))):
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
            and self._only_shows(call, use.scope)
        )
        if not plain:
            self.report.add("PY-TYPE", use.node, "type")

    def _only_shows(self, call: ast.Call, scope: Scope) -> bool:
        """Whether the type that ``call`` gives is printed or compared, and goes nowhere else."""
        around = self.program.around[id(call)]
        if isinstance(around, ast.Attribute):
            return around.attr == "__name__"
        if isinstance(around, ast.FormattedValue | ast.Expr):
            return True
        if isinstance(around, ast.BinOp):
            return isinstance(around.op, ast.Mod) and isinstance(around.left, ast.Constant)
        if isinstance(around, ast.Compare):
            same = all(isinstance(op, ast.Is | ast.IsNot) for op in around.ops)
            return same or not (self.texts.compares or self.texts.indexes)
        if not isinstance(around, ast.Call) or call not in around.args:
            return False
        function = around.func
        if isinstance(function, ast.Attribute):
            return function.attr == "format" and isinstance(function.value, ast.Constant)
        return (
            isinstance(function, ast.Name)
            and function.id in lists.SHOWING
            and scope.resolve(function.id) is None
        )

    def _is_super(self, use: Use) -> bool:
        """``super().method(...)`` in a method."""
        call = self.program.call_of.get(id(use.node))
        if call is None or has_arguments(call) or use.scope.kind != "function":
            return False
        attribute = self.program.around[id(call)]
        inside = use.scope.parent is not None and use.scope.parent.kind == "class"
        return (
            inside
            and isinstance(attribute, ast.Attribute)
            and (id(attribute) in self.program.call_of)
        )

    def _getattrs(self) -> None:
        """``getattr(F, "sum")``: a function of Spark's whose name is known beforehand."""
        for use in self.program.uses:
            call = self.program.call_of.get(id(use.node)) if use.node.id == "getattr" else None
            if call is None or call.keywords or len(call.args) != 2:
                continue
            module, name = call.args
            if self.paths.sure_path_of(module, use.scope) != "pyspark.sql.functions":
                continue
            value = self.texts.value(name, use.scope)
            if value.is_constant and value.texts <= self.policy.modules["pyspark.sql.functions"] - (
                lists.SQL_FUNCTION_CALLS
            ):
                self.named.update((id(use.node), id(module)))


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
