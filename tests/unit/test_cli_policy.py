"""``bluebear guard``, ``rules`` and ``trust``: what they print, and how they end."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bluebear_magic.cli import main
from bluebear_magic.guard import RULES, check, preset

GOOD = 'result = spark.table("sales")\n'
BAD = "import os\n" + GOOD
WRITES = 'spark.table("sales").write.parquet("/data/x")\n' + GOOD
WARNS = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n" + GOOD
FINDING = ["rule", "severity", "line", "column", "text", "message", "suggestion"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for kind in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bluebear(capsys):
    """Runs the command in this process: exit status, standard output, standard error."""

    def bluebear(*arguments):
        try:
            status = main(list(map(str, arguments)))
        except SystemExit as end:  # argparse ends by itself
            status = end.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return bluebear


@pytest.fixture
def file(tmp_path):
    def file(content, name="job.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return file


# --- guard ---


@pytest.mark.parametrize(
    ("code", "policy", "ends"),
    [
        (GOOD, "read_only", ("pass", 0)),
        (WARNS, "read_only", ("warn", 0)),
        (WARNS, "locked", ("warn", 0)),
        (BAD, "read_only", ("block", 1)),
        (WRITES, "read_only", ("block", 1)),
        (WRITES, "locked", ("block", 1)),
        (WRITES, "write_with_approval", ("approve", 3)),
        (WRITES + "import os\n", "write_with_approval", ("block", 1)),
    ],
)
def test_a_file_gets_a_verdict(bluebear, file, code, policy, ends):
    word, status = ends
    path = file(code)
    ended, out, err = bluebear("guard", path, "--policy", policy, "--json")
    assert (ended, err) == (status, "")
    (line,) = out.splitlines()
    told = json.loads(line)
    assert list(told) == ["file", "verdict", "findings"]
    assert (told["file"], told["verdict"]) == (str(path), word)
    expected = check(code, None, preset(policy)).findings
    assert [list(finding) for finding in told["findings"]] == [FINDING] * len(expected)
    for finding, item in zip(told["findings"], expected, strict=True):
        assert all(finding[name] == getattr(item, name) for name in FINDING)
    ended, out, _ = bluebear("guard", path, "--policy", policy)
    assert ended == status
    assert out.startswith(f"{path}: {word}\n")
    assert all(finding["rule"] in out for finding in told["findings"])


def test_without_a_policy_the_one_in_force_judges(bluebear, file, monkeypatch):
    path = file(WRITES)
    assert bluebear("guard", path)[0] == 1
    monkeypatch.setenv("BLUEBEAR_POLICY", "write_with_approval")
    assert bluebear("guard", path)[0] == 3
    machine = file('policy = "read_only"', "machine.toml")
    monkeypatch.setenv("BLUEBEAR_MACHINE_POLICY", str(machine))
    for options in ((), ("--policy", "write_with_approval")):
        ended, _, err = bluebear("guard", path, *options)
        assert ended == 1
        assert f"judged under read_only: {machine} allows nothing looser" in err


def test_tables_narrow_what_may_be_read(bluebear, file):
    path = file(GOOD)
    assert bluebear("guard", path, "--tables", "Sales, other")[0] == 0
    ended, out, _ = bluebear("guard", path, "--tables", "other")
    assert ended == 1
    assert "SPARK-TABLE" in out
    assert bluebear("guard", path, "--tables", "")[0] == 1


def test_many_files_are_a_line_each_in_their_order(bluebear, file):
    paths = [file(BAD, "a.py"), file(GOOD, "b.py"), file(WRITES, "c.py")]
    ended, out, _ = bluebear("guard", *paths, "--json", "--policy", "write_with_approval")
    assert ended == 1
    told = [json.loads(line) for line in out.splitlines()]
    assert [item["file"] for item in told] == list(map(str, paths))
    assert [item["verdict"] for item in told] == ["block", "pass", "approve"]


def test_a_folder_is_looked_through(bluebear, file, tmp_path):
    file(GOOD, "jobs/b.py")
    file(BAD, "jobs/a/c.py")
    file("not python at all", "jobs/readme.md")
    _, out, _ = bluebear("guard", tmp_path / "jobs", "--json")
    names = [json.loads(line)["file"] for line in out.splitlines()]
    assert names == [str(tmp_path / "jobs/a/c.py"), str(tmp_path / "jobs/b.py")]


@pytest.mark.parametrize(
    ("content", "rule", "words"),
    [  # all block, but for the file without a result
        (b'x = "\xff"\n', "PY-SYNTAX", "byte 5 is no UTF-8"),
        (b"x = 1\0\n", "PY-SYNTAX", "null bytes"),
        ("\ufeff" + GOOD, None, ""),
        (b"", "CODE-RESULT", ""),
        (b"# coding: latin-1\nx = '\xe9'\n", "PY-SYNTAX", "no UTF-8"),
        (b"x" * 1_000_000, "PY-SIZE", "1,000,000 bytes"),
        (b"(" * 900 + b"\n", "PY-S", ""),
    ],
)  # fmt: skip
def test_odd_bytes_are_a_finding_and_the_others_go_on(bluebear, file, content, rule, words):
    odd, good = file(content, "odd.py"), file(GOOD, "good.py")
    ended, out, err = bluebear("guard", odd, good, "--json")
    first, second = map(json.loads, out.splitlines())
    assert second["verdict"] == "pass"
    assert err == ""
    verdict = {None: "pass", "CODE-RESULT": "warn"}.get(rule, "block")
    assert ended == (1 if verdict == "block" else 0)
    assert first["verdict"] == verdict
    if rule:
        assert first["findings"][0]["rule"].startswith(rule)
        assert words in first["findings"][0]["message"]


def test_what_cannot_be_read_is_a_line_and_the_others_go_on(bluebear, file, tmp_path):
    (tmp_path / "empty").mkdir()
    names = [tmp_path / "gone.py", tmp_path / "empty", file(GOOD), file(BAD, "bad.py")]
    ended, out, _ = bluebear("guard", *names, "--json")
    assert ended == 2
    told = [json.loads(line) for line in out.splitlines()]
    assert [item["verdict"] for item in told] == ["block", "block", "pass", "block"]
    assert [item["findings"][0]["rule"] for item in told[:2]] == ["FILE-READ"] * 2


def test_standard_input_is_a_file(bluebear, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    ended, out, _ = bluebear("guard", "-", "--json")
    assert ended == 1
    assert json.loads(out)["file"] == "-"


@pytest.mark.parametrize("arguments", [(), ("x.py", "--policy", "open"), ("x.py", "--polcy", "x")])
def test_wrong_arguments_end_with_two(bluebear, arguments):
    ended, out, err = bluebear("guard", *arguments)
    assert (ended, out) == (2, "")
    assert err


def test_a_hostile_file_name_breaks_no_line(bluebear, hostile):
    name = hostile.replace("\0", "").replace("/", "") or "x"
    if name.startswith("-"):
        return
    _, out, _ = bluebear("guard", name)
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2
    _, out, _ = bluebear("guard", name, "--json")
    assert json.loads(out)["findings"][0]["rule"] == "FILE-READ"


def test_it_starts_without_what_it_does_not_need(file):
    path = file(BAD)
    heavy = ("pyspark", "pandas", "numpy", "pyarrow", "duckdb", "IPython", "ipywidgets", "plotly")
    code = (
        "import sys; from bluebear_magic.cli import main; "
        f"main(['guard', {str(path)!r}]); print([m for m in {heavy} if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ran.stdout.splitlines()[-1] == "[]"


# --- rules ---


def test_every_rule_is_listed_with_its_two_sides(bluebear):
    ended, out, _ = bluebear("rules", "--json")
    told = json.loads(out)["rules"]
    assert ended == 0
    assert [rule["rule"] for rule in told] == list(RULES)
    for rule in told:
        assert rule["severity"].keys() == {"read_only", "write_with_approval", "locked"}
        assert (rule["bad"], rule["good"]) == (RULES[rule["rule"]].bad, RULES[rule["rule"]].good)
        for text in (rule["why"], rule["advice"]):
            assert not re.search(r"\{(text|tables|detail|near|instead|modules)\}|: \.|\.\.$", text)
    approvable = [rule["rule"] for rule in told if "approve" in rule["severity"].values()]
    assert approvable == ["SPARK-WRITE"]
    _, out, _ = bluebear("rules")
    assert all(f"\n{rule} " in f"\n{out}" for rule in RULES)


def test_one_rule_is_told_in_full(bluebear):
    ended, out, _ = bluebear("rules", "spark-write")
    assert ended == 0
    assert "under write_with_approval: approve" in out
    assert RULES["SPARK-WRITE"].bad in out
    assert json.loads(bluebear("rules", "PY-IMPORT", "--json")[1])["bad"] == "import os"


def test_an_unknown_rule_names_the_nearest(bluebear):
    ended, _, err = bluebear("rules", "SPARK-WRIT")
    assert ended == 2
    assert "did you mean SPARK-WRITE?" in err


# --- trust ---


def test_a_folder_is_trusted_listed_and_trusted_no_longer(bluebear, file, tmp_path, monkeypatch):
    settings = file('policy = "write_with_approval"\n', "repo/bluebear.toml")
    code = file(WRITES, "repo/job.py")
    monkeypatch.chdir(tmp_path / "repo")
    assert bluebear("guard", code)[0] == 1
    assert bluebear("trust", "--list") == (0, "", "")
    ended, out, _ = bluebear("trust")
    assert ended == 0
    assert "policy = 'write_with_approval'" in out
    assert bluebear("guard", code)[0] == 3
    assert bluebear("trust", "--list")[1] == f"{tmp_path / 'repo'}\n"
    settings.write_text('policy = "write_with_approval" # changed\n')
    assert "it counts no more" in bluebear("trust", "--list")[1]
    assert bluebear("guard", code)[0] == 1
    assert bluebear("trust", tmp_path / "repo")[0] == 0
    assert bluebear("trust", "--revoke")[0] == 0
    assert bluebear("guard", code)[0] == 1
    ended, _, err = bluebear("trust", "--revoke")
    assert ended == 2
    assert "is not trusted" in err


def test_there_must_be_something_to_trust(bluebear, file, tmp_path):
    assert bluebear("trust", tmp_path)[0] == 2
    file("policy = ", "repo/bluebear.toml")
    ended, _, err = bluebear("trust", tmp_path / "repo")
    assert ended == 1
    assert "cannot be read" in err
