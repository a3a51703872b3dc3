"""What goes wrong with AWS, said in one sentence with what mends it."""

import time

import pytest
from botocore import exceptions as boto
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError
from urllib3.exceptions import ProtocolError

from bluebear_magic.aws import Aws, patiently
from bluebear_magic.aws_errors import Call, Trouble, diagnose, failures
from bluebear_magic.errors import ConfigError, ModelError
from bluebear_magic.version import __version__
from tests.aws import (
    Bedrock,
    Hang,
    Refuse,
    access_denied,
    deaf_endpoint,
    expired,
    no_model_access,
    throttled,
)  # fmt: skip

MODEL = "us.anthropic.claude-sonnet-5"
CALL = Call("bedrock-runtime", "us-east-1", MODEL, 180)
ASKED = [{"role": "user", "content": [{"text": "hello"}]}]


def of_service(refusal, call=CALL):
    response = {
        "Error": {"Code": refusal.code, "Message": refusal.message},
        "ResponseMetadata": {
            "HTTPStatusCode": refusal.status,
            "HTTPHeaders": dict(refusal.headers),
        },
    }
    return diagnose(ClientError(response, "ConverseStream"), call)


def invalid(message):
    return Refuse("ValidationException", message)


ON_DEMAND = (
    "Invocation of model ID anthropic.claude-sonnet-5 with on-demand throughput isn\u2019t "
    "supported. Retry your request with the ID or ARN of an inference profile."
)
ANSWERED = {
    "expired": (expired(), "expired", "aws sso login"),
    "expired request": (Refuse("RequestExpired", "x", 400), "expired", "aws sso login"),
    "bad keys": (Refuse("UnrecognizedClientException", "The security token included in the request is invalid.", 403), "credentials", "aws sts get-caller-identity"),
    "clock": (Refuse("InvalidSignatureException", "Signature not yet current", 403), "credentials", "the clock"),
    "iam": (access_denied(), "denied", "bedrock:InvokeModelWithResponseStream on arn:aws:bedrock"),
    "explicit deny": (Refuse("AccessDeniedException", "User: arn:x is not authorized to perform: bedrock:InvokeModel on resource: arn:y with an explicit deny in a service control policy", 403), "denied", "administers"),
    "other denial": (Refuse("AccessDeniedException", "no", 403), "denied", "get-caller-identity"),
    "model access": (no_model_access(), "no_model_access", "us-east-1.console.aws.amazon.com/bedrock"),
    "marketplace": (Refuse("AccessDeniedException", "Model access is denied due to AWS Marketplace", 403), "no_model_access", "model-catalog"),
    "use case": (Refuse("ResourceNotFoundException", "Model use case details have not been submitted for this account.", 404), "no_model_access", "model-catalog"),
    "wrong id": (invalid("The provided model identifier is invalid."), "unknown_model", "list-inference-profiles --region us-east-1"),
    "unresolved": (Refuse("ResourceNotFoundException", "Could not resolve the foundation model from the provided model identifier.", 404), "unknown_model", "list-inference-profiles"),
    "retired": (Refuse("ResourceNotFoundException", "This model version has reached the end of its life.", 404), "unknown_model", "list-inference-profiles"),
    "not found": (Refuse("ResourceNotFoundException", "nothing here", 404), "unknown_model", "list-inference-profiles"),
    "needs a profile": (invalid(ON_DEMAND), "needs_profile", "list-inference-profiles"),
    "no tools": (invalid("This model doesn't support tool use in streaming mode."), "no_tools", ""),
    "no caching": (Refuse("AccessDeniedException", "You invoked an unsupported model or your request did not allow prompt caching.", 403), "no_caching", ""),
    "no streaming": (invalid("The model is unsupported for streaming / does not support streaming"), "no_streaming", "--model"),
    "too long": (invalid("Input is too long for requested model."), "too_long", "--data"),
    "invalid": (invalid("messages: something odd"), "invalid", ""),
    "throttled": (throttled(), "throttled", "wait a minute"),
    "not ready": (Refuse("ModelNotReadyException", "warming", 429), "throttled", "wait a minute"),
    "daily": (throttled("Too many tokens per day, please wait before trying again."), "daily_quota", "servicequotas"),
    "quota": (Refuse("ServiceQuotaExceededException", "limit", 400), "daily_quota", "Service Quotas"),
    "unavailable": (Refuse("ServiceUnavailableException", "later", 503), "unavailable", "health.aws"),
    "internal": (Refuse("InternalServerException", "x", 500), "unavailable", "health.aws"),
    "bad gateway": (Refuse("502", "x", 502), "unavailable", "health.aws"),
    "model timeout": (Refuse("ModelTimeoutException", "slow", 408), "unavailable", "health.aws"),
    "in the stream": (Refuse("modelStreamErrorException", "broke", 424), "cut", "ask again"),
    "throttled in the stream": (Refuse("throttlingException", "slow down", 400), "throttled", ""),
    "model error": (Refuse("ModelErrorException", "odd", 424), "cut", "ask again"),
    "unknown": (Refuse("TeapotException", "short and stout", 418), "other", ""),
}  # fmt: skip


@pytest.mark.parametrize(("refusal", "reason", "hint"), ANSWERED.values(), ids=ANSWERED.keys())
def test_what_the_service_answers(refusal, reason, hint):
    trouble = of_service(refusal)
    assert trouble.reason == reason
    assert hint in trouble.hint
    assert trouble.message
    assert not trouble.message.endswith(".")
    assert "\n" not in trouble.message
    assert "secret" not in trouble.message.lower()


BEFORE = {
    "no credentials": (boto.NoCredentialsError(), "credentials", "aws configure sso"),
    "half": (boto.PartialCredentialsError(provider="env", cred_var="x"), "credentials", "aws configure"),
    "profile": (boto.ProfileNotFound(profile="work"), "credentials", "list-profiles"),
    "sso": (boto.UnauthorizedSSOTokenError(), "expired", "aws sso login"),
    "sso token": (boto.SSOTokenLoadError(error_msg="x"), "expired", "aws sso login"),
    "refresh": (boto.TokenRetrievalError(provider="sso", error_msg="x"), "expired", "aws sso login"),
    "process": (boto.CredentialRetrievalError(provider="x", error_msg="y"), "expired", "aws sso login"),
    "no region": (boto.NoRegionError(), "region", "aws configure set region"),
    "service": (boto.UnknownServiceError(service_name="x", known_service_names="y"), "old_boto3", "pip install --upgrade boto3"),
    "connect": (boto.ConnectTimeoutError(endpoint_url="x"), "hang", "com.amazonaws.us-east-1.bedrock-runtime"),
    "read": (boto.ReadTimeoutError(endpoint_url="x"), "hang", "faster model"),
    "endpoint": (boto.EndpointConnectionError(endpoint_url="x"), "unreachable", "HTTPS_PROXY"),
    "proxy": (boto.ProxyConnectionError(proxy_url="x"), "unreachable", "HTTPS_PROXY"),
    "tls": (boto.SSLError(endpoint_url="x", error="self-signed"), "unreachable", "AWS_CA_BUNDLE"),
    "closed": (boto.ConnectionClosedError(endpoint_url="x"), "unavailable", "try again"),
    "reset": (ConnectionResetError(104, "reset"), "cut", "ask again"),
    "protocol": (ProtocolError("broken"), "cut", "ask again"),
    "checksum": (ChecksumMismatch(1, 2), "cut", "ask again"),
    "parameters": (boto.ParamValidationError(report="a\nb is wrong"), "invalid", ""),
    "other": (boto.BotoCoreError(), "other", ""),
}  # fmt: skip


@pytest.mark.parametrize(("error", "reason", "hint"), BEFORE.values(), ids=BEFORE.keys())
def test_what_never_reached_the_service(error, reason, hint):
    trouble = diagnose(error, CALL)
    assert trouble.reason == reason
    assert hint in trouble.hint
    assert "\n" not in trouble.message
    assert isinstance(error, failures())


def test_the_profile_is_named_in_the_command(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert "aws sso login --profile work" in of_service(expired()).hint


def test_a_region_without_bedrock_is_told_from_a_broken_network():
    error = boto.EndpointConnectionError(endpoint_url="x")
    trouble = diagnose(error, Call("bedrock-runtime", "us-moon-1"))
    assert trouble.reason == "region"
    assert "no Bedrock in the region us-moon-1" in trouble.message


def test_a_trouble_is_an_error_of_ours():
    error = Trouble("throttled", "asked too often", "wait").error(ModelError)
    assert isinstance(error, ModelError)
    assert str(error) == "asked too often\nwait"


# --- with boto3 -------------------------------------------------------------


@pytest.fixture
def serve(aws, boto_session):
    servers, clouds = [], []

    def serve(*script, **more):
        server = Bedrock(script)
        servers.append(server.__enter__())
        aws(server)
        clouds.append(Aws(**{"session": boto_session, **more}))
        return server, clouds[-1]

    yield serve
    for item in clouds:
        item.forget()
    for server in servers:
        server.close()


def converse(cloud):
    return cloud.client("bedrock-runtime").converse(modelId=MODEL, messages=ASKED)


def test_the_client_says_who_it_is_and_asks_once(serve):
    server, cloud = serve(throttled())
    with pytest.raises(ClientError):
        converse(cloud)
    assert len(server.requests) == 1
    assert f"bluebear-magic/{__version__}" in server.requests[0].headers["User-Agent"]


def test_waits_are_told_and_grow(serve):
    server, cloud = serve(throttled(), throttled(), Refuse("X", "later", 503), "fine")
    said, slept = [], []
    reply = patiently(lambda: converse(cloud), CALL, said.append, sleep=slept.append)
    assert reply["output"]["message"]["content"] == [{"text": "fine"}]
    assert len(server.asked()) == 4
    assert [text.rpartition("(")[2] for text in said] == ["2 of 6)", "3 of 6)", "4 of 6)"]
    assert said[0].startswith("Bedrock is asked too often (Too many requests")
    assert slept[0] < slept[1] < slept[2]


def test_what_the_service_asks_for_is_waited(serve):
    refusal = Refuse("ThrottlingException", "slow", 429, {"Retry-After": "17"})
    _, cloud = serve(refusal, "fine")
    slept = []
    patiently(lambda: converse(cloud), CALL, lambda _: None, sleep=slept.append)
    assert slept == [17]


@pytest.mark.parametrize(
    "refusal",
    [expired(), access_denied(), throttled("Too many tokens per day")],
    ids=lambda r: r.code,
)
def test_what_waiting_cannot_mend_is_not_waited_for(serve, refusal):
    server, cloud = serve(refusal)
    with pytest.raises(ClientError):
        patiently(lambda: converse(cloud), CALL, pytest.fail)
    assert len(server.asked()) == 1


def test_the_last_try_is_the_last(serve):
    server, cloud = serve(*[throttled()] * 3)
    with pytest.raises(ClientError):
        patiently(lambda: converse(cloud), CALL, lambda _: None, attempts=3, sleep=lambda _: None)
    assert len(server.asked()) == 3


def test_silence_and_a_deaf_network_end_in_time(serve, monkeypatch):
    _, cloud = serve(Hang(), read_seconds=0.3, connect_seconds=0.3)
    started = time.monotonic()
    with pytest.raises(boto.ReadTimeoutError):
        converse(cloud)
    with deaf_endpoint() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url)
        cloud.forget()
        with pytest.raises(boto.ConnectTimeoutError) as caught:
            converse(cloud)
    assert time.monotonic() - started < 15
    assert diagnose(caught.value, CALL).reason == "hang"


def test_no_region_and_no_profile_are_settings(serve, monkeypatch):
    serve()
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(ConfigError, match="no AWS region is set"):
        Aws().client("bedrock-runtime")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ConfigError, match="nobody"):
        _ = Aws().session


def test_no_credentials_are_found_before_anything_is_sent(serve, monkeypatch):
    server, cloud = serve("never", session=None)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(boto.NoCredentialsError):
        converse(cloud)
    assert server.requests == []


def test_the_regions_setting_wins(serve):
    _, cloud = serve(region="eu-central-1")
    assert cloud.region == "eu-central-1"
    assert cloud.client("bedrock-runtime").meta.region_name == "eu-central-1"


def test_the_region_of_the_environment_is_that_of_other_tools(serve, monkeypatch):
    serve()
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert Aws().region == "eu-west-3"
    assert Aws().client("bedrock-runtime").meta.region_name == "eu-west-3"
    monkeypatch.delenv("AWS_REGION")
    assert Aws().region == "us-east-1"


def test_features_are_looked_up_in_the_installed_boto3(serve):
    _, cloud = serve()
    assert cloud.has("bedrock-runtime", "converse_stream")
    assert not cloud.has("bedrock-runtime", "converse_backwards")
    assert cloud.member("bedrock-runtime", "ConverseStream", "messages", "content", "text")
    assert not cloud.member("bedrock-runtime", "ConverseStream", "messages", "content", "smell")
    assert not cloud.member("bedrock-runtime", "ConverseBackwards", "messages")


def test_expired_credentials_are_read_anew_after_forgetting(serve, monkeypatch):
    server, cloud = serve("one", "two", session=None)
    converse(cloud)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAANOTHEREXAMPLE00")
    cloud.forget()
    converse(cloud)
    first, second = (request.headers["Authorization"] for request in server.requests)
    assert "AKIAIOSFODNN7EXAMPLE" in first
    assert "AKIAANOTHEREXAMPLE00" in second
