"""The ``bluebear`` command: what it prints where, and how it ends."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bluebear_magic.cli import main

ANSWER = {
    "ok", "code", "explanation", "attempts", "tables", "summary", "error", "timings", "usage", "sent",
    "questions",
}  # fmt: skip
ATTEMPT = {"number", "ok", "code", "findings", "error", "tokens", "seconds"}
TABLE = {"title", "columns", "rows", "row_count", "sampled", "truncated"}
ERROR = {"kind", "message", "hint", "line"}
CHECK = {"ok", "findings", "error", "tables", "timings"}
FINDING = {"rule", "severity", "line", "column", "text", "message", "suggestion"}
QUESTION = "total fare by city"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of part files, a Parquet file of every awkward type, and code over it."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "parts").mkdir()
    for part in ("city,fare\nOslo,10\nRome,20\n", "city,fare\nOslo,5\n"):
        (folder / "parts" / f"{len(part)}.csv").write_text(part)
    kinds = {
        "day": pa.array([dt.date(2024, 1, 2), dt.date(2024, 1, 3)]),
        "seen": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5), None], pa.timestamp("us")),
        "amount": pa.array([Decimal("1234567890123.45"), None], pa.decimal128(18, 2)),
        "big": pa.array([2**53 + 1, 2**53]),
        "ratio": pa.array([float("nan"), float("-inf")]),
        "flag": pa.array([True, None]),
        "text": pa.array(["é", "\x1b[31m<b>"]),
    }
    pq.write_table(pa.table(kinds), folder / "kinds.parquet")
    (folder / "all.py").write_text('result = spark.table("kinds").orderBy("day")\n')
    (folder / "wrong.py").write_text('kinds = spark.table("kinds")\nresult = kinds.select("dya")\n')
    (folder / "forbidden.py").write_text('import os\nresult = spark.table("kinds")\n')
    return folder


@pytest.fixture
def bluebear(folder, monkeypatch, capsys):
    """Runs the command in this process: exit status, standard output, standard error."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BLUEBEAR_WARM", "0")  # Spark starts when it is needed, or not at all

    def bluebear(*arguments):
        try:
            status = main(arguments)
        except SystemExit as end:  # argparse ends by itself
            status = end.code
        out, err = capsys.readouterr()
        return status, out, err

    return bluebear


def command(*arguments):
    return [sys.executable, "-m", "bluebear_magic", *arguments]


# --- with Spark --------------------------------------------------------------


def test_ask_answers_in_json_of_the_documented_shape(folder):
    data = ("--data", "kinds.parquet", "--data", "trips=parts/")
    done = subprocess.run(
        command("ask", QUESTION, *data, "--json"),
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert set(answer) == ANSWER
    assert (answer["ok"], answer["error"]) == (True, None)
    assert 'spark.table("trips")' in answer["code"]
    assert "trips.fare" in answer["explanation"]
    (attempt,) = answer["attempts"]
    assert attempt == {
        "number": 1, "ok": True, "code": answer["code"], "findings": [], "error": None,
        "tokens": {"input": 0, "output": 0}, "seconds": attempt["seconds"],
    }  # fmt: skip
    assert answer["tables"] == [
        {
            "title": "result",
            "columns": [
                {"name": "city", "type": "string"},
                {"name": "total_fare", "type": "bigint"},
            ],
            "rows": [["Rome", 20], ["Oslo", 15]],
            "row_count": 2,
            "sampled": False,
            "truncated": False,
        }
    ]
    assert "20" in answer["summary"]
    assert {"context", "model", "check", "run"} <= set(answer["timings"])
    assert all(spent > 0 for spent in answer["timings"].values())


def test_ask_answers_in_text(bluebear):
    status, out, err = bluebear("ask", QUESTION, "--data", "trips=parts")
    assert (status, err) == (0, "")
    for words in (
        "from pyspark.sql import functions as F",
        "trips.fare",
        "Rome          20",
        "2 rows",
    ):
        assert words in out


def test_without_a_run_the_table_is_that_of_the_check(bluebear):
    status, out, _ = bluebear("ask", QUESTION, "--data", "parts", "--no-run", "--json")
    answer = json.loads(out)
    assert (status, set(answer), answer["ok"]) == (0, ANSWER, True)
    assert (answer["summary"], "run" in answer["timings"]) == ("", False)
    assert answer["tables"][0]["rows"] == [["Rome", 20], ["Oslo", 15]]


def test_check_tells_values_in_the_spellings_of_json(bluebear):
    status, out, err = bluebear("check", "all.py", "--data", "kinds.parquet", "--json")
    assert (status, err) == (0, "")
    report = json.loads(out, parse_constant=pytest.fail)
    assert set(report) == CHECK
    (table,) = report["tables"]
    assert set(table) == TABLE
    assert {column["name"]: column["type"] for column in table["columns"]} == {
        "day": "date", "seen": "timestamp_ntz", "amount": "decimal(18,2)", "big": "bigint",
        "ratio": "double", "flag": "boolean", "text": "string",
    }  # fmt: skip
    assert table["rows"] == [
        ["2024-01-02", "2024-01-02T03:04:05", "1234567890123.45", str(2**53 + 1), None, True, "é"],
        ["2024-01-03", None, None, 2**53, None, None, "\x1b[31m<b>"],
    ]
    assert out.isascii()
    assert "\x1b" not in out
    assert {"guard", "analyse", "sample"} <= set(report["timings"])


def test_code_that_fails_is_told_with_its_line(bluebear):
    status, out, err = bluebear("check", "wrong.py", "--data", "kinds.parquet", "--json")
    report = json.loads(out)
    assert (status, set(report), report["ok"]) == (1, CHECK, False)
    assert set(report["error"]) == ERROR
    assert (report["error"]["kind"], report["error"]["line"]) == ("run_failed", 2)
    assert "did you mean `day`" in report["error"]["hint"]
    assert err.startswith("error: line 2: ")
    assert "Traceback" not in err


@pytest.fixture(scope="module")
def interrupted(folder):
    """A question interrupted while Spark starts: how it ended, its worker, its Java."""
    process = subprocess.Popen(
        command("ask", QUESTION, "--data", "parts"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
    )  # fmt: skip
    end = time.monotonic() + 20
    while len(family := psutil.Process(process.pid).children(recursive=True)) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(1)  # past the imports, into waiting for Spark
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    yield process.returncode, out, err, family
    for left in psutil.wait_procs(family, timeout=0)[1]:
        left.kill()


def test_an_interrupt_ends_it_and_its_worker(interrupted):
    status, out, err, (worker, _) = interrupted
    assert (out, err) == ("", "interrupted\n")
    assert status in {130, -signal.SIGINT}  # a shell says 130 for both
    worker.wait(10)


def test_an_interrupt_ends_java_too(interrupted):
    java = interrupted[3][1]
    java.wait(5)


# --- what never reaches Spark ------------------------------------------------


def test_forbidden_code_is_refused(bluebear):
    status, out, err = bluebear("check", "forbidden.py", "--data", "kinds.parquet", "--json")
    report = json.loads(out)
    assert (status, report["ok"], report["tables"]) == (1, False, [])
    (finding,) = report["findings"]
    assert set(finding) == FINDING
    assert (finding["line"], finding["text"], finding["severity"]) == (1, "os", "block")
    assert report["error"]["kind"] == "blocked"
    assert err.startswith("error: line 1: `os` is not on the list")

    status, out, err = bluebear("check", "forbidden.py", "--data", "kinds.parquet")
    assert (status, out) == (
        1,
        "line 1: block: `os` is not on the list of what a cell may import.\n",
    )
    assert err.startswith("error: line 1: `os`")


FAILURES = {
    "a refusal": (
        ("ask", "flurb the zorgs", "--data", "parts"),
        1, "not_understood", "'flurb'",
    ),
    "a missing file": (
        ("ask", QUESTION, "--data", "kind.parquet"),
        1, "dataset", "kind.parquet does not exist",
    ),
    "an unknown name": (
        ("check", "all.py", "--data", "kinds"),
        1, "dataset", "there is no dataset 'kinds'",
    ),
    "no question": (("ask", " ", "--data", "parts"), 2, "usage", "there is no question"),
    "an unknown model": (("ask", QUESTION, "--model", "gpt"), 2, "usage", "there is no model `gpt`"),
    "no code": (("check", "none.py"), 2, "usage", "there is no file none.py"),
    "code that is none": (("check", "kinds.parquet"), 2, "usage", "kinds.parquet cannot be read"),
    "no dataset at all": (("ask", QUESTION), 1, "dataset", "there is no dataset to ask about"),
    "bytes that are no text": (
        ("ask", "\udcff\x1b[2J zorgs", "--data", "parts"),
        1, "not_understood", "I could not place",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
def test_failures_are_told_on_standard_error_and_in_json(bluebear, case):
    arguments, expected, kind, words = FAILURES[case]
    status, out, err = bluebear(*arguments, "--json")
    report = json.loads(out)
    assert (status, report["ok"]) == (expected, False)
    assert set(report) == (ANSWER if arguments[0] == "ask" else CHECK)
    assert set(report["error"]) == ERROR
    assert report["error"]["kind"] == kind
    assert words in report["error"]["message"]
    assert err.startswith("error: ")
    assert words in err
    assert "Traceback" not in err
    assert "\x1b" not in out + err

    status, out, plain = bluebear(*arguments)
    assert (status, out, plain) == (expected, "", err)


def test_a_setting_that_is_wrong_is_told_with_its_source(bluebear, monkeypatch):
    monkeypatch.setenv("BLUEBEAR_ATTEMPTS", "many")
    status, out, err = bluebear("ask", QUESTION, "--data", "parts", "--json")
    assert (status, json.loads(out)["error"]["kind"]) == (1, "config")
    assert err.startswith("error: BLUEBEAR_ATTEMPTS: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "COMMAND"),
        (("aks",), "invalid choice: 'aks'"),
        (("ask",), "question"),
        (("ask", QUESTION, "--bakcend", "local"), "--bakcend"),
        (("ask", QUESTION, "--backend", "spark"), "invalid choice: 'spark'"),
        (("ask", QUESTION, "--attempts", "x"), "invalid int value: 'x'"),
        (("check",), "FILE.py"),
        (("run",), "notebook"),
    ],
)
def test_wrong_arguments_end_it_with_two(bluebear, arguments, words):
    status, out, err = bluebear(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("usage: bluebear ")
    assert words in err


def test_help_names_the_commands_and_says_how_it_ends(bluebear):
    status, out, _ = bluebear("--help")
    assert status == 0
    for command_ in ("ask", "check", "run"):
        assert f"\n    {command_} " in out


def test_a_reader_that_leaves_is_no_error(folder):
    """``bluebear ... | head -1``."""
    process = subprocess.Popen(
        command("ask", "flurb the zorgs", "--data", "parts", "--json"),
        env={**os.environ, "BLUEBEAR_WARM": "0"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
    )  # fmt: skip
    process.stdout.close()
    with process.stderr:
        assert "Broken" not in process.stderr.read()
    assert process.wait(20) == 1
