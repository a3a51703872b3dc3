"""Generate, check, repair: the loop as a generator that does no I/O.

A draft that runs but is in doubt (``Checked.doubts``) gets one more try. Whatever comes of
that, code that works is never lost: the last draft that ran is accepted.

It yields ``Generate`` and is sent a ``Draft``, yields ``Try`` and is sent what the
check said, and returns ``Accepted`` or ``GivenUp``. Whoever drives it holds the model
and Spark; a test needs neither.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from bluebear_magic.records import Accepted, Attempt, Checked, Draft, GivenUp, Turn
from bluebear_magic.repair.feedback import feedback


@dataclass(frozen=True)
class Generate:
    """Ask the model, telling it of the drafts that failed so far."""

    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Try:
    """Check this draft."""

    draft: Draft


Step = Generate | Try


def loop(attempts: int) -> Generator[Step, Draft | Checked, Accepted | GivenUp]:
    """At most ``attempts`` drafts; ends early when the model repeats one."""
    turns: tuple[Turn, ...] = ()
    done: tuple[Attempt, ...] = ()
    for number in range(1, attempts + 1):
        draft = yield Generate(turns)
        assert isinstance(draft, Draft)
        if any(draft.code == turn.draft.code for turn in turns):
            if any(attempt.ok for attempt in done):
                return Accepted(done)
            return GivenUp(done, f"attempt {number} repeated code that had failed")
        checked = yield Try(draft)
        assert isinstance(checked, Checked)
        attempt = Attempt(number, draft, checked)
        in_doubt = any(earlier.ok for earlier in done)
        done = (*done, attempt)
        if in_doubt or (attempt.ok and not (checked.doubts and number < attempts)):
            return Accepted(done)
        turns = (*turns, Turn(draft, feedback(attempt)))
    tries = "the one attempt" if attempts == 1 else f"all {attempts} attempts"
    return GivenUp(done, f"{tries} failed")
