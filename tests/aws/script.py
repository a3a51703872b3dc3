"""What the stand-in does with a request: one of these, in the order of a script."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Block = Mapping[str, Any]


def tool_call(arguments: Mapping[str, Any] | str, *, name: str = "draft", use: str = "t1") -> Block:
    """A call of a tool; arguments as text go out as they stand, broken JSON included."""
    return {"toolUse": {"toolUseId": f"tooluse_{use}", "name": name, "input": arguments}}


@dataclass(frozen=True)
class Reply:
    """A whole answer: text, or content blocks as ``Converse`` has them.

    ``pause``: seconds before each event of a stream; ``piece``: characters in one delta.
    """

    content: str | Sequence[Block]
    stop: str = ""
    pause: float = 0.0
    piece: int = 24
    usage: Mapping[str, int] = field(default_factory=dict)

    @property
    def blocks(self) -> list[Block]:
        """The content blocks."""
        return [{"text": self.content}] if isinstance(self.content, str) else list(self.content)

    @property
    def stop_reason(self) -> str:
        """Why it stops; by its blocks where the script does not say."""
        called = any("toolUse" in block for block in self.blocks)
        return self.stop or ("tool_use" if called else "end_turn")

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """The events of its stream up to ``messageStop``."""
        found: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": "assistant"})]
        for index, block in enumerate(self.blocks):
            if "toolUse" in block:
                use = {key: block["toolUse"][key] for key in ("toolUseId", "name")}
                start = {"start": {"toolUse": use}, "contentBlockIndex": index}
                found.append(("contentBlockStart", start))
            found += [
                ("contentBlockDelta", {"delta": delta, "contentBlockIndex": index})
                for delta in self._deltas(block)
            ]
            found.append(("contentBlockStop", {"contentBlockIndex": index}))
        found.append(("messageStop", {"stopReason": self.stop_reason}))
        return found

    def _deltas(self, block: Block) -> list[dict[str, Any]]:
        if "text" in block:
            return [{"text": piece} for piece in self._pieces(block["text"])]
        if "toolUse" in block:
            raw = block["toolUse"]["input"]
            text = raw if isinstance(raw, str) else json.dumps(raw)
            return [{"toolUse": {"input": piece}} for piece in ["", *self._pieces(text)]]
        reasoning = block["reasoningContent"]
        if "redactedContent" in reasoning:
            return [{"reasoningContent": {"redactedContent": reasoning["redactedContent"]}}]
        said = reasoning["reasoningText"]
        deltas = [{"reasoningContent": {"text": piece}} for piece in self._pieces(said["text"])]
        if "signature" in said:
            deltas.append({"reasoningContent": {"signature": said["signature"]}})
        return deltas

    def _pieces(self, text: str) -> list[str]:
        return [text[at : at + self.piece] for at in range(0, len(text), self.piece)]


@dataclass(frozen=True)
class Refuse:
    """An error instead of an answer: its code, message and HTTP status."""

    code: str
    message: str
    status: int = 400
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Break:
    """An error that the service knows inside the stream, after so many events of ``reply``."""

    kind: str
    message: str = "The system encountered an unexpected error during processing."
    reply: Reply = field(default_factory=lambda: Reply("result = spark.table("))
    after: int = 3


@dataclass(frozen=True)
class Cut:
    """The connection is lost in the middle of the frame after so many events of ``reply``.

    ``politely``: the body ends as if it were whole; else the connection is reset.
    """

    reply: Reply = field(default_factory=lambda: Reply("result = spark.table(" * 4))
    after: int = 3
    politely: bool = False


@dataclass(frozen=True)
class Hang:
    """Silence for so many seconds, after so many events of ``reply``; 0 is before the headers."""

    seconds: float = 30.0
    reply: Reply = field(default_factory=lambda: Reply("result = spark.table(" * 4))
    after: int = 0


@dataclass(frozen=True)
class Intervene:
    """A guardrail steps in and says this instead of the model."""

    said: str = "Sorry, I cannot answer this."
    policy: str = "salaries"


Behaviour = Reply | Refuse | Break | Cut | Hang | Intervene


def throttled(message: str = "Too many requests, please wait before trying again.") -> Refuse:
    """Bedrock is asked too often."""
    return Refuse("ThrottlingException", message, 429)


def expired() -> Refuse:
    """The session's credentials have run out."""
    return Refuse(
        "ExpiredTokenException", "The security token included in the request is expired", 403
    )


def no_model_access() -> Refuse:
    """The account was not given this model."""
    return Refuse(
        "AccessDeniedException",
        "You don't have access to the model with the specified model ID.",
        403,
    )


def access_denied(action: str = "bedrock:InvokeModelWithResponseStream") -> Refuse:
    """IAM says no."""
    return Refuse(
        "AccessDeniedException",
        "User: arn:aws:sts::123456789012:assumed-role/Studio/me is not authorized to perform: "
        f"{action} on resource: arn:aws:bedrock:us-east-1::foundation-model/"
        f"anthropic.claude-sonnet-5 because no identity-based policy allows the {action} action",
        403,
    )
