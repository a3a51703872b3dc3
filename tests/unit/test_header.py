import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluebear_magic.provenance.header import (
    Header,
    code_hash,
    parse,
    prompt_hash,
    render,
    schema_hash,
    split,
)
from bluebear_magic.records import Column, Dataset

CODE = "from pyspark.sql import functions as F\n\nresult = spark.table('s')\n"


def header(question="total sales", model="offline", checked="sample:1000 rows"):
    return Header(question, model, 2, checked, "4.1.1", code_hash(CODE), "sha256:1", "sha256:2")


def test_the_cell_reads_as_in_the_design():
    text = render(header(), CODE, "--into total_sales")
    assert text.splitlines()[:4] == [
        "%%bluebear_run --into total_sales",
        '# bluebear: "total sales"',
        "# bluebear: model=offline attempts=2 checked=sample:1000 rows spark=4.1.1",
        f"# bluebear: code={code_hash(CODE)} schema=sha256:1 prompt=sha256:2",
    ]
    assert text.endswith(CODE.rstrip())


@given(st.text(), st.text(min_size=1))
def test_no_text_breaks_out_of_the_header(question, model):
    text = render(header(question, model), CODE)
    assert len(text.splitlines()) == 4 + len(CODE.splitlines())
    cell = parse(text)
    assert cell.code == CODE.rstrip()
    assert cell.header.question == question
    assert cell.header.model == model
    assert cell.header.checked == "sample:1000 rows"


@pytest.mark.parametrize(
    "character", ["\n", "\r", "\u2028", "\x85", "\u202e", "\x1b", "\x00", "\x0c"]
)
def test_characters_that_end_or_reorder_a_line_are_spelled_out(character):
    line = render(header(f"a{character}b"), "x").split("\n")[1]
    assert line.startswith('# bluebear: "a\\')
    assert line.endswith('b"')
    assert character not in line


def test_white_space_at_line_ends_does_not_count_and_anything_else_does():
    assert code_hash("a = 1\nb = 2\n") == code_hash("\na = 1  \nb = 2")
    assert code_hash("a = 1\nb = 2\n") != code_hash("a = 1\n b = 2\n")


def test_how_a_question_is_wrapped_does_not_count():
    assert prompt_hash("total  sales\nby region") == prompt_hash("total sales by region")
    assert prompt_hash("Total sales") != prompt_hash("total sales")


def test_the_order_of_datasets_does_not_count_and_a_type_does():
    def dataset(name, kind):
        return Dataset(name, "", "csv", (), (Column("x", kind),), "f")

    a, b = dataset("a", "INT"), dataset("b", "INT")
    assert schema_hash([a, b]) == schema_hash([b, a])
    assert schema_hash([a]) != schema_hash([dataset("a", "STRING")])


def test_a_cell_without_header_is_code_alone():
    assert parse("%%bluebear_run --into x\nresult = 1").header is None
    assert parse("print(1)") is None
    assert parse("%%bluebear_runner\n") is None
    assert split("x = 1\n") == (None, "x = 1\n")


def test_a_header_with_missing_facts_is_none():
    assert split('# bluebear: "q"\n# bluebear: model=m\nx')[0] is None
