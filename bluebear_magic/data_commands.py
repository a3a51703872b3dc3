"""``data``: datasets listed, added, shown, searched, refreshed; in a notebook and in a shell.

What is done goes through a session; what is shown is a bundle of plain text and HTML.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bluebear_magic.api import Bluebear
from bluebear_magic.errors import ArgumentError
from bluebear_magic.present.listing import (
    Bundle,
    Facts,
    card_bundle,
    lines_bundle,
    listing_bundle,
    matches_bundle,
)
from bluebear_magic.records import Dataset

_SHOWN = 20  # names of a long list

Show = Callable[[Mapping[str, Any]], None]


def run(bb: Bluebear, options: argparse.Namespace, show: Show) -> None:
    """Does what was asked. Raises ``ArgumentError``, ``ConfigError``, ``DatasetError``."""
    actions: dict[str | None, Callable[[Bluebear, argparse.Namespace], Bundle | None]] = {
        None: _list, "add": _add, "show": _show, "search": _search, "profile": _profile,
        "refresh": _refresh, "use": _use, "rm": _rm,
    }  # fmt: skip
    bundle = actions[options.action](bb, options)
    if bundle is not None:
        show(bundle)


def _list(bb: Bluebear, _: argparse.Namespace) -> Bundle:
    return listing_bundle(bb.tools.catalog, bb.untrusted)


def _add(bb: Bluebear, options: argparse.Namespace) -> Bundle:
    dataset = bb.add_data(
        options.name,
        " ".join(options.path),
        format=options.format,
        share=options.share,
        description=options.description,
        save=options.save,
        **_pairs(options.option),
    )
    told = [f"warning: {warning}" for warning in dataset.warnings]
    saved = " Saved in bluebear.toml." * options.save
    told.append(f"{_line(dataset)}.{saved} %bluebear data show {dataset.name}")
    return lines_bundle(told)


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs = [item.partition("=") for item in given]
    for name, sign, _ in pairs:
        if not (name and sign):
            raise ArgumentError(f"--option {name}", "give it as KEY=VALUE, for example sep=;")
    return {name: value for name, _, value in pairs}


def _line(dataset: Dataset) -> str:
    return f"{dataset.name}: {dataset.format}, {len(dataset.columns)} columns"


def _show(bb: Bluebear, options: argparse.Namespace) -> Bundle:
    dataset = bb.tools.catalog.get(options.name)
    profile = bb.profile(dataset.name)
    drift = bb.tools.catalog.drift(dataset.name)
    return card_bundle(
        dataset,
        profile,
        Facts(
            semantics=bb.tools.catalog.semantics,
            sharing=bb.tools.consent.sharing([dataset], [profile]),
            reach=bb.tools.catalog.reach(dataset),
            links=bb.links(dataset.name),
            drift=drift.lines() if drift else (),
        ),
    )


def _search(bb: Bluebear, options: argparse.Namespace) -> Bundle:
    words = " ".join(options.words)
    hits = bb.search_libraries(words) if options.catalogs else None
    return matches_bundle(words, bb.search_data(words), hits)


def _profile(bb: Bluebear, options: argparse.Namespace) -> Bundle:
    bb.profile(options.name, full=options.full, anew=True)
    return _show(bb, options)


def _refresh(bb: Bluebear, options: argparse.Namespace) -> Bundle:
    changed = bb.refresh_data(options.name)
    told = [line for drift in changed for line in drift.lines()]
    if not told:
        return lines_bundle([f"{options.name or 'Everything'} is as it was."])
    return lines_bundle([*told, "They count as they are from now on."])


def _use(bb: Bluebear, options: argparse.Namespace) -> Bundle:
    used = bb.use_data(options.location)
    shown = ", ".join(used.names[:_SHOWN])
    more = len(used.names) - _SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    told = [f"{len(used.names):,} tables of {used.location}: {shown}{rest}"]
    told += [f"left out: {name}: {why}" for name, why in used.left_out[:_SHOWN]]
    return lines_bundle(told)


def _rm(bb: Bluebear, options: argparse.Namespace) -> Bundle | None:
    bb.remove_data(options.name, save=options.save)
    return None
