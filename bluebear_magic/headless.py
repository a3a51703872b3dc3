"""Run a notebook without a frontend: inserts the cells that a frontend would have inserted."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bluebear_magic.errors import ArgumentError, BackendError, RunFailed
from bluebear_magic.frontend import APPROVED
from bluebear_magic.protocols import Reporter
from bluebear_magic.provenance.header import MAGIC, parse

CELL_SECONDS = 3600


def run_notebook(
    notebook: Path,
    output: Path | None,
    reporter: Reporter,
    tell: Callable[[str], None],
    approve: Sequence[str] = (),
) -> Path:
    """Executes ``notebook`` in a fresh kernel in its own folder; returns the file written.

    ``output``: by default ``build/<name>`` below the current folder. ``tell`` gets each
    question and what its run answered. ``approve``: rules that count as approved in the cells
    that run code. Raises ``ArgumentError`` for a file that is no
    notebook or cannot be written, ``BackendError`` where its kernel is not installed,
    ``RunFailed`` when a cell fails; what was executed is written all the same.
    """
    import nbformat
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    document = _read(notebook)
    target = _target(output or Path("build") / notebook.name)
    client = NotebookClient(
        document,
        timeout=CELL_SECONDS,
        store_widget_state=False,
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors only: the rest is the kernel's own
        resources={"metadata": {"path": str(notebook.resolve().parent)}},
    )
    replies: dict[int, Mapping[str, Any]] = {}

    def keep(cell: Any, cell_index: int, execute_reply: Mapping[str, Any]) -> None:  # noqa: ARG001
        replies[cell_index] = execute_reply

    client.on_cell_executed = keep
    reporter.progress("starting a kernel")
    try:
        environ = {**os.environ, APPROVED: " ".join(approve)}
        with client.setup_kernel(env=environ):
            index = 0
            while index < len(document.cells):
                cell = document.cells[index]
                reporter.progress(f"cell {index + 1} of {len(document.cells)}: {_title(cell)}")
                client.execute_cell(cell, index)
                _insert(document, index, replies.get(index))
                _tell(cell, tell)
                index += 1
            client.set_widgets_metadata()
    except NoSuchKernel as error:
        raise BackendError(
            f"{notebook.name} wants the kernel {error.name}, which is not installed",
            "`jupyter kernelspec list` shows those that are",
        ) from error
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise RunFailed(
            f"{notebook.name}, cell {index + 1}: {_why(document.cells[index], error)}",
            f"the notebook as far as it ran: {target}",
        ) from error
    finally:
        for cell in document.cells:
            cell.metadata.pop("execution", None)  # times: they differ from run to run
        nbformat.write(document, target)
    return target


def _read(notebook: Path) -> Any:
    import nbformat

    wrong: dict[str, Any] = {}
    try:
        document = nbformat.read(notebook, as_version=4, capture_validation_error=wrong)
    except FileNotFoundError as error:
        raise ArgumentError(f"there is no file {notebook}") from error
    except OSError as error:
        raise ArgumentError(f"{notebook} cannot be read: {error.strerror}") from error
    except Exception as error:  # its converters fail in their own ways on what is no notebook
        raise ArgumentError(f"{notebook} is no notebook: {_first_line(error)}") from error
    if wrong:
        raise ArgumentError(f"{notebook} is no notebook: {_first_line(wrong['ValidationError'])}")
    return document


def _target(path: Path) -> Path:
    """Where the executed notebook goes: better refused now than after an hour of work."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(f"{path} cannot be written: {error.strerror}") from error
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder", "name the notebook to write, with --output")
    return path


def _why(cell: Any, error: Exception) -> str:
    """What a cell failed with; IPython's usage errors are told on the cell's stderr alone."""
    name, value = getattr(error, "ename", ""), getattr(error, "evalue", "")
    if name or value:
        return f"{name}: {value}"
    printed = [out.text for out in cell.outputs if out.get("name") == "stderr"]
    return "".join(printed).strip() or _first_line(error)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _insert(document: Any, index: int, reply: Mapping[str, Any] | None) -> None:
    """Puts in the cell that the question asked for, unless its answer is there."""
    import nbformat

    for payload in (reply or {}).get("content", {}).get("payload", []):
        if payload.get("source") != "set_next_input":
            continue
        asked = parse(payload["text"])
        following = document.cells[index + 1] if index + 1 < len(document.cells) else None
        there = parse(following.source) if following is not None else None
        same = (
            asked is not None
            and there is not None
            and asked.header is not None
            and there.header is not None
            and there.header.prompt == asked.header.prompt
        )
        if not same:
            cell = nbformat.v4.new_code_cell(payload["text"])
            document.cells.insert(index + 1, cell)


def _tell(cell: Any, tell: Callable[[str], None]) -> None:
    if cell.cell_type != "code" or not cell.source.startswith(MAGIC):
        return
    parsed = parse(cell.source)
    if parsed is not None and parsed.header is not None:
        tell(f"\n{parsed.header.question}")
    for output in cell.get("outputs", []):
        text = output.get("data", {}).get("text/plain", "")
        if text:
            tell(text)


def _title(cell: Any) -> str:
    lines = [line for line in cell.source.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("%%")), "")[:60]
