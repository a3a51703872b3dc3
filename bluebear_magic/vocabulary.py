"""The words of a fixed set that settings, records and commands share."""

from __future__ import annotations

from typing import Literal

# The policies by name, from the loosest to the strictest.
PRESETS = ("write_with_approval", "read_only", "locked")
OFFLINE = "offline"  # the model that runs on this machine
Share = Literal["schema", "profile", "samples"]
# What may leave for a model, from the least to the most.
SHARES: tuple[Share, ...] = ("schema", "profile", "samples")
