"""What a model answers through Bedrock's Converse API: its stream as a whole reply, and the draft
in that. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bluebear_magic.generation.code_text import is_code, parses
from bluebear_magic.generation.drafts import TOOL, draft_of, loads
from bluebear_magic.generation.extract import Extracted, Reason, extract, finished
from bluebear_magic.generation.partial import CodeTap

Block = Mapping[str, Any]


@dataclass
class Reply:
    """A whole answer, put together from its stream.

    ``blocks``: as they go back to the model. ``calls``: the raw arguments of each call of the tool.
    """

    blocks: list[dict[str, Any]] = field(default_factory=list)
    stop: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    trace: Mapping[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether it came to its end: ``messageStop`` was there."""
        return bool(self.stop)

    @property
    def text(self) -> str:
        """All text outside of tools and reasoning."""
        return "\n".join(block["text"] for block in self.blocks if "text" in block)


def verdict(reply: Reply) -> Extracted:
    """The draft in a whole reply, or why there is none: from the arguments of the first call that
    holds one, else from its text.
    """
    if reply.stop == "max_tokens":
        return Extracted(None, "cut")
    reason: Reason = ""
    for arguments in reply.calls:
        found = _called(arguments)
        if found.draft is not None:
            return found
        reason = reason or found.reason
    found = extract(reply.text)
    return found if found.draft is not None or not reason else Extracted(None, reason)


def _called(arguments: str) -> Extracted:
    """The draft in the arguments of a call: as JSON, else in what they quote."""
    draft = draft_of(loads(arguments))
    if draft is not None:
        draft = finished(draft)
        if draft.questions or parses(draft.code) or is_code(draft.code):
            return Extracted(draft)
    found = extract(arguments)
    return found if found.draft else Extracted(None, "prose" if draft is not None else "broken")


class Assembler:
    """Takes the events of a stream; ``on_delta`` gets text, and code while it is written.

    ``begun``: the service has taken the request.
    """

    def __init__(self, on_delta: Callable[[str], None]) -> None:
        self.reply = Reply()
        self.begun = False
        self._on_delta = on_delta
        self._open: dict[int, dict[str, Any]] = {}
        self._taps: dict[int, CodeTap] = {}

    def take(self, event: Mapping[str, Any]) -> None:
        """One event; those that are not known are passed over."""
        for kind, value in event.items():
            if kind == "contentBlockStart":
                self._start(value)
            elif kind == "contentBlockDelta":
                self._delta(value["contentBlockIndex"], value["delta"])
            elif kind == "messageStop":
                self.reply.stop = value["stopReason"]
            elif kind == "metadata":
                self.reply.usage = value.get("usage", {})
                self.reply.trace = value.get("trace", {})

    def finish(self) -> Reply:
        """The reply so far, its blocks in the order of their numbers."""
        for _, block in sorted(self._open.items()):
            self.reply.blocks += self._whole(block)
        self._open = {}
        return self.reply

    def _start(self, value: Mapping[str, Any]) -> None:
        use = value["start"].get("toolUse")
        if use:
            self._open[value["contentBlockIndex"]] = {"use": use, "input": []}
            self._taps[value["contentBlockIndex"]] = CodeTap()

    def _delta(self, index: int, delta: Mapping[str, Any]) -> None:
        block = self._open.setdefault(index, {})
        if "text" in delta:
            block.setdefault("text", []).append(delta["text"])
            self._on_delta(delta["text"])
        elif "toolUse" in delta:
            piece = delta["toolUse"].get("input", "")
            block.setdefault("input", []).append(piece)
            if index in self._taps and (code := self._taps[index].feed(piece)):
                self._on_delta(code)
        elif "reasoningContent" in delta:
            for part, piece in delta["reasoningContent"].items():
                block.setdefault(part if part != "text" else "thought", []).append(piece)

    def _whole(self, block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        if "use" in block:
            raw = "".join(block["input"])
            if block["use"]["name"] == TOOL:
                self.reply.calls.append(raw)
            yield {"toolUse": {**_named(block["use"]), "input": _input(raw)}}
        elif "redactedContent" in block:
            yield {"reasoningContent": {"redactedContent": b"".join(block["redactedContent"])}}
        elif "thought" in block or "signature" in block:
            said = {"text": "".join(block.get("thought", ()))}
            if "signature" in block:
                said["signature"] = "".join(block["signature"])
            yield {"reasoningContent": {"reasoningText": said}}
        elif "text" in block:
            yield {"text": "".join(block["text"])}


def _input(raw: str) -> dict[str, Any]:
    """The arguments as a value; as text in an object where they are no JSON, since the API takes
    only objects back.
    """
    try:
        value = json.loads(raw or "{}")
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"invalid_json": raw[:20_000]}


def events_of(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The events that a whole answer of ``Converse`` would have come in."""
    for index, block in enumerate(answer["output"]["message"]["content"]):
        for delta in _deltas_of(block):
            if "toolUse" in block:
                start = {"toolUse": _named(block["toolUse"])}
                yield {"contentBlockStart": {"start": start, "contentBlockIndex": index}}
            yield {"contentBlockDelta": {"delta": delta, "contentBlockIndex": index}}
    yield {"messageStop": {"stopReason": answer["stopReason"]}}
    yield {"metadata": {"usage": answer["usage"], "trace": answer.get("trace", {})}}


def _deltas_of(block: Block) -> list[dict[str, Any]]:
    if "toolUse" in block:
        return [{"toolUse": {"input": json.dumps(block["toolUse"]["input"])}}]
    if "reasoningContent" in block:
        said = block["reasoningContent"]
        return [{"reasoningContent": said.get("reasoningText", said)}]
    return [{"text": block["text"]}] if "text" in block else []


def _named(use: Mapping[str, Any]) -> dict[str, Any]:
    return {"toolUseId": use["toolUseId"], "name": use["name"]}


def guardrail_reasons(trace: Mapping[str, Any]) -> tuple[str, ...]:
    """What of a guardrail stepped in, as its trace tells: names of topics, filters, lists."""
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, Mapping):
            if str(value.get("action", "")) in {"BLOCKED", "ANONYMIZED"} or value.get("detected"):
                name = value.get("name") or value.get("type") or value.get("match")
                if isinstance(name, str) and name not in found:
                    found.append(name)
            for item in value.values():
                look(item)
        elif isinstance(value, list):
            for item in value:
                look(item)

    look(trace.get("guardrail", {}))
    return tuple(found[:5])
