"""Checks on meaning over real Spark: no wrong repair of right code, planted mistakes named."""

import pytest

from bluebear_magic import pipeline
from bluebear_magic.api import Bluebear
from bluebear_magic.testing import ScriptedModel
from tests.functional.meaning_corpus import PLANTED, RIGHT, make


@pytest.fixture(scope="module")
def bb(tmp_path_factory, local):
    folder = tmp_path_factory.mktemp("meaning")
    (folder / "data").mkdir()
    make(folder / "data")
    bb = Bluebear(folder=folder)
    bb.tools.backends = {"local": local}
    for dataset in bb.datasets():
        bb.profile(dataset.name)
    return bb


def check(bb, code):
    return pipeline.check(bb.tools, code, bb.datasets())


def doubts_told(reporter):
    """Warnings but those on how the files were read."""
    return {text for text in reporter.warnings if text.startswith("line ")}


def lines_of(code, text):
    return {n for n, line in enumerate(code.splitlines(), 1) if text in line}


def test_the_corpora_are_whole():
    assert len(RIGHT) == len(set(RIGHT)) == 100
    assert len(PLANTED) == len({code for code, _, _ in PLANTED}) == 100


def test_right_code_is_not_mended(bb):
    wrong = []
    for code in RIGHT:
        checked = check(bb, code)
        if not checked.ok or checked.doubts:
            wrong.append((code, checked.error, checked.doubts))
    assert not wrong


def test_planted_mistakes_are_named_where_they_stand(bb):
    missed = []
    for code, rule, text in PLANTED:
        checked = check(bb, code)
        where = {f.line for f in checked.findings if f.rule == f"meaning.{rule}"}
        if checked.fault and rule in {"division-by-zero", "overflow"}:
            assert checked.fault.suggestion
            where.add(checked.fault.line)  # the sample met it already
        if not where & lines_of(code, text):
            missed.append((code, rule, text, checked.findings, checked.error))
    assert len(PLANTED) - len(missed) >= 90, missed


WRONG = """from pyspark.sql import functions as F
result = spark.table("orders").filter(F.col("region") == "north").groupBy("status").count()"""
MENDED = WRONG.replace("north", "NORTH")


@pytest.fixture
def asked(bb, reporter, monkeypatch):
    monkeypatch.setattr(bb.tools, "reporter", reporter)

    def ask(*drafts):
        model = ScriptedModel(drafts)
        bb.tools.models = {model.name: model}
        return bb.ask("orders of the north by status", model=model.name), model

    return ask


@pytest.mark.parametrize("share", ["schema", "profile"])
def test_a_proven_mistake_is_mended_by_the_model(bb, asked, reporter, monkeypatch, share):
    monkeypatch.setattr(bb.tools.settings, "share", share)
    answer, model = asked(WRONG, MENDED)
    assert answer.ok
    assert answer.code == MENDED
    (turn,) = model.conversations[1].turns
    assert ("'NORTH'" in turn.feedback) is (share == "profile")
    assert ("lower(trim(column))" in turn.feedback) is (share == "schema")
    assert doubts_told(reporter) == set()
    assert reporter.attempts == []


def test_code_that_works_is_kept_when_no_better_one_comes(asked, reporter):
    for drafts in [(WRONG,), (WRONG, WRONG), (WRONG, "result = 1"), (WRONG, "import os")]:
        answer, _ = asked(*drafts)
        assert answer.ok
        assert answer.code == WRONG
        assert answer.chosen.draft.code == WRONG
    assert doubts_told(reporter) == {
        "line 2: 'north' is no value of `orders`.`region`. Did you mean 'NORTH'?"
    }


def test_own_code_is_run_with_a_warning(bb, reporter, monkeypatch):
    monkeypatch.setattr(bb.tools, "reporter", reporter)
    result = bb.run(WRONG.replace("status", "region"), data=["orders"])
    assert result.ok
    (told,) = doubts_told(reporter)
    assert "Did you mean 'NORTH'?" in told


def test_a_fault_of_arithmetic_says_what_to_write(bb):
    checked = check(bb, 'result = spark.table("orders").selectExpr("sum(amount / quantity) AS p")')
    assert checked.fault.condition == "DIVIDE_BY_ZERO"
    assert "nullif" in checked.fault.suggestion


def test_looking_at_fetches_leaves_spark_as_it_was(local, reporter):
    from bluebear_magic.runner.envelope import Job

    code = """from pyspark.sql.classic.dataframe import DataFrame
assert [row.id for row in spark.range(3).collect()] == [0, 1, 2]
assert spark.range(2).toPandas().shape == (2, 1)
result = spark.range(1)"""
    for _ in range(2):
        outcome = local.run(Job(code), reporter)
        assert (outcome.status, outcome.plan.collected) == ("ok", ())
