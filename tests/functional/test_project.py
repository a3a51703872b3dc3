"""What a project says of its data, from its file to an answer on real Spark."""

import pytest

from bluebear_magic import Bluebear
from bluebear_magic.testing import RecordingReporter

TOML = """\
keys = [["orders.who", "people.ref"]]

[data.orders]
location = "files/*.csv"
options.sep = ";"
synonyms = ["purchases"]
filters = ["status <> 'test'"]
columns.qty = { description = "Pieces.", synonyms = ["pieces"] }

[metrics]
revenue = "price * qty"
average_basket = "avg(price * qty)"

[[questions]]
question = "Who bought most?"
code = '''
from pyspark.sql import functions as F

result = spark.table("orders").groupBy("who").agg(F.sum("qty").alias("pieces")).orderBy(F.desc("pieces")).limit(1)
'''
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "bluebear.toml").write_text(TOML)
    (folder / "files").mkdir()
    (folder / "files" / "orders.csv").write_text(
        "nr;who;price;qty;status\n1;7;2.5;4;paid\n2;8;100.0;2;test\n3;7;1.0;6;open\n4;8;3.0;1;paid\n"
    )
    (folder / "data").mkdir()
    (folder / "data" / "people.csv").write_text("ref,city\n7,Oslo\n8,Rome\n9,Rome\n")
    return folder


@pytest.fixture(scope="module")
def bb(folder, local):
    bb = Bluebear(folder=folder, reporter=RecordingReporter())
    bb.tools.backends = {**bb.tools.backends, "local": local}
    return bb


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("total revenue by city", [("Oslo", 16.0), ("Rome", 3.0)]),
        ("average basket by city", [("Oslo", 8.0), ("Rome", 3.0)]),
        ("total pieces", [(11,)]),
        ("how many test purchases", [(1,)]),
        ("purchases with revenue over 5", [(1, 7, 2.5, 4, "paid", 10.0), (3, 7, 1.0, 6, "open", 6.0)]),
        ("who bought most?", [(7, 10)]),
    ],
)  # fmt: skip
def test_a_question_in_the_projects_words_is_checked_and_answered(bb, question, rows):
    answer = bb.ask(question, strict=True)
    assert answer.checked
    (table,) = answer.chosen.checked.tables
    assert [tuple(row) for row in table.rows] == rows


def test_a_column_that_changed_is_told_with_the_cells_that_use_it(local, tmp_path):
    (tmp_path / "data").mkdir()
    sales = tmp_path / "data" / "sales.csv"
    sales.write_text("region,amount\nN,1.5\nS,2.5\n")

    def begun():
        bb = Bluebear(folder=tmp_path, reporter=RecordingReporter())
        bb.tools.backends = {**bb.tools.backends, "local": local}
        return bb

    before = begun()
    code = before.ask("total amount by region", strict=True).code
    assert before.tools.reporter.warnings == []
    sales.write_text("region,amount,day\nN,much,2024-01-01\nS,2.5,2024-01-02\n")
    after = begun()
    after.tools.cells = lambda: (code, 'result = spark.table("sales").select("region")')
    told = [
        "sales.amount is STRING now, was DOUBLE: used in 1 cell",
        "sales.day is new",
        "%bluebear data refresh sales takes them as they are now",
    ]
    assert not after.run(code).ok
    assert after.tools.reporter.warnings[:3] == told
    assert after.ask("How many sales are there?").ok
    assert not set(told) & set(after.tools.reporter.warnings[3:])  # once is enough
    asked = begun()
    assert not asked.ask("total amount by region").ok  # the model refuses: it is text now
    assert asked.tools.reporter.warnings[0] == "sales.amount is STRING now, was DOUBLE"
    after.refresh_data("sales")
    assert begun().tools.catalog.drift("sales") is None
