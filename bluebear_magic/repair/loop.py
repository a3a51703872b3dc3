"""Generate, check, repair: the loop as a generator that does no I/O.

A draft that runs but is in doubt (``Checked.doubts``) gets one more try. Whatever comes of
that, code that works is never lost: the last draft that ran is accepted.

It yields ``Generate`` and is sent a ``Draft``, yields ``Try`` and is sent what the
check said, and returns ``Accepted`` or ``GivenUp``, or ``Asked`` for a draft that asks back.
Whoever drives it holds the model and Spark; a test needs neither.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator
from dataclasses import dataclass

from bluebear_magic.records import Accepted, Asked, Attempt, Checked, Draft, GivenUp, Turn


@dataclass(frozen=True)
class Generate:
    """Ask the model, telling it of the drafts that failed so far."""

    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Try:
    """Check this draft."""

    draft: Draft


Step = Generate | Try


def loop(
    attempts: int, words: Callable[[Attempt], str], turns: tuple[Turn, ...] = ()
) -> Generator[Step, Draft | Checked, Accepted | GivenUp | Asked]:
    """At most ``attempts`` drafts; ends early when the model repeats one, comments and layout
    aside. ``words``: what the model is told of an attempt that failed. ``turns``: said before.
    """
    done: tuple[Attempt, ...] = ()
    for number in range(1, attempts + 1):
        draft = yield Generate(turns)
        assert isinstance(draft, Draft)
        if draft.questions and not draft.code.strip():
            return Accepted(done) if any(a.ok for a in done) else Asked(done, draft)
        if any(_shape(draft.code) == _shape(turn.draft.code) for turn in turns if not turn.answers):
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
        turns = (*turns, Turn(draft, words(attempt)))
    tries = "the one attempt" if attempts == 1 else f"all {attempts} attempts"
    return GivenUp(done, f"{tries} failed")


def _shape(code: str) -> str:
    """The code without comments and layout; as it stands where it is no Python."""
    try:
        return ast.dump(ast.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code.strip()
