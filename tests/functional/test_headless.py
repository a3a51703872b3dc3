"""Notebooks without a frontend: ``bluebear run``, nbclient, papermill."""

import re
import shutil
from pathlib import Path

import nbformat
import papermill
import pytest
from nbclient import NotebookClient
from papermill.exceptions import PapermillExecutionError

from bluebear_magic.cli import main
from bluebear_magic.provenance.header import parse

ROOT = Path(__file__).parents[2]
LOAD = "%load_ext bluebear_magic"
ASK = "%%bluebear\nShow me total sales by region over the last 12 months"
# What the libraries' own event loops and temporary files leave behind is theirs.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("headless")
    (folder / "data").mkdir()
    shutil.copy(ROOT / "notebooks" / "data" / "sales_data.csv", folder / "data")
    return folder


def write(path, *sources, tags=()):
    """A notebook; ``tags`` are those of its second cell."""
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(source, id=f"c{n}") for n, source in enumerate(sources)
    ]
    if tags:
        notebook.cells[1].metadata.tags = list(tags)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)
    return path


def shown(cell, kind="text/plain"):
    return "\n".join(out.get("data", {}).get(kind, "") for out in cell.outputs)


@pytest.fixture(scope="module")
def first(folder):
    """A notebook with one question, after ``bluebear run``."""
    asked = write(folder / "asked.ipynb", LOAD, ASK, "total_sales_by_region.df.shape")
    output = folder / "first.ipynb"
    status = main(["run", str(asked), "--output", str(output)])
    return status, output, asked


def test_run_inserts_the_cell_and_answers(first):
    status, output, asked = first
    assert status == 0
    cells = nbformat.read(output, 4).cells
    assert len(cells) == 4
    inserted = parse(cells[2].source)
    assert inserted.header.question == ASK.partition("\n")[2]
    assert "4 rows" in shown(cells[2])
    assert "<table" in shown(cells[2], "text/html")
    assert any("image/png" in out.get("data", {}) for out in cells[2].outputs)
    assert shown(cells[3]) == "(4, 2)"
    assert len(nbformat.read(asked, 4).cells) == 3


def test_a_second_run_inserts_no_copy_and_changes_no_byte(first, folder, capsys):
    _, output, _ = first
    again = folder / "again.ipynb"
    assert main(["run", str(output), "--output", str(again)]) == 0
    assert again.read_bytes() == output.read_bytes()
    told = capsys.readouterr().out
    assert "Show me total sales by region over the last 12 months" in told
    assert "4 rows" in told
    assert told.endswith(f"The executed notebook: {again}\n")


def test_nbclient_runs_it_too(first, folder):
    document = nbformat.read(first[1], 4)
    NotebookClient(document, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    expected = nbformat.read(first[1], 4).cells
    assert [shown(cell) for cell in document.cells] == [shown(cell) for cell in expected]


def test_papermill_runs_it_too_and_drops_what_a_cell_asks_to_insert(folder):
    asked = write(folder / "run.ipynb", LOAD, ASK.replace("%%bluebear", "%%bluebear --run"))
    output = folder / "papermill.ipynb"
    papermill.execute_notebook(asked, output, cwd=folder, progress_bar=False)
    cells = nbformat.read(output, 4).cells
    assert len(cells) == 2
    assert 'spark.table("sales_data")' in shown(cells[1])
    assert "4 rows" in shown(cells[1])


def test_a_failing_question_makes_papermill_fail_with_the_message(folder, monkeypatch):
    monkeypatch.setenv("BLUEBEAR_WARM", "0")
    asked = write(folder / "refused.ipynb", LOAD, "%%bluebear\nflurb the zorgs by region")
    with pytest.raises(PapermillExecutionError) as failed:
        papermill.execute_notebook(asked, folder / "out.ipynb", cwd=folder, progress_bar=False)
    assert failed.value.ename == "NotUnderstood"
    assert "'flurb', 'zorgs'" in failed.value.evalue
    assert "You could ask: " in failed.value.evalue


def test_a_failing_cell_ends_the_run_with_what_ran_written(folder, monkeypatch, capsys):
    monkeypatch.setenv("BLUEBEAR_WARM", "0")
    code = '%%bluebear_run\nimport os\nresult = spark.table("sales_data")'
    asked = write(folder / "failing.ipynb", LOAD, "1 + 1", code, "'never'")
    monkeypatch.chdir(folder)
    assert main(["run", "failing.ipynb"]) == 1
    out, err = capsys.readouterr()
    assert err.startswith("error: failing.ipynb, cell 3: Blocked: line 2: `os` is not on the list")
    assert err.rstrip().endswith("the notebook as far as it ran: build/failing.ipynb")
    assert "Traceback" not in out + err
    cells = nbformat.read(folder / "build" / "failing.ipynb", 4).cells
    assert shown(cells[1]) == "2"
    assert cells[2].outputs[-1].ename == "Blocked"
    assert cells[3].outputs == []
    assert nbformat.read(asked, 4).cells[1].outputs == []


def test_a_cell_that_may_fail_does_not_stop_the_run(folder, monkeypatch, capsys):
    monkeypatch.setenv("BLUEBEAR_WARM", "0")
    asked = write(
        folder / "tagged.ipynb", LOAD, "%%bluebear\nflurb the zorgs", "print('on')",
        tags=["raises-exception"],
    )  # fmt: skip
    assert main(["run", str(asked), "--inplace"]) == 0
    cells = nbformat.read(asked, 4).cells
    assert cells[1].outputs[-1].ename == "NotUnderstood"
    assert cells[2].outputs[0].text == "on\n"
    text = asked.read_text()
    assert not re.search(r"iopub|\d\d:\d\d:\d\d", text)  # times


BAD_CELLS = {
    "%%bluebear --modle x total": "UsageError: there is no option --modle",
    "1 / 0": "ZeroDivisionError: division by zero",
    "import os; os.kill(os.getpid(), 9)": "Kernel died",
}


@pytest.mark.parametrize("source", BAD_CELLS)
def test_every_failure_names_its_cell_and_says_why(folder, monkeypatch, capsys, source):
    monkeypatch.setenv("BLUEBEAR_WARM", "0")
    asked = write(folder / "bad.ipynb", LOAD, "", source)
    assert main(["run", str(asked), "--output", str(folder / "bad_out.ipynb")]) == 1
    _, err = capsys.readouterr()
    assert err.startswith(f"error: bad.ipynb, cell 3: {BAD_CELLS[source]}")
    assert "Traceback" not in err
    assert (folder / "bad_out.ipynb").exists()


def test_a_kernel_that_is_not_installed_is_named(tmp_path, capsys):
    path = write(tmp_path / "x.ipynb", "1")
    path.write_text(path.read_text().replace('"python3"', '"nonesuch"'))
    assert main(["run", str(path), "--inplace"]) == 1
    _, err = capsys.readouterr()
    assert err.startswith("error: x.ipynb wants the kernel nonesuch, which is not installed\n")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "error: there is no file {}\n"),
        ("print(1)\n", "error: {} is no notebook: "),
        ('{"cells": 3}', "error: {} is no notebook: "),
        (
            '{"cells": [{"source": ""}], "metadata": {}, "nbformat": 4}',
            "error: {} is no notebook: ",
        ),
        ("[]", "error: {} is no notebook: "),
        ("", "error: {} is no notebook: "),
        (b"\xff\xfe\x00", "error: {} is no notebook: "),
    ],
)
def test_what_is_no_notebook_is_told_in_a_sentence(tmp_path, capsys, content, told):
    path = tmp_path / "x.ipynb"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["run", str(path), "--inplace"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(told.format(path))
    assert len(err.splitlines()) == 1
    if content is not None:
        assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())


def test_a_place_that_cannot_be_written_is_told_before_anything_runs(tmp_path, capsys):
    path = write(tmp_path / "x.ipynb", "1")
    assert main(["run", str(path), "--output", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path} is a folder\n")
    assert main(["run", str(path), "--output", str(path / "in" / "a file.ipynb")]) == 2
    assert "cannot be written: Not a directory" in capsys.readouterr().err
    assert main(["run", str(tmp_path)]) == 2
    assert "cannot be read: Is a directory" in capsys.readouterr().err
