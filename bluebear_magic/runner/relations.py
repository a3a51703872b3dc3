"""Small data as local relations: read once by Spark's own readers, then held in its memory.

Over a local relation a check spends no time on opening files, and reads what the full run's
options make of the data, since Spark itself parsed it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from bluebear_magic.runner.envelope import Binding

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

KEPT = 64  # relations of about a thousand rows each


def reader(spark: SparkSession, dataset: Binding) -> DataFrame:
    """The dataset as Spark reads it from its files."""
    source = spark.read.format(dataset.format).schema(dataset.schema)
    source = source.options(**dict(dataset.options))
    if dataset.base_path:
        source = source.option("basePath", dataset.base_path)
    # Spark takes a path for a glob; these are files, whatever their names hold.
    return source.load([re.sub(r"([\\*?\[\]{}])", r"\\\1", path) for path in dataset.paths])


class Relations:
    """Plans of local relations by the state of their data; the oldest make room.

    ``root`` is a session that lives as long as this. Data without a fingerprint are
    not kept: nothing would tell that they have changed.
    """

    def __init__(self, root: SparkSession) -> None:
        self._root = root
        self._plans: OrderedDict[str, Any] = OrderedDict()
        jvm: Any = root._jvm
        packages = jvm.org.apache.spark.sql
        self._dataset = packages.classic.Dataset
        self._local = packages.catalyst.plans.logical.LocalRelation
        self._seq = jvm.scala.collection.immutable.ArraySeq
        self._none = getattr(getattr(jvm.scala, "None$"), "MODULE$")

    def bind(self, session: SparkSession, dataset: Binding) -> None:
        """Makes ``spark.table(name)`` of ``session`` read the rows that the files hold."""
        if not dataset.fingerprint:
            reader(session, dataset).createOrReplaceTempView(dataset.name)
            return
        plan = self._plans.get(dataset.fingerprint)
        if plan is None:
            plan = self._plans[dataset.fingerprint] = self._read(dataset)
            if len(self._plans) > KEPT:
                self._plans.popitem(last=False)
        self._plans.move_to_end(dataset.fingerprint)
        frame = self._dataset.ofRows(session._jsparkSession, plan)
        frame.createOrReplaceTempView(dataset.name)

    def _read(self, dataset: Binding) -> Any:
        execution = reader(self._root, dataset)._jdf.queryExecution()
        rows = execution.executedPlan().executeCollect()
        output = execution.analyzed().output()
        return self._local(output, self._seq.unsafeWrapArray(rows), False, self._none)
