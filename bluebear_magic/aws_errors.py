"""What went wrong with AWS, in plain words.

``diagnose`` gives one sentence and the command that mends it for every error that boto3, its
HTTP library or the service can raise.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bluebear_magic.errors import BluebearError, ModelError

# What went wrong, for code that acts on it; people read the message.
Reason = Literal[
    "credentials", "expired", "denied", "no_model_access", "unknown_model", "needs_profile",
    "no_tools", "no_streaming", "no_caching", "too_long", "invalid", "throttled", "daily_quota",
    "unavailable", "hang", "unreachable", "cut", "region", "old_boto3", "other",
]  # fmt: skip

PASSING: frozenset[Reason] = frozenset({"throttled", "unavailable"})  # waiting helps
_LONGEST_RETRY_AFTER = 60.0  # seconds that a service may ask for


@dataclass(frozen=True)
class Call:
    """What was asked, for the words of an error. ``seconds``: the read timeout.

    ``action`` (of IAM), ``resource``, and the ``owner`` that a bucket was said to have: of
    requests for data.
    """

    service: str
    region: str
    model: str = ""
    seconds: float = 0.0
    action: str = ""
    resource: str = ""
    owner: str = ""

    @property
    def name(self) -> str:
        """The service as people call it."""
        if self.service.startswith("bedrock"):
            return "Bedrock"
        return {"s3": "S3", "glue": "Glue"}.get(self.service, self.service)


@dataclass(frozen=True)
class Trouble:
    """What went wrong, in one sentence, and what to do. ``retry_after``: seconds, where told."""

    reason: Reason
    message: str
    hint: str = ""
    retry_after: float = 0.0

    def error(self, kind: type[BluebearError] = ModelError) -> BluebearError:
        """As an exception; raise it ``from`` the error it was made of."""
        return kind(self.message, self.hint)


def failures() -> tuple[type[Exception], ...]:
    """What a call to AWS can raise: of boto3, of the HTTP library, of the network."""
    from botocore.eventstream import ParserError
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    return (BotoCoreError, ClientError, HTTPError, ParserError, OSError)


def reached(error: BaseException) -> bool:
    """Whether the request of a call that failed may have come to the service."""
    import botocore.exceptions as boto

    before = (
        boto.NoCredentialsError, boto.PartialCredentialsError, boto.NoRegionError,
        boto.ParamValidationError, boto.EndpointConnectionError, boto.ProxyConnectionError,
        boto.ConnectTimeoutError, boto.SSLError, *_expiring(),
    )  # fmt: skip
    return not isinstance(error, before)


def unanswered(error: BaseException) -> bool:
    """Whether it may have come there and no answer came back: then it may be paid for."""
    from botocore.exceptions import ClientError

    return reached(error) and not isinstance(error, ClientError)


def diagnose(error: BaseException, call: Call) -> Trouble:
    """The error of a call in words; ``other`` with its own text where it is not known."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return _of_service(error.response, call)
    return _of_client(error, call)


def _of_service(response: Mapping[str, Any], call: Call) -> Trouble:
    """What the service answered."""
    code = str(response.get("Error", {}).get("Code", ""))
    said = str(response.get("Error", {}).get("Message", "")).replace("\u2019", "'").strip()
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    name = code[:1].upper() + code[1:].removesuffix("Exception").removesuffix("Error")
    where = f"in {call.region}" if call.region else "there"
    if name in _EXPIRED or ("expired" in said and status in {400, 401, 403}):
        return _expired()
    if name in _BAD_KEYS:
        hint = "check AWS_PROFILE and the clock, then run: aws sts get-caller-identity"
        return Trouble("credentials", f"AWS does not accept these credentials ({said})", hint)
    if "prompt caching" in said:  # comes as a denial
        return Trouble("no_caching", f"{call.model or 'the model'} caches no prompts")
    if name in {"AccessDenied", "UnauthorizedOperation", "Forbidden"} or status == 403:
        return _denied(said, call)
    if name in _THROTTLED or status == 429:
        return _throttled(name, said, response, call)
    if name == "ServiceQuotaExceeded":
        return _quota(said)
    if name in {"Validation", "ResourceNotFound", "ModelError"} and (found := _model(said, call)):
        return found
    if name == "ResourceNotFound" or status == 404:
        return Trouble(
            "unknown_model", f"{call.name} {where} does not find it: {said}", _list_models(call)
        )
    if name in _UNAVAILABLE or status >= 500:
        return Trouble(
            "unavailable", f"{call.name} {where} cannot answer now ({_short(name, said)})",
            "try again later; https://health.aws.amazon.com/ tells of outages",
            _retry_after(response),
        )  # fmt: skip
    if name in {"ModelStream", "Model"}:
        return Trouble("cut", f"the model broke off its answer: {said}", "ask again")
    if name == "Validation":
        return Trouble("invalid", f"{call.name} refuses the request: {said}")
    return Trouble("other", f"{call.name} answered {code or status}: {said}")


_EXPIRED = {"ExpiredToken", "TokenRefreshRequired", "RequestExpired", "ExpiredTokenException"}
_BAD_KEYS = {
    "UnrecognizedClient", "InvalidClientTokenId", "InvalidSignature", "SignatureDoesNotMatch",
    "InvalidAccessKeyId", "IncompleteSignature", "MissingAuthenticationToken", "AuthFailure",
    "RequestTimeTooSkewed", "NotAuthorized",
}  # fmt: skip
_THROTTLED = {
    "Throttling", "ThrottledException", "TooManyRequests", "RequestLimitExceeded",
    "ModelNotReady", "SlowDown", "Throttled",
}  # fmt: skip
_UNAVAILABLE = {"ServiceUnavailable", "InternalServer", "InternalFailure", "ModelTimeout"}


def _expired() -> Trouble:
    profile = os.environ.get("AWS_PROFILE", "")
    more = f" --profile {profile}" if profile else ""
    return Trouble(
        "expired",
        "the AWS credentials have expired",
        f"run: aws sso login{more}   (or renew them the way you got them), then run the cell again",
    )


def _denied(said: str, call: Call) -> Trouble:
    match = re.search(
        r"not authorized to perform:? ([\w-]+:\w+)(?: on resource:? (\S+))?.*?(explicit deny)?",
        said,
    )
    if match:
        action, resource = match[1], match[2] or "the resource"
        if "explicit deny" in said:
            hint = f"a policy denies {action} expressly: ask whoever administers the account"
        else:
            hint = f"let the role do {action} on {resource.rstrip('.')} (IAM, or ask its owner)"
        return Trouble("denied", f"this role may not do {action}", hint)
    if "access to the model" in said or "marketplace" in said.lower():
        return _no_model_access(call)
    return Trouble(
        "denied", f"{call.name} denies the request: {said}",
        "check the role's policy: aws sts get-caller-identity says which role it is",
    )  # fmt: skip


def _no_model_access(call: Call) -> Trouble:
    region = call.region or "us-east-1"
    page = f"https://{region}.console.aws.amazon.com/bedrock/home?region={region}#/model-catalog"
    return Trouble(
        "no_model_access",
        f"this account has no access to {call.model or 'the model'} in {region}",
        f"open the model at {page} and ask for access, or name another model with --model",
    )


def _throttled(name: str, said: str, response: Mapping[str, Any], call: Call) -> Trouble:
    if "per day" in said:
        return Trouble(
            "daily_quota",
            f"the account's daily tokens for {call.model or 'the model'} are used up",
            "use another model, wait for tomorrow, or ask for more: "
            f"https://{call.region}.console.aws.amazon.com/servicequotas/home/services/bedrock/quotas",
        )
    what = "is not ready yet" if name == "ModelNotReady" else "is asked too often"
    return Trouble(
        "throttled", f"{call.name} {what} ({said.rstrip('.')})",
        "wait a minute, or use another model or an inference profile across regions",
        _retry_after(response),
    )  # fmt: skip


def _quota(said: str) -> Trouble:
    return Trouble(
        "daily_quota", f"a quota of the account is reached: {said}", "see Service Quotas"
    )


def _model(said: str, call: Call) -> Trouble | None:
    """What Bedrock says of a model that it will not call like this."""
    low, model = said.lower(), call.model or "the model"
    where = f"in {call.region}" if call.region else "there"
    if "on-demand throughput" in low:
        return Trouble(
            "needs_profile", f"{model} can only be called through an inference profile",
            _list_models(call),
        )  # fmt: skip
    if "model identifier is invalid" in low or "could not resolve the foundation model" in low:
        return Trouble(
            "unknown_model", f"Bedrock {where} knows no model {model}", _list_models(call)
        )
    if "end of its life" in low or "legacy" in low:
        return Trouble("unknown_model", f"{model} is no longer offered", _list_models(call))
    if "use case details" in low:
        return _no_model_access(call)
    if "tool use" in low and "support" in low:
        return Trouble("no_tools", f"{model} takes no tools")
    if "streaming" in low and "support" in low:
        return Trouble("no_streaming", f"{model} cannot stream", "name another model with --model")
    if "too long" in low or "maximum context" in low or "too many input tokens" in low:
        return Trouble(
            "too_long", f"the question with its schemas is too long for {model}",
            "name the datasets that are meant with --data",
        )  # fmt: skip
    return None


def _list_models(call: Call) -> str:
    region = f" --region {call.region}" if call.region else ""
    return (
        f"see what there is: aws bedrock list-inference-profiles{region}   "
        "(another region: %config Bluebear.aws_region = '...')"
    )


def _retry_after(response: Mapping[str, Any]) -> float:
    text = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", "")
    return min(float(text), _LONGEST_RETRY_AFTER) if str(text).isdecimal() else 0.0


def _short(name: str, said: str) -> str:
    return said.rstrip(".") or name


def _of_client(error: BaseException, call: Call) -> Trouble:
    """What boto3, or the HTTP library below it, says before or without an answer."""
    import botocore.exceptions as boto
    import urllib3.exceptions as http
    from botocore.eventstream import ParserError

    if isinstance(error, boto.NoCredentialsError | boto.PartialCredentialsError):
        return Trouble(
            "credentials", "there are no AWS credentials",
            "run: aws configure sso   (or set AWS_PROFILE; in SageMaker Studio the space's "
            "execution role gives them)",
        )  # fmt: skip
    if isinstance(error, boto.ProfileNotFound):
        return Trouble("credentials", str(error), "see what there is: aws configure list-profiles")
    if isinstance(error, _expiring()):
        return _expired()
    if isinstance(error, boto.NoRegionError):
        return Trouble(
            "region", "no AWS region is set",
            "run: aws configure set region us-east-1   "
            "(or %config Bluebear.aws_region = 'us-east-1')",
        )  # fmt: skip
    if isinstance(error, boto.UnknownServiceError | boto.UnknownParameterError):
        return Trouble(
            "old_boto3", f"this boto3 does not know it: {error}", "run: pip install --upgrade boto3"
        )
    if isinstance(error, boto.ConnectTimeoutError | boto.ReadTimeoutError | http.ReadTimeoutError):
        return _hang(error, call)
    if isinstance(error, boto.SSLError):
        return Trouble(
            "unreachable", f"the connection to {call.name} is not trusted ({error})",
            "behind a proxy that opens TLS, set AWS_CA_BUNDLE to its certificates",
        )  # fmt: skip
    if isinstance(error, boto.ConnectionClosedError):
        return Trouble("unavailable", f"{call.name} closed the connection", "try again")
    if isinstance(
        error, http.HTTPError | ParserError | boto.HTTPClientError | boto.ConnectionError | OSError
    ):
        return _network(error, call)
    if isinstance(error, boto.ParamValidationError):
        return Trouble("invalid", f"{call.name} cannot take this: {str(error).splitlines()[-1]}")
    return Trouble("other", f"{call.name}: {error}")


def _expiring() -> tuple[type[BaseException], ...]:
    """Errors of a chain whose login has run out; older versions have not all of them."""
    import botocore.exceptions as boto

    names = (
        "SSOTokenLoadError", "UnauthorizedSSOTokenError", "SSOError", "TokenRetrievalError",
        "CredentialRetrievalError", "RefreshWithMFAUnsupportedError", "LoginError",
        "LoginRefreshRequired", "LoginTokenLoadError", "LoginAuthorizationCodeError",
    )  # fmt: skip
    return tuple(kind for name in names if (kind := getattr(boto, name, None)))


def _hang(error: BaseException, call: Call) -> Trouble:
    import botocore.exceptions as boto

    if isinstance(error, boto.ConnectTimeoutError):
        return Trouble(
            "hang", f"{call.name} in {call.region} cannot be reached: no connection in time",
            _network_hint(call),
        )  # fmt: skip
    return Trouble(
        "hang", f"{call.name} was silent for {call.seconds:g} s and was given up",
        "ask again; if it happens often, use a faster model",
    )  # fmt: skip


def _network(error: BaseException, call: Call) -> Trouble:
    import botocore.exceptions as boto

    if isinstance(error, boto.EndpointConnectionError | boto.ProxyConnectionError):
        if not _has_region(call):
            return Trouble(
                "region", f"there is no {call.name} in the region {call.region}",
                "choose another: %config Bluebear.aws_region = 'us-east-1'",
            )  # fmt: skip
        return Trouble(
            "unreachable", f"{call.name} in {call.region} cannot be reached", _network_hint(call)
        )
    return Trouble("cut", f"the connection to {call.name} was lost", "ask again")


def _has_region(call: Call) -> bool:
    """Whether the installed botocore lists the service in the region, or lists none at all."""
    import botocore.session

    service = "bedrock" if call.service.startswith("bedrock") else call.service
    known = botocore.session.get_session().get_available_regions(service)
    return not known or call.region in known


def _network_hint(call: Call) -> str:
    return (
        "check the network or HTTPS_PROXY; a VPC without internet needs the interface endpoint "
        f"com.amazonaws.{call.region}.{call.service}"
    )
