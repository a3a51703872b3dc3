"""Every error that a user can meet, as one tree.

::

    BluebearError                 message, hint, kind
      ArgumentError               the magic line or the call is wrong          "usage"
      ConfigError                 a setting is wrong                           "config"
      DatasetError                a dataset cannot be found or read            "dataset"
        StorageError              S3 or Glue does not give it (aws_storage)    "dataset"
      ModelError                  the model gave no usable draft               "model"
        NotUnderstood             it says which words it could not place       "not_understood"
        OverBudget                the call would break a budget                "budget"
      NeedsAnswer                 the model asks something back first          "question"
      Blocked                     the guard refuses the code                   "blocked"
      NeedsApproval               a person has to say yes to what it writes    "approval"
      GaveUp                      every attempt failed                         "gave_up"
      RunFailed                   the code failed on the data                  "run_failed"
      BackendError                the engine, not the code, is at fault        "backend"
        NotConfigured             the backend needs settings first             "not_configured"
    KeyboardInterrupt
      Cancelled                   the user pressed interrupt; work was stopped

A message says where and what; a hint says what to do next. Foreign errors are
translated where they enter, with the cause kept.
"""

from __future__ import annotations

from typing import Any, ClassVar


class BluebearError(Exception):
    """Base of all errors here; ``str()`` gives line and message, then the hint."""

    kind: ClassVar[str] = "error"

    def __init__(self, message: str, hint: str = "", *, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.line = line

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return _spelled(f"{where}{self.message}" + (f"\n{self.hint}" if self.hint else ""))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: these errors are not bugs."""
        return [f"{type(self).__name__}: {self}"]


def _spelled(text: str) -> str:
    """The text with what a terminal would obey, or not show, spelled out: names in it may be
    those of the data.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


class ArgumentError(BluebearError):
    """Wrong arguments to a magic, a command or a function."""

    kind = "usage"


class ConfigError(BluebearError):
    """A setting has a value it cannot have."""

    kind = "config"


class DatasetError(BluebearError):
    """A dataset is missing, broken or ambiguous."""

    kind = "dataset"


class ModelError(BluebearError):
    """The model could not be reached or answered with nothing usable."""

    kind = "model"


class NotUnderstood(ModelError):
    """The model refuses to guess; ``unplaced`` are the words it could not place."""

    kind = "not_understood"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        line: int | None = None,
        unplaced: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, hint, line=line)
        self.unplaced = unplaced


class OverBudget(ModelError):
    """A call was not made: it would break a budget, or that cannot be told."""

    kind = "budget"


class NeedsAnswer(BluebearError):
    """The model has to know something of the user first; the next question answers it."""

    kind = "question"


class Blocked(BluebearError):
    """The guard refuses the code."""

    kind = "blocked"


class NeedsApproval(BluebearError):
    """The policy asks a person first; ``findings`` say what the code would write, and where."""

    kind = "approval"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        line: int | None = None,
        findings: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(message, hint, line=line)
        self.findings = findings


class GaveUp(BluebearError):
    """No attempt gave code that works."""

    kind = "gave_up"


class RunFailed(BluebearError):
    """The code failed on the data it ran on."""

    kind = "run_failed"


class BackendError(BluebearError):
    """The backend failed for reasons of its own."""

    kind = "backend"


class NotConfigured(BackendError):
    """The backend exists but lacks settings."""

    kind = "not_configured"


class Cancelled(KeyboardInterrupt):
    """The user interrupted; the work was cancelled. A KeyboardInterrupt, so queued cells stop."""

    def _render_traceback_(self) -> list[str]:
        """One line: where the interrupt arrived tells nobody anything."""
        return [f"{type(self).__name__}: {self}"]
