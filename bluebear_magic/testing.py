"""Real stand-ins for the seams, for tests of the project and of those who extend it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bluebear_magic.errors import ModelError
from bluebear_magic.records import Checked, Conversation, Draft


@dataclass
class ScriptedModel:
    """Gives the drafts it was made with, one after the other; keeps what it was asked.

    Strings stand for drafts without explanation. Raises ``ModelError`` when none is left.
    """

    drafts: Sequence[Draft | str]
    name: str = "scripted"
    conversations: list[Conversation] = field(default_factory=list)

    def generate(self, conversation: Conversation, on_delta: Callable[[str], None]) -> Draft:
        """The next draft of the script."""
        position = len(self.conversations)
        self.conversations.append(conversation)
        if position >= len(self.drafts):
            raise ModelError("the script has no draft left")
        draft = self.drafts[position]
        draft = Draft(draft) if isinstance(draft, str) else draft
        on_delta(draft.code)
        return draft


@dataclass
class RecordingReporter:
    """Keeps what it was told."""

    steps: list[str] = field(default_factory=list)
    attempts: list[tuple[int, Draft, Checked]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    def progress(self, text: str) -> None:
        """Keeps a step."""
        self.steps.append(text)

    def writing(self, text: str) -> None:
        """Keeps a piece."""
        self.written.append(text)

    def attempt(self, number: int, draft: Draft, checked: Checked) -> None:
        """Keeps a failed attempt."""
        self.attempts.append((number, draft, checked))

    def warn(self, text: str) -> None:
        """Keeps a warning."""
        self.warnings.append(text)
