"""What an account may use, and which requests Bedrock refuses before any model sees them."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from tests.aws.shapes import Invalid

_ACCOUNT = "123456789012"
_MOST_CACHE_POINTS = 4


@dataclass(frozen=True)
class FoundationModel:
    """``on_demand``: may be called by its own id. ``granted``: this account may use it."""

    id: str
    on_demand: bool = False
    granted: bool = True
    tools: bool = True
    caching: bool = True


@dataclass(frozen=True)
class Profile:
    """An inference profile; ``kind`` ``APPLICATION`` for one that the account made itself."""

    id: str
    model: str
    kind: str = "SYSTEM_DEFINED"

    def arn(self, region: str) -> str:
        """Its ARN in a region."""
        what = (
            "inference-profile"
            if self.kind == "SYSTEM_DEFINED"
            else "application-inference-profile"
        )
        return f"arn:aws:bedrock:{region}:{_ACCOUNT}:{what}/{self.id}"


SONNET = FoundationModel("anthropic.claude-sonnet-5")
HAIKU = FoundationModel("anthropic.claude-haiku-4-5-20251001-v1:0")
NOVA = FoundationModel("amazon.nova-2-lite-v1:0", on_demand=True)


@dataclass(frozen=True)
class Account:
    """The models and profiles of an account in a region.

    ``open``: any well-formed id answers, as if every model were there.
    """

    models: tuple[FoundationModel, ...] = (SONNET, HAIKU, NOVA)
    profiles: tuple[Profile, ...] = (
        Profile("us.anthropic.claude-sonnet-5", SONNET.id),
        Profile("global.anthropic.claude-sonnet-5", SONNET.id),
        Profile("us.anthropic.claude-haiku-4-5-20251001-v1:0", HAIKU.id),
        Profile("us.amazon.nova-2-lite-v1:0", NOVA.id),
    )
    region: str = "us-east-1"
    open: bool = False
    listing: bool = True  # whether IAM lets it list profiles and models

    def find(self, model_id: str) -> FoundationModel:
        """The model behind an id, a profile's id or an ARN. Raises ``Invalid``."""
        by_id = {model.id: model for model in self.models}
        model_id = model_id.removeprefix(self.model_arn(""))
        for profile in self.profiles:
            if model_id in {profile.id, profile.arn(self.region)}:
                return by_id[profile.model]
        if model_id in by_id:
            if not by_id[model_id].on_demand:
                raise Invalid(
                    f"Invocation of model ID {model_id} with on-demand throughput isn\u2019t "
                    "supported. Retry your request with the ID or ARN of an inference profile "
                    "that contains this model."
                )
            return by_id[model_id]
        if self.open:
            return FoundationModel(model_id, on_demand=True)
        raise Invalid("The provided model identifier is invalid.")

    def check_countable(self, model_id: str) -> None:
        """Tokens are counted by foundation models alone. Raises ``Invalid``."""
        if not self.open and model_id not in {model.id for model in self.models}:
            raise Invalid("The provided model doesn't support counting tokens.")

    def profile_summaries(self) -> list[dict[str, Any]]:
        """As ``ListInferenceProfiles`` gives them."""
        made = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
        return [
            {
                "inferenceProfileName": profile.id.replace(".", " ").replace(":", " "),
                "inferenceProfileId": profile.id,
                "inferenceProfileArn": profile.arn(self.region),
                "models": [{"modelArn": self.model_arn(profile.model)}],
                "status": "ACTIVE",
                "type": profile.kind,
                "createdAt": made,
                "updatedAt": made,
            }
            for profile in self.profiles
        ]

    def model_summaries(self) -> list[dict[str, Any]]:
        """As ``ListFoundationModels`` gives them."""
        return [
            {
                "modelArn": self.model_arn(model.id),
                "modelId": model.id,
                "modelName": model.id.partition(".")[2][:20],
                "providerName": model.id.partition(".")[0],
                "inputModalities": ["TEXT"],
                "outputModalities": ["TEXT"],
                "responseStreamingSupported": True,
                "inferenceTypesSupported": ["ON_DEMAND"] if model.on_demand else [],
                "modelLifecycle": {"status": "ACTIVE"},
            }
            for model in self.models
        ]

    def availability(self, model_id: str) -> dict[str, Any]:
        """As ``GetFoundationModelAvailability`` gives it. Raises ``Invalid``."""
        for model in self.models:
            if model.id == model_id:
                return {
                    "modelId": model_id,
                    "agreementAvailability": {
                        "status": "AVAILABLE" if model.granted else "NOT_AVAILABLE"
                    },
                    "authorizationStatus": "AUTHORIZED" if model.granted else "NOT_AUTHORIZED",
                    "entitlementAvailability": "AVAILABLE" if model.granted else "NOT_AVAILABLE",
                    "regionAvailability": "AVAILABLE",
                }
        raise Invalid("The provided model identifier is invalid.")

    def model_arn(self, model_id: str) -> str:
        """The ARN of a foundation model, which belongs to no account."""
        return f"arn:aws:bedrock:{self.region}::foundation-model/{model_id}"


def check_messages(params: dict[str, Any], model: FoundationModel) -> None:
    """What Bedrock asks of a conversation beyond its types. Raises ``Invalid``."""
    messages = params.get("messages", [])
    if not messages:
        raise Invalid("The messages field is required.")
    if messages[0]["role"] != "user" or messages[-1]["role"] != "user":
        raise Invalid("A conversation must start and end with a user message.")
    waiting: set[str] = set()
    for before, message in zip([None, *messages], messages, strict=False):
        if before and before["role"] == message["role"]:
            raise Invalid("A conversation must alternate between user and assistant roles.")
        waiting = _check_blocks(message, waiting, params)
    if "toolConfig" in params and not model.tools:
        raise Invalid("This model doesn't support tool use in streaming mode.")
    points = sum("cachePoint" in block for block in _blocks(params))
    if points and not model.caching:
        raise Invalid(
            "You invoked an unsupported model or your request did not allow prompt caching.",
            "AccessDeniedException",
            403,
        )
    if points > _MOST_CACHE_POINTS:
        raise Invalid(f"A maximum of 4 blocks with cache_control may be provided. Found {points}.")


def _check_blocks(message: dict[str, Any], waiting: set[str], params: dict[str, Any]) -> set[str]:
    """The tool calls of a message, which the next one must answer."""
    content = message["content"]
    if not content:
        raise Invalid("The content field in the Message object is empty.")
    answered = {b["toolResult"]["toolUseId"] for b in content if "toolResult" in b}
    if message["role"] == "user" and answered != waiting:
        raise Invalid(
            "The number of toolResult blocks at messages exceeds or falls short of the number of "
            f"toolUse blocks of previous turn: expected {sorted(waiting)}, got {sorted(answered)}."
        )
    for block in content:
        if "text" in block and not block["text"].strip():
            raise Invalid("The text field in the ContentBlock object is blank.")
    called = {b["toolUse"]["toolUseId"] for b in content if "toolUse" in b}
    if (called or answered) and "toolConfig" not in params:
        raise Invalid(
            "The toolConfig field must be defined when using toolUse and toolResult content blocks."
        )
    return called


def _blocks(params: dict[str, Any]) -> list[dict[str, Any]]:
    tools = params.get("toolConfig", {}).get("tools", [])
    inside = [block for message in params["messages"] for block in message["content"]]
    return [*params.get("system", []), *tools, *inside]
