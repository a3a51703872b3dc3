"""A conversation as Bedrock's Converse API takes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bluebear_magic.generation import prompts
from bluebear_magic.generation.drafts import SCHEMA, TOOL
from bluebear_magic.generation.replies import Block
from bluebear_magic.records import Conversation, Draft, Turn

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
