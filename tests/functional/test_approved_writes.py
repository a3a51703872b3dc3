"""Approved writes with real Spark: what a check leaves alone, and what a run writes."""

import json

import pytest

from bluebear_magic import Bluebear
from bluebear_magic.config import Settings
from bluebear_magic.errors import ArgumentError, Blocked, BluebearError, NeedsApproval, RunFailed
from bluebear_magic.folders import state_folder
from bluebear_magic.runner.envelope import Job, Limits, Write
from bluebear_magic.testing import RecordingReporter, ScriptedModel

YES = ["SPARK-WRITE"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sales.csv").write_text("region,amount\nN,1\nS,2\nN,5\n")
    return tmp_path


@pytest.fixture
def session(folder, local):
    """A session in which a person may approve writes; it shares the one warm Spark."""
    settings = Settings(policy="write_with_approval", sample_rows=1)
    reporter = RecordingReporter()
    bb = Bluebear(folder=folder, settings=settings, reporter=reporter)
    bb.tools.backends = {**bb.tools.backends, "local": local}
    bb.add_data("sales", folder / "sales.csv")
    bb.told = reporter
    return bb


def writing(target, how='mode("overwrite")', end="parquet"):
    return (
        'df = spark.table("sales").repartition(1)\n'
        f'df.write.{how}.{end}("{target}")\n'
        'result = df.groupBy("region").count().orderBy("region")\n'
    )


def rows_in(target):
    import pyarrow.parquet as pq

    return sorted(pq.read_table(target).to_pylist(), key=str)


def log():
    file = state_folder() / "audit.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_without_approval_nothing_runs(session, folder):
    code = writing(folder / "out")
    checked = session.check(code)
    assert checked.outcome is None
    assert checked.error.kind == "approval"
    assert str(folder / "out") in checked.error.message
    with pytest.raises(NeedsApproval) as error:
        session.run(code, strict=True)
    (finding,) = error.value.findings
    assert finding.write == Write("path", "parquet", str(folder / "out"), "overwrite")
    assert error.value.line == 2
    assert session.run(code).error.kind == "approval"
    assert not (folder / "out").exists()


def test_a_check_tries_the_write_and_leaves_the_target_alone(session, folder):
    before = len(log())
    out = folder / "out"
    out.mkdir()
    (out / "_SUCCESS").write_text("mine")
    checked = session.check(writing(out), approve=YES)
    assert checked.ok, checked.error
    assert [path.name for path in out.iterdir()] == ["_SUCCESS"]
    assert (out / "_SUCCESS").read_text() == "mine"
    assert any(str(out) in finding.message for finding in checked.findings)
    (entry,) = log()[before:]
    assert (entry["for"], entry["by"], entry["target"]) == ("check", "--approve", str(out))


def test_a_check_finds_what_spark_refuses_of_a_write(session, folder):
    checked = session.check(writing(folder / "out", 'partitionBy("nope")'), approve=YES)
    assert not checked.ok
    assert checked.fault.line == 2
    assert "nope" in checked.fault.message
    nested = "from pyspark.sql import functions as F\n" + writing(folder / "o", end="csv").replace(
        ".repartition(1)", '.withColumn("a", F.array("region"))'
    )
    checked = session.check(nested, approve=YES)
    assert checked.fault.line == 3
    assert not (folder / "out").exists()


def test_a_run_writes_all_rows_and_says_so(session, folder):
    before = len(log())
    out = folder / "out"
    code = writing(out, 'mode("append")')
    for rounds in (1, 2):
        result = session.run(code, approve=YES, strict=True)
        assert len(rows_in(out)) == 3 * rounds
    assert rows_in(out)[-1] == {"region": "S", "amount": 2}
    assert result.df.to_dict("list") == {"region": ["N", "S"], "count": [2, 1]}
    told = result.receipt.as_dict()
    assert told["policy"] == "write_with_approval"
    assert told["approved"] == [
        {"rule": "SPARK-WRITE", "target": str(out), "format": "parquet", "mode": "append",
         "options": {}, "by": "--approve"}
    ]  # fmt: skip
    assert [entry["for"] for entry in log()[before:]] == ["run", "run"]


def test_a_receipt_of_one_policy_is_none_of_another(session, folder):
    code = 'result = spark.table("sales")\n'
    session.run(code, strict=True)
    known = session.tools.receipts
    schema = session.run(code).receipt.schema_hash
    fingerprints = {}
    for name in ("write_with_approval", "read_only"):
        session.choose_policy(name)
        fingerprints[name] = session.policy.policy.fingerprint
    assert known.get(code, schema, fingerprints["write_with_approval"]) == "whole"
    assert known.get(code, schema, fingerprints["read_only"]) is None


def test_replacing_deletes_nothing_that_spark_did_not_write(session, folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("dear")
    with pytest.raises(Blocked, match=r"notes\.txt, which Spark has not written"):
        session.run(writing(folder / "mine"), approve=YES, strict=True)
    with pytest.raises(Blocked, match="sales"):
        session.run(writing(folder), approve=YES, strict=True)
    assert (folder / "mine" / "notes.txt").read_text() == "dear"


def test_without_a_log_nothing_is_written(session, folder, monkeypatch):
    (folder / "file").write_text("")
    session.tools.approvals._log.file = folder / "file" / "audit.jsonl"
    with pytest.raises(BluebearError, match="nothing was written"):
        session.run(writing(folder / "out"), approve=YES, strict=True)
    assert not (folder / "out").exists()


def test_a_table_would_not_last_and_is_refused(session, folder):
    for write in ('df.write.saveAsTable("kept")', 'df.writeTo("kept").using("parquet").create()'):
        code = f'df = spark.table("sales")\n{write}\nresult = df\n'
        with pytest.raises(RunFailed, match="has no catalog that lasts") as error:
            session.run(code, approve=YES, strict=True)
        assert error.value.line == 2


def test_a_store_that_this_spark_cannot_reach_is_named_in_the_check(session):
    checked = session.check(writing("s3://bucket/out"), approve=YES)
    assert "no driver for s3" in checked.fault.message
    assert checked.fault.line == 2


def test_a_draft_that_writes_is_tried_and_its_run_asks(session, folder):
    before = len(log())
    out = folder / "out"
    model = ScriptedModel([writing(out, 'partitionBy("nope")'), writing(out)])
    session.tools.models = {"scripted": model}
    answer = session.ask("count by region into that folder", model="scripted", strict=True)
    assert answer.code == writing(out)
    assert answer.checked
    assert len(answer.chosen.checked.tables) == 1
    turn = model.conversations[1].turns[0]  # it was tried: Spark says what is wrong with it
    assert "nope" in turn.feedback
    assert "not allowed" not in turn.feedback
    said = [text for text in session.told.warnings if "asks for your approval" in text]
    assert len(said) == 1
    assert said[0].startswith(f"line 2: this code writes parquet files to {out}; it replaces")
    (finding,) = session.awaiting(answer)
    assert finding.write == Write("path", "parquet", str(out), "overwrite")
    with pytest.raises(NeedsApproval):
        session.run(answer, strict=True)
    assert not out.exists()
    assert log()[before:] == []  # nobody has approved anything
    result = session.run(answer, approve=YES, strict=True)
    assert len(rows_in(out)) == 3
    assert result.receipt.as_dict()["approved"][0]["target"] == str(out)
    assert [entry["for"] for entry in log()[before:]] == ["run"]


def test_a_draft_may_write_only_where_a_person_could_approve_it(session, folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("dear")
    session.tools.models = {"scripted": ScriptedModel([writing(folder / "mine")])}
    answer = session.ask("count by region", model="scripted", attempts=1)
    assert "notes.txt" in answer.error.message
    assert answer.chosen.checked.outcome is None
    for policy in ("read_only", "locked"):
        session.choose_policy(policy)
        session.tools.models = {"scripted": ScriptedModel([writing(folder / "out")])}
        answer = session.ask("count by region", model="scripted", attempts=1)
        assert answer.error.kind == "gave_up"
        assert answer.chosen.checked.outcome is None
    assert not (folder / "out").exists()


def test_under_other_policies_nobody_approves(session, folder):
    code = writing(folder / "out")
    session.choose_policy("read_only")
    with pytest.raises(ArgumentError, match="lets nobody approve"):
        session.run(code, approve=YES, strict=True)
    with pytest.raises(Blocked, match="writes data") as error:
        session.run(code, strict=True)
    assert "%bluebear policy write_with_approval" in error.value.hint
    assert not (folder / "out").exists()


def test_a_machine_sets_where_the_session_ends(folder, local, monkeypatch):
    machine = folder / "machine.toml"
    machine.write_text('policy = "read_only"\n')
    monkeypatch.setenv("BLUEBEAR_MACHINE_POLICY", str(machine))
    bb = Bluebear(folder=folder, settings=Settings(policy="write_with_approval"))
    assert bb.policy.policy.name == "read_only"
    with pytest.raises(ArgumentError, match="nothing looser than `read_only`"):
        bb.choose_policy("write_with_approval")
    bb.choose_policy("locked")
    assert bb.policy.policy.name == "locked"
    bb.close()


# --- the second line: code that the guard has not seen ---


EVERY = [
    'parquet("{0}")', 'csv("{0}")', 'json("{0}")', 'orc("{0}")', 'text("{0}")', 'xml("{0}")',
    'save("{0}")', 'format("parquet").option("path", "{0}").save()', 'saveAsTable("x")',
    'insertInto("x")', 'jdbc("jdbc:h2:{0}", "t")',
]  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "write"), [*(("sample", w) for w in EVERY), *(("full", w) for w in EVERY[::4])]
)
def test_the_worker_writes_nothing_that_was_not_approved(local, reporter, tmp_path, write, mode):
    approved = (Write("path", "parquet", str(tmp_path / "other"), "append"),)
    code = f"df = spark.range(3)\ndf.write.{write.format(tmp_path / 'out')}\nresult = df"
    job = Job(code, (), mode, Limits(seconds=60), str(tmp_path / "result" / "t"), writes=approved)
    outcome = local.run(job, reporter)
    assert outcome.fault is not None
    assert (outcome.fault.kind, outcome.fault.line) == ("WriteRefused", 2)
    assert not (tmp_path / "out").exists()
