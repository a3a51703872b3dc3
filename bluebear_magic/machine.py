"""The machine's own policy: a file of its administrator, above what any user sets.

``/etc/bluebear/policy.toml``::

    policy = "read_only"              # the loosest that anybody may choose here
    write_to = ["/data/out", "s3://team/results"]   # approved writes go below these only

It can only tighten. ``BLUEBEAR_MACHINE_POLICY`` names one more such file; both hold, so the
variable takes nothing away from the first. A file that cannot be read or understood stops
everything rather than to count as none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluebear_magic.errors import ConfigError
from bluebear_magic.vocabulary import PRESETS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = Path("/etc/bluebear/policy.toml")
ALSO = "BLUEBEAR_MACHINE_POLICY"


@dataclass(frozen=True)
class Machine:
    """``policy``: the loosest allowed. ``write_to``: None for any place. ``files``: who says so."""

    policy: str = PRESETS[0]
    write_to: tuple[str, ...] | None = None
    files: tuple[str, ...] = ()

    def clamp(self, policy: str) -> str:
        """The stricter of that policy and the machine's."""
        return max(policy, self.policy, key=PRESETS.index)

    def also(self, other: Machine) -> Machine:
        """Both hold."""
        both = [roots for roots in (self.write_to, other.write_to) if roots is not None]
        write_to = both[0] if both else None
        if len(both) == 2:
            # A root of one counts where it lies below a root of the other.
            first, second = both
            write_to = tuple(
                [root for root in first if _below(root, second)]
                + [root for root in second if _below(root, first) and root not in first]
            )
        return Machine(self.clamp(other.policy), write_to, (*self.files, *other.files))


def read_machine(environ: Mapping[str, str] = os.environ, file: Path = FILE) -> Machine:
    """What this machine's administrator has set. Raises ``ConfigError``."""
    machine = _read(file, required=False)
    more = environ.get(ALSO)
    return machine.also(_read(Path(more), required=True)) if more else machine


def _read(file: Path, *, required: bool) -> Machine:
    try:
        with file.open("rb") as stream:
            values: dict[str, Any] = tomllib.load(stream)
    except FileNotFoundError as error:
        if required:
            raise _wrong(file, "there is no such file") from error
        return Machine()
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(file, str(error)) from error
    unknown = sorted(set(values) - {"policy", "write_to"})
    if unknown:
        raise _wrong(file, f"there is no key `{unknown[0]}`; keys: policy, write_to")
    policy = values.get("policy", PRESETS[0])
    if policy not in PRESETS:
        raise _wrong(file, f"policy is {policy!r}, not one of {', '.join(PRESETS)}")
    roots = values.get("write_to")
    if roots is not None and not _are_roots(roots):
        raise _wrong(file, "write_to is no list of absolute paths or URIs")
    write_to = None if roots is None else tuple(roots)
    return Machine(policy, write_to, (str(file),))


def _are_roots(roots: Any) -> bool:
    return isinstance(roots, list) and all(
        isinstance(root, str) and (root.startswith("/") or "://" in root) for root in roots
    )


def _below(root: str, roots: tuple[str, ...]) -> bool:
    return any(root == other or root.startswith(other.rstrip("/") + "/") for other in roots)


def _wrong(file: Path, why: str) -> ConfigError:
    return ConfigError(
        f"this machine's policy {file} cannot be used: {why}",
        "nothing is checked or run until its administrator has corrected it",
    )
