"""Completion in cells: what a session knows, offered to IPython. Nothing is described for it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bluebear_magic.commands import COMMANDS
from bluebear_magic.config import BACKENDS
from bluebear_magic.context.files import FORMATS
from bluebear_magic.data_words import add_actions
from bluebear_magic.errors import BluebearError
from bluebear_magic.generation import model_ids
from bluebear_magic.guard.policy import APPROVABLE
from bluebear_magic.notebook.completion import Offered, Words, offered
from bluebear_magic.vocabulary import PRESETS, SHARES

if TYPE_CHECKING:
    from bluebear_magic.frontend import Frontend

_FORMATS = sorted(set(FORMATS.values()))
_VALUES: Mapping[str, Sequence[str]] = {"--format": _FORMATS, "--share": SHARES}


def completed(frontend: Frontend, before: str, parsers: Mapping[str, Any]) -> Offered:
    """What may come after ``before``, a cell up to the cursor. ``parsers``: of the cell magics."""
    try:
        return offered(before, words_of(frontend, parsers))
    except BluebearError:
        return Offered()  # a file that cannot be read is told by the next cell


def words_of(frontend: Frontend, parsers: Mapping[str, Any]) -> Words:
    """What the session knows now."""
    bb = frontend.bb
    models = [*bb.tools.models, model_ids.DEFAULT, *model_ids.known().order]
    values: Mapping[str, Sequence[str]] = {
        "--backend": BACKENDS, "--model": models, "--approve": sorted(APPROVABLE),
    }  # fmt: skip
    semantics = bb.tools.catalog.semantics
    named = {metric.name: "metric" for metric in semantics.metrics}
    for note in semantics.data:
        for names in (note.synonyms, *(column.synonyms for column in note.columns)):
            named.update((name, "synonym") for name in names)
    for metric in semantics.metrics:
        named.update((name, "synonym") for name in metric.synonyms)
    actions, columns = _actions(), bb.tools.catalog.glimpse()
    commands: dict[str, Sequence[str]] = dict.fromkeys(COMMANDS, ())
    commands |= {
        "data": tuple(actions), "use": BACKENDS, "policy": PRESETS, "share": SHARES,
        "worker": ("stop", "restart"), "explore": tuple(columns),
    }  # fmt: skip
    return Words(
        columns=columns,
        named=named,
        options={name: _options(parser, values) for name, parser in parsers.items()},
        commands=commands,
        actions=actions,
    )


def _actions() -> dict[str, dict[str, Sequence[str]]]:
    """The actions of ``data`` with their options."""
    parser = argparse.ArgumentParser(add_help=False)
    add_actions(parser)
    (chosen,) = (action for action in parser._actions if isinstance(action.choices, dict))
    assert isinstance(chosen.choices, dict)
    return {name: _options(action, _VALUES) for name, action in chosen.choices.items()}


def _options(parser: Any, values: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """The long options of a parser, with the values of those whose values are known."""
    found = {name for action in parser._actions for name in action.option_strings}
    return {name: values.get(name, ()) for name in sorted(found) if name.startswith("--")}
