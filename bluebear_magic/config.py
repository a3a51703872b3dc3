"""Settings: traits with checks, read from the weakest source to the strongest.

Defaults, the user's ``bluebear.toml``, the one in the notebook's folder, ``BLUEBEAR_*``
in the environment; then ``%config Bluebear.name = value``, and last the magic line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from traitlets import Bool, Enum, Int, TraitError, Unicode
from traitlets.config import Configurable

from bluebear_magic.errors import ConfigError
from bluebear_magic.folders import config_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_ATTEMPTS = 10
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
    backend = Enum(BACKENDS, "auto", help="Where code runs: auto, local, soal or emr.").tag(
        config=True
    )
    attempts = Int(4, min=1, max=MOST_ATTEMPTS, help="Drafts at most for one question.").tag(
        config=True
    )
    sample_rows = Int(1000, min=1, help="Rows of each dataset in a check.").tag(config=True)
    check_seconds = Int(60, min=1, help="Time limit of a check.").tag(config=True)
    run_seconds = Int(3600, min=1, help="Time limit of a run.").tag(config=True)
    heap_mb = Int(2048, min=512, help="Largest heap of local Spark, in MB.").tag(config=True)
    progress = Bool(
        True, help="Show each step while it goes on; off where outputs cannot be updated."
    ).tag(config=True)
    class_archive = Bool(
        True, help="Keep an archive of Spark's classes (180 MB of cache): it starts twice as fast."
    ).tag(config=True)
    warm = Bool(True, help="Start local Spark in the background when loaded.").tag(config=True)

    def load(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        """Takes the files' and the environment's values. Raises ``ConfigError``.

        What IPython's own configuration sets (``c.Bluebear.x``) stays: it is stronger.
        """
        configured = self.config.get(type(self).__name__, {})
        for file in (config_file(), folder / "bluebear.toml"):
            values = _read(file)
            self._take({k: v for k, v in values.items() if k not in configured}, str(file))
        for name in self.trait_names(config=True):
            value = environ.get(f"BLUEBEAR_{name.upper()}")
            if value is not None and name not in configured:
                self._set(name, _typed(self.traits()[name], value), f"BLUEBEAR_{name.upper()}")

    def _take(self, values: Mapping[str, Any], source: str) -> None:
        known = self.trait_names(config=True)
        for name, value in values.items():
            if name not in known:
                raise ConfigError(
                    f"{source}: there is no setting `{name}`", "settings: " + ", ".join(known)
                )
            self._set(name, value, source)

    def _set(self, name: str, value: Any, source: str) -> None:
        try:
            setattr(self, name, value)
        except TraitError as error:
            raise ConfigError(f"{source}: {error}", self.traits()[name].help) from error


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            values: dict[str, Any] = tomllib.load(stream)
            return values
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}", "correct it or remove it") from error


def _typed(trait: Any, text: str) -> Any:
    if isinstance(trait, Bool):
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(
            text.lower(), text
        )
    if isinstance(trait, Int):
        return int(text) if text.lstrip("-").isdecimal() else text
    return text
