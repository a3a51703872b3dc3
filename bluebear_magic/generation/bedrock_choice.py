"""Which model on Bedrock is asked: the default of an account, and the profile of a bare id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bluebear_magic.aws import Aws
from bluebear_magic.aws_errors import Call, Trouble, diagnose, failures
from bluebear_magic.errors import ModelError
from bluebear_magic.generation.model_ids import (
    InferenceProfile,
    known,
    label,
    likely_profiles,
    nearest,
    profiles_for,
)

_PAGES = 20


class Choice:
    """Asks Bedrock's control plane what there is; each answer is kept."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._profiles: tuple[InferenceProfile, ...] | None = None

    def default(self) -> Iterator[str]:
        """The ids that the account may use, in the order of the dated list.

        Raises ``ModelError`` where nothing can be listed.
        """
        profiles = self.profiles()
        on_demand = self._on_demand()
        for model in known().order:
            serving = profiles_for(model, profiles, self._aws.region)
            if (serving or model in on_demand) and self._may_use(model):
                yield serving[0].id if serving else model

    def profile_of(self, model: str) -> str:
        """The profile to call for a bare id. Raises ``ModelError`` that names what would work."""
        region = self._aws.region
        try:
            serving = profiles_for(model, self.profiles(), region)
        except ModelError as error:
            near = " or ".join(f"--model {name}" for name in likely_profiles(model, region))
            raise ModelError(
                f"{model} can only be called through an inference profile, and they cannot be "
                f"listed: {error.message}",
                f"try {near}",
            ) from error
        if serving:
            return serving[0].id
        raise ModelError(
            f"{model} needs an inference profile, and there is none for it in {region}",
            self._others(model),
        )

    def unknown(self, model: str, trouble: Trouble) -> ModelError:
        """The error for an id that Bedrock does not know, with those that were near."""
        try:
            near = nearest(model, self.profiles())
        except ModelError:
            near = ()
        hint = f"did you mean {' or '.join(near)}?" if near else trouble.hint
        return ModelError(trouble.message, hint)

    def profiles(self) -> tuple[InferenceProfile, ...]:
        """All inference profiles, those that the account made first."""
        if self._profiles is None:
            self._profiles = tuple(
                _profile(item)
                for kind in ("APPLICATION", "SYSTEM_DEFINED")
                for item in self._pages(kind)
            )
        return self._profiles

    def _pages(self, kind: str) -> Iterator[dict[str, Any]]:
        given: dict[str, Any] = {"typeEquals": kind, "maxResults": 1000}
        for _ in range(_PAGES):
            page = self._ask("list_inference_profiles", **given)
            yield from page["inferenceProfileSummaries"]
            if not page.get("nextToken"):
                return
            given["nextToken"] = page["nextToken"]

    def _on_demand(self) -> frozenset[str]:
        """Models that answer to their own id; none where they may not be listed."""
        try:
            listed = self._ask("list_foundation_models", byInferenceType="ON_DEMAND")
        except ModelError:
            return frozenset()
        return frozenset(
            item["modelId"]
            for item in listed["modelSummaries"]
            if "ON_DEMAND" in item.get("inferenceTypesSupported", ())
        )

    def _may_use(self, model: str) -> bool:
        """Whether the account was given the model; yes where that cannot be told beforehand."""
        if not self._aws.has("bedrock", "get_foundation_model_availability"):
            return True
        try:
            told = self._ask("get_foundation_model_availability", modelId=model)
        except ModelError:
            return True
        return bool(
            told["authorizationStatus"] == "AUTHORIZED"
            and told["regionAvailability"] == "AVAILABLE"
            and told["agreementAvailability"]["status"] in {"AVAILABLE", "PENDING"}
        )

    def _ask(self, operation: str, **given: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._aws.client("bedrock"), operation)(**given)
        except failures() as error:
            trouble = diagnose(error, Call("bedrock", self._aws.region))
            raise trouble.error(ModelError) from error
        return answer

    def _others(self, model: str) -> str:
        near = nearest(model, self.profiles()) or tuple(p.id for p in self.profiles()[:3])
        return "those there are: " + ", ".join(map(label, near)) if near else "name another model"


def _profile(item: dict[str, Any]) -> InferenceProfile:
    models = tuple(model["modelArn"].rpartition("/")[2] for model in item["models"])
    own = item["type"] == "APPLICATION"
    name = item["inferenceProfileArn"] if own else item["inferenceProfileId"]
    return InferenceProfile(name, item["inferenceProfileArn"], models)
