"""A conversation as Bedrock's Converse API takes it, and its stream as a whole answer. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bluebear_magic.generation import prompts
from bluebear_magic.generation.code_text import is_code, parses
from bluebear_magic.generation.drafts import SCHEMA, TOOL, draft_of, loads
from bluebear_magic.generation.extract import Extracted, Reason, extract, finished
from bluebear_magic.generation.partial import CodeTap
from bluebear_magic.records import Conversation, Draft, Turn

Block = Mapping[str, Any]
CACHE_POINT: Block = {"cachePoint": {"type": "default"}}


@dataclass(frozen=True)
class Features:
    """What a request may hold: by the model, by the installed boto3, by the user's settings.

    ``guardrail`` is (identifier, version). ``max_tokens``: of the answer.
    """

    tools: bool = True
    caching: bool = True
    reasoning: bool = True
    max_tokens: int = 8192
    guardrail: tuple[str, str] | None = None


def request(
    prompt: prompts.Prompt, conversation: Conversation, features: Features
) -> dict[str, Any]:
    """The request without its ``modelId``: the prompt, then each draft with what was wrong."""
    point = [CACHE_POINT] if features.caching else []
    first: list[Block] = [{"text": prompt.datasets}, *point]
    first += [{"text": text} for text in (prompt.examples, prompt.history) if text]
    first += [{"text": prompt.question}, *(point if conversation.turns else [])]
    messages: list[dict[str, Any]] = [{"role": "user", "content": first}]
    for number in range(1, len(conversation.turns) + 1):
        messages += _exchange(conversation.turns[:number], features)
    system = prompt.system if features.tools else prompts.without_tool(prompt.system)
    return framed(messages, [{"text": system}, *point], _tool(), features)


def framed(
    messages: Sequence[Mapping[str, Any]],
    system: Sequence[Block],
    tool: Mapping[str, Any],
    features: Features,
) -> dict[str, Any]:
    """A request without its ``modelId``, with what goes into every one."""
    found: dict[str, Any] = {
        "messages": list(messages),
        "system": list(system),
        "inferenceConfig": {"maxTokens": features.max_tokens},
    }
    if features.tools:
        found["toolConfig"] = {"tools": [tool]}
    if features.guardrail:
        identifier, version = features.guardrail
        found["guardrailConfig"] = {
            "guardrailIdentifier": identifier, "guardrailVersion": version, "trace": "enabled",
        }  # fmt: skip
    return found


def _tool() -> dict[str, Any]:
    return {
        "toolSpec": {
            "name": TOOL,
            "description": "Gives the cell of PySpark that answers the question.",
            "inputSchema": {"json": SCHEMA},
        }
    }


def _exchange(turns: Sequence[Turn], features: Features) -> list[dict[str, Any]]:
    """The last draft as the model gave it, and what the check says of it."""
    reply = turns[-1].draft.reply or _as_reply(turns[-1].draft, len(turns), features)
    if not features.tools:
        reply = tuple(block for block in reply if "toolUse" not in block) or ({"text": "(draft)"},)
    status = "success" if turns[-1].answers else "error"
    return [assistant(reply, features), answer(reply, prompts.repair(turns), status)]


def assistant(reply: Sequence[Block], features: Features) -> dict[str, Any]:
    """What the model said, as it came, reasoning included."""
    kept = [
        block
        for block in reply
        if (features.reasoning or "reasoningContent" not in block)
        and ("text" not in block or block["text"].strip())
    ]
    if all("reasoningContent" in block for block in kept):
        kept.append({"text": "(no answer)"})  # thoughts alone are no message
    return {"role": "assistant", "content": kept}


def answer(reply: Sequence[Block], text: str, status: str = "error") -> dict[str, Any]:
    """What goes back to a reply: as the result of each tool call, else as text."""
    calls = [block["toolUse"]["toolUseId"] for block in reply if "toolUse" in block]
    results: list[Block] = [
        {
            "toolResult": {
                "toolUseId": call,
                "content": [{"text": text if number == 0 else "See the other result."}],
                "status": status,
            }
        }
        for number, call in enumerate(calls)
    ]
    return {"role": "user", "content": results or [{"text": text}]}


def _as_reply(draft: Draft, number: int, features: Features) -> tuple[Block, ...]:
    """A draft of another model, as if this one had given it."""
    asked = {"questions": list(draft.questions)} if draft.questions else {}
    if not features.tools:
        told = "\n".join(draft.questions) if asked else f"```python\n{draft.code}\n```"
        return ({"text": told},)
    arguments = {"code": draft.code, "explanation": draft.explanation, **asked}
    return ({"toolUse": {"toolUseId": f"draft_{number}", "name": TOOL, "input": arguments}},)


# --- the stream -------------------------------------------------------------


@dataclass
class Reply:
    """A whole answer, put together from its stream.

    ``blocks``: as they go back to the model. ``arguments``: the raw text of the first call of
    the tool, None where there was none. ``complete``: ``messageStop`` came.
    """

    blocks: list[dict[str, Any]] = field(default_factory=list)
    stop: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    trace: Mapping[str, Any] = field(default_factory=dict)
    arguments: str | None = None
    broken: bool = False

    @property
    def complete(self) -> bool:
        """Whether it came to its end."""
        return bool(self.stop)

    @property
    def text(self) -> str:
        """All text outside of tools and reasoning."""
        return "\n".join(block["text"] for block in self.blocks if "text" in block)


def verdict(reply: Reply) -> Extracted:
    """The draft in a whole reply, or why there is none: from the tool's arguments, else from
    its text.
    """
    if reply.stop == "max_tokens":
        return Extracted(None, "cut")
    reason: Reason = ""
    if reply.arguments is not None:
        draft = draft_of(loads(reply.arguments))
        if draft is not None:
            draft = finished(draft)
            if draft.questions or parses(draft.code) or is_code(draft.code):
                return Extracted(draft)
        reason = "prose" if draft is not None else "broken"
        found = extract(reply.arguments)
        if found.draft is not None:
            return found
    found = extract(reply.text)
    return found if found.draft is not None or not reason else Extracted(None, reason)


class Assembler:
    """Takes the events of a stream; ``on_delta`` gets text, and code while it is written."""

    def __init__(self, on_delta: Callable[[str], None]) -> None:
        self.reply = Reply()
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
            if self.reply.arguments is None and block["use"]["name"] == TOOL:
                self.reply.arguments = raw
            yield {"toolUse": {**_named(block["use"]), "input": self._input(raw)}}
        elif "redactedContent" in block:
            yield {"reasoningContent": {"redactedContent": b"".join(block["redactedContent"])}}
        elif "thought" in block or "signature" in block:
            said = {"text": "".join(block.get("thought", ()))}
            if "signature" in block:
                said["signature"] = "".join(block["signature"])
            yield {"reasoningContent": {"reasoningText": said}}
        elif "text" in block:
            yield {"text": "".join(block["text"])}

    def _input(self, raw: str) -> Any:
        """The arguments as a value; as text in an object where they are no JSON, since the API
        takes only objects back.
        """
        try:
            value = json.loads(raw or "{}")
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            return value
        self.reply.broken = True
        return {"invalid_json": raw[:20_000]}


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
