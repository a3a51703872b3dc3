"""What leaves for a model at the sharing level ``schema``: through boto3, with values planted in
the data that no request may hold, whatever goes wrong with them.
"""

import json

import pytest

from bluebear_magic import Bluebear
from bluebear_magic.errors import BluebearError
from bluebear_magic.records import Answer
from bluebear_magic.testing import RecordingReporter
from tests.aws import Bedrock, Reply, tool_call

CANARIES = ("Canaryville", "Zwitscherstadt", "kanarie", "77310042", "2031-07-19", "Vogelfrei")
ROWS = (
    "region,note,code,big,day,small\n"
    "Canaryville,kanarie-1 Vogelfrei,kanarie77,77310042,2031-07-19,0\n"
    "Zwitscherstadt,kanarie-2,9kanarie,77310042,2031-07-19,1\n"
)
OTHER = "place,weight\nCANARYVILLE,1\nZWITSCHERSTADT,2\n"
HEAD = "from pyspark.sql import functions as F\nbirds = spark.table('birds')\n"
RIGHT = HEAD + "result = birds.groupBy('region').agg(F.max('big').alias('most'))\n"
FIRST = HEAD + "result, row = birds, birds.orderBy('note').first()\n"

# What goes wrong, and whether what the user is shown of it quotes a value.
FAULTS = {
    "cast": (HEAD + "result = birds.select(F.col('code').cast('int').alias('n'))", True),
    "cast in SQL": ("result = spark.sql('select cast(note as date) as d from birds')", True),
    "text and number": (HEAD + "result = birds.select((F.col('code') + 1).alias('n'))", True),
    "compared": (HEAD + "result = birds.where(F.col('code') > 5)", True),
    "to_date": (HEAD + "result = birds.select(F.to_date('note', 'yyyy-MM-dd').alias('d'))", True),
    "to_timestamp": (HEAD + "result = birds.select(F.to_timestamp('code').alias('t'))", True),
    "to_number": (HEAD + "result = birds.select(F.to_number('code', F.lit('999')).alias('n'))", True),
    "division": (HEAD + "result = birds.select((F.col('big') / F.col('small')).alias('n'))", False),
    "overflow": (
        HEAD + "b = F.col('big').cast('int')\nresult = birds.select((b * b).alias('n'))", False),
    "narrow cast": (HEAD + "result = birds.select(F.col('big').cast('smallint').alias('n'))", True),
    "decimal": (HEAD + "result = birds.select(F.col('big').cast('decimal(3,1)').alias('n'))", True),
    "make_date": (HEAD + "result = birds.select(F.make_date(F.lit(1), F.col('big').cast('int'), F.lit(1)).alias('d'))", True),
    "raise_error": (HEAD + "result = birds.select(F.raise_error(F.col('note')).alias('x'))", True),
    "assert_true": (
        HEAD + "result = birds.select(F.assert_true(F.col('big') < 0, F.col('note')).alias('x'))", True),
    "array": (HEAD + "result = birds.select(F.split('note', ' ')[F.col('big').cast('int')].alias('x'))", True),
    "url": (HEAD + "result = birds.select(F.parse_url(F.concat(F.lit('http://['), 'note'), F.lit('HOST')).alias('x'))", True),
    "udf": (
        HEAD + "@F.udf('int')\ndef bad(x):\n    raise ValueError('saw ' + x)\n"
        "result = birds.select(bad('note').alias('x'))", True),
    "ValueError": (FIRST + "raise ValueError(row.note)", True),
    "int()": (FIRST + "n = int(row.code)", True),
    "KeyError": (FIRST + "n = {}[row.region]", True),
    "AssertionError": (FIRST + "assert row.big == 1, str(row)", True),
    "TypeError": (FIRST + "raise TypeError(f'column {row.region} is invalid')", True),
    "an error of its own": (FIRST + "class timeout(Exception):\n    pass\nraise timeout(row.note)", True),
    "exit": (FIRST + "raise SystemExit(row.note)", False),
    "printed": (FIRST + "print(row)\nresult = birds.select('nope')", False),
    "column by value": (FIRST + "result = birds.select(F.col(row.region))", True),
    "value in an expression": (FIRST + "result = birds.select(F.lit(row.note) + F.array('big'))", True),
    "title": (FIRST + "results = {row.note: 'no frame'}", True),
    "twins": (
        FIRST + "result = birds.select(F.col('big').alias(row.region), F.col('big').alias(row.region))", True),
    "pivot": (HEAD + "result = birds.groupBy('small').pivot('region').count().select('Nowhere')", True),
    "unknown value": (HEAD + "result = birds.where(F.col('region') == 'canaryville')", True),
    "unknown pattern": (HEAD + "result = birds.where(F.col('region').like('canary%'))", True),
    "keys": (
        HEAD + "o = spark.table('other')\nresult = birds.join(o, F.col('region') == F.col('place'))", True),
    "syntax": (HEAD + "result = birds.select(", False),
    "refused": ("import os\n" + RIGHT, False),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("private")
    (folder / "birds.csv").write_text(ROWS)
    (folder / "other.csv").write_text(OTHER)
    return folder


class Session:
    """A session whose model gives the codes that are put into ``script``."""

    def __init__(self, folder, local, **settings):
        self.script = []
        self.server = Bedrock([], responder=lambda _: self.script.pop(0))
        self.server.__enter__()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.server.environment.items():
                patch.setenv(name, value)
            self.bb = Bluebear("bedrock", folder=folder, reporter=RecordingReporter())
            self.bb.tools.backends = {**self.bb.tools.backends, "local": local}
            for name in ("birds", "other"):
                self.bb.add_data(name, folder / f"{name}.csv")
            self.ask("prepare", RIGHT)

    def ask(self, question, *codes, **options):
        """The answer, and the requests that it took."""
        before = len(self.server.asked())
        self.script[:] = [
            Reply([tool_call({"code": code, "explanation": "x"}, use=f"t{number}")])
            for number, code in enumerate(codes)
        ]
        answer = self.bb.ask(question, **options)
        return answer, self.server.asked()[before:]


@pytest.fixture(scope="module")
def private(folder, local):
    session = Session(folder, local)
    yield session
    session.server.close()


def leaked(requests):
    """The planted values that some request holds."""
    sent = json.dumps(requests, ensure_ascii=False, default=str)
    return [canary for canary in CANARIES if canary in sent]


def told(requests, number=1):
    """What went back to the model about the draft before."""
    (block,) = requests[number]["messages"][-1]["content"]
    return block["toolResult"]["content"][0]["text"]


@pytest.mark.parametrize("name", FAULTS)
def test_no_value_leaves_whatever_goes_wrong(private, name):
    code, quotes = FAULTS[name]
    answer, requests = private.ask("the most by region", code, RIGHT)
    assert answer.ok, answer.error
    assert len(requests) == 2, "it did not go wrong"
    first = answer.attempts[0].checked
    shown = f"{first.findings} {first.fault}"
    assert quotes == any(canary.casefold() in shown.casefold() for canary in CANARIES), shown
    assert leaked(requests) == []
    assert "\tat " not in told(requests)
    assert "java." not in told(requests)


def test_what_is_told_instead_helps(private):
    def of(name):
        return told(private.ask("the most by region", FAULTS[name][0], RIGHT)[1])

    cast = of("cast")
    assert "CAST_INVALID_INPUT" in cast
    assert "cannot be cast from STRING to INT" in cast
    assert "try_cast" in cast
    assert ">   3 | result = birds.select(F.col('code').cast('int')" in cast
    assert "`Nowhere` cannot be resolved" in of("pivot")
    assert "lower(trim(column))" in of("unknown value")
    assert "raised ValueError" in of("udf")
    assert "region" in told(private.ask("x", RIGHT.replace("'region'", "'regoin'"), RIGHT)[1])


def test_results_of_earlier_turns_tell_no_value(private):
    pivoted = HEAD + "result = birds.groupBy('small').pivot('region').agg(F.max('big'))\n"
    answer, _ = private.ask("the most by region, side by side", pivoted)
    result = private.bb.run(answer, strict=True)
    assert "Canaryville" in result.df.columns
    edited = HEAD + "result = birds.where(\"region = 'Canaryville'\")  # Zwitscherstadt\n"
    private.bb.run(Answer("only the first place", edited), strict=True)
    _, requests = private.ask("now by day", RIGHT)
    past = "".join(block.get("text", "") for block in requests[0]["messages"][0]["content"])
    assert "birds.groupBy('small').pivot('region')" in past
    assert "gave: `small`, 2 more" in past
    assert "only the first place" in past
    assert leaked(requests) == []
    private.bb.tools.history.clear()


def test_results_that_are_datasets_tell_no_value(private):
    """A pivot makes columns of values, and a result is a dataset for the next question."""
    pivoted = HEAD + "result = birds.groupBy('small').pivot('region').agg(F.max('big'))\n"
    answer, _ = private.ask("the most by region, side by side", pivoted)
    private.bb.run(answer, into="wide", strict=True)
    _, requests = private.ask("wide by small", RIGHT)
    sent = requests[0]["messages"][0]["content"][0]["text"]
    assert "CREATE TABLE `wide`" in sent
    assert "`small`" in sent
    assert leaked(requests) == []
    wrong = HEAD + "result = spark.table('wide').select('Nowhere')\n"
    _, requests = private.ask("wide by small", wrong, RIGHT)
    assert leaked(requests) == []

    private.bb.share("default", "profile")
    private.bb.share("birds", "schema")  # and what was made of it
    _, requests = private.ask("wide by small", RIGHT)
    assert leaked(requests) == []
    private.bb.share("wide", "profile")
    _, requests = private.ask("wide by small", RIGHT)
    assert "Canaryville" in leaked(requests)
    private.bb.share("default", "schema")
    private.bb.tools.catalog.remove("wide")
    private.bb.forget()


def test_a_first_row_that_may_be_no_header_gives_no_names(private, folder):
    """Two columns of words without a header: what is read as their names are values."""
    file = folder / "pairs.csv"
    file.write_text("Canaryville,Vogelfrei\nZwitscherstadt,Amsel\nDohle,Star\n")
    private.bb.add_data("pairs", file)
    read = "pairs = spark.table('pairs')\n"
    wrong = read + "result = pairs.select('nope')\n"
    right = read + "result = pairs.limit(2)\n"
    answer, requests = private.ask("show pairs", wrong, right, data=("pairs",))
    assert answer.ok, answer.error
    assert "CREATE TABLE `pairs`" in requests[0]["messages"][0]["content"][0]["text"]
    assert "UNRESOLVED_COLUMN" in told(requests)
    assert "Canaryville" in str(answer.attempts[0].checked.fault)
    assert leaked(requests) == []
    warned = private.bb.tools.reporter.warnings
    assert any("data add pairs PATH --option header=true" in warning for warning in warned)

    result = private.bb.run(answer, into="some_pairs", strict=True)
    assert "Canaryville" in result.df.columns
    _, requests = private.ask("now sorted", wrong, right)
    sent = str(requests[0]["messages"])
    assert "CREATE TABLE `some_pairs`" in sent
    assert "gave: 2 more" in sent
    assert leaked(requests) == []

    private.bb.share("pairs", "profile")
    assert "Canaryville" in leaked(private.ask("show pairs", right)[1])
    private.bb.share("default", "schema")
    assert leaked(private.ask("show pairs", right)[1]) == []
    private.bb.share("pairs.Canaryville", "shared")
    assert "Canaryville" in leaked(private.ask("show pairs", right)[1])
    private.bb.share("pairs.Canaryville", "schema")
    private.bb.tools.catalog.remove("pairs")
    private.bb.add_data("pairs", file, header="false")
    _, requests = private.ask("show pairs", right, data=("pairs",))
    assert "`column_1` STRING" in requests[0]["messages"][0]["content"][0]["text"]
    assert leaked(requests) == []
    for name in ("pairs", "some_pairs"):
        private.bb.tools.catalog.remove(name)
    private.bb.forget()


def test_each_level_sends_what_it_says_and_columns_that_look_personal_stay(private):
    private.bb.share("birds", "profile")
    private.bb.share("birds.note", "schema")
    _, requests = private.ask("the most by region", FAULTS["cast"][0], RIGHT)
    assert set(leaked(requests)) == {
        "Canaryville",
        "Zwitscherstadt",
        "77310042",
        "2031-07-19",
        "kanarie",
    }
    assert "Vogelfrei" not in json.dumps(requests, default=str)
    assert "'kanarie77'" not in told(requests)

    private.bb.share("default", "samples")
    _, requests = private.ask("the most by region", FAULTS["cast"][0], RIGHT)
    assert '-- row: ["Canaryville", null,' in requests[0]["messages"][0]["content"][0]["text"]
    assert "'kanarie77'" not in told(requests)  # it might be of a column that is held back
    private.bb.share("birds.note", "shared")
    _, requests = private.ask("the most by region", FAULTS["ValueError"][0], RIGHT)
    assert "Vogelfrei" in told(requests)

    private.bb.share("default", "schema")
    _, requests = private.ask("the most by region", FAULTS["ValueError"][0], RIGHT)
    assert leaked(requests) == []


def test_what_cannot_be_shared_is_refused(private):
    for name, level in (
        ("nowhere", "profile"),
        ("birds.nope", "shared"),
        ("birds", "all"),
        ("birds.note", "samples"),
    ):
        with pytest.raises(BluebearError):
            private.bb.share(name, level)
    assert private.bb.settings.share.startswith("schema")


def test_what_a_user_types_may_be_sent(private):
    _, requests = private.ask("the most in Canaryville", RIGHT)
    assert leaked(requests) == ["Canaryville"]
