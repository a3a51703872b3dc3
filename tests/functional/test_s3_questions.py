"""The same question over the same data, in S3 and on this machine, gives the same answer."""

import datetime as dt

import pyarrow as pa
import pytest

from bluebear_magic import Bluebear
from tests.aws.storage import parquet, put

ROWS = 3000
STORES = (1, 2)


def table(store):
    first = dt.date(2023, store, 1)
    return pa.table(
        {
            "region": [("North", "South", "East, West")[n % 3] for n in range(ROWS)],
            "amount": [n % 97 / 4 + store for n in range(ROWS)],
            "day": [first + dt.timedelta(days=n % 365) for n in range(ROWS)],
        }
    )


def csv(store):
    rows = zip(*(column.to_pylist() for column in table(store).columns), strict=True)
    lines = [f'"{region}",{amount},{day}\n' for region, amount, day in rows]
    return "region,amount,day\n" + "".join(lines)


DATA = {
    "csv": lambda store: csv(store).encode(),
    "parquet": lambda store: parquet(table(store)),
}


QUESTIONS = ("total amount by region and store", "average amount by month")


def answers(local, folder, location):
    """For each question the code and the rows, checked on samples and run."""
    bb = Bluebear(folder=folder)
    bb.tools.backends = {**bb.tools.backends, "local": local}
    bb.add_data("sales", location)
    given = [bb.ask(question, strict=True) for question in QUESTIONS]
    return [(answer.code, bb.run(answer, strict=True).df.to_dict("list")) for answer in given]


@pytest.mark.parametrize("kind", DATA)
def test_a_question_over_s3_has_the_answer_that_files_give(s3, tmp_path, local, kind):
    for store in STORES:
        data = DATA[kind](store)
        put(s3, f"sales/store={store}/part 1+é%20.{kind}", data)
        here = tmp_path / "sales" / f"store={store}"
        here.mkdir(parents=True)
        (here / f"part.{kind}").write_bytes(data)
    there = answers(local, tmp_path, "s3://lake/sales/")
    assert there == answers(local, tmp_path, tmp_path / "sales")
    assert [len(rows["region"]) for _, rows in there[:1]] == [6]


def test_a_question_over_glue_has_the_answer_that_files_give(s3, glue, tmp_path, local):
    """The tables of a database are known by name; one is looked at when a question names it."""
    for store in STORES:
        data = csv(store).encode()
        put(s3, f"sales/store={store}/data", data)
        here = tmp_path / "sales" / f"store={store}"
        here.mkdir(parents=True)
        (here / "part.csv").write_bytes(data)
    serde = {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        "Parameters": {"quoteChar": '"', "separatorChar": ","},
    }
    types = {"region": "string", "amount": "double", "day": "date"}
    described = {
        "Name": "sales",
        "PartitionKeys": [{"Name": "store", "Type": "bigint"}],
        "Parameters": {"skip.header.line.count": "1", "projection.enabled": "true"},
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": kind} for name, kind in types.items()],
            "Location": "s3://lake/sales/",
            "SerdeInfo": serde,
        },
    }
    glue.create_table(DatabaseName="shop", TableInput=described)
    glue.create_table(DatabaseName="shop", TableInput={**described, "Name": "unused"})
    bb = Bluebear(folder=tmp_path)
    bb.tools.backends = {**bb.tools.backends, "local": local}
    assert bb.tools.catalog.use("glue:shop").names == ("sales", "unused")
    answer = bb.ask("total amount of sales by region and store", strict=True)
    rows = bb.run(answer, strict=True).df.to_dict("list")
    assert rows == answers(local, tmp_path, tmp_path / "sales")[0][1]
