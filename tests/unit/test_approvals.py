"""What a person said, where it is kept, and what lies where a write would go."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bluebear_magic.errors import ArgumentError, BluebearError
from bluebear_magic.guard import READ_ONLY, check, preset
from bluebear_magic.notebook.cards import approval_card
from bluebear_magic.provenance.approvals import Approvals, check_rules
from bluebear_magic.provenance.audit import AuditLog
from bluebear_magic.provenance.targets import problem_of, state_of
from bluebear_magic.records import Approval, Dataset
from bluebear_magic.runner.envelope import Write

WRITING = preset("write_with_approval")
CODE = 'df = spark.table("sales")\ndf.write.parquet("/data/x")\nresult = df\n'
BOTH = CODE + 'df.write.mode("append").csv("/data/y")\n'
FIELDS = {"format", "time", "decision", "rule", "line", "code", "target", "what", "mode", "policy",
          "by", "for", "notebook", "who"}  # fmt: skip


@pytest.fixture
def approvals(tmp_path):
    return Approvals(AuditLog(tmp_path / "state"))


def entries(tmp_path):
    file = tmp_path / "state" / "audit.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def verdict(code=CODE):
    return check(code, ["sales"], WRITING)


def test_nothing_is_approved_by_itself(approvals, tmp_path):
    assert not approvals.applied(verdict(), CODE, ()).ok
    assert entries(tmp_path) == []


def test_a_button_says_yes_to_this_code_alone(approvals, tmp_path):
    approvals.notebook = Path("/home/me/a.ipynb")
    approvals.approve(CODE, verdict().pending, WRITING, "button")
    applied = approvals.applied(verdict(), CODE, ())
    assert applied.ok
    assert approvals.taken(CODE, applied, WRITING, "run") == (
        Approval("SPARK-WRITE", Write("path", "parquet", "/data/x", "errorifexists"), "button"),
    )
    assert not approvals.applied(verdict(BOTH), BOTH, ()).ok
    changed = CODE.replace("/data/x", "/data/z")
    assert not approvals.applied(verdict(changed), changed, ()).ok
    (entry,) = entries(tmp_path)  # at the button; using it adds none
    assert entry.keys() == FIELDS
    assert (entry["decision"], entry["target"], entry["mode"], entry["by"], entry["for"]) == (
        "approved", "/data/x", "errorifexists", "button", "run",
    )  # fmt: skip
    assert entry["notebook"] == "/home/me/a.ipynb"
    assert len(entry["code"]) == 64


def test_a_rejection_takes_an_approval_back(approvals, tmp_path):
    approvals.approve(CODE, verdict().pending, WRITING, "button")
    approvals.reject(CODE, verdict().pending, WRITING, "button")
    assert not approvals.applied(verdict(), CODE, ()).ok
    assert [entry["decision"] for entry in entries(tmp_path)] == ["approved", "rejected"]


def test_the_command_says_yes_once_for_each_use(approvals, tmp_path):
    applied = approvals.applied(verdict(BOTH), BOTH, ["SPARK-WRITE"])
    assert applied.ok
    assert entries(tmp_path) == []
    approvals.taken(BOTH, applied, WRITING, "check")
    approvals.taken(BOTH, applied, WRITING, "run")
    noted = [(entry["target"], entry["for"]) for entry in entries(tmp_path)]
    assert noted == [
        ("/data/x", "check"),
        ("/data/y", "check"),
        ("/data/x", "run"),
        ("/data/y", "run"),
    ]
    assert not approvals.applied(verdict(BOTH), BOTH, ()).ok


@pytest.mark.parametrize(
    ("rule", "policy", "words"),
    [
        ("SPARK-WRITES", WRITING, "no such rule"),
        ("PY-IMPORT", WRITING, "nobody can approve"),
        ("SPARK-WRITE", READ_ONLY, "`read_only` lets nobody"),
        ("SPARK-WRITE", preset("locked"), "`locked` lets nobody"),
    ],
)
def test_what_nobody_may_approve_is_refused_by_name(rule, policy, words):
    with pytest.raises(ArgumentError, match=words):
        check_rules([rule], policy)
    check_rules(["SPARK-WRITE"], WRITING)


# --- the log ---


def test_the_log_is_for_its_user_alone(approvals, tmp_path):
    folder = tmp_path / "state"
    approvals.approve(CODE, verdict().pending, WRITING, "button")
    assert stat.S_IMODE((folder / "audit.jsonl").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "audit.jsonl").chmod(0o644)
    approvals.approve(CODE, verdict().pending, WRITING, "button")
    assert stat.S_IMODE((folder / "audit.jsonl").stat().st_mode) == 0o600
    assert len(entries(tmp_path)) == 2


def test_what_cannot_be_noted_is_not_approved(tmp_path):
    (tmp_path / "state").write_text("")
    approvals = Approvals(AuditLog(tmp_path / "state"))
    with pytest.raises(BluebearError, match="nothing was written"):
        approvals.approve(CODE, verdict().pending, WRITING, "button")
    assert not approvals.applied(verdict(), CODE, ()).ok
    with pytest.raises(BluebearError, match="cannot be noted"):
        approvals.taken(CODE, verdict().approve({"SPARK-WRITE"}), WRITING, "run")


def test_a_link_is_not_followed(approvals, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "audit.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BluebearError):
        approvals.approve(CODE, verdict().pending, WRITING, "button")
    assert not (tmp_path / "elsewhere").exists()


WRITER = """
import sys
from pathlib import Path
from bluebear_magic.provenance.audit import AuditLog
from bluebear_magic.records import Finding
finding = Finding("SPARK-WRITE", "approve", 1, 0, "x" * 20_000, "m")
log = AuditLog(Path(sys.argv[1]))
for _ in range(50):
    log.note("approved", finding, "code", policy="p", by="button")
"""


def test_many_processes_share_the_log(tmp_path):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "state")], cwd=Path.cwd())
        for _ in range(3)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert [len(entry["target"]) for entry in entries(tmp_path)] == [20_000] * 150


def test_hostile_text_stays_on_its_line(hostile, tmp_path):
    finding = verdict().pending[0]
    write = Write("path", hostile, hostile, "append")
    changed = type(finding)(finding.rule, "approve", 1, 0, hostile, hostile, write=write)
    AuditLog(tmp_path / "state").note("rejected", changed, hostile, policy="p", by=hostile)
    (entry,) = entries(tmp_path)
    assert entry["target"] == hostile
    card = approval_card((changed,), "rejected")
    assert "<script" not in card["text/html"].lower()
    assert "\x1b" not in card["text/plain"]


# --- what is there ---


def overwriting(path):
    return Write("path", "parquet", str(path), "overwrite")


def dataset(*paths):
    return Dataset("sales", "", "csv", tuple(map(str, paths)), (), "")


def sparks_folder(folder):
    (folder / "day=1").mkdir(parents=True)
    for name in ("_SUCCESS", "._SUCCESS.crc", "day=1/part-0.parquet", "day=1/.part-0.parquet.crc"):
        (folder / name).write_text("")
    return folder


def test_what_spark_wrote_may_be_replaced(tmp_path):
    assert problem_of(overwriting(tmp_path / "new"), []) == ""
    assert problem_of(overwriting(sparks_folder(tmp_path / "old")), []) == ""


@pytest.mark.parametrize(
    "name", ["notes.txt", "day=1/notes.txt", "sub/part-0.parquet", ".git/HEAD"]
)
def test_what_spark_did_not_write_is_never_replaced(tmp_path, name):
    folder = sparks_folder(tmp_path / "old")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("")
    assert "which Spark has not written" in problem_of(overwriting(folder), [])
    append = Write("path", "parquet", str(folder), "append")
    assert problem_of(append, []) == ""


def test_a_file_and_a_dataset_are_never_replaced(tmp_path):
    folder = sparks_folder(tmp_path / "old")
    (tmp_path / "file").write_text("")
    assert "is a file" in problem_of(overwriting(tmp_path / "file"), [])
    for data in (folder, folder / "day=1" / "part-0.parquet"):
        assert "holds the dataset sales" in problem_of(overwriting(folder), [dataset(data)])
    assert problem_of(overwriting(folder), [dataset(tmp_path / "file")]) == ""


def test_a_link_out_of_a_fit_place_is_seen(tmp_path):
    (tmp_path / "link").symlink_to("/etc")
    write = Write("path", "csv", f"file://{tmp_path}/link/x", "append")
    assert "leads to /etc/x" in problem_of(write, [])


def test_what_is_there_is_told(tmp_path):
    assert state_of(overwriting(tmp_path / "x")) == "nothing is there yet"
    (tmp_path / "x").mkdir()
    assert state_of(overwriting(tmp_path / "x")) == "an empty folder is there"
    (tmp_path / "x" / "f").write_text("")
    assert state_of(overwriting(tmp_path / "x")) == "a folder of 1 entries is there"
    assert state_of(overwriting(tmp_path / "x" / "f")) == "a file is there"
    assert state_of(Write("path", "csv", "s3://b/x", "append")) == ""
    assert state_of(Write("table", "csv", "t", "append")) == ""
