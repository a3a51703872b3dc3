"""Cells over skewed data: 100 that are right, 100 with one planted mistake each.

The data are the same on every machine: values that occur once, long tails, keys that match
nothing, numbers and dates as text. ``RIGHT`` holds code; ``PLANTED`` holds (code, rule, text of
the line that is wrong).
"""

import csv
import datetime as dt
import random

import pyarrow as pa
import pyarrow.parquet as pq

REGIONS = ["NORTH"] * 60 + ["SOUTH"] * 30 + ["EAST"] * 8 + ["WEST"] * 2
STATUSES = ["shipped"] * 70 + ["pending"] * 20 + ["cancelled"] * 9 + ["returned"]
COUNTRIES = ["Germany", "France", "United States", "Spain", "Italy", "Japan"]
SEGMENTS = ["Consumer", "Corporate", "Home Office"]


def make(folder):
    """Writes the data sets as CSV files."""
    rng = random.Random(7)
    day = dt.date(2023, 1, 1)
    with (folder / "orders.csv").open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow("order_id customer_id region status amount quantity discount "
                     "order_date zone_text due_text".split())  # fmt: skip
        for number in range(1, 3001):
            region = "OVERSEAS" if number == 1234 else rng.choice(REGIONS)
            status = "lost" if number == 777 else rng.choice(STATUSES)
            amount = round(rng.paretovariate(1.2) * 10, 2)
            ordered = day + dt.timedelta(days=rng.randrange(540))
            # Zeros, but late: a preview does not meet them.
            quantity = 0 if number > 2900 and number % 7 == 0 else rng.randrange(1, 90)
            out.writerow([
                number, f"C{min(299, int(rng.expovariate(0.02))):03}", region, status, amount,
                quantity,
                rng.choice([0, 5, 10]) if number > 200 else 5, ordered,
                f"z{rng.randrange(1, 13)}", f"{ordered:%d/%m/%Y}",
            ])  # fmt: skip
    _write(folder, "customers", ["customer_id", "name", "segment", "country", "region_code", "since", "score"],
        [[f"C{n:03}", f"Name{n} Family{n % 37}", SEGMENTS[n % 3],
          "Iceland" if n == 250 else COUNTRIES[n % 6], ["north", "south", "east"][n % 3],
          day - dt.timedelta(days=n), n % 11 + 1] for n in range(300)])  # fmt: skip
    _write(folder, "regions", ["region", "manager", "target"],
        [["NORTH", "Ada", 100], ["SOUTH", "Bo", 90], ["EAST", "Cy", 80], ["WEST", "Di", 70], ["OVERSEAS", "Ed", 10]])  # fmt: skip
    _write(folder, "refunds", ["refund_id", "order_id", "reason"],
        [[90_000 + n, 50_000 + n, ["broken", "late"][n % 2]] for n in range(40)])  # fmt: skip
    count = range(2000)
    table = pa.table({
        "shipment_id": [70_000 + n for n in count],
        "order_id": [n + 1 for n in count],
        "carrier": [["DHL", "UPS", "DPD"][n % 3] for n in count],
        "cost_text": [["5", "10", "100", "25"][n % 4] for n in count],
        "weight": [1 + n % 40 for n in count],
        "units": pa.array([95_000 if n == 1990 else 1 + n % 900 for n in count], pa.int32()),
    })  # fmt: skip
    pq.write_table(table, folder / "shipments.parquet")


def _write(folder, name, header, rows):
    with (folder / f"{name}.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


NAMES = ["orders", "customers", "regions", "refunds", "shipments"]


def py(body):
    """A cell of PySpark that reads what it names; a body of one expression is the result."""
    lines = body.strip().splitlines()
    if "result" not in body:
        body = "result = (\n    " + "\n    ".join(lines) + "\n)"
    head = ["from pyspark.sql import functions as F"]
    head += ["from pyspark.sql.window import Window"] * ("Window" in body)
    head += [f'{name} = spark.table("{name}")' for name in NAMES if name in body]
    return "\n".join([*head, "", body])


def sql(query):
    """A cell of SQL, one clause a line."""
    return 'result = spark.sql("""\n' + query.strip() + '\n""")'


TOTAL = '.groupBy("status").agg(F.sum("amount").alias("total"))'
_FILTERS = [  # (wrong condition in Python, in SQL, rule, what the wrong line holds)
    ('F.col("region") == "north"', "region = 'north'", "unknown-value", "north"),
    ('F.col("region") == "North"', "region = 'North'", "unknown-value", "North"),
    ('orders.region.isin("NORTH", "South")', "region IN ('NORTH', 'South')", "unknown-value", "South"),
    ('F.col("status") == "Shipped"', "status = 'Shipped'", "unknown-value", "Shipped"),
    ('F.col("status") == "canceled"', "status = 'canceled'", "unknown-value", "canceled"),
    ('F.col("status") != "CANCELLED"', "status <> 'CANCELLED'", "unknown-value", "CANCELLED"),
    ('~F.col("status").isin("Returned", "lost")', "status NOT IN ('Returned', 'lost')", "unknown-value", "Returned"),
    ('F.lower("region") == "North"', "lower(region) = 'North'", "unknown-value", "North"),
    ('F.upper(F.col("status")) == "shipped"', "upper(status) = 'shipped'", "unknown-value", "shipped"),
    ('F.col("status").like("Ship%")', "status LIKE 'Ship%'", "unknown-pattern", "Ship"),
    ('F.col("region").startswith("no")', "startswith(region, 'no')", "unknown-pattern", "no"),
    ('F.col("region").contains("sea")', "contains(region, 'sea')", "unknown-pattern", "sea"),
    ('F.col("region").rlike("^Nor")', "region RLIKE '^Nor'", "unknown-pattern", "^Nor"),
    ('F.col("order_date") >= "2025-01-01"', "order_date >= DATE'2025-01-01'", "out-of-range", "2025-01-01"),
    ('F.col("order_date").between("2021-01-01", "2021-12-31")', "order_date BETWEEN '2021-01-01' AND '2021-12-31'", "out-of-range", "2021-12-31"),
    ('F.year("order_date") == 2022', "year(order_date) = 2022", "out-of-range", "2022"),
    ('F.col("quantity") > 500', "quantity > 500", "out-of-range", "500"),
    ('F.col("discount") < 0', "discount < 0", "out-of-range", "< 0"),
    ('F.col("order_id") == 999999', "order_id = 999999", "out-of-range", "999999"),
    ('F.col("zone_text") == "zone 3"', "zone_text = 'zone 3'", "unknown-value", "zone 3"),
    ('F.col("region") == "Atlantis"', "region = 'Atlantis'", "unknown-value", "Atlantis"),
    ('F.col("status") == None', "status = NULL", "null-comparison", "N"),
    ('F.col("status") == "returned "', "status = 'returned '", "unknown-value", "returned "),
    ('F.col("region").isin(["over-seas"])', "region IN ('over-seas')", "unknown-value", "over-seas"),
]  # fmt: skip

PLANTED = []
for _python, _sql, _rule, _text in _FILTERS:
    PLANTED.append((py(f"orders\n.filter({_python})\n{TOTAL}"), _rule, _text))
    PLANTED.append(
        (
            sql(f"SELECT status, sum(amount) AS total\nFROM orders\nWHERE {_sql}\nGROUP BY status"),
            _rule,
            _text,
        )
    )

_OTHERS = [
    # filters elsewhere than in a filter, on renamed columns, in CTEs and subqueries
    (py('orders\n.groupBy("region")\n.agg(F.sum(F.when(F.col("status") == "SHIPPED", 1).otherwise(0)).alias("n"))'), "unknown-value", "SHIPPED"),
    (py('orders\n.withColumnRenamed("region", "area")\n.filter("area = \'south\'")\n.select("area", "amount")'), "unknown-value", "south"),
    (py('wanted = "east"\nresult = orders.filter(F.col("region") == wanted).groupBy("status").count()'), "unknown-value", "east"),
    (py('orders\n.join(customers, "customer_id")\n.filter(F.col("country") == "germany")\n.groupBy("segment").count()'), "unknown-value", "germany"),
    (py('orders\n.join(customers, "customer_id")\n.filter(customers["segment"] == "home office")\n.groupBy("country").count()'), "unknown-value", "home office"),
    (py('orders.alias("o")\n.join(customers.alias("c"), F.col("o.customer_id") == F.col("c.customer_id"))\n.where((F.col("c.country") == "FRANCE") & (F.col("o.amount") > 10))\n.groupBy("o.region").count()'), "unknown-value", "FRANCE"),
    (py('orders\n.select(F.col("status").alias("s"), "amount")\n.filter(F.col("s").isin("Pending"))\n.agg(F.sum("amount").alias("t"))'), "unknown-value", "Pending"),
    (py('import datetime as dt\nresult = orders.filter(F.col("order_date") < F.lit(dt.date(2020, 1, 1))).groupBy("region").count()'), "out-of-range", "2020"),
    (sql("WITH north AS (\n  SELECT * FROM orders\n  WHERE region = 'Nord'\n)\nSELECT count(*) AS n FROM north"), "unknown-value", "Nord"),
    (sql("SELECT c.country, count(*) AS n\nFROM customers c\nWHERE c.customer_id IN (\n  SELECT customer_id FROM orders\n  WHERE status = 'CANCELED'\n)\nGROUP BY c.country"), "unknown-value", "CANCELED"),
    (sql("SELECT region,\n  sum(CASE WHEN status = 'Pending' THEN amount ELSE 0 END) AS waiting\nFROM orders\nGROUP BY region"), "unknown-value", "Pending"),
    (sql("SELECT region, count(*) FILTER (\n  WHERE status = 'Lost') AS n\nFROM orders\nGROUP BY region"), "unknown-value", "Lost"),
    (sql("SELECT o.region, sum(o.amount) AS total\nFROM orders o JOIN customers c ON o.customer_id = c.customer_id\nWHERE c.segment = 'corporate'\nGROUP BY o.region"), "unknown-value", "corporate"),
    (sql("SELECT region, total FROM (\n  SELECT region, sum(amount) AS total FROM orders GROUP BY region\n)\nWHERE region = 'overseas'"), "unknown-value", "overseas"),
    (sql("SELECT country, count(*) AS n\nFROM customers\nWHERE since > '2024-01-01'\nGROUP BY country"), "out-of-range", "2024-01-01"),
    (sql("SELECT country, avg(score) AS s\nFROM customers\nWHERE score >= 50\nGROUP BY country"), "out-of-range", "50"),
    # joins that match nothing
    (py('orders\n.join(customers, orders.region == customers.region_code)\n.groupBy("manager" if False else "segment").count()'), "no-match", ".join"),
    (py('orders\n.join(refunds, "order_id")\n.groupBy("reason").count()'), "no-match", ".join"),
    (py('orders\n.join(refunds, orders.order_id == refunds.refund_id, "left")\n.groupBy("reason").count()'), "no-match", ".join"),
    (py('shipments\n.join(orders, shipments.shipment_id == orders.order_id)\n.groupBy("carrier").agg(F.sum("amount").alias("t"))'), "no-match", ".join"),
    (py('orders\n.join(shipments, orders.order_id == shipments.shipment_id, "left")\n.groupBy("region").agg(F.sum(F.coalesce("weight", F.lit(0))).alias("w"))'), "no-match", ".join"),
    (py('customers\n.join(regions, customers.region_code == regions.region, "left")\n.select("name", F.coalesce("manager", F.lit("-")).alias("m"))'), "no-match", ".join"),
    (py('orders\n.join(customers, orders.customer_id == customers.name)\n.groupBy("country").count()'), "no-match", ".join"),
    (sql("SELECT c.segment, count(*) AS n\nFROM orders o\nJOIN customers c ON o.customer_id = c.name\nGROUP BY c.segment"), "no-match", "JOIN"),
    (sql("SELECT s.carrier, sum(o.amount) AS t\nFROM shipments s\nJOIN orders o ON s.shipment_id = o.order_id\nGROUP BY s.carrier"), "no-match", "JOIN"),
    (sql("SELECT r.reason, count(*) AS n\nFROM orders o\nLEFT JOIN refunds r ON o.order_id = r.refund_id\nGROUP BY r.reason"), "no-match", "JOIN"),
    (sql("SELECT g.manager, count(*) AS n\nFROM customers c\nJOIN regions g ON g.region = c.region_code\nGROUP BY g.manager"), "no-match", "JOIN"),
    (sql("SELECT count(*) AS n\nFROM customers\nWHERE region_code IN (SELECT region FROM regions)"), "no-match", "IN ("),
    # empty results
    (py('orders\n.filter((F.col("region") == "OVERSEAS") & (F.col("status") == "lost") & (F.col("order_date") > "2023-01-05"))\n.select("order_id")'), "empty-result", "result"),
    (sql("SELECT order_id FROM orders WHERE region = 'OVERSEAS' AND region = 'NORTH'"), "empty-result", "result"),
    (py('orders\n.groupBy("region").agg(F.count("*").alias("n"))\n.filter(F.col("n") > 100000)'), "empty-result", "result"),
    (py('orders\n.filter(F.col("amount") > 1)\n.select(F.to_date("due_text", "yyyy/MM").alias("d") if False else F.try_to_timestamp("due_text", F.lit("yyyy")).alias("d")).limit(20)'), "null-column", "result"),
    # text
    (py('shipments\n.agg(F.max("cost_text").alias("m"))'), "text-order", "max"),
    (py('shipments\n.groupBy("carrier")\n.agg(F.min("cost_text").alias("least"), F.count("*").alias("n"))'), "text-order", "min"),
    (py('shipments\n.groupBy("carrier")\n.agg(F.sum("cost_text").alias("cost"))'), "text-aggregate", "sum"),
    (py('shipments\n.groupBy("carrier")\n.agg({"cost_text": "avg"})'), "text-aggregate", "avg"),
    (py('orders\n.groupBy("region")\n.agg(F.max("due_text").alias("latest"))'), "text-order", "max"),
    (sql("SELECT carrier,\n  avg(cost_text) AS cost\nFROM shipments\nGROUP BY carrier"), "text-aggregate", "avg"),
    (sql("SELECT carrier,\n  max(cost_text) AS cost\nFROM shipments\nGROUP BY carrier"), "text-order", "max"),
    (sql("SELECT region,\n  min(due_text) AS first_due\nFROM orders\nGROUP BY region"), "text-order", "min"),
    # cross joins
    (py('orders\n.crossJoin(customers)\n.groupBy("country").count()'), "cross-join", "crossJoin"),
    (py('orders\n.join(regions)\n.groupBy("manager").count()'), "cross-join", ".join"),
    (py('orders\n.join(regions, orders.region == orders.region)\n.groupBy("manager").count()'), "trivial-join", ".join"),
    (sql("SELECT g.manager, count(*) AS n\nFROM orders o\nCROSS JOIN regions g\nGROUP BY g.manager"), "cross-join", "CROSS JOIN"),
    (sql("SELECT g.manager, count(*) AS n\nFROM orders o, regions g\nWHERE o.amount > 5\nGROUP BY g.manager"), "cross-join", "FROM orders o, regions g"),
    # rows in Python
    (py('rows = orders.collect()\nresult = orders.limit(min(3, len(rows)))'), "collect", "collect"),
    (py('frame = orders.filter(F.col("amount") > 5).toPandas()\nresult = orders.limit(len(frame) % 5 + 1)'), "collect", "toPandas"),
    (py('n = 0\nfor row in orders.select("amount").toLocalIterator():\n    n += 1\nresult = orders.limit(n % 5 + 1)'), "collect", "toLocalIterator"),
    (py('names = [r["order_id"] for r in orders.sort("amount").select("order_id").collect()]\nresult = orders.filter(F.col("order_id").isin(names[:10]))'), "collect", "collect"),
    # arithmetic that the preview does not meet
    (py('orders\n.withColumn("price", F.col("amount") / F.col("quantity"))'), "division-by-zero", "quantity"),
    (py('orders\n.select("order_id", (F.col("amount") % F.col("quantity")).alias("rest"))'), "division-by-zero", "quantity"),
    (py('shipments\n.select("order_id", (F.col("units") * F.col("units")).alias("sq"))'), "overflow", "units"),
]  # fmt: skip
PLANTED += _OTHERS

# --- right -----------------------------------------------------------------------

_CONDITIONS = [
    ('F.col("region") == "OVERSEAS"', "region = 'OVERSEAS'"),
    ('F.col("status") == "lost"', "status = 'lost'"),
    ('F.col("status").isin("returned", "lost")', "status IN ('returned', 'lost')"),
    ('F.col("region") != "WEST"', "region <> 'WEST'"),
    ('F.lower("region") == "north"', "lower(region) = 'north'"),
    ('F.upper(F.trim(F.col("status"))) == "SHIPPED"', "upper(trim(status)) = 'SHIPPED'"),
    ('F.col("region").isin("north", "North", "NORTH")', "region IN ('north', 'North', 'NORTH')"),
    ('(F.col("region") == "south") | (F.col("region") == "SOUTH")', "region = 'south' OR region = 'SOUTH'"),
    ('F.col("order_date") >= "2024-01-01"', "order_date >= '2024-01-01'"),
    ('F.col("order_date").between("2020-01-01", "2023-03-01")', "order_date BETWEEN '2020-01-01' AND '2023-03-01'"),
    ('F.year("order_date") == 2024', "year(order_date) = 2024"),
    ('F.col("amount") > 1000', "amount > 1000"),
    ('F.col("quantity") <= 0', "quantity <= 0"),
    ('F.col("quantity").between(80, 500)', "quantity BETWEEN 80 AND 500"),
    ('F.col("status").like("ship%")', "status LIKE 'ship%'"),
    ('F.col("status").rlike("^(ship|pend)")', "status RLIKE '^(ship|pend)'"),
    ('F.col("region").startswith("N")', "startswith(region, 'N')"),
    ('(F.col("region") != "") & (F.col("region") != "N/A")', "region <> '' AND region <> 'N/A'"),
    ('F.col("customer_id") == "C007"', "customer_id = 'C007'"),
    ('F.coalesce("region", F.lit("none")) != "none"', "coalesce(region, 'none') <> 'none'"),
    ('F.month("order_date") == 12', "month(order_date) = 12"),
    ('F.length("region") > 4', "length(region) > 4"),
    ('F.col("order_id").isin(1, 2, 3)', "order_id IN (1, 2, 3)"),
    ('F.col("status").isNotNull()', "status IS NOT NULL"),
    ('F.concat("region", F.lit("-x")) == "NORTH-x"', "concat(region, '-x') = 'NORTH-x'"),
]  # fmt: skip

RIGHT = []
for _python, _sql in _CONDITIONS:
    RIGHT.append(py(f"orders\n.filter({_python})\n{TOTAL}"))
    RIGHT.append(
        sql(f"SELECT status, sum(amount) AS total\nFROM orders\nWHERE {_sql}\nGROUP BY status")
    )

RIGHT += [
    # computed columns, own labels
    py('orders\n.withColumn("size", F.when(F.col("amount") > 100, "big").otherwise("small"))\n.filter(F.col("size") == "big")\n.groupBy("region").count()'),
    py('orders\n.withColumn("region", F.lower("region"))\n.filter(F.col("region") == "east")\n.groupBy("status").count()'),
    py('orders\n.withColumn("region", F.initcap("region"))\n.filter(F.col("region") == "North")\n.groupBy("status").count()'),
    py('orders\n.withColumn("region", F.when(F.col("region") == "NORTH", "north").otherwise("rest"))\n.filter("region = \'rest\'").groupBy("status").count()'),
    py('orders\n.fillna("unknown", subset=["region"])\n.filter(F.col("region") != "unknown")\n.groupBy("status").count()'),
    py('orders\n.replace({"NORTH": "N"}, subset=["region"])\n.filter(F.col("region") == "N")\n.groupBy("status").count()'),
    py('orders\n.select("order_id", F.date_format("order_date", "yyyy-MM").alias("month"))\n.filter(F.col("month") == "2023-05")'),
    py('orders.select("region").union(customers.select("region_code"))\n.filter(F.col("region") == "north")\n.groupBy("region").count()'),
    sql("SELECT kind, count(*) AS n FROM (\n  SELECT 'order' AS kind FROM orders UNION ALL SELECT 'refund' AS kind FROM refunds\n)\nWHERE kind = 'refund' GROUP BY kind"),
    sql("SELECT region, grouping(region) AS g, sum(amount) AS t FROM orders GROUP BY ROLLUP (region)"),
    # joins with and without matches
    py('orders\n.join(refunds, "order_id", "left_anti")\n.groupBy("region").count()'),
    py('customers\n.join(orders, "customer_id", "left_anti")\n.select("name")'),
    py('shipments\n.join(orders, "order_id", "left_anti")\n.select("shipment_id")'),
    py('orders\n.join(shipments, "order_id", "left")\n.filter(F.col("shipment_id").isNull())\n.groupBy("region").count()'),
    sql("SELECT count(*) AS n FROM orders o WHERE NOT EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = o.order_id)"),
    sql("SELECT shipment_id FROM shipments WHERE order_id NOT IN (SELECT order_id FROM orders)"),
    sql("SELECT order_id FROM shipments EXCEPT SELECT order_id FROM orders"),
    py('orders\n.join(customers, "customer_id")\n.join(regions, "region")\n.groupBy("manager", "segment").agg(F.sum("amount").alias("t"))'),
    py('customers\n.join(regions, F.upper(customers.region_code) == regions.region)\n.groupBy("manager").count()'),
    sql("SELECT g.manager, count(*) AS n FROM customers c JOIN regions g ON upper(c.region_code) = g.region GROUP BY g.manager"),
    sql("SELECT o.region, c.country, count(*) AS n FROM orders o, customers c WHERE o.customer_id = c.customer_id GROUP BY o.region, c.country"),
    py('a = orders.alias("a")\nb = orders.alias("b")\nresult = a.join(b, (F.col("a.customer_id") == F.col("b.customer_id")) & (F.col("a.order_id") < F.col("b.order_id"))).groupBy("a.region").count()'),
    py('orders\n.filter(F.col("region") == "OVERSEAS")\n.join(shipments, "order_id", "left")\n.select("order_id", "carrier")'),
    # one row beside all
    py('orders\n.crossJoin(orders.agg(F.avg("amount").alias("mean")))\n.filter(F.col("amount") > 10 * F.col("mean"))\n.select("order_id", "amount")'),
    sql("SELECT region, sum(amount) / (SELECT sum(amount) FROM orders) AS share FROM orders GROUP BY region"),
    sql("WITH t AS (SELECT sum(amount) AS all_of FROM orders)\nSELECT region, sum(amount) / max(all_of) AS share FROM orders CROSS JOIN t GROUP BY region"),
    py('regions.select("region")\n.crossJoin(spark.range(1, 13).withColumnRenamed("id", "month"))'),
    py('orders.select("region").distinct()\n.crossJoin(orders.select("status").distinct())'),
    # text that stays text
    py('orders\n.groupBy("region").agg(F.max("status").alias("last"), F.min("customer_id").alias("first"))'),
    py('shipments\n.groupBy("carrier").agg(F.sum(F.col("cost_text").cast("double")).alias("cost"))'),
    py('shipments\n.agg(F.max(F.col("cost_text").cast("int")).alias("m"))'),
    sql("SELECT carrier, avg(cast(cost_text AS double)) AS cost FROM shipments GROUP BY carrier"),
    py('orders\n.agg(F.max(F.to_date("due_text", "dd/MM/yyyy")).alias("latest"))'),
    py('orders\n.agg(F.countDistinct("zone_text").alias("zones"), F.count("due_text").alias("n"))'),
    # bounded rows
    py('top = orders.groupBy("region").count().orderBy(F.desc("count")).limit(2).collect()\nresult = orders.filter(F.col("region").isin([row["region"] for row in top])).groupBy("status").count()'),
    py('latest = orders.agg(F.max("order_date").alias("d")).collect()[0]["d"]\nresult = orders.filter(F.col("order_date") == F.lit(latest)).select("order_id")'),
    py('names = [r["manager"] for r in regions.collect()]\nresult = regions.filter(F.col("manager").isin(names))'),
    # arithmetic with care
    py('orders\n.select("order_id", F.try_divide("amount", "quantity").alias("price"))'),
    py('orders\n.select("order_id", (F.col("amount") / F.nullif("quantity", F.lit(0))).alias("price"))'),
    py('orders\n.filter(F.col("quantity") > 0)\n.select("order_id", (F.col("amount") / F.col("quantity")).alias("price"))'),
    py('orders\n.select("order_id", F.when(F.col("quantity") != 0, F.col("amount") / F.col("quantity")).alias("price"))'),
    sql("SELECT order_id, amount / nullif(quantity, 0) AS price FROM orders"),
    sql("SELECT order_id, CASE WHEN quantity = 0 THEN NULL ELSE amount / quantity END AS price FROM orders"),
    py('shipments\n.select("order_id", (F.col("units").cast("bigint") * F.col("units")).alias("sq"))'),
    py('shipments\n.select("order_id", (F.col("units") * F.col("weight")).alias("v"))'),
    py('customers\n.select("name", (F.lit(100) / F.col("score")).alias("inverse"))'),
    # windows, pivots, several results
    py('w = Window.partitionBy("region").orderBy(F.desc("amount"))\nresult = orders.withColumn("place", F.row_number().over(w)).filter(F.col("place") == 1).select("region", "order_id")'),
    py('orders\n.groupBy("region").pivot("status", ["shipped", "pending", "lost"]).agg(F.sum("amount"))'),
    py('results = {"rare": orders.filter(F.col("status") == "lost"), "all": orders.groupBy("region").count()}'),
    sql("SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id HAVING count(*) > 5"),
]  # fmt: skip
