"""Tables of the Glue Data Catalog, as moto serves it, over data in its S3."""

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from bluebear_magic.context import hive_types
from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.profiles import profile
from bluebear_magic.context.samples import Samples
from bluebear_magic.context.types import Unreadable
from bluebear_magic.errors import DatasetError
from bluebear_magic.testing import RecordingReporter
from tests.aws.storage import put, warm

HADOOP = "org.apache.hadoop.hive"
PARQUET = {"SerializationLibrary": f"{HADOOP}.ql.io.parquet.serde.ParquetHiveSerDe"}
SIMPLE = {"SerializationLibrary": f"{HADOOP}.serde2.lazy.LazySimpleSerDe"}
QUOTED = {"SerializationLibrary": f"{HADOOP}.serde2.OpenCSVSerde"}
JSON = {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}
ORDERS = (
    ("id", "bigint", "Number of the order"),
    ("amount", "double"),
    ("region", "string", "Where"),
)


def column(name, kind, comment=None):
    return {"Name": name, "Type": kind, **({"Comment": comment} if comment else {})}


def table(glue, name, columns=ORDERS, *, serde=PARQUET, location=None, keys=(), **more):
    """Makes a table; its data lies in ``s3://lake/NAME/``."""
    storage = {
        "Columns": [column(*item) for item in columns],
        "Location": f"s3://lake/{name}/" if location is None else location,
        "SerdeInfo": serde,
        **more.pop("storage", {}),
    }
    described = {"Name": name, "PartitionKeys": [column(*item) for item in keys], **more}
    glue.create_table(DatabaseName="shop", TableInput={**described, "StorageDescriptor": storage})


def partition(glue, name, location, *values):
    glue.create_partition(
        DatabaseName="shop",
        TableName=name,
        PartitionInput={"Values": list(values), "StorageDescriptor": {"Location": location}},
    )


def orders(first=0, rows=100):
    return pa.table(
        {
            "id": range(first, first + rows),
            "amount": [n / 4 for n in range(rows)],
            "region": [("N", "S")[n % 2] for n in range(rows)],
        }
    )


@pytest.fixture
def catalog(glue, tmp_path, boto_session):
    return warm(Catalog(tmp_path), boto_session)


@pytest.fixture
def calls(catalog, boto_session):
    """The operations of AWS that were asked for, in order."""
    seen = []
    catalog._sources.of("glue:x")._clients._by_region[""].session.events.register(
        "before-call", lambda model, **_: seen.append(model.name)
    )
    return seen


def refused(catalog, location, **options):
    with pytest.raises(DatasetError) as caught:
        catalog.add("data", location, **options)
    assert caught.value.hint
    return str(caught.value)


# --- what is described --------------------------------------------------------


def test_a_table_is_a_dataset_with_its_comments(glue, s3, catalog):
    put(s3, "orders/part-0.parquet", orders())
    table(glue, "orders", Description="What was sold")
    assert catalog.add_path("glue:Shop.Orders").name == "orders"
    dataset = catalog.get("orders")
    assert dataset.description == "What was sold"
    assert dataset.ddl == "`id` BIGINT, `amount` DOUBLE, `region` STRING"
    assert [column.description for column in dataset.columns] == [
        "Number of the order",
        "",
        "Where",
    ]
    assert dataset.paths == ("s3://lake/orders/part-0.parquet",)
    assert profile(dataset).rows == 100
    assert Samples().of([dataset], 10)[0].paths
    assert catalog.whole(dataset, RecordingReporter()).paths
    assert catalog.reach(dataset) == ("local", "soal", "emr")


def test_a_database_is_read_by_the_page_and_nothing_of_s3_before_a_table_is_used(
    glue, s3, catalog, calls
):
    for number in range(120):
        table(glue, f"t{number:03}")
    put(s3, "t007/part-0.parquet", orders())
    del calls[:]
    used = catalog.use("glue:shop")
    assert (len(used.names), used.left_out) == (120, ())
    assert len(calls) < 5
    assert set(calls) == {"GetTables"}
    del calls[:]
    datasets = catalog.list()
    assert len(datasets) == 120
    assert profile(datasets[0]).rows is None
    assert calls == []
    assert catalog.get("t007").size_bytes > 0
    assert set(calls) <= {"ListObjectsV2", "GetObject"}
    (settled,) = catalog.settled([dataset for dataset in datasets if dataset.name == "t007"])
    assert settled.paths == ("s3://lake/t007/part-0.parquet",)
    assert settled.ddl == datasets[7].ddl
    table(glue, "later")
    assert "later" not in {dataset.name for dataset in catalog.list()}
    catalog.renew()
    assert "later" in {dataset.name for dataset in catalog.list()}


def test_a_table_that_changes_is_described_anew(glue, s3, catalog):
    put(s3, "orders/part-0.parquet", orders())
    table(glue, "orders")
    first = catalog.add("orders", "glue:shop.orders")
    glue.delete_table(DatabaseName="shop", Name="orders")
    table(glue, "orders", ORDERS[:2])
    catalog.renew()
    second = catalog.get("orders")
    assert first.fingerprint != second.fingerprint
    assert second.ddl == "`id` BIGINT, `amount` DOUBLE"


def test_registered_partitions_are_read_and_no_others(glue, s3, catalog):
    for day in ("01", "02", "03"):
        put(s3, f"orders/day={day}/part.parquet", orders())
    table(glue, "orders", keys=[("day", "string", "Of the sale")])
    dataset = catalog.add("orders", "glue:shop.orders")
    assert len(dataset.paths) == 3
    assert "no partition of it registered" in dataset.warnings[-1]
    catalog.renew()
    for day in ("01", "02"):
        partition(glue, "orders", f"s3://lake/orders/day={day}/", day)
    dataset = catalog.add("orders", "glue:shop.orders")
    assert [path[:24] for path in dataset.paths] == [
        "s3://lake/orders/day=01/",
        "s3://lake/orders/day=02/",
    ]
    assert dataset.warnings[-1].endswith("has no partition for were left out: day=03")
    assert dataset.columns[-1].type == "STRING"
    assert (dataset.base_path, dataset.partition_columns) == ("s3://lake/orders", ("day",))
    assert profile(dataset).column("day").values == ("01", "02")


def test_projected_partitions_need_no_registering(glue, s3, catalog):
    put(s3, "orders/year=2023/part.parquet", orders())
    projected = {"projection.enabled": "true", "projection.year.type": "integer"}
    template = {"storage.location.template": "s3://lake/orders/year=${year}/"}
    table(glue, "orders", keys=[("year", "int")], Parameters={**projected, **template})
    dataset = catalog.add("orders", "glue:shop.orders")
    assert dataset.warnings == ()
    assert dataset.columns[-1].type == "INT"
    odd = {"storage.location.template": "s3://lake/odd/${year}/"}
    table(glue, "odd", keys=[("year", "int")], Parameters={**projected, **odd})
    told = refused(catalog, "glue:shop.odd")
    assert "its partitions are computed, in folders named s3://lake/odd/${year}" in told


def test_partitions_that_spark_cannot_tell_are_refused(glue, s3, catalog):
    put(s3, "orders/2023/part.parquet", orders())
    table(glue, "orders", keys=[("year", "int")])
    assert "its partition keys are year, but the folders" in refused(catalog, "glue:shop.orders")
    put(s3, "away/year=1/part.parquet", orders())
    table(glue, "away", keys=[("year", "int")])
    partition(glue, "away", "s3://elsewhere/2023/", "2023")
    assert "a partition of it lies elsewhere, in s3://elsewhere/2023/" in refused(
        catalog, "glue:shop.away"
    )


# --- formats --------------------------------------------------------------------


def test_text_is_read_as_the_serde_reads_it(glue, s3, catalog):
    put(s3, "simple/x", "1\x01\\N\x01North\n2\x012.5\x01a,b\n")
    table(glue, "simple", serde=SIMPLE)
    dataset = catalog.add("simple", "glue:shop.simple")
    options = dict(dataset.options)
    assert (options["sep"], options["header"], options["nullValue"]) == ("\x01", "false", "\\N")
    known = profile(catalog.get("simple"))
    assert known.column("region").values == ("North", "a,b")
    assert (known.column("amount").nulls, known.column("id").maximum) == (1, 2)

    put(s3, "quoted/x.csv", 'id;amount;region\n1;2.5;"a;b"\n')
    of = {"separatorChar": ";", "quoteChar": '"'}
    table(
        glue,
        "quoted",
        serde={**QUOTED, "Parameters": of},
        Parameters={"skip.header.line.count": "1"},
    )
    dataset = catalog.add("quoted", "glue:shop.quoted")
    assert dict(dataset.options)["header"] == "true"
    assert profile(catalog.get("quoted")).column("region").values == ("a;b",)

    table(glue, "heads", serde=SIMPLE, Parameters={"skip.header.line.count": "3"})
    assert "3 lines at the head" in refused(catalog, "glue:shop.heads")


def test_options_of_the_user_win_over_glues(glue, s3, catalog):
    put(s3, "simple/x.csv", "id|amount|region\n1|2|x\n")
    table(glue, "simple", serde=SIMPLE)
    dataset = catalog.add("simple", "glue:shop.simple", sep="|", header="true")
    assert profile(catalog.get("simple")).column("region").values == ("x",)
    assert dict(dataset.options)["sep"] == "|"


def test_json_is_read_by_the_very_names(glue, s3, catalog):
    put(s3, "lower/x.json", '{"id": 1, "amount": 2, "region": "N"}\n')
    table(glue, "lower", serde=JSON)
    catalog.add("lower", "glue:shop.lower")
    assert profile(catalog.get("lower")).column("region").values == ("N",)
    put(s3, "camel/x.json", '{"id": 1, "Amount": 2, "region": "N"}\n')
    table(glue, "camel", serde=JSON)
    told = refused(catalog, "glue:shop.camel")
    assert "Glue's column amount is Amount in s3://lake/camel/x.json" in told
    assert "%bluebear data add NAME s3://lake/camel/" in told


@pytest.mark.parametrize(
    ("hive", "ddl"),
    [
        ("int", "INT"),
        ("VARCHAR(20)", "STRING"),
        ("decimal(10,2)", "DECIMAL(10,2)"),
        ("decimal", "DECIMAL(10,0)"),
        ("timestamp", "TIMESTAMP"),
        ("array<array<int>>", "ARRAY<ARRAY<INT>>"),
        ("map<string,array<double>>", "MAP<STRING, ARRAY<DOUBLE>>"),
        (
            "struct<a:int,b c:struct<d:decimal(5,1)>>",
            "STRUCT<`a`: INT, `b c`: STRUCT<`d`: DECIMAL(5,1)>>",
        ),
        ("struct<`odd:name`:int>", "STRUCT<`odd:name`: INT>"),
    ],
)
def test_types_of_hive_are_types_of_spark(hive, ddl):
    assert hive_types.ddl(hive) == ddl


@pytest.mark.parametrize(
    "hive",
    [
        "uniontype<int,string>",
        "array<int",
        "struct<a>",
        "decimal(50,2)",
        "",
        "int>",
        "map<int>",
        "geo",
    ],
)
def test_types_that_spark_has_not_are_told(hive):
    with pytest.raises(Unreadable, match=re.escape(f"the type {hive}")):
        hive_types.ddl(hive)


def test_columns_of_any_name_and_type(glue, s3, catalog):
    odd = [(name, "string") for name in ("a b", "a.b", 'say "hi"', "; DROP TABLE x", "😀")]
    put(s3, "odd/x.parquet", orders())
    put(s3, "text/x", "1\x01a\n")
    table(glue, "odd", [*odd, ("u", "uniontype<int,string>"), ("m", "map<string,int>")])
    dataset = catalog.add("odd", "glue:shop.odd")
    assert [column.name for column in dataset.columns] == [*(name for name, _ in odd), "m"]
    assert dataset.warnings == ("u is left out: Spark cannot read the type uniontype<int,string>",)
    table(glue, "text", [("id", "int"), ("tags", "array<string>")], serde=SIMPLE)
    dataset = catalog.add("text", "glue:shop.text")
    assert dataset.columns[1].type == "STRING"
    assert "tags is read as text" in dataset.warnings[0]


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_columns_that_older_objects_lack_are_null_there(glue, s3, catalog, tmp_path, kind):
    """And names are found in whatever case, as Spark finds them."""
    old, new = pa.table({"ID": [1, 2]}), pa.table({"ID": [3], "amount": [1.5]})
    for number, part in enumerate((old, new)):
        write = orc.write_table if kind == "orc" else pq.write_table
        write(part, str(tmp_path / "part"))
        put(s3, f"orders/{number}.{kind}", (tmp_path / "part").read_bytes())
    serde = (
        PARQUET if kind == "parquet" else {"SerializationLibrary": f"{HADOOP}.ql.io.orc.OrcSerde"}
    )
    table(glue, "orders", serde=serde)
    known = profile(catalog.add("orders", "glue:shop.orders"))
    assert known.rows == 3
    assert [known.column(name).nulls for name in ("id", "amount", "region")] == [0, 2, 3]
    assert known.column("id").maximum == 3


# --- what cannot be read ------------------------------------------------------------


def unreadable(glue):
    table(glue, "nowhere", location="")
    table(glue, "view", location="", TableType="VIRTUAL_VIEW", ViewOriginalText="/* Presto View */")
    table(glue, "avro", serde={"SerializationLibrary": f"{HADOOP}.serde2.avro.AvroSerDe"})
    table(glue, "blank", serde={})
    table(glue, "jdbc", location="db.public.orders", Parameters={"classification": "postgresql"})
    table(glue, "iceberg", Parameters={"table_type": "ICEBERG"})
    table(glue, "delta", Parameters={"spark.sql.sources.provider": "delta"})
    table(glue, "links", storage={"InputFormat": f"{HADOOP}.ql.io.SymlinkTextInputFormat"})


UNREADABLE = {
    "nowhere": "the table has no location in Glue",
    "view": "is a view, in the SQL of the engine that made it",
    "avro": "its SerDe org.apache.hadoop.hive.serde2.avro.AvroSerDe cannot be read here",
    "blank": "Glue does not say what format it has",
    "jdbc": "lies in postgresql, not in S3",
    "iceberg": "is an Iceberg table, which no backend here can read yet",
    "delta": "is a Delta table, which no backend here can read yet",
    "links": "is a list of links to files elsewhere",
}


def test_what_spark_cannot_read_is_refused_with_its_reason(glue, catalog):
    unreadable(glue)
    for name, why in UNREADABLE.items():
        told = refused(catalog, f"glue:shop.{name}")
        assert told.startswith(f"glue:shop.{name}")
        assert why in told
    used = catalog.use("glue:shop")
    assert used.names == ()
    assert dict(used.left_out).keys() == UNREADABLE.keys()
    assert catalog.list() == ()


def test_a_log_of_delta_in_the_prefix_is_seen_too(glue, s3, catalog):
    put(s3, "orders/part.parquet", orders())
    put(s3, "orders/_delta_log/00.json", "{}")
    table(glue, "orders")
    assert "s3://lake/orders/ is a Delta table" in refused(catalog, "glue:shop.orders")


def test_names_that_are_not_there(glue, catalog):
    table(glue, "orders")
    glue.create_database(DatabaseInput={"Name": "shopping"})
    assert "Did you mean orders?" in refused(catalog, "glue:shop.order")
    assert "names a database and no table" in refused(catalog, "glue:shop")
    with pytest.raises(
        DatasetError, match=r"no database shops.*(.|\n)*Did you mean shop or shopping?"
    ):
        catalog.use("glue:shops")
    with pytest.raises(DatasetError, match=r"names no database of Glue(.|\n)*shop, shopping"):
        catalog.use("glue:")
    with pytest.raises(DatasetError, match="is no catalog of tables"):
        catalog.use("s3://lake/")
    assert "no object has that key" in refused(catalog, "glue:shop.orders")


def test_what_aws_refuses_is_told(stub):
    def answer(method, path, headers):
        said = '{"__type": "AccessDeniedException", "Message": "User: arn:aws:sts::1:assumed-role/nb is not authorized to perform: glue:GetTable on resource: arn:aws:glue:us-east-1:1:catalog because no identity-based policy allows it"}'
        return 400, {"Content-Type": "application/x-amz-json-1.1"}, said.encode()

    stub(answer)
    told = refused(Catalog(), "glue:shop.orders")
    assert "this role may not do glue:GetTable on arn:aws:glue:us-east-1:1:catalog" in told
    assert "let the role do glue:GetTable there" in told


def test_no_region(stub, no_aws):
    stub(lambda *_: (500, {}, b""))
    no_aws.delenv("AWS_DEFAULT_REGION")
    assert "no AWS region is set" in refused(Catalog(), "glue:shop.orders")


# --- search -------------------------------------------------------------------------


def test_search_goes_over_names_columns_and_comments(glue, catalog):
    glue.create_database(DatabaseInput={"Name": "hr"})
    table(glue, "orders", Description="Sales of the web shop")
    table(
        glue,
        "customers",
        [("id", "int"), ("region", "string"), ("sales", "double", "Yearly total")],
    )
    table(glue, "stock", [("id", "int"), ("note", "string", "For sales people")])
    assert [hit.location for hit in catalog.search_libraries("sales")] == [
        "glue:shop.customers",
        "glue:shop.orders",
        "glue:shop.stock",
    ]
    (hit,) = catalog.search_libraries("customers sales")
    assert (hit.location, hit.columns) == ("glue:shop.customers", "sales")
    (hit,) = catalog.search_libraries("web SHOP")
    assert hit.description == "Sales of the web shop"
    assert catalog.search_libraries("nothing like it") == ()
