"""Which backends there are, and which one a name means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bluebear_magic.backends.local import LocalBackend
from bluebear_magic.backends.unconfigured import UnconfiguredBackend
from bluebear_magic.errors import ArgumentError
from bluebear_magic.protocols import Backend


def backends(heap_mb: int, archives: Path | None = None) -> dict[str, Backend]:
    """Every backend by name, in the order of the picker.

    ``archives``: where local Spark keeps the archive of its classes, None for none.
    """
    return {
        "local": LocalBackend(heap_mb, archives),
        "soal": UnconfiguredBackend(
            "soal",
            "SoAL",
            "it takes a Lambda function in your account (soal.lambda_function_arn); "
            "this version runs on local Spark only",
        ),
        "emr": UnconfiguredBackend(
            "emr",
            "EMR Serverless",
            "it takes an application in your account (emr_serverless.application_id); "
            "this version runs on local Spark only",
        ),
    }


def pick(name: str, among: Mapping[str, Backend]) -> Backend:
    """The backend of that name; ``auto`` is the first that is configured.

    Raises ``ArgumentError`` for a name that is none.
    """
    if name == "auto":
        configured = [b for b in among.values() if b.status().state != "not configured"]
        return configured[0] if configured else next(iter(among.values()))
    if name not in among:
        known = ", ".join(["auto", *among])
        raise ArgumentError(f"there is no backend `{name}`", f"backends: {known}")
    return among[name]
