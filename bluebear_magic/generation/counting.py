"""How many tokens a request has by Bedrock's own count, which costs nothing and asks no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bluebear_magic.aws import Aws
from bluebear_magic.generation import model_ids

_PARTS = ("messages", "system", "toolConfig")


def can(aws: Aws) -> bool:
    """Whether the installed boto3 lets all parts of a request be counted."""
    return all(
        aws.member("bedrock-runtime", "CountTokens", "input", "converse", part) for part in _PARTS
    )


def count(aws: Aws, model: str, request: Mapping[str, Any]) -> int:
    """The input tokens of a request for Converse. Raises what boto3 raises, ``ConfigError``.

    Bedrock counts by the foundation model: it refuses the ids of inference profiles.
    """
    converse = {part: _without_points(request[part]) for part in _PARTS if part in request}
    answer = aws.client("bedrock-runtime").count_tokens(
        modelId=model_ids.bare(model), input={"converse": converse}
    )
    return int(answer["inputTokens"])


def _without_points(value: Any) -> Any:
    """Without cache points: they are no tokens, and not every model takes them."""
    if isinstance(value, list):
        return [
            _without_points(item)
            for item in value
            if not (isinstance(item, dict) and "cachePoint" in item)
        ]
    if isinstance(value, dict) and "content" in value:
        return {**value, "content": _without_points(value["content"])}
    return value
