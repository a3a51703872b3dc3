import json

import pytest

from bluebear_magic.notebook.cells import CellMemory, Place, notebook_path
from bluebear_magic.provenance.header import Header, code_hash, parse, prompt_hash, render

QUESTION = "%%bluebear\ntotal sales"
PROMPT = prompt_hash("total sales")


def inserted(prompt=PROMPT, schema="s1", code="result = 1\n"):
    facts = Header("total sales", "offline", 1, "whole", "4.1.1", code_hash(code), schema, prompt)
    return render(facts, code, "--into total_sales")


def notebook(tmp_path, *sources):
    file = tmp_path / "n.ipynb"
    cells = [
        {"cell_type": "code", "id": f"c{n}", "source": source.splitlines(keepends=True)}
        for n, source in enumerate(sources)
    ]
    cells.insert(1, {"cell_type": "markdown", "id": "m", "source": "words"})
    file.write_text(json.dumps({"cells": cells}))
    return file


def schema_of(_code):
    return "s1"


def test_what_this_kernel_inserted_is_current():
    memory, place = CellMemory(), Place(QUESTION, "id-1")
    memory.remember(place, parse(inserted()))
    assert memory.below(place, PROMPT, schema_of).state == "current"
    assert memory.below(Place(QUESTION, "id-2"), PROMPT, schema_of).state == "unknown"


def test_after_a_restart_the_file_tells(tmp_path):
    file = notebook(tmp_path, QUESTION, inserted())
    for place in (Place(QUESTION, "c0", file), Place(QUESTION, None, file)):
        below = CellMemory().below(place, PROMPT, schema_of)
        assert below.state == "current"
        assert below.cell.code == "result = 1"


def test_other_schemas_make_it_stale(tmp_path):
    file = notebook(tmp_path, QUESTION, inserted(schema="s0"))
    assert CellMemory().below(Place(QUESTION, "c0", file), PROMPT, schema_of).state == "stale"


@pytest.mark.parametrize("following", ["print(1)", inserted(prompt="sha256:other")])
def test_another_cell_below_is_no_answer(tmp_path, following):
    file = notebook(tmp_path, QUESTION, following)
    assert CellMemory().below(Place(QUESTION, "c0", file), PROMPT, schema_of).state == "absent"


def test_without_a_path_or_with_a_broken_file_it_is_unknown(tmp_path):
    broken = tmp_path / "n.ipynb"
    broken.write_text("{")
    assert CellMemory().below(Place(QUESTION), PROMPT, schema_of).state == "unknown"
    assert CellMemory().below(Place(QUESTION, "c", broken), PROMPT, schema_of).state == "unknown"


def test_the_path_comes_from_the_frontend(tmp_path, monkeypatch):
    file = notebook(tmp_path, QUESTION)
    assert notebook_path({"__vsc_ipynb_file__": str(file)}, {}) == file
    assert notebook_path({}, {"JPY_SESSION_NAME": str(file)}) == file
    monkeypatch.chdir(tmp_path)  # a server with another root: the name alone fits
    assert notebook_path({}, {"JPY_SESSION_NAME": "/elsewhere/n.ipynb"}) == file
    assert notebook_path({}, {"JPY_SESSION_NAME": "1234-uuid"}) is None
    assert notebook_path({}, {}) is None
