"""Settings: traits with checks, read from the weakest source to the strongest.

Defaults, the user's ``bluebear.toml``, the one in the notebook's folder, ``BLUEBEAR_*``
in the environment; then ``%config Bluebear.name = value``, and last the magic line.

The file in the notebook's folder comes with the notebook, from whoever wrote it: it may make
the policy stricter, and looser only after ``bluebear trust`` (:mod:`bluebear_magic.trust`).
"""

from __future__ import annotations

import difflib
import json
import math
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from traitlets import Bool, Dict, Enum, Float, Int, TraitError, Unicode, validate
from traitlets.config import Configurable

from bluebear_magic import prices, sharing
from bluebear_magic.errors import ArgumentError, ConfigError
from bluebear_magic.folders import config_file
from bluebear_magic.trust import SETTINGS, TrustStore
from bluebear_magic.vocabulary import OFFLINE, PRESETS, SHARES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Tables of a folder's file that are no settings: what the project says of its data.
SEMANTIC = ("data", "metrics", "keys", "questions")
MOST_ATTEMPTS = 10
BUDGETS = ("budget_question", "budget_notebook", "budget_day")
COPIES = ("s3_cache_mb", "s3_ask_mb")
SUMMARIES = ("auto", "model", "local")
BACKENDS = ("auto", "local", "soal", "emr")


class Settings(Configurable):
    """How questions are answered and code is run."""

    model = Unicode(
        "offline", help="Who writes the code: offline, bedrock, or a model's id on Bedrock."
    ).tag(config=True)
    aws_region = Unicode("", help="The AWS region; empty: boto3's own choice.").tag(config=True)
    guardrail = Unicode("", help="A guardrail of Bedrock: its id or ARN, and :version.").tag(
        config=True
    )
    count_tokens = Bool(
        False,
        help="Let Bedrock count what --dry-run shows: for that it is sent there, to no model and "
        "free of charge. Else the tokens are estimated here and nothing is sent.",
    ).tag(config=True)
    share = Unicode(
        "schema",
        help="What of the data may leave for a model: schema, profile or samples, for all or as "
        "NAME=LEVEL; NAME.COLUMN=shared for a column that looks like personal data.",
    ).tag(config=True)
    backend = Enum(BACKENDS, "auto", help="Where code runs: auto, local, soal or emr.").tag(
        config=True
    )
    policy = Enum(
        PRESETS,
        "read_only",
        help="What code may do: read_only, write_with_approval or locked.",
    ).tag(config=True)
    summary = Enum(
        SUMMARIES,
        "auto",
        help="Who tells of a result: local, model (where rows may be shared), or auto: a model "
        "on Bedrock where it wrote the code and rows may be shared.",
    ).tag(config=True)
    budget_question = Float(
        0.0, min=0, allow_none=True, help="US dollars that a question may cost; 0: no limit."
    ).tag(config=True)
    budget_notebook = Float(
        0.0,
        min=0,
        allow_none=True,
        help="US dollars that a notebook may cost while its kernel runs; 0: no limit.",
    ).tag(config=True)
    budget_day = Float(
        0.0,
        min=0,
        allow_none=True,
        help="US dollars that all notebooks may cost on a day; 0: no limit.",
    ).tag(config=True)
    prices = Dict(
        help="US dollars per million tokens of models whose price is not known, or another for "
        "you: {'MODEL ID': {'input': 1.5, 'output': 6, 'cache_read': 0.15, 'cache_write': 1.875}}; "
        "'us.acme.*' stands for all ids that begin so."
    ).tag(config=True)
    attempts = Int(4, min=1, max=MOST_ATTEMPTS, help="Drafts at most for one question.").tag(
        config=True
    )
    sample_rows = Int(1000, min=1, help="Rows of each dataset in a check.").tag(config=True)
    max_upload_size_mb = Int(
        100, min=1, help="Largest file that the explorer takes as an upload, in MB."
    ).tag(config=True)
    check_seconds = Int(60, min=1, help="Time limit of a check.").tag(config=True)
    run_seconds = Int(3600, min=1, help="Time limit of a run.").tag(config=True)
    snapshot_mb = Int(
        256,
        min=1,
        help="Largest DataFrame or table of a database that is copied for Spark, in MB of memory.",
    ).tag(config=True)
    download_mb = Int(256, min=1, help="Largest file that is fetched from a URL, in MB.").tag(
        config=True
    )
    download_seconds = Int(30, min=1, help="Seconds that a server may keep silent.").tag(
        config=True
    )
    recheck_seconds = Int(
        60, min=0, help="Seconds before a server, or S3, is asked again whether data has changed."
    ).tag(config=True)
    heap_mb = Int(2048, min=512, help="Largest heap of local Spark, in MB.").tag(config=True)
    s3_cache_mb = Int(
        2048, min=1, help="Copies of S3 data kept for local Spark, in MB; a run needs them at once."
    ).tag(config=True)
    s3_ask_mb = Int(
        2048, min=0, help="A run that would first copy more MB from S3 stops and says so."
    ).tag(config=True)
    progress = Bool(
        True, help="Show each step while it goes on; off where outputs cannot be updated."
    ).tag(config=True)
    class_archive = Bool(
        True, help="Keep an archive of Spark's classes (180 MB of cache): it starts twice as fast."
    ).tag(config=True)
    warm = Bool(True, help="Start local Spark in the background when loaded.").tag(config=True)

    untrusted: str = ""  # what a folder's file would loosen and may not, in one line
    _said: tuple[str, str] = ("", "")  # the policy as it was loaded, and where it came from

    def load(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        """Takes the files' and the environment's values. Raises ``ConfigError``.

        What IPython's own configuration sets (``c.Bluebear.x``) stays: it is stronger.
        """
        configured = self.config.get(type(self).__name__, {})
        source = "IPython's configuration" if "policy" in configured else "the default"
        for file in (config_file(), folder / SETTINGS):
            content = _content(file)
            values = _values(file, content)
            if file.parent == folder:
                values = self._trusted(folder, content, settings_of(values, str(self.share)))
            values = {k: v for k, v in values.items() if k not in configured}
            self._take(values, str(file))
            source = str(file) if "policy" in values else source
        for name in self.trait_names(config=True):
            value = environ.get(f"BLUEBEAR_{name.upper()}")
            if value is not None and name not in configured:
                self._set(name, _typed(self.traits()[name], value), f"BLUEBEAR_{name.upper()}")
                source = "BLUEBEAR_POLICY" if name == "policy" else source
        self._said = (str(self.policy), source)

    @validate(*BUDGETS)
    def _compares(self, proposal: Mapping[str, Any]) -> float | None:
        """NaN would be no limit at all: nothing is above it."""
        value: float | None = proposal["value"]
        if value is not None and not math.isfinite(value):
            raise TraitError(f"{proposal['trait'].name} is {value}: give US dollars, or 0")
        return value

    @property
    def locked(self) -> bool:
        """Whether these settings were locked as they were loaded: then they stay so."""
        return self._said[0] == PRESETS[-1]

    @property
    def policy_source(self) -> str:
        """Where the policy's value came from."""
        policy, source = self._said
        if self.locked or policy == self.policy:
            return source
        return "this session (%config or %bluebear policy)"

    @validate("share")
    def _share(self, proposal: Any) -> str:
        try:
            return sharing.parse(proposal["value"]).text
        except ArgumentError as error:
            raise TraitError(f"share: {error.message}") from error

    @validate("prices")
    def _prices(self, proposal: Any) -> Any:
        try:
            prices.parse(proposal["value"])
        except ArgumentError as error:
            raise TraitError(error.message) from error
        return proposal["value"]

    def _trusted(self, folder: Path, content: bytes, values: dict[str, Any]) -> dict[str, Any]:
        """The values without those that loosen, unless this user has agreed to the file."""
        own = {name: getattr(self, name) for name in self.trait_names(config=True)}
        loose = loosening(values, own)
        if not loose or TrustStore().holds(folder, content):
            return values
        told = ", ".join(f"{name} = {values[name]!r}" for name in loose)
        self.untrusted = (
            f"{folder / SETTINGS} would allow more than your own settings do and is ignored "
            f"there: {told}. `bluebear trust {shlex.quote(str(folder))}` lets it"
        )
        return {name: value for name, value in values.items() if name not in loose}

    def _take(self, values: Mapping[str, Any], source: str) -> None:
        known = self.trait_names(config=True)
        for name, value in values.items():
            if name in SEMANTIC:
                raise ConfigError(
                    f"{source}: [{name}] is no setting",
                    f"what is said of data belongs into the {SETTINGS} beside the notebook",
                )
            if name not in known:
                near = difflib.get_close_matches(name, [*known, *SEMANTIC], n=1)
                meant = f"did you mean `{near[0]}`? " if near else ""
                raise ConfigError(
                    f"{source}: there is no setting `{name}`",
                    f"{meant}settings: {', '.join(known)}",
                )
            self._set(name, _table(value) if name == "share" else value, source)

    def _set(self, name: str, value: Any, source: str) -> None:
        try:
            setattr(self, name, value)
        except TraitError as error:
            raise ConfigError(f"{source}: {error}", self.traits()[name].help) from error


def loosening(values: Mapping[str, Any], own: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """The settings among ``values`` that count only once their folder is trusted.

    ``own``: the user's (by default the strictest, and no budgets). Those that allow, share or spend
    more, send schemas away where they stayed here, send them elsewhere (a region, a model named by
    its ARN, which can be one of somebody else's account), let a dry run send, change a
    guardrail, copy more of S3, or say what a model costs: a price that is too low lets a budget be
    broken.
    """
    own = {"policy": PRESETS[-1], "model": OFFLINE, "share": SHARES[0]} if own is None else own
    given, policy, model = values.get("policy"), own["policy"], values.get("model", OFFLINE)
    model = model if isinstance(model, str) else OFFLINE  # refused when it is taken
    changed = {name: values.get(name, "") != own.get(name, "") for name in values}
    found = {
        "policy": given in PRESETS and PRESETS.index(given) < PRESETS.index(policy),
        "guardrail": changed.get("guardrail"),
        "prices": bool(values.get("prices")),
        "count_tokens": values.get("count_tokens") is True and not own.get("count_tokens"),
        "aws_region": changed.get("aws_region"),
        "model": model.startswith("arn:") or (own["model"] == OFFLINE and model != OFFLINE),
        "share": "share" in values and _shares_more(values["share"], own["share"]),
    }
    for name in COPIES:
        most = own.get(name, Settings.class_traits()[name].default_value)
        found[name] = isinstance(values.get(name), int) and values[name] > most
    for name in BUDGETS:
        held = own.get(name)
        wanted = values.get(name, held)
        number = isinstance(wanted, int | float)
        found[name] = bool(held) and number and not 0 < wanted <= (held or 0)
    return tuple(name for name, wanted in found.items() if wanted)


def _shares_more(given: Any, own: Any) -> bool:
    """What cannot be read is no more; it is refused when it is taken."""
    try:
        return sharing.loosens(sharing.parse(given), sharing.parse(own))
    except ArgumentError:
        return False


def settings_of(values: Mapping[str, Any], share: str = SHARES[0]) -> dict[str, Any]:
    """The settings of a folder's file; ``[data.NAME]`` may say what of it is shared.

    ``share``: what counts where the file has no such setting of its own.
    """
    settings = {name: value for name, value in values.items() if name not in SEMANTIC}
    tables = values.get("data")
    levels = {
        name: table["share"]
        for name, table in (tables.items() if isinstance(tables, Mapping) else ())
        if isinstance(table, Mapping) and table.get("share") in SHARES
    }
    if not levels:
        return settings
    try:
        wish = sharing.parse(settings.get("share", share))
    except ArgumentError:
        return settings  # refused when it is taken
    for name, level in levels.items():
        if name.lower() not in wish.datasets:
            wish = wish.with_(name, level)
    return {**settings, "share": wish.text}


def folder_settings(folder: Path) -> tuple[bytes, dict[str, Any]]:
    """The ``bluebear.toml`` of a folder: its bytes and what it sets. Raises ``ConfigError``."""
    content = _content(folder / SETTINGS)
    return content, _values(folder / SETTINGS, content)


def _content(file: Path) -> bytes:
    """A file's bytes; none where there is no such file."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise _unreadable(file, error) from error


def _values(file: Path, content: bytes) -> dict[str, Any]:
    try:
        values: dict[str, Any] = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _unreadable(file, error) from error
    return values


def _table(value: Any) -> Any:
    """The text that a table of a file's amounts to; anything else as it is."""
    if not isinstance(value, Mapping):
        return value
    rest = [f"{name}={level}" for name, level in value.items() if name != sharing.DEFAULT]
    return ", ".join([str(value.get(sharing.DEFAULT, SHARES[0])), *rest])


def _unreadable(file: Path, error: Exception) -> ConfigError:
    return ConfigError(f"{file} cannot be read: {error}", "correct it or remove it")


def _typed(trait: Any, text: str) -> Any:
    if isinstance(trait, Bool):
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(
            text.lower(), text
        )
    if isinstance(trait, Float):
        try:
            return float(text)
        except ValueError:
            return text
    if isinstance(trait, Dict):
        try:
            return json.loads(text)
        except ValueError:
            return text
    if isinstance(trait, Int):
        return int(text) if text.removeprefix("-").isdecimal() else text
    return text
