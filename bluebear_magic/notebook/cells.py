"""The cell below a question: is a current one there, and how does a new one get there.

A kernel cannot see the notebook. It knows what it inserted itself (by cell id where the
frontend sends one), and it can read the file, where it knows the path; else it does not know.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bluebear_magic.provenance.header import Cell, parse

QUESTION = "%%bluebear"


@dataclass(frozen=True)
class Place:
    """Where a question stands: its source, and what the frontend told of it."""

    source: str
    cell_id: str | None = None
    notebook: Path | None = None


@dataclass(frozen=True)
class Below:
    """What is known of the cell below.

    ``current``: it answers this question over these schemas; ``stale``: this question
    over other schemas; ``absent``: no such cell; ``unknown``: cannot be told.
    """

    state: Literal["current", "stale", "absent", "unknown"]
    cell: Cell | None = None


class CellMemory:
    """What this kernel inserted below which cell."""

    def __init__(self) -> None:
        self._inserted: dict[tuple[str | None, str], Cell] = {}

    def remember(self, place: Place, cell: Cell) -> None:
        """Notes that ``cell`` was inserted below the question at ``place``."""
        assert cell.header is not None
        self._inserted[place.cell_id, cell.header.prompt] = cell

    def below(self, place: Place, prompt: str, schema_of: Callable[[str], str]) -> Below:
        """What is below: by memory, else by the notebook on disk, else unknown.

        ``schema_of`` gives today's schema hash for the datasets that a code reads.
        """
        cell = self._inserted.get((place.cell_id, prompt))
        if cell is None:
            if place.notebook is None:
                return Below("unknown")
            try:
                cell = _next_on_disk(place)
            except (OSError, ValueError, KeyError, TypeError):
                return Below("unknown")
        if cell is None or cell.header is None or cell.header.prompt != prompt:
            return Below("absent")
        fits = schema_of(cell.code) == cell.header.schema
        return Below("current" if fits else "stale", cell)


def _next_on_disk(place: Place) -> Cell | None:
    """The code cell after the question in the saved notebook, if it is one of ours."""
    assert place.notebook is not None
    document = json.loads(place.notebook.read_text(encoding="utf-8"))
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    for index, cell in enumerate(cells[:-1]):
        by_id = place.cell_id is not None and cell.get("id") == place.cell_id
        if by_id or (place.cell_id is None and _text(cell).strip() == place.source.strip()):
            return parse(_text(cells[index + 1]))
    return None


def codes_in(notebook: Path | None) -> tuple[str, ...]:
    """The codes of the saved notebook's cells that run PySpark; none where they cannot be read."""
    try:
        document = json.loads(notebook.read_text(encoding="utf-8")) if notebook else {"cells": []}
        sources = [_text(cell) for cell in document["cells"] if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(cell.code for source in sources if (cell := parse(source)))


def _text(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def place_of(shell: Any, environ: Mapping[str, str] = os.environ) -> Place:
    """Where the running cell stands, as far as the frontend tells."""
    parent = (shell.get_parent() if hasattr(shell, "get_parent") else None) or {}
    metadata = parent.get("metadata") or {}
    source = (parent.get("content") or {}).get("code") or ""
    cell_id = metadata.get("cellId") or metadata.get("cell_id")
    return Place(source, cell_id, notebook_path(shell.user_ns, environ))


def notebook_path(namespace: Mapping[str, Any], environ: Mapping[str, str]) -> Path | None:
    """The notebook's file: VS Code sets a variable, Jupyter Server the session's name."""
    for told in (namespace.get("__vsc_ipynb_file__"), environ.get("JPY_SESSION_NAME")):
        if isinstance(told, str) and told.endswith(".ipynb"):
            for path in (Path(told), Path.cwd() / Path(told).name):
                if path.is_file():
                    return path
    return None


class NextInputWriter:
    """Inserts through the reply to the running cell: once, and only if it succeeds."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def insert(self, text: str) -> None:
        """Asks the frontend for a new cell below with this text."""
        self._shell.set_next_input(text, replace=False)
