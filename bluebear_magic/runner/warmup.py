"""What a worker does before the first question: small queries that load Spark's classes.

The first aggregation of a JVM takes a second, the tenth a twentieth of that; the first Python
function starts Spark's daemon for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def steps(spark: SparkSession) -> Iterator[str]:
    """Runs one query for each value asked of it, most useful first; gives its name.

    Each is like what people ask, over rows that Spark makes itself.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812 - as everywhere with Spark

    rows = spark.sql(
        "select * from values (1, 'a', 1.5D, date'2024-01-01'), (2, 'b', 2.5D, date'2024-01-02') "
        "as t (k, region, sales, day)"
    )
    rows.createOrReplaceTempView("warm")
    table = spark.table("warm")
    totals = table.where(F.col("sales") > 1).groupBy("region").agg(F.sum("sales").alias("total"))
    totals.orderBy(F.desc("total")).limit(51).toArrow()
    totals._jdf.queryExecution().analyzed().toJSON()
    yield "aggregation"
    table.join(totals, "region").limit(51).toArrow()
    yield "join"
    identity = F.udf(lambda value: value, "double")
    table.select(identity("sales").alias("sales")).limit(51).toArrow()
    yield "function"
    ranked = F.row_number().over(Window.partitionBy("region").orderBy("day"))
    table.withColumn("n", ranked).where("n < 2").limit(51).toArrow()
    yield "window"
    spark.sql(
        "with m as (select month(day) m, count(*) n from warm group by 1) "
        "select * from m order by n"
    ).limit(51).toArrow()
    yield "query"
    table.groupBy("region").pivot("k", [1, 2]).agg(F.avg("sales")).limit(51).toArrow()
    yield "pivot"
