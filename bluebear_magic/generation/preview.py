"""A request as a person reads it before it is sent: every text in it as it stands. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bluebear_magic.generation.prompts import tokens


def request_text(request: Mapping[str, Any]) -> str:
    """Everything in a request of ``Converse``, part by part, texts word for word."""
    return "\n".join(_lines(request))


def request_tokens(request: Mapping[str, Any]) -> int:
    """About as many tokens as Bedrock would count; an estimate, for counting would be sending."""
    texts = [text for kind, text in _parts(request) if kind != "settings"]
    return tokens("\n".join(texts))


def _lines(request: Mapping[str, Any]) -> Iterator[str]:
    for kind, text in _parts(request):
        yield f"--- {kind}"
        yield text


def _parts(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for block in request.get("system", ()):
        yield _part("system", block)
    for message in request.get("messages", ()):
        for block in message["content"]:
            yield _part(message["role"], block)
    for name, value in request.items():
        if name not in {"system", "messages"}:
            kind = "tools" if name == "toolConfig" else "settings"
            yield kind, json.dumps({name: value}, ensure_ascii=False, default=str)


def _part(role: str, block: Mapping[str, Any]) -> tuple[str, str]:
    if set(block) == {"text"}:
        return role, str(block["text"])
    if "cachePoint" in block:
        return "settings", json.dumps(block)
    return role, json.dumps(block, ensure_ascii=False, default=str)
