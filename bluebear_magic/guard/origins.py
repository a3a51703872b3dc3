"""Where a value comes from: names, parameters and containers followed to what they are bound to.

A name stands for everything that it is ever bound to, in any order; a parameter
for the arguments of every call; an element for any of its container's, if the
container cannot change under another name. What cannot be followed is None.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from functools import cached_property

from bluebear_magic.guard import lists
from bluebear_magic.guard.constants import MAX_TEXTS, Value
from bluebear_magic.guard.scopes import Binding, Program, Scope, Step

MAX_STEPS = 40_000  # nodes looked at for one program
MAX_DEPTH = 60

Seen = frozenset[tuple[int, str]]
Place = tuple[ast.expr, Scope]  # an expression, and the scope it is read in

# These make objects whose attributes are named by text.
_NAMING = frozenset(["namedtuple", "NamedTuple", "Row", "Enum", "IntEnum"])
# Methods that an operator or an index calls, with the other side as their argument.
_COMPARING = frozenset(["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"])
_INDEXING = frozenset(["__getitem__", "__contains__"])
_PURE_CALLS = frozenset(
    "all any dict enumerate len list max min print reversed set sorted sum tuple zip".split()
)
# Spark's methods, which take a list of columns and leave it as it is.
_TAKING_METHODS = lists.SPARK_RESULTS | {"agg", "join", "partitionBy", "approxQuantile"}
_READING_METHODS = frozenset("copy count get index items keys values".split())


class Origins:
    """Follows one program's expressions; ``path_of`` tells which library object one names."""

    def __init__(
        self,
        program: Program,
        path_of: Callable[[ast.expr, Scope], str | None],
        *,
        has_pandas: bool = False,
    ) -> None:
        self.program = program
        self.path_of = path_of
        self.steps = 0
        self.strict = 0  # above 0 while containers are followed: they must not change on the way
        self.made: list[ast.AST] = []
        self.open: set[tuple[int, int]] = set()
        # Names of attributes that objects of the cell may have, so that a method of Spark's by
        # that name need not be Spark's.
        self.stored = program.stored
        self.own_methods = self.stored | {
            name
            for scope in program.scope_of.values()
            if scope.kind == "class"
            for name in scope.bindings
        }
        self.compares = bool(self.own_methods & _COMPARING)
        self.indexes = bool(self.own_methods & _INDEXING)
        # Rows of pandas have attributes named by text, and hold functions as well as anything.
        self.any_attribute = (
            has_pandas
            or any(
                path.rpartition(".")[2] in _NAMING or path in {"enum", "typing"}
                for path in program.imported
            )
            or bool(program.attributes & _NAMING)
        )

    @cached_property
    def call_scopes(self) -> dict[int, Scope]:
        """Id of each call -> the scope that it stands in."""
        return {id(node): scope for node, scope in self.program.each(ast.Call)}

    @cached_property
    def uses_of(self) -> dict[tuple[int, str], list[tuple[ast.Name, ast.AST]]]:
        """Where the names of each scope are read, by the scope's id; few programs ask."""
        found: dict[tuple[int, str], list[tuple[ast.Name, ast.AST]]] = {}
        for node, scope, parent in self.program.uses:
            for home in scope.homes(node.id):
                found.setdefault((id(home), node.id), []).append((node, parent))
        return found

    def value(self, node: ast.expr, scope: Scope, depth: int = 0) -> Value:
        """Every text that ``node`` can be."""
        raise NotImplementedError

    def is_spark(self, node: ast.expr, scope: Scope, depth: int = 0) -> bool:
        """Whether ``node`` is surely a DataFrame, a Column, the session or the like."""
        raise NotImplementedError

    # --- where a value comes from ---

    def origins(
        self,
        node: ast.expr,
        scope: Scope,
        depth: int = 0,
        *,
        frames: bool = False,
        seen: Seen = frozenset(),
    ) -> list[Place | None] | None:
        """The expressions that ``node`` can stand for, none of them a name; None if it cannot be
        told. An element None stands for an object made here that is no text (a class, a function).
        ``seen``: the names on the way here, from which nothing was taken but the whole value.
        """
        self.steps += 1
        if depth > MAX_DEPTH or self.steps > MAX_STEPS:
            return None
        if isinstance(node, ast.IfExp):
            return self._each_origin([(node.body, scope), (node.orelse, scope)], depth, seen)
        if isinstance(node, ast.BoolOp):
            return self._each_origin([(item, scope) for item in node.values], depth, seen)
        if isinstance(node, ast.NamedExpr):
            return self.origins(node.value, scope, depth + 1, seen=seen)
        if isinstance(node, ast.Subscript):
            items = self._item(node, scope, depth)
            if self.strict and any(p is None or _can_change(p[0]) for p in items or ()):
                return None
            return items
        if isinstance(node, ast.Name):
            return self._name_origins(node, scope, depth, frames=frames, seen=seen)
        return [(node, scope)]

    def _name_origins(
        self, node: ast.Name, scope: Scope, depth: int, *, frames: bool, seen: Seen
    ) -> list[Place | None] | None:
        homes = scope.homes(node.id)
        if not homes:
            return [None] if node.id == "spark" else None
        if self.strict and not self._is_only_read(node, scope):
            return None
        if (id(homes[0]), node.id) in seen:
            return []  # x = x or 1: the other bindings say what it is
        seen |= {(id(homes[0]), node.id)}
        found: list[Place | None] = []
        for binding in scope.meanings(node.id):
            places = self._binding(binding, node.id, depth + 1, seen)
            if places is None:
                return None
            if frames and binding.kind == "parameter" and not places:
                return None
            found.extend(places)
        return found

    def _each_origin(
        self, places: Iterable[Place], depth: int, seen: Seen = frozenset()
    ) -> list[Place | None] | None:
        found: list[Place | None] = []
        for place in places:
            more = self.origins(*place, depth + 1, seen=seen)
            if more is None:
                return None
            found.extend(more)
        return found

    def _binding(
        self, binding: Binding, name: str, depth: int, seen: Seen
    ) -> list[Place | None] | None:
        if binding.kind in {"function", "class", "import"}:
            return [None]
        if binding.kind == "parameter":
            return self._arguments(binding, name, depth)
        if binding.kind != "value" or binding.value is None:
            return None
        if self.strict and binding.shared and _can_change(binding.value):
            return None
        if not binding.steps:
            return self.origins(binding.value, binding.scope, depth + 1, seen=seen)
        places: list[Place | None] = [(binding.value, binding.scope)]
        for step in binding.steps:
            stepped = self._step(places, step, depth)
            if stepped is None:
                return None
            places = stepped
        if self.strict and any(p is None or _can_change(p[0]) for p in places):
            return None  # a list in a list can be changed under another name
        found = self._each_origin([place for place in places if place is not None], depth)
        return None if found is None else found + [None] * places.count(None)

    def _step(
        self, places: list[Place | None], step: Step, depth: int
    ) -> list[Place | None] | None:
        found: list[Place | None] = []
        for place in places:
            if place is None:
                return None
            if step == "part":
                return None
            if step == "each":
                elements = self.elements(*place, depth)
                if elements is None:
                    return None
                found.extend(elements)
            else:
                piece = self._piece(place, step, depth)
                if piece is None:
                    return None
                found.extend(piece)
        return found

    def _piece(self, place: Place, index: int, depth: int) -> list[Place | None] | None:
        whole = self._containers(*place, depth)
        if whole is None:
            return None
        found: list[Place | None] = []
        for item in whole:
            if not isinstance(item[0], ast.Tuple | ast.List):
                return None
            parts = item[0].elts
            if index >= len(parts) or any(isinstance(part, ast.Starred) for part in parts):
                return None
            found.append((parts[index], item[1]))
        return found

    def _item(self, node: ast.Subscript, scope: Scope, depth: int) -> list[Place | None] | None:
        """``d["key"]`` and ``names[0]``: any value of the container that the index can mean."""
        if isinstance(node.slice, ast.Slice):
            return None
        containers = self._containers(node.value, scope, depth)
        if containers is None:
            return None
        found: list[Place] = []
        for literal, where in containers:
            if isinstance(literal, ast.Dict):
                if any(key is None for key in literal.keys):
                    return None
                found.extend((value, where) for value in literal.values)
            elif isinstance(literal, ast.List | ast.Tuple | ast.ListComp | ast.Call):
                elements = self.elements(literal, where, depth)
                if elements is None:
                    return None
                found.extend(elements)
            else:
                return None
        if isinstance(node.value, ast.Name):
            found.extend(self._appended(node.value, scope))
        return self._each_origin(found, depth)

    def _arguments(self, binding: Binding, name: str, depth: int) -> list[Place | None] | None:
        """What a parameter can be: its default and the argument of every call."""
        function = binding.scope.node
        if not isinstance(function, ast.FunctionDef | ast.Lambda) or binding.scope.parent is None:
            return None
        calls = self._calls_of(function, binding.scope.parent)
        if calls is None:
            return None
        signature = function.args
        positional = [item.arg for item in (*signature.posonlyargs, *signature.args)]
        if any(a is not None and a.arg == name for a in (signature.vararg, signature.kwarg)):
            return None
        places: list[Place] = []
        if any(item.arg == name for item in signature.posonlyargs) and signature.kwarg:
            return None  # a keyword of that name is another argument
        defaults = dict(zip(reversed(positional), reversed(signature.defaults), strict=False))
        for argument, default in zip(signature.kwonlyargs, signature.kw_defaults, strict=True):
            if default is not None:
                defaults[argument.arg] = default
        if name in defaults:
            places.append((defaults[name], binding.scope.parent))
        for call, scope in calls:
            given = _argument(call, positional, name)
            if given is False:
                return None
            if isinstance(given, ast.expr):
                places.append((given, scope))
        return self._each_origin(places, depth)

    def _calls_of(
        self, function: ast.FunctionDef | ast.Lambda, home: Scope
    ) -> list[tuple[ast.Call, Scope]] | None:
        """All calls of a function, if it is used in no other way and bound once."""
        if home.kind == "class":
            return None  # reached as an attribute too
        if isinstance(function, ast.FunctionDef):
            name = function.name
            if function.decorator_list:
                return None
        else:
            bound = [
                (name, item.shared)
                for name, bindings in home.bindings.items()
                for item in bindings
                if item.value is function and not item.steps
            ]
            if len(bound) != 1 or bound[0][1]:
                return None
            name = bound[0][0]
        real = home.resolve(name)
        if real is None or len(real.bindings[name]) != 1:
            return None
        calls: list[tuple[ast.Call, Scope]] = []
        for use, _ in self.uses_of.get((id(real), name), ()):
            call = self.program.call_of.get(id(use))
            if call is None:
                return None
            calls.append((call, self.call_scopes[id(call)]))
        return calls

    # --- containers ---

    def _containers(self, node: ast.expr, scope: Scope, depth: int) -> list[Place] | None:
        """The literal containers that ``node`` can be, if nobody changes them on the way."""
        self.strict += 1
        try:
            places = self.origins(node, scope, depth + 1)
        finally:
            self.strict -= 1
        if places is None or any(place is None for place in places):
            return None
        return [place for place in places if place is not None]

    def _is_only_read(self, node: ast.Name, scope: Scope) -> bool:
        homes = scope.homes(node.id)
        if any(b.kind == "augmented" for b in scope.meanings(node.id)):
            return False
        # What a class binds is reached as its attribute too.
        return all(
            home.kind != "class" and self._all_read(home, node.id) for home in homes
        ) and bool(homes)

    def _all_read(self, home: Scope, name: str, depth: int = 0) -> bool:
        uses = self.uses_of.get((id(home), name), ())
        return depth < 5 and all(self._reads(use, parent, depth) for use, parent in uses)

    def _reads(self, use: ast.Name, parent: ast.AST, depth: int) -> bool:
        """Whether a use of a container's name neither changes it nor gives it another name.

        ``append`` on the name itself is counted by ``_appended``, so it may stand; on a
        parameter (``depth`` above 0) it may not.
        """
        if isinstance(parent, ast.For | ast.comprehension):
            return parent.iter is use
        if isinstance(parent, ast.Subscript):
            taken = parent.value is use or not self.indexes
            return isinstance(parent.ctx, ast.Load) and taken
        if isinstance(parent, ast.Compare):
            return not (self.compares or self.indexes)
        if isinstance(parent, ast.Starred | ast.FormattedValue | ast.BinOp):
            return True
        if isinstance(parent, ast.Attribute):
            if parent.attr == "append":
                return depth == 0 and id(parent) in self.program.call_of
            return parent.attr in _READING_METHODS
        return isinstance(parent, ast.Call) and self._call_reads(use, parent, depth)

    def _call_reads(self, use: ast.Name, call: ast.Call, depth: int) -> bool:
        function = call.func
        if isinstance(function, ast.Attribute):
            if function.attr not in _TAKING_METHODS:
                return False
            if self.any_attribute or function.attr in self.own_methods:
                return self.is_spark(function.value, self.call_scopes[id(call)], depth)
            return True
        if not isinstance(function, ast.Name) or use not in call.args:
            return False
        path = self.path_of(function, self.program.module)
        if path == "functools.reduce":
            return call.args.index(use) == 1  # as the first value it would come back itself
        if path == "itertools.chain":
            return True
        if function.id in _PURE_CALLS and self.program.module.resolve(function.id) is None:
            # max(a, b) and sum(a, b) can give back the container itself.
            return len(call.args) == 1 or function.id not in {"max", "min", "sum"}
        return self._own_reads(function.id, use, call, depth)

    def _own_reads(self, name: str, use: ast.Name, call: ast.Call, depth: int) -> bool:
        """Whether a function of this cell only reads the argument that ``use`` is."""
        bindings = self.program.module.bindings.get(name, ())
        if len(bindings) != 1 or not isinstance(bindings[0].node, ast.FunctionDef):
            return False
        function = bindings[0].node
        positional = [item.arg for item in (*function.args.posonlyargs, *function.args.args)]
        if use not in call.args or call.args.index(use) >= len(positional):
            return False
        if any(isinstance(item, ast.Starred) for item in call.args):
            return False
        inner = self.program.scope_of[id(function)]
        return self._all_read(inner, positional[call.args.index(use)], depth + 1)

    def elements(self, node: ast.expr, scope: Scope, depth: int = 0) -> list[Place] | None:
        """The expressions that iterating over ``node`` can give; None if that cannot be told."""
        if depth > MAX_DEPTH:
            return None
        containers = self._containers(node, scope, depth + 1)
        if containers is None:
            return None
        found: list[Place] = []
        for literal, where in containers:
            items = self._literal_elements(literal, where, depth + 1)
            if items is None:
                return None
            found.extend(items)
        if isinstance(node, ast.Name):
            found.extend(self._appended(node, scope))
        return found

    def _appended(self, node: ast.Name, scope: Scope) -> list[Place]:
        found: list[Place] = []
        for home in scope.homes(node.id):
            for _, parent in self.uses_of.get((id(home), node.id), ()):
                if isinstance(parent, ast.Attribute) and parent.attr == "append":
                    call = self.program.call_of.get(id(parent))
                    if call is not None:
                        found.extend((item, self.call_scopes[id(call)]) for item in call.args)
        return found

    def _literal_elements(self, node: ast.expr, scope: Scope, depth: int) -> list[Place] | None:
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            found: list[Place] = []
            for item in node.elts:
                if isinstance(item, ast.Starred):
                    more = self.elements(item.value, scope, depth)
                    if more is None:
                        return None
                    found.extend(more)
                else:
                    found.append((item, scope))
            return found
        if isinstance(node, ast.Dict):
            if any(key is None for key in node.keys):
                return None
            return [(key, scope) for key in node.keys if key is not None]
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            return [(node.elt, self.program.scope_of[id(node)])]
        if isinstance(node, ast.DictComp):
            return [(node.key, self.program.scope_of[id(node)])]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left = self.elements(node.left, scope, depth)
            right = self.elements(node.right, scope, depth)
            return None if left is None or right is None else left + right
        if isinstance(node, ast.Call):
            return self._call_elements(node, scope, depth)
        return None

    def _call_elements(self, node: ast.Call, scope: Scope, depth: int) -> list[Place] | None:
        function = node.func
        if isinstance(function, ast.Name) and scope.resolve(function.id) is None:
            name = function.id
            if name in {"list", "tuple", "sorted", "reversed", "set"} and len(node.args) == 1:
                return self.elements(node.args[0], scope, depth)
            if name == "range":
                return self._range(node, scope, depth)
            if name == "enumerate" and node.args:
                items = self.elements(node.args[0], scope, depth)
                number = ast.Compare(ast.Constant(0), [], [])
                return None if items is None else [
                    (self._pair((number, scope), item), item[1]) for item in items
                ]  # fmt: skip
            if name == "zip" and len(node.args) == 2:
                return self._zipped(node.args, scope, depth)
        if isinstance(function, ast.Attribute) and not node.args:
            return self._view_elements(function, scope, depth)
        return None

    def _range(self, node: ast.Call, scope: Scope, depth: int) -> list[Place] | None:
        bounds = [self.value(item, scope, depth) for item in node.args]
        numbers = [n for bound in bounds for n in bound.texts if isinstance(n, int)]
        if not 1 <= len(numbers) == len(bounds) <= 3 or not all(b.is_constant for b in bounds):
            return [(ast.Compare(ast.Constant(0), [], []), scope)]  # numbers: no text
        if len(numbers) == 3 and numbers[2] == 0:
            return None
        values = range(*numbers)
        return None if len(values) > MAX_TEXTS else [(ast.Constant(n), scope) for n in values]

    def _zipped(self, arguments: list[ast.expr], scope: Scope, depth: int) -> list[Place] | None:
        left = self.elements(arguments[0], scope, depth)
        right = self.elements(arguments[1], scope, depth)
        if left is None or right is None or len(left) * len(right) > MAX_TEXTS:
            return None
        if {id(where) for _, where in left + right} - {id(scope)}:
            return None
        return [(self._pair(a, b), scope) for a in left for b in right]

    def _view_elements(
        self, function: ast.Attribute, scope: Scope, depth: int
    ) -> list[Place] | None:
        """``d.items()``, ``d.keys()``, ``d.values()`` of literal dictionaries."""
        if function.attr not in {"items", "keys", "values"}:
            return None
        containers = self._containers(function.value, scope, depth)
        if containers is None:
            return None
        found: list[Place] = []
        for literal, where in containers:
            if not isinstance(literal, ast.Dict):
                return None
            for key, value in zip(literal.keys, literal.values, strict=True):
                if key is None:
                    return None
                if function.attr == "items":
                    found.append((self._pair((key, where), (value, where)), where))
                else:
                    found.append((key if function.attr == "keys" else value, where))
        return found

    def _pair(self, left: Place, right: Place) -> ast.Tuple:
        """A tuple that is not in the program; kept alive, since nodes are told apart by id."""
        pair = ast.Tuple([left[0], right[0]], ast.Load())
        self.made.append(pair)
        return pair


def _can_change(node: ast.expr) -> bool:
    """Whether the value is, or may be, a container that can be changed later."""
    return not isinstance(node, ast.Constant | ast.Tuple | ast.JoinedStr | ast.Lambda)


def _argument(call: ast.Call, positional: list[str], name: str) -> ast.expr | bool | None:
    """The argument for a parameter; None where it is left out, False where it cannot be told."""
    if any(isinstance(item, ast.Starred) for item in call.args):
        return False
    if any(item.arg is None for item in call.keywords):
        return False
    for item in call.keywords:
        if item.arg == name:
            return item.value
    if name in positional:
        index = positional.index(name)
        if index < len(call.args):
            return call.args[index]
    return None
