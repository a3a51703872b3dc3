"""What of a fault a model is told: names and Spark's own words, nothing of the data."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluebear_magic.generation.pastcode import WITHHELD, masked, sent_code, sent_columns
from bluebear_magic.meaning import ADVICE
from bluebear_magic.records import (
    Attempt,
    Checked,
    Column,
    ColumnProfile,
    Context,
    Dataset,
    Draft,
    Finding,
    PastTurn,
    Profile,
    Sharing,
)
from bluebear_magic.repair.feedback import feedback
from bluebear_magic.repair.known import Known, known, worded
from bluebear_magic.runner.envelope import Fault, Outcome

SALES = Dataset(
    "sales", "s.csv", "csv", ("/s.csv",),
    (Column("region", "STRING"), Column("unit price", "STRUCT<net: DOUBLE>"), Column("mail", "STRING")), "f",
)  # fmt: skip
PROFILE = Profile(
    9, (ColumnProfile("region", values=("Nordland",)), ColumnProfile("mail", values=("a@b.c",)))
)
CODE = 'result = spark.table("sales").select("regoin")\n'
NAMES = frozenset({"region", "regoin", "sales", "unit", "price", "total"})


def at(share="schema", private=(), code=CODE):
    sharing = Sharing(share, private=frozenset(("sales", name) for name in private))
    return known(Context((SALES,), (PROFILE,), (), sharing), code)


def words_for(fault=None, finding=None, allowed=None, code=CODE):
    outcome = Outcome("fault", fault=fault) if fault else Outcome("ok")
    checked = Checked((finding,) if finding else (), outcome)
    return feedback(Attempt(1, Draft(code), checked), allowed or at())


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (
            "A column with name `regoin` cannot be resolved. Did you mean one of the following? [`region`, `Nordland`, `Südland`].",
            "A column with name `regoin` cannot be resolved. Did you mean one of the following? [`region`, `…`, `…`].",
        ),
        (
            'Cannot resolve "(region + Geheim)" due to data type mismatch: the left and right operands have incompatible types ("STRING" and "INT").',
            'Cannot resolve "(region + …)" due to data type mismatch: the left and right operands have incompatible types ("STRING" and "INT").',
        ),
        ("name 'Geheim' is not defined", "name '…' is not defined"),
        ("name 'regoin' is not defined", "name 'regoin' is not defined"),
        ("'DataFrame' object has no attribute 'total'", "'DataFrame' object has no attribute 'total'"),
        ("column Geheim is 31415 invalid \u2620", "column … is … invalid"),
    ],
)  # fmt: skip
def test_words_that_are_not_known_are_left_out(message, wanted):
    assert worded(message, NAMES) == wanted


QUOTES = ("{}", "'{}'", '"{}"', "`{}`", "'it''s {}", '"({} + 1)"', "`a`.`{}`", "\\'{}", "\n{}\n")


@given(st.text(max_size=20), st.sampled_from(QUOTES), st.text(max_size=20))
def test_no_secret_comes_through_however_it_is_quoted(before, quotes, after):
    secret = "Qz7kw"
    text = f"The value {before}{quotes.format(secret)}{after} of the type STRING is invalid"
    assert secret not in worded(text, NAMES)


@given(st.text(max_size=30))
def test_no_number_comes_through(text):
    assert "31415" not in worded(f"{text} 31415 {text}'31415'{text}`31415`", NAMES)


KINDS = (
    "AnalysisException NumberFormatException PythonException ValueError KeyError timeout crash "
    "SystemExit Exception TypeError Qz7kw SparkRuntimeException DuplicateColumns"
).split()
CONDITIONS = (
    None, "CAST_INVALID_INPUT", "USER_RAISED_EXCEPTION", "Qz7kw", "QZ7KW.X", "CANNOT_PARSE_TIMESTAMP",
    "MALFORMED_CSV_RECORD", "DATATYPE_MISMATCH.X", "NEVER_HEARD_OF", "_LEGACY_ERROR_TEMP_2003",
)  # fmt: skip


@given(
    st.sampled_from(["compile", "analyse", "facts", "run", "result", "worker"]),
    st.sampled_from(KINDS), st.sampled_from(CONDITIONS),
    st.sampled_from(["", "did you mean Qz7kw?", "Qz7kw", "did you mean `region`, `Qz7kw`?"]),
)  # fmt: skip
def test_no_fault_tells_what_it_quotes(stage, kind, condition, suggestion):
    message = "The value 'Qz7kw' of the type \"STRING\" cannot be cast to \"QZ7KW\": Qz7kw, 'QZ7KW'"
    if (stage, kind) == ("compile", "TypeError") or stage in {"compile", "result"}:
        suggestion = ""  # of ours alone: the code has not run
    if stage == "compile":
        stage = "bind"
    told = words_for(Fault(stage, kind, message, condition, 1, "Qz7kw", suggestion))
    assert "qz7kw" not in told.lower()


def test_a_cast_tells_its_types_and_the_advice():
    message = '[CAST_INVALID_INPUT] The value \'x\' of the type "STRING" cannot be cast to "DECIMAL(10,2)" because'
    (advice,) = [text for text in ADVICE if "try_cast (" in text]
    fault = Fault("run", "NumberFormatException", message, "CAST_INVALID_INPUT", 1, None, advice)
    told = words_for(fault)
    assert "from STRING to DECIMAL(10,2)" in told
    assert advice in told
    assert "when it ran on samples (line 1, CAST_INVALID_INPUT)" in told


def test_the_parsers_own_message_is_told_whole():
    fault = Fault("compile", "SyntaxError", "'(' was never closed", None, 1)
    assert "'(' was never closed" in words_for(fault)


DOUBT = Finding("meaning.unknown-value", "repair", 1, 0, "x",
                "'nordland' is no value of `sales`.`region`", "Did you mean 'Nordland'?")  # fmt: skip
MAIL = Finding("meaning.unknown-value", "repair", 1, 0, "x",
               "'A@b.c' is no value of `sales`.`mail`", "Did you mean 'a@b.c'?")  # fmt: skip
DOUBTING = CODE.replace("regoin", "nordland")


def test_a_doubt_names_values_only_where_they_are_shared():
    closed = words_for(finding=DOUBT, code=DOUBTING)
    assert "Nordland" not in closed
    assert "lower(trim(column))" in closed
    assert "Did you mean 'Nordland'?" in words_for(finding=DOUBT, code=DOUBTING, allowed=at("profile"))  # fmt: skip
    private = at("profile", ["mail"])
    assert "a@b.c" not in words_for(finding=MAIL, code=DOUBTING, allowed=private)


def test_rows_are_told_only_where_all_of_them_may_leave():
    fault = Fault("run", "ValueError", "bad Qz7kw", None, 1)
    assert "Qz7kw" not in words_for(fault, allowed=at("profile"))
    assert "Qz7kw" in words_for(fault, allowed=at("samples"))
    assert "Qz7kw" not in words_for(fault, allowed=at("samples", ["mail"]))


def test_where_the_code_names_no_dataset_the_strictest_of_all_holds():
    other = Dataset("open", "", "csv", (), (Column("x", "INT"),), "f")
    context = Context((SALES, other), (PROFILE, Profile()), (), Sharing("schema", {"open": "samples"}))  # fmt: skip
    assert known(context, 'spark.table("open")').level == "samples"
    assert known(context, "spark.table(name)").level == "schema"
    assert known(context, 'spark.table("open").join(spark.table("sales"))').level == "schema"
    assert not Known().everything


# --- code and columns of earlier turns --------------------------------------

PAST = (
    "from pyspark.sql import functions as F\n"
    "# only Nordland\n"
    'result = spark.table("sales").where(F.col("region") == "Nordland").limit(10)'
    '.agg(F.sum("unit price").alias("total_price"))\n'
)


def test_code_of_a_model_is_sent_as_it_wrote_it_and_other_code_without_its_values():
    drafted = PastTurn("top 10", PAST, drafted=Sharing())
    assert sent_code(drafted, Sharing(), (SALES,), "top 10") == PAST
    edited = PastTurn("top 10", PAST)
    sent = sent_code(edited, Sharing(), (SALES,), "top 10")
    assert "Nordland" not in sent
    assert '== ...).limit(10).agg(F.sum("unit price").alias("total_price"))' in sent
    assert '"Nordland"' in sent_code(edited, Sharing(), (SALES,), "sales in Nordland, top 10")
    assert '"Nordland"' not in sent_code(edited, Sharing(), (SALES,), "sales in nordland")


def test_code_written_when_more_was_shared_is_not_trusted_later():
    for then in (Sharing("profile"), Sharing("schema", {"sales": "samples"})):
        turn = PastTurn("q", PAST, drafted=then)
        assert "Nordland" not in sent_code(turn, Sharing(), (SALES,), "q")
        assert sent_code(turn, then, (SALES,), "q") == PAST
    private = Sharing("profile", private=frozenset({("sales", "region")}))
    assert "Nordland" not in sent_code(PastTurn("q", PAST, drafted=Sharing("profile")), private, (SALES,), "q")  # fmt: skip


@pytest.mark.parametrize("code", ["x = (", 'x = "', "\x00", "if x:\n  y\n z"])
def test_code_that_cannot_be_taken_apart_is_withheld(code):
    assert masked(code, frozenset()) == WITHHELD


@given(st.sampled_from(["'{}'", '"{}"', "'''a\n{}'''", "b'{}'", "f'{{x}}{}'", "# {}", "r'{} x'"]))
def test_no_literal_of_other_code_comes_through(form):
    code = f"x = 1\ny = [2, {form.format('Qz7kw')}\n]\nz = 31415\n"
    sent = masked(code, frozenset({"x"}))
    assert "Qz7kw" not in sent
    assert "31415" not in sent


def test_columns_that_a_pivot_made_of_values_are_counted_only():
    turn = PastTurn("q", PAST, ("region", "total_price", "Nordland", "Nordland_sum(unit price)"))
    code = sent_code(turn, Sharing(), (SALES,), "q")
    assert sent_columns(turn, code, Sharing(), (SALES,)) == ("region", "total_price")
    assert sent_columns(turn, code, Sharing("samples"), (SALES,)) == turn.columns


def test_the_words_are_those_of_spark_and_no_more():
    words = Path("bluebear_magic/repair/words.txt").read_text().split()
    assert words == sorted(set(words))
    assert {"cannot", "resolved", "malformed", "ambiguous"} <= set(words)
    assert all(re.fullmatch("[a-z]+", word) for word in words)
