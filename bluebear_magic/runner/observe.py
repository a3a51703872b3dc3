"""What Spark says of the code that ran: the facts of its plans, whether its joins match, and
which rows it fetched into Python. Looking changes nothing and never fails a run.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bluebear_magic.runner import gate_client
from bluebear_magic.runner.envelope import Collected, PlanFacts, Table
from bluebear_magic.runner.plan import MAX_FACTS, Reader, facts_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MAX_PLAN = 400_000  # characters of JSON; about a thousand columns used
MAX_PROBED = 4  # joins of one answer that are asked whether they match
MAX_FETCHED = 20
# py4j sends more than its buffer in two packets and then waits 40 ms for the other side.
_PIECE = 7_000
_FETCHING = ("collect", "toPandas", "toLocalIterator")


class Observer:
    """Watches one job; ``cell`` is the file name of its code, ``names`` its datasets.

    ``plans``: the analysed plans of the results as JSON, by title, where they could be had.
    """

    def __init__(self, cell: str, names: Collection[str]) -> None:
        self._cell = cell
        self._names = names
        self._collected: dict[Collected, None] = {}
        self._fetched = 0
        self.plans: dict[str, str] = {}

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Notes the calls in the cell that fetch rows while this lasts."""
        from pyspark.sql.classic.dataframe import DataFrame

        own = {name: vars(DataFrame).get(name) for name in _FETCHING}
        for name in own:
            setattr(DataFrame, name, self._noting(name, getattr(DataFrame, name)))
        try:
            yield
        finally:
            for name, method in own.items():
                if method is None:  # inherited
                    delattr(DataFrame, name)
                else:
                    setattr(DataFrame, name, method)

    def _noting(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def noting(frame: DataFrame, *args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1)
            if caller.f_code.co_filename == self._cell:
                self._note(name, caller.f_lineno, frame)
            return method(frame, *args, **kwargs)

        return noting

    def _note(self, name: str, line: int, frame: DataFrame) -> None:
        self._fetched += 1
        if self._fetched > MAX_FETCHED:
            return
        text = plan_json(frame)
        scope = Reader(self._names).read(text) if text else None
        if scope is not None and scope.unbounded:
            self._collected[Collected(name, line, tuple(sorted(scope.unbounded)))] = None

    def facts(self, frames: Mapping[str, DataFrame]) -> PlanFacts:
        """What the plans of the results say."""
        for title, frame in frames.items():
            if text := plan_json(frame):
                self.plans[title] = text
        facts = facts_of(self.plans.values(), self._names)
        return replace(facts, collected=tuple(self._collected)[:MAX_FACTS])

    def matched(
        self, plan: PlanFacts, frames: Mapping[str, DataFrame], tables: Iterable[Table]
    ) -> PlanFacts:
        """The facts with what each join found, where a result is empty or has an empty column."""
        if not plan.joined or not any(map(_is_suspicious, tables)):
            return plan
        with contextlib.suppress(Exception):
            joined = list(plan.joined)
            probes = [found for frame in frames.values() for found in _probe(frame)]
            kinds = [kind for kind, _ in probes]
            # Joins inside subqueries are no children of the plan: then places do not agree.
            if kinds == [join.kind for join in joined]:
                for place, (_, found) in enumerate(probes):
                    joined[place] = replace(joined[place], matched=found)
            return replace(plan, joined=tuple(joined))
        return plan


def plan_json(frame: DataFrame) -> str | None:
    """The frame's analysed plan as JSON; None where it is too large or cannot be had."""
    try:
        if gate_client.gated(frame.sparkSession):
            found = gate_client.plan_of(frame)
            return found if found is None or len(found) <= MAX_PLAN else None
        handle: Any = frame
        jvm = handle.sparkSession._jvm
        sink = _java(jvm, "java.io.StringWriter")()
        _mapper(jvm).writeValue(sink, handle._jdf.queryExecution().analyzed().jsonValue())
        text = sink.getBuffer()
        size = text.length()
        if size > MAX_PLAN:
            return None
        pieces = [text.substring(at, min(size, at + _PIECE)) for at in range(0, size, _PIECE)]
        return "".join(pieces)
    except Exception:  # noqa: BLE001 - facts are a bonus; the run goes on without them
        return None


def _java(jvm: Any, name: str) -> Any:
    """A class by its whole name, without a question to the JVM for each part of it."""
    from py4j.java_gateway import JavaClass

    return JavaClass(name, jvm._gateway_client)


def _mapper(jvm: Any) -> Any:
    """Jackson with Scala's JSON values, as Spark itself writes them."""
    return getattr(_java(jvm, "org.json4s.jackson.JsonMethods$"), "MODULE$").mapper()


def _is_suspicious(table: Table) -> bool:
    if not table.rows:
        return True
    return not table.truncated and any(
        all(value is None for value in column) for column in zip(*table.rows, strict=True)
    )


def _probe(frame: DataFrame) -> list[tuple[str, bool | None]]:
    """Each join of the plan, parents first: its kind and whether it finds any row."""
    handle: Any = frame
    session = handle.sparkSession
    asked = 0
    found: list[tuple[str, bool | None]] = []
    ahead = [handle._jdf.queryExecution().analyzed()]
    while ahead:
        node = ahead.pop()
        children = node.children()
        below = [children.apply(place) for place in range(children.size())]
        ahead += reversed(below)
        if node.nodeName() != "Join":
            continue
        kind = str(node.joinType().toString())
        matched = None
        if node.condition().isDefined() and asked < MAX_PROBED:
            asked += 1
            with contextlib.suppress(Exception):
                matched = _finds(session, node, *below)
        found.append((kind, matched))
    return found


def _finds(session: Any, join: Any, left: Any, right: Any) -> bool | None:
    """Whether the join's condition holds for any pair; None where a side has no rows at all."""
    jvm = session._jvm
    rows = _java(jvm, "org.apache.spark.sql.classic.Dataset").ofRows
    inner = _java(jvm, "org.apache.spark.sql.catalyst.plans.JoinType").apply("inner")
    if any(rows(session._jsparkSession, side).isEmpty() for side in (left, right)):
        return None
    pairs = join.copy(left, right, inner, join.condition(), join.hint())
    return not rows(session._jsparkSession, pairs).isEmpty()
