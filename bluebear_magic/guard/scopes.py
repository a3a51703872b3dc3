"""Where every name of a program is bound, and where it is used.

One pass over the syntax tree, without recursion: it sorts the nodes by type
for the rules, and follows Python's scoping (functions, classes, comprehensions,
``global`` and ``nonlocal``) so that a name can be resolved from any place.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeVar, cast

ScopeKind = Literal["module", "function", "class", "comprehension"]
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Node = TypeVar("Node", bound=ast.AST)
# How a target gets its value from the expression: "each" element of it, element 0, 1, ...,
# or "part": some piece that cannot be told.
Step = Literal["each", "part"] | int


class Binding(NamedTuple):
    """One place where a name gets a value.

    ``kind``: ``value`` (assigned from ``value`` by ``steps``), ``augmented``
    (``+=``), ``import``, ``function``, ``class``, ``parameter``, ``other``.
    ``node`` is the place; ``scope`` is where ``value`` is to be read. ``shared``:
    the value can be reached in another way too (``a = b.c = []``, ``(a := [])``).
    """

    kind: Literal["value", "augmented", "import", "function", "class", "parameter", "other"]
    node: ast.AST
    scope: Scope
    value: ast.expr | None = None
    steps: tuple[Step, ...] = ()
    path: str = ""  # of an import: the dotted name that it stands for
    shared: bool = False


@dataclass(eq=False)
class Scope:
    """A namespace; ``parent`` is None for the module's."""

    kind: ScopeKind
    node: ast.AST
    parent: Scope | None = None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)

    def resolve(self, name: str) -> Scope | None:
        """The scope whose binding ``name`` means here; None for a builtin or nothing."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.bindings and (scope is self or scope.kind != "class"):
                return scope
            if name in scope.globals:
                while scope.parent is not None:
                    scope = scope.parent
                return scope if name in scope.bindings else None
            scope = scope.parent
        return None

    def homes(self, name: str) -> list[Scope]:
        """All scopes whose binding ``name`` can mean here: none for a builtin, mostly one.

        A class's body that binds a name later than it reads it reads the outer one before.
        """
        home = self.resolve(name)
        if home is None or home.kind != "class":
            return [] if home is None else [home]
        found: list[Scope] = []
        while home is not None and home not in found:
            found.append(home)
            if home.kind != "class" or home.parent is None:
                break
            home = home.parent.resolve(name)
        module = self
        while module.parent is not None:
            module = module.parent
        if name in module.bindings and module not in found:
            found.append(module)
        return found

    def meanings(self, name: str) -> list[Binding]:
        """All bindings that ``name`` can mean here."""
        home = self.resolve(name)
        if home is None or home.kind != "class":
            return [] if home is None else home.bindings[name]
        return [binding for home in self.homes(name) for binding in home.bindings[name]]


class Use(NamedTuple):
    """A name being read: the node, where, and what stands around it."""

    node: ast.Name
    scope: Scope
    parent: ast.AST


@dataclass
class Program:
    """What the pass found. ``nodes``: by type, each with its scope."""

    module: Scope
    nodes: dict[type[ast.AST], list[tuple[ast.AST, Scope]]]
    uses: list[Use]
    stores: list[Use]
    call_of: dict[int, ast.Call]  # id of a call's function -> the call
    around: dict[int, ast.AST]  # id of a call or a tuple -> what it stands in
    parent_of_attribute: dict[int, ast.AST]
    parent_of_call: dict[int, ast.Attribute]  # id of a call -> the attribute read on what it gives
    attributes: set[str]  # names of all attributes, read or not
    stored: set[str]  # names of the attributes that are given a value, or deleted
    scope_of: dict[int, Scope]  # id of a function, lambda or comprehension -> its own scope
    deleted: set[str]  # names that a ``del`` takes away
    texts: list[tuple[ast.Constant, str]]  # every literal text
    imported: set[str]  # dotted names of everything imported

    def close(self) -> None:
        """Lets go of the bindings, which point at their scopes: so what the program held is free
        at once, and the garbage collector has no tree of thousands of nodes to look through.
        """
        for scope in (self.module, *self.scope_of.values()):
            scope.bindings.clear()

    def each(self, kind: type[Node]) -> list[tuple[Node, Scope]]:
        """All nodes of this exact type, each with its scope."""
        return cast("list[tuple[Node, Scope]]", self.nodes.get(kind, []))


_TYPE_PARAMETERS = {"TypeVar", "ParamSpec", "TypeVarTuple"}  # syntax of Python 3.12
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Fields that hold no expressions or statements: contexts, operators and plain values.
_PLAIN_FIELDS = {"ctx", "op", "ops", "kind", "attr", "conversion", "type_comment", "level"}


class _Fields(dict[type[ast.AST], Callable[[ast.AST], tuple[Any, ...]]]):
    """What gives the fields of a type of node that can hold other nodes; worked out once."""

    def __missing__(self, kind: type[ast.AST]) -> Callable[[ast.AST], tuple[Any, ...]]:
        names = [name for name in kind._fields if name not in _PLAIN_FIELDS]
        if len(names) > 1:
            self[kind] = attrgetter(*names)
        else:  # of one name it gives no tuple
            self[kind] = lambda node: tuple(getattr(node, name) for name in names)
        return self[kind]


_FIELDS = _Fields()


class _Walker:
    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope("module", tree)
        self.program = Program(
            module=self.module, nodes=defaultdict(list), uses=[], stores=[], call_of={}, around={},
            parent_of_attribute={}, parent_of_call={}, attributes=set(), stored=set(), scope_of={},
            deleted=set(), texts=[], imported=set(),
        )  # fmt: skip
        self.stack: list[tuple[Any, Scope, ast.AST]] = [
            (node, self.module, tree) for node in tree.body
        ]

    def run(self) -> Program:
        stack, special, program = self.stack, _SPECIAL, self.program
        nodes, uses, stores = program.nodes, program.uses, program.stores
        while stack:
            node, scope, parent = stack.pop()
            kind = type(node)
            if kind is ast.Name:
                kept = uses if type(node.ctx) is ast.Load else stores
                kept.append(Use(node, scope, parent))
                continue
            if kind is ast.Constant:
                if type(node.value) is str:
                    program.texts.append((node, node.value))
                continue
            nodes[kind].append((node, scope))
            if kind is ast.Attribute:
                self.attribute(node, scope, parent)
            elif kind is ast.Call:
                program.call_of[id(node.func)] = node
                program.around[id(node)] = parent
                stack.append((node.func, scope, node))
                stack.extend([(item, scope, node) for item in node.args])
                if node.keywords:
                    stack.extend([(item, scope, node) for item in node.keywords])
            else:
                if kind is ast.Tuple:
                    program.around[id(node)] = parent
                handler = special.get(kind)
                if handler is None or not handler(self, node, scope):
                    self.push_fields(node, scope)
        self.settle()
        return program

    def attribute(self, node: ast.Attribute, scope: Scope, parent: ast.AST) -> None:
        program, value = self.program, node.value
        program.parent_of_attribute[id(node)] = parent
        program.attributes.add(node.attr)
        if type(node.ctx) is not ast.Load:
            program.stored.add(node.attr)
        if isinstance(value, ast.Name):
            program.uses.append(Use(value, scope, node))
            return
        if isinstance(value, ast.Call):
            program.parent_of_call[id(value)] = node
        self.stack.append((value, scope, node))

    def push_fields(self, node: ast.AST, scope: Scope) -> None:
        """Puts what ``node`` is made of on the stack."""
        stack = self.stack
        for value in _FIELDS[type(node)](node):
            if type(value) is list:
                stack.extend([(item, scope, node) for item in value if isinstance(item, ast.AST)])
            elif isinstance(value, ast.AST):
                stack.append((value, scope, node))

    # --- bindings ---

    def bind(self, scope: Scope, name: str, binding: Binding) -> None:
        if binding.path:
            self.program.imported.add(binding.path)
        known = scope.bindings.get(name)
        if known is None:
            scope.bindings[name] = [binding]
        else:
            known.append(binding)

    def targets(
        self,
        scope: Scope,
        target: ast.AST,
        value: ast.expr,
        steps: tuple[Step, ...],
        read: Scope,
        *,
        shared: bool = False,
    ) -> None:
        """Binds every name of an assignment's left side to its piece of the right side."""
        if type(target) is ast.Name:  # as nearly always
            binding = Binding("value", target, read, value, steps, shared=shared)
            self.bind(scope, target.id, binding)
            return
        pending = [(target, value, steps)]
        while pending:
            target, value, steps = pending.pop()
            if isinstance(target, ast.Name):
                binding = Binding("value", target, read, value, steps, shared=shared)
                self.bind(scope, target.id, binding)
            elif isinstance(target, ast.Starred):
                pending.append((target.value, value, (*steps, "part")))
            elif isinstance(target, ast.Tuple | ast.List):
                starred = any(isinstance(item, ast.Starred) for item in target.elts)
                for index, item in enumerate(target.elts):
                    step: Step = "part" if starred else index
                    pending.append((item, value, (*steps, step)))

    def assign(self, node: ast.Assign, scope: Scope) -> None:
        shared = len(node.targets) > 1
        for target in node.targets:
            self.targets(scope, target, node.value, (), scope, shared=shared)

    def annotated(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self.targets(scope, node.target, node.value, (), scope)

    def augmented(self, node: ast.AugAssign, scope: Scope) -> None:
        if isinstance(node.target, ast.Name):
            binding = Binding("augmented", node, scope, node.value)
            self.bind(scope, node.target.id, binding)

    def named(self, node: ast.NamedExpr, scope: Scope) -> None:
        home = scope
        while home.kind == "comprehension" and home.parent is not None:
            home = home.parent
        self.targets(home, node.target, node.value, (), scope, shared=True)

    def loop(self, node: ast.For, scope: Scope) -> None:
        self.targets(scope, node.target, node.iter, ("each",), scope)

    def with_(self, node: ast.With, scope: Scope) -> None:
        for item in node.items:
            if item.optional_vars is not None:
                self.targets(scope, item.optional_vars, item.context_expr, ("part",), scope)

    def type_parameter(self, node: Any, scope: Scope) -> None:
        self.bind(scope, node.name, Binding("other", node, scope))

    def handler(self, node: ast.ExceptHandler, scope: Scope) -> None:
        if node.name:
            self.bind(scope, node.name, Binding("other", node, scope))

    def capture(self, node: ast.MatchAs | ast.MatchStar, scope: Scope) -> None:
        if node.name:
            self.bind(scope, node.name, Binding("other", node, scope))

    def capture_rest(self, node: ast.MatchMapping, scope: Scope) -> None:
        if node.rest:
            self.bind(scope, node.rest, Binding("other", node, scope))

    def global_(self, node: ast.Global, scope: Scope) -> None:
        scope.globals.update(node.names)

    def nonlocal_(self, node: ast.Nonlocal, scope: Scope) -> None:
        scope.nonlocals.update(node.names)

    def imported(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.split(".")[0]
            path = alias.name if alias.asname else name
            self.bind(scope, name, Binding("import", node, scope, path=path))

    def imported_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.program.imported.add(node.module or "")
            else:
                path = f"{node.module or ''}.{alias.name}"
                binding = Binding("import", node, scope, path=path)
                self.bind(scope, alias.asname or alias.name, binding)

    # --- new scopes ---

    def function(self, node: Function, scope: Scope) -> bool:
        inner = Scope("function", node, scope)
        self.program.scope_of[id(node)] = inner
        if not isinstance(node, ast.Lambda):
            self.bind(scope, node.name, Binding("function", node, scope))
            self.push(scope, node, *node.decorator_list, node.returns)
            self.push(inner, node, *node.body)
        else:
            self.push(inner, node, node.body)
        self.push(inner, node, *getattr(node, "type_params", ()))
        signature = node.args
        self.push(scope, signature, *signature.defaults, *signature.kw_defaults)
        for argument in (
            *signature.posonlyargs, *signature.args, *signature.kwonlyargs,
            signature.vararg, signature.kwarg,
        ):  # fmt: skip
            if argument is not None:
                self.program.nodes[ast.arg].append((argument, scope))
                self.bind(inner, argument.arg, Binding("parameter", argument, inner))
                self.push(scope, argument, argument.annotation)
        return True

    def class_(self, node: ast.ClassDef, scope: Scope) -> bool:
        inner = Scope("class", node, scope)
        self.program.scope_of[id(node)] = inner
        self.bind(scope, node.name, Binding("class", node, scope))
        self.push(scope, node, *node.decorator_list, *node.bases, *node.keywords)
        self.push(inner, node, *node.body, *getattr(node, "type_params", ()))
        return True

    def comprehension(self, node: ast.ListComp, scope: Scope) -> bool:
        inner = Scope("comprehension", node, scope)
        self.program.scope_of[id(node)] = inner
        for index, part in enumerate(node.generators):
            read = scope if index == 0 else inner
            self.targets(inner, part.target, part.iter, ("each",), read)
            self.push(read, part, part.iter)
            self.push(inner, part, part.target, *part.ifs)
            self.program.nodes[ast.comprehension].append((part, inner))
        for name in ("elt", "key", "value"):
            self.push(inner, node, getattr(node, name, None))
        return True

    def push(self, scope: Scope, parent: ast.AST, *nodes: ast.AST | None) -> None:
        self.stack.extend((node, scope, parent) for node in nodes if node is not None)

    def settle(self) -> None:
        """Binds what is left; moves bindings under ``global`` and ``nonlocal`` to their scopes."""
        for use in self.program.stores:
            name, scope = use.node.id, use.scope
            if type(use.node.ctx) is ast.Del:
                self.program.deleted.add(name)
            elif scope.kind == "comprehension":
                if scope.resolve(name) is None:
                    self.bind(scope, name, Binding("other", use.node, scope))
            elif name not in scope.bindings and name not in scope.globals | scope.nonlocals:
                # ``name: int`` alone: a field of a class, a local variable of a function.
                self.bind(scope, name, Binding("other", use.node, scope))
        for scope in self.program.scope_of.values():
            for name in scope.globals & scope.bindings.keys():
                self.module.bindings.setdefault(name, []).extend(scope.bindings.pop(name))
            for name in scope.nonlocals & scope.bindings.keys():
                home = scope.parent.resolve(name) if scope.parent else None
                if home is not None:
                    home.bindings[name].extend(scope.bindings.pop(name))


# Types of nodes that bind names or open a scope; what pushes its own parts gives True.
_SPECIAL: dict[type[ast.AST], Callable[[_Walker, Any, Scope], bool | None]] = {
    ast.Import: _Walker.imported,
    ast.ImportFrom: _Walker.imported_from,
    ast.FunctionDef: _Walker.function,
    ast.AsyncFunctionDef: _Walker.function,
    ast.Lambda: _Walker.function,
    ast.ClassDef: _Walker.class_,
    ast.Assign: _Walker.assign,
    ast.AnnAssign: _Walker.annotated,
    ast.AugAssign: _Walker.augmented,
    ast.NamedExpr: _Walker.named,
    ast.For: _Walker.loop,
    ast.AsyncFor: _Walker.loop,
    ast.With: _Walker.with_,
    ast.AsyncWith: _Walker.with_,
    ast.ExceptHandler: _Walker.handler,
    ast.Global: _Walker.global_,
    ast.Nonlocal: _Walker.nonlocal_,
    ast.MatchAs: _Walker.capture,
    ast.MatchStar: _Walker.capture,
    ast.MatchMapping: _Walker.capture_rest,
    **dict.fromkeys(_COMPREHENSIONS, _Walker.comprehension),
    **{
        getattr(ast, name): _Walker.type_parameter
        for name in _TYPE_PARAMETERS
        if hasattr(ast, name)
    },
}


def analyse(tree: ast.Module) -> Program:
    """The program's names and nodes. The tree must come from ``ast.parse``."""
    return _Walker(tree).run()
