"""The only place that makes clients of AWS, and that says in plain words what went wrong there.

boto3 loads on first use. Credentials come by its default chain: nothing here reads or keeps a key.
``diagnose`` gives one sentence and the command that mends it for every error that boto3, its
HTTP library or the service can raise.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from bluebear_magic.errors import BluebearError, ConfigError, ModelError
from bluebear_magic.version import __version__

T = TypeVar("T")

# What went wrong, for code that acts on it; people read the message.
Reason = Literal[
    "credentials", "expired", "denied", "no_model_access", "unknown_model", "needs_profile",
    "no_tools", "no_streaming", "no_caching", "too_long", "invalid", "throttled", "daily_quota",
    "unavailable", "hang", "unreachable", "cut", "region", "old_boto3", "other",
]  # fmt: skip

PASSING: frozenset[Reason] = frozenset({"throttled", "unavailable"})  # waiting helps
_TOLD = frozenset({"bedrock-runtime"})  # services that are asked through ``patiently``
_LONGEST_WAIT = 30.0  # seconds
_LONGEST_RETRY_AFTER = 60.0  # seconds that a service may ask for


@dataclass(frozen=True)
class Call:
    """What was asked, for the words of an error. ``seconds``: the read timeout."""

    service: str
    region: str
    model: str = ""
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The service as people call it."""
        return "Bedrock" if self.service.startswith("bedrock") else self.service


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


class Aws:
    """Clients by service name, made on first use and kept.

    ``region`` empty: boto3's own choice (``AWS_REGION``, the profile). ``read_seconds``: the
    longest silence in an answer, ``connect_seconds``: the longest wait for a connection.
    ``session``: a boto3 session to use in place of a new one.
    """

    def __init__(
        self,
        region: str = "",
        *,
        connect_seconds: float = 10.0,
        read_seconds: float = 180.0,
        session: Any = None,
    ) -> None:
        self._asked_region = region
        self.connect_seconds = connect_seconds
        self.read_seconds = read_seconds
        self._session = session
        self._clients: dict[str, Any] = {}
        self._models: dict[str, Any] = {}  # boto3's descriptions of services

    def client(self, service: str) -> Any:
        """boto3's client.

        Raises ``ConfigError`` where boto3 is missing, or there is no region.
        """
        if service not in self._clients:
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError

            # adaptive holds requests back unseen: where ``patiently`` tells of each wait, once
            alone = service in _TOLD
            config = Config(
                connect_timeout=self.connect_seconds,
                read_timeout=self.read_seconds,
                retries={
                    "mode": "standard" if alone else "adaptive",
                    "total_max_attempts": 1 if alone else 3,
                },
                user_agent_extra=f"bluebear-magic/{__version__}",
                tcp_keepalive=True,
            )
            try:
                client = self.session.client(
                    service, region_name=self._asked_region or None, config=config
                )
            except BotoCoreError as error:
                raise diagnose(error, Call(service, self.region)).error(ConfigError) from error
            self._clients[service] = client
        return self._clients[service]

    @property
    def session(self) -> Any:
        """The boto3 session."""
        if self._session is None:
            try:
                import boto3
            except ImportError as error:
                raise ConfigError("boto3 is not installed", "run: pip install boto3") from error
            from botocore.exceptions import BotoCoreError

            try:
                self._session = boto3.Session()
            except BotoCoreError as error:
                raise diagnose(error, Call("AWS", "")).error(ConfigError) from error
        return self._session

    @property
    def region(self) -> str:
        """The region that is asked; empty where none is set."""
        return self._asked_region or self.session.region_name or ""

    def has(self, service: str, operation: str) -> bool:
        """Whether the installed boto3 knows the operation, by its name in Python."""
        return hasattr(self.client(service), operation)

    def member(self, service: str, operation: str, *path: str) -> bool:
        """Whether the installed boto3 lets a request hold what is at ``path`` (``ConverseStream``,
        ``system``, ``cachePoint``); lists are stepped into.
        """
        model = self._described(service)
        if operation not in model.operation_names:
            return False
        shape = model.operation_model(operation).input_shape
        for name in path:
            while shape.type_name == "list":
                shape = shape.member
            if name not in getattr(shape, "members", {}):
                return False
            shape = shape.members[name]
        return True

    def _described(self, service: str) -> Any:
        """What boto3 knows of a service; that needs neither a region nor credentials."""
        if service in self._clients:
            return self._clients[service].meta.service_model
        if service not in self._models:
            _ = self.session  # says so where boto3 is missing
            import botocore.session

            self._models[service] = botocore.session.get_session().get_service_model(service)
        return self._models[service]

    def forget(self) -> None:
        """Lets go of clients and credentials, so that the next call reads them anew."""
        for client in self._clients.values():
            client.close()
        self._clients, self._session = {}, None


def patiently(
    ask: Callable[[], T],
    call: Call,
    on_wait: Callable[[str], None],
    *,
    attempts: int = 6,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What ``ask`` gives, asked again where waiting helps; each wait is told to ``on_wait``.

    Waits double from about a second; what the service asks for (``Retry-After``) is kept.
    Raises the last error.
    """
    for number in range(1, attempts + 1):
        try:
            return ask()
        except failures() as error:
            trouble = diagnose(error, call)
            if trouble.reason not in PASSING or number == attempts:
                raise
            seconds = max(_wait(number), trouble.retry_after)
            on_wait(
                f"{trouble.message}; trying again in {seconds:.0f} s ({number + 1} of {attempts})"
            )
            sleep(seconds)
    raise AssertionError("not reached")


def _wait(number: int) -> float:
    """Seconds before the next try: about 1, 2, 4, ..., never in step with other clients."""
    return min(_LONGEST_WAIT, 2.0 ** (number - 1)) * random.uniform(0.7, 1.3)  # noqa: S311 - no secret


def failures() -> tuple[type[Exception], ...]:
    """What a call to AWS can raise: of boto3, of the HTTP library, of the network."""
    from botocore.eventstream import ParserError
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    return (BotoCoreError, ClientError, HTTPError, ParserError, OSError)


# --- what went wrong --------------------------------------------------------


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
