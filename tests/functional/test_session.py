"""The session with real Spark and a scripted model: the loop, checks, runs, errors."""

import dataclasses

import pandas as pd
import pytest

from bluebear_magic import Bluebear
from bluebear_magic.errors import (
    ArgumentError,
    Blocked,
    DatasetError,
    GaveUp,
    NotConfigured,
    RunFailed,
)
from bluebear_magic.folders import writable
from bluebear_magic.records import ChartHint, Draft
from bluebear_magic.testing import RecordingReporter, ScriptedModel

RIGHT = """from pyspark.sql import functions as F

result = spark.table("sales").groupBy("region").agg(F.sum("amount").alias("total")).orderBy("region")
"""
WRONG_COLUMN = RIGHT.replace('"amount"', '"amuont"')
FORBIDDEN = "import os\n" + RIGHT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("session")
    (folder / "sales.csv").write_text(
        "region,amount,day\nN,1,2024-01-01\nS,2,2024-02-01\nN,5,2024-03-01\n"
    )
    return folder


@pytest.fixture
def session(folder, local):
    """Makes sessions that share the one warm Spark."""

    def session(*drafts, **more):
        reporter = RecordingReporter()
        bb = Bluebear(ScriptedModel(drafts), folder=folder, reporter=reporter, **more)
        bb.tools.backends = {**bb.tools.backends, "local": local}
        bb.add_data("sales", folder / "sales.csv")
        return bb, reporter

    return session


def test_a_right_draft_is_checked_and_runs(session):
    bb, reporter = session(
        Draft(RIGHT, "sums amounts", chart=ChartHint("bar", "region", ("total",)))
    )
    answer = bb.ask("total by region")
    assert answer.ok
    assert (answer.code, answer.explanation, answer.checked) == (RIGHT, "sums amounts", "whole")
    assert [attempt.ok for attempt in answer.attempts] == [True]
    assert {"context", "model", "check"} <= answer.timings.keys()
    assert {"guard", "analyse", "sample"} <= answer.attempts[0].checked.timings.keys()
    assert reporter.attempts == []

    result = bb.run(answer, into="by_region")
    assert result.ok
    assert result.df.to_dict("list") == {"region": ["N", "S"], "total": [6, 2]}
    assert pd.read_parquet(result.path).equals(result.df)
    assert result.fig is not None
    assert "N" in result.summary
    assert result.code == RIGHT
    assert result.receipt.as_dict()["backend"] == "local"
    assert result.receipt.as_dict()["rows"] == {"result": 2}
    assert [turn.question for turn in bb.tools.history] == ["total by region"]


def test_a_result_is_a_dataset_for_the_next_question(session):
    follow = 'result = spark.table("by_region").where("total > 5")'
    bb, _ = session(RIGHT, follow)
    bb.run(bb.ask("total by region"), into="by_region", strict=True)
    result = bb.run(bb.ask("regions above 5"), strict=True)
    assert result.df.to_dict("list") == {"region": ["N"], "total": [6]}


def test_what_was_wrong_is_repaired(session):
    bb, reporter = session(FORBIDDEN, WRONG_COLUMN, RIGHT)
    answer = bb.ask("total by region")
    assert answer.ok
    assert [attempt.ok for attempt in answer.attempts] == [False, False, True]
    assert answer.attempts[0].checked.findings[0].line == 1
    assert answer.attempts[1].checked.fault.line == 3
    model = bb.model()
    feedback = [turn.feedback for turn in model.conversations[2].turns]
    assert "Line 1: `os` (PY-IMPORT)" in feedback[0]
    assert "did you mean `amount`" in feedback[1]
    assert [number for number, _, _ in reporter.attempts] == [1, 2]


def test_four_wrong_drafts_end_it_with_everything_told(session):
    drafts = [WRONG_COLUMN.replace("total", f"total_{n}") for n in range(4)]
    bb, reporter = session(*drafts)
    answer = bb.ask("total by region")
    assert not answer.ok
    assert answer.error.kind == "gave_up"
    assert answer.error.message.startswith("all 4 attempts failed: ")
    assert answer.error.line == 3
    assert answer.code == drafts[-1]
    assert len(reporter.attempts) == 4
    result = bb.run(answer)
    assert not result.ok
    assert result.error == answer.error
    with pytest.raises(GaveUp, match="attempt"):
        session(*drafts)[0].ask("total by region", strict=True)


def test_attempts_are_bounded_by_the_caller(session):
    bb, _ = session(WRONG_COLUMN, RIGHT)
    assert bb.ask("total by region", attempts=1).error.message.startswith("the one attempt failed")


def test_a_model_that_fails_late_loses_no_attempt(session):
    bb, _ = session(WRONG_COLUMN)
    answer = bb.ask("total by region")
    assert answer.error.kind == "model"
    assert len(answer.attempts) == 1
    assert answer.code == WRONG_COLUMN


def test_any_code_can_be_checked(session):
    bb, _ = session()
    good = bb.check(RIGHT)
    assert good.ok
    assert good.tables[0].rows == (("N", 6), ("S", 2))
    bad = bb.check(WRONG_COLUMN)
    assert (bad.ok, bad.fault.line, bad.error.kind) == (False, 3, "run_failed")
    blocked = bb.check(FORBIDDEN)
    assert (blocked.ok, blocked.fault, blocked.error.kind) == (False, None, "blocked")
    assert blocked.findings[0].rule
    with pytest.raises(Blocked):
        bb.check(FORBIDDEN, strict=True)


def test_code_that_was_not_checked_here_is_checked_before_it_runs(session):
    bb, reporter = session()
    edited = RIGHT.replace("total", "sum_of_amounts")
    bb.run(edited, strict=True)
    assert "checking on Local Spark" in reporter.steps
    reporter.steps.clear()
    bb.run(edited, strict=True)
    assert "checking on Local Spark" not in reporter.steps


def test_forbidden_code_never_runs_whatever_was_checked(session):
    bb, _ = session()
    with pytest.raises(Blocked, match="line 1: `os` is not on the list"):
        bb.run(FORBIDDEN, strict=True)
    assert bb.run(FORBIDDEN).error.kind == "blocked"


def test_a_fault_on_the_whole_data_points_at_its_line(session, folder):
    rows = "".join(f"{n}\n" for n in range(1, 200_000)) + "0\n"
    (folder / "many.csv").write_text("n\n" + rows)
    bb, _ = session()
    bb.add_data("many", folder / "many.csv")
    code = 'numbers = spark.table("many")\nresult = numbers.selectExpr("sum(1 / n) AS s")\n'
    bb.settings.sample_rows = 10
    with pytest.raises(RunFailed, match="Division by zero") as failed:
        bb.run(code, strict=True)
    assert failed.value.line == 2


def test_samples_are_never_told_as_whole(session, folder):
    (folder / "big.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(200_000)))
    bb, _ = session('result = spark.table("big").selectExpr("count(*) AS rows")')
    bb.add_data("big", folder / "big.csv")
    answer = bb.ask("how many rows?")
    assert answer.checked == "sample:1000 rows"
    assert answer.attempts[0].checked.tables[0].sampled
    result = bb.run(answer)
    assert (result.sampled, result.df["rows"][0]) == (False, 200_000)


def test_backends_that_are_not_there_say_what_they_need(session):
    bb, _ = session(RIGHT)
    answer = bb.ask("total by region")
    with pytest.raises(NotConfigured, match=r"soal\.lambda_function_arn"):
        bb.run(answer, backend="soal", strict=True)
    with pytest.raises(ArgumentError, match="backends: auto, local, soal, emr"):
        bb.use("spark")


def test_the_choice_for_code_wins_over_the_sessions(session):
    bb, _ = session()
    assert bb.choice(RIGHT) == "auto"
    bb.use("emr")
    assert bb.choice(RIGHT) == "emr"
    bb.use("local", code=RIGHT)
    assert (bb.choice(RIGHT), bb.choice(WRONG_COLUMN)) == ("local", "emr")


@pytest.mark.parametrize(
    ("question", "options", "kind", "words"),
    [
        ("  ", {}, "usage", "there is no question"),
        ("total", {"data": ["sale"]}, "dataset", "sales"),
        ("total", {"data": ["nowhere/x.csv"]}, "dataset", "nowhere does not exist"),
        ("total", {"model": "gpt"}, "usage", "models: offline, scripted"),
    ],
)
def test_wrong_questions_get_one_sentence(session, question, options, kind, words):
    bb, _ = session(RIGHT)
    error = bb.ask(question, **options).error
    assert error.kind == kind
    assert words in f"{error.message} {error.hint}"


def test_no_dataset_at_all_says_how_to_add_one(tmp_path):
    with Bluebear(folder=tmp_path) as bb:
        error = bb.ask("total sales").error
    assert error.kind == "dataset"
    assert "--data PATH" in error.hint


def test_a_dataset_that_changed_is_read_anew(session, folder):
    path = folder / "growing.csv"
    path.write_text("a\n1\n")
    code = 'result = spark.table("growing").selectExpr("sum(a) AS s")'
    bb, _ = session()
    bb.add_data("growing", path)
    assert bb.run(code, strict=True).df["s"][0] == 1
    path.write_text("a\n1\n2\n30\n")
    assert bb.run(code, strict=True).df["s"][0] == 33


def test_a_result_takes_no_datasets_name(session):
    bb, _ = session(RIGHT)
    answer = bb.ask("total by region")
    with pytest.raises(ArgumentError, match="`sales` is a dataset"):
        bb.run(answer, into="sales", strict=True)
    for _ in range(2):  # an earlier result may be replaced
        assert bb.run(answer, into="totals").ok
    assert bb.run(answer, into="not a name").error.kind == "dataset"


def test_a_dataset_that_goes_away_hurts_only_code_that_reads_it(session, folder):
    bb, _ = session(RIGHT)
    other = folder / "other.csv"
    other.write_text("a\n1\n")
    bb.add_data("other", other)
    answer = bb.ask("total by region")
    assert answer.datasets == ("sales",)
    other.unlink()
    assert bb.run(answer).ok


def test_broken_files_in_the_data_folder_are_told(tmp_path, local):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "good.csv").write_text("region,amount\nN,1\n")
    (tmp_path / "data" / "ragged.csv").write_text("a,b\n1,2\n1,2,3\n1\n")
    reporter = RecordingReporter()
    code = 'result = spark.table("good")'
    bb = Bluebear(ScriptedModel([code]), folder=tmp_path, reporter=reporter)
    bb.tools.backends = {**bb.tools.backends, "local": local}
    assert bb.ask("everything").ok
    assert any("ragged.csv is left out" in warning for warning in reporter.warnings)


def test_a_closed_session_says_so(folder):
    bb = Bluebear(folder=folder)
    bb.close()
    for error in (bb.ask("total").error, bb.check(RIGHT).error, bb.run(RIGHT).error):
        assert error.message == "this session is closed"


def test_numbers_of_attempts_have_bounds(session):
    bb, _ = session(RIGHT)
    assert bb.ask("total", attempts=0).error.hint == "give a number from 1 to 10"


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(session, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr("bluebear_magic.folders.cache_folder", lambda: tmp_path / "file")
    writable.cache_clear()
    bb, _ = session(RIGHT)
    result = bb.run(bb.ask("total by region"), strict=True)
    assert result.df["total"].tolist() == [6, 2]
    assert "bluebear-results-" in result.path
    writable.cache_clear()


def test_a_check_of_unknown_data_is_an_error_as_a_value(session):
    bb, _ = session()
    assert bb.check(RIGHT, data=["nowhere"]).error.kind == "dataset"


def test_errors_have_a_hint_and_never_a_traceback(session, folder):
    bb, _ = session()
    with pytest.raises(DatasetError) as error:
        bb.add_data("my sales", folder / "sales.csv")
    assert "my_sales" in error.value.hint
    assert error.value._render_traceback_()[0].startswith("DatasetError: ")
    assert dataclasses.is_dataclass(bb.check(RIGHT))
