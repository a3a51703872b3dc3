"""Fixtures for unit tests: the corpus of hostile strings, and golden files."""

import os
import runpy
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HOSTILE = runpy.run_path(str(HERE / "hostile.py"))["HOSTILE"]


@pytest.fixture(params=HOSTILE, ids=[f"hostile{n}" for n in range(len(HOSTILE))])
def hostile(request):
    """Each hostile string in turn."""
    return request.param


@pytest.fixture(scope="session")
def hostile_corpus():
    """All hostile strings."""
    return HOSTILE


@pytest.fixture
def golden():
    """``golden(name, text)``: text equals the golden file of that name.

    ``UPDATE_GOLDEN=1 python -m pytest tests/unit`` writes the files anew; read the diff.
    """

    def compare(name, text):
        path = HERE / "golden" / name
        if os.environ.get("UPDATE_GOLDEN") == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"{path} is missing; UPDATE_GOLDEN=1 writes it"
        assert text == path.read_text(encoding="utf-8")

    return compare
