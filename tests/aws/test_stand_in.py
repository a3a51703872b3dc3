"""The stand-in itself, with boto3 as its client: what it says must be what Bedrock says."""

import contextlib
import json
import subprocess
import sys
import time
import zlib

import pytest
from botocore.config import Config
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError, ConnectTimeoutError, EventStreamError

from tests.aws import (
    Account,
    Bedrock,
    Break,
    Cut,
    FoundationModel,
    Hang,
    Intervene,
    Profile,
    Refuse,
    Reply,
    access_denied,
    deaf_endpoint,
    eventstream,
    expired,
    no_model_access,
    throttled,
    tool_call,
)
from tests.aws.__main__ import read_reply
from tests.aws.shapes import knows

PROFILE = "us.anthropic.claude-sonnet-5"
ASKED = [{"role": "user", "content": [{"text": "hello"}]}]
TOOLS = {"tools": [{"toolSpec": {"name": "draft", "inputSchema": {"json": {"type": "object"}}}}]}
ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=5, connect_timeout=2)


@pytest.fixture
def serve(aws, boto_session):
    """Serves a script; gives the server and clients of it."""
    with contextlib.ExitStack() as stack:

        def serve(*script, config=ONCE, **more):
            server = stack.enter_context(Bedrock(script, **more))
            aws(server)
            clients = [
                boto_session.client(name, config=config) for name in ("bedrock-runtime", "bedrock")
            ]
            for client in clients:
                stack.callback(client.close)
            return server, *clients

        yield serve


def events(client, **more):
    reply = client.converse_stream(modelId=PROFILE, messages=ASKED, **more)
    return [next(iter(event.items())) for event in reply["stream"]]


def until_it_fails(client):
    """The events that came, and the error that ended them."""
    seen = []
    try:
        reply = client.converse_stream(modelId=PROFILE, messages=ASKED)
        with contextlib.closing(reply["stream"]) as stream:
            for event in stream:
                seen.append(event)
    except Exception as error:  # noqa: BLE001 - of botocore or of urllib3
        return seen, error
    pytest.fail("it ended well")


def refused(call, *arguments, **more):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **more)
    return caught.value.response


def test_converse_gives_text_and_usage(serve):
    server, client, _ = serve("hello yourself")
    reply = client.converse(modelId=PROFILE, messages=ASKED)
    assert reply["output"]["message"]["content"] == [{"text": "hello yourself"}]
    assert reply["stopReason"] == "end_turn"
    assert reply["usage"]["totalTokens"] > reply["usage"]["inputTokens"] > 0
    assert server.asked() == [{"modelId": PROFILE, "messages": ASKED}]


def test_a_stream_arrives_event_by_event(serve):
    text, call = "one two three " * 5, tool_call({"code": "result = 1 # ä"})
    _, client, _ = serve(Reply([{"text": text}, call]))
    found = events(client, toolConfig=TOOLS)
    kinds = [kind for kind, _ in found]
    assert kinds[0] == "messageStart"
    assert kinds[-2:] == ["messageStop", "metadata"]
    deltas = [value["delta"] for kind, value in found if kind == "contentBlockDelta"]
    assert "".join(delta.get("text", "") for delta in deltas) == text
    raw = "".join(delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta)
    assert json.loads(raw) == {"code": "result = 1 # ä"}
    assert found[-2][1]["stopReason"] == "tool_use"
    assert found[-1][1]["usage"]["outputTokens"] > 0


def test_reasoning_with_its_signature_and_redacted_bytes(serve):
    reasoning = {"reasoningText": {"text": "let me see", "signature": "c2ln"}}
    redacted = {"redactedContent": b"\x00\xff"}
    _, client, _ = serve(
        Reply([{"reasoningContent": reasoning}, {"reasoningContent": redacted}, {"text": "x"}])
    )
    deltas = [v["delta"] for kind, v in events(client) if kind == "contentBlockDelta"]
    assert [delta["reasoningContent"] for delta in deltas[:-1]] == [
        {"text": "let me see"}, {"signature": "c2ln"}, redacted,
    ]  # fmt: skip


def test_frames_are_those_that_botocore_reads_and_a_flipped_bit_is_found():
    data = eventstream.event("messageStart", b'{"role":"assistant"}')
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    (message,) = list(buffer)
    assert message.headers[":event-type"] == "messageStart"
    assert message.payload == b'{"role":"assistant"}'
    assert data[-4:] == zlib.crc32(data[:-4]).to_bytes(4, "big")
    broken = bytearray(data)
    broken[-6] ^= 1
    buffer = EventStreamBuffer()
    buffer.add_data(bytes(broken))
    with pytest.raises(Exception, match=r"[Cc]hecksum"):
        list(buffer)


@pytest.mark.parametrize(
    ("refusal", "code", "status"),
    [
        (throttled(), "ThrottlingException", 429),
        (expired(), "ExpiredTokenException", 403),
        (access_denied(), "AccessDeniedException", 403),
        (no_model_access(), "AccessDeniedException", 403),
        (Refuse("ServiceUnavailableException", "later", 503), "ServiceUnavailableException", 503),
        (Refuse("ResourceNotFoundException", "gone", 404), "ResourceNotFoundException", 404),
        (Refuse("ModelNotReadyException", "wait", 429), "ModelNotReadyException", 429),
    ],
    ids=lambda value: value.code if isinstance(value, Refuse) else "",
)
def test_errors_before_the_stream(serve, refusal, code, status):
    _, client, _ = serve(refusal)
    response = refused(client.converse_stream, modelId=PROFILE, messages=ASKED)
    assert response["Error"] == {"Code": code, "Message": refusal.message}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize(
    "kind",
    [
        "throttlingException", "modelStreamErrorException", "validationException",
        "serviceUnavailableException", "internalServerException",
    ],
)  # fmt: skip
def test_errors_inside_the_stream(serve, kind):
    _, client, _ = serve(Break(kind, "no more"))
    seen, error = until_it_fails(client)
    assert len(seen) == 3
    assert isinstance(error, EventStreamError)
    assert error.response["Error"] == {"Code": kind, "Message": "no more"}


def test_botocores_own_retries_get_through_throttling(serve):
    server, client, _ = serve(throttled(), "fine", config=Config(retries={"mode": "adaptive"}))
    client.converse(modelId=PROFILE, messages=ASKED)
    assert len(server.asked()) == 2


def test_a_reset_connection_ends_the_stream_with_an_error(serve):
    _, client, _ = serve(Cut())
    seen, error = until_it_fails(client)
    assert len(seen) <= 3
    assert "onnection" in repr(error)


def test_a_body_that_ends_in_the_middle_of_a_frame_just_ends(serve):
    _, client, _ = serve(Cut(politely=True))
    assert [kind for kind, _ in events(client)] == ["messageStart", *["contentBlockDelta"] * 2]


@pytest.mark.parametrize("after", [0, 2])
def test_silence_before_and_in_the_stream_runs_into_the_read_timeout(serve, after):
    config = Config(retries={"total_max_attempts": 1}, read_timeout=0.3)
    _, client, _ = serve(Hang(after=after), config=config)
    seen, error = until_it_fails(client)
    assert len(seen) == after
    assert "Read time" in str(error)


def test_a_deaf_endpoint_runs_into_the_connect_timeout(boto_session):
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=0.3)
    with deaf_endpoint() as url:
        client = boto_session.client("bedrock-runtime", endpoint_url=url, config=config)
        with pytest.raises(ConnectTimeoutError):
            client.converse(modelId=PROFILE, messages=ASKED)


def test_the_server_notes_a_client_that_hangs_up(serve):
    server, client, _ = serve(Hang(after=2))
    stream = client.converse_stream(modelId=PROFILE, messages=ASKED)["stream"]
    next(iter(stream))
    stream.close()
    assert server.requests[0].hung_up.wait(2)


def test_an_intervention_of_a_guardrail_carries_its_trace_where_asked(serve):
    _, client, _ = serve(Intervene("no"), Intervene("no"))
    config = {"guardrailIdentifier": "abc", "guardrailVersion": "1", "trace": "enabled"}
    found = events(client, guardrailConfig=config)
    assert found[-2][1]["stopReason"] == "guardrail_intervened"
    assert "salaries" in json.dumps(found[-1][1]["trace"])
    assert "trace" not in events(client)[-1][1]


CALL = {"toolUse": {"toolUseId": "t", "name": "draft", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "t", "content": [{"text": "no"}]}}
HELLO = {"role": "user", "content": [{"text": "hello"}]}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


@pytest.mark.parametrize(
    ("messages", "more", "said"),
    [
        ([], {}, "required"),
        ([assistant({"text": "x"})], {}, "start and end with a user"),
        ([HELLO, assistant({"text": "x"})], {}, "start and end with a user"),
        ([HELLO, HELLO], {}, "alternate"),
        ([user({"text": " "})], {}, "blank"),
        ([user()], {}, "empty"),
        ([HELLO, assistant(CALL), HELLO], {"toolConfig": TOOLS}, "toolResult"),
        ([HELLO, assistant({"text": "x"}), user(RESULT)], {"toolConfig": TOOLS}, "toolResult"),
        ([HELLO, assistant(CALL), user(RESULT)], {}, "toolConfig field must be defined"),
        ([user({"text": "x"}, *[{"cachePoint": {"type": "default"}}] * 5)], {}, "maximum of 4"),
    ],
)
def test_conversations_that_bedrock_refuses(serve, messages, more, said):
    if "cachePoint" in str(messages) and not knows(
        "bedrock-runtime", "Converse", "system", "cachePoint"
    ):
        pytest.skip("this boto3 sends no cache points")
    _, client, _ = serve("never")
    response = refused(client.converse, modelId=PROFILE, messages=messages, **more)
    assert said in response["Error"]["Message"]


def test_a_tool_result_continues_the_conversation(serve):
    server, client, _ = serve("fine")
    messages = [HELLO, assistant(CALL), user(RESULT)]
    client.converse(modelId=PROFILE, messages=messages, toolConfig=TOOLS)
    assert server.asked()[0]["messages"] == messages


def test_unknown_fields_and_values_are_refused_as_by_the_services_model(serve):
    import urllib.request

    server, _, _ = serve("never")
    body = {"messages": [{"role": "robot", "content": [{"text": "x"}]}]}
    for sent, said in ((body, "robot"), ({**body, "colour": 1}, "colour")):
        request = urllib.request.Request(
            f"{server.url}/model/{PROFILE}/converse",
            json.dumps(sent).encode(),
            {"Authorization": "x"},
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as error:
            assert said in json.loads(error.read())["message"]


def test_ids_profiles_and_arns(serve):
    server, client, _ = serve(*["x"] * 4)
    profile = server.account.profiles[0]
    for model_id in (profile.id, profile.arn("us-east-1"), "amazon.nova-2-lite-v1:0"):
        client.converse(modelId=model_id, messages=ASKED)
    assert [request["modelId"] for request in server.asked()][1].startswith("arn:aws:bedrock")
    bare = refused(client.converse, modelId="anthropic.claude-sonnet-5", messages=ASKED)
    assert "on-demand throughput isn\u2019t supported" in bare["Error"]["Message"]
    wrong = refused(client.converse, modelId="us.anthropic.claude-9", messages=ASKED)
    assert wrong["Error"]["Message"] == "The provided model identifier is invalid."


def test_the_control_plane(serve):
    models = (
        FoundationModel("a.one", granted=False),
        FoundationModel("b.two-v1:0", on_demand=True),
    )
    profiles = tuple(Profile(f"{place}.a.one", "a.one") for place in ("us", "eu", "global"))
    made = Profile("abc123def456", "a.one", "APPLICATION")
    _, client, bedrock = serve(account=Account(models, (*profiles, made)))
    pages = bedrock.get_paginator("list_inference_profiles").paginate()
    found = [item for page in pages for item in page["inferenceProfileSummaries"]]
    assert [item["inferenceProfileId"] for item in found] == [
        "us.a.one",
        "eu.a.one",
        "global.a.one",
    ]
    assert found[0]["models"][0]["modelArn"].endswith("foundation-model/a.one")
    own = bedrock.list_inference_profiles(typeEquals="APPLICATION")["inferenceProfileSummaries"]
    assert "application-inference-profile/abc123def456" in own[0]["inferenceProfileArn"]
    assert len(bedrock.list_foundation_models()["modelSummaries"]) == 2
    if knows("bedrock", "GetFoundationModelAvailability"):
        may = bedrock.get_foundation_model_availability(modelId="a.one")
        assert may["authorizationStatus"] == "NOT_AUTHORIZED"
    denied = refused(client.converse, modelId="us.a.one", messages=ASKED)
    assert "don't have access to the model" in denied["Error"]["Message"]


@pytest.mark.skipif(not knows("bedrock-runtime", "CountTokens"), reason="not in this boto3")
def test_tokens_are_counted_the_same_for_the_same_text(serve):
    _, client, _ = serve()
    counted = [
        client.count_tokens(
            modelId="anthropic.claude-sonnet-5", input={"converse": {"messages": m}}
        )
        for m in (ASKED, ASKED, [{"role": "user", "content": [{"text": "hello" * 100}]}])
    ]
    first, second, longer = (reply["inputTokens"] for reply in counted)
    assert first == second < longer


def test_a_callable_answers_with_text_a_message_or_a_behaviour(serve):
    given = iter(["text", {"content": [{"text": "message"}]}, throttled()])
    _, client, _ = serve(responder=lambda request: next(given))
    said = [
        client.converse(modelId=PROFILE, messages=ASKED)["output"]["message"]["content"]
        for _ in range(2)
    ]
    assert said == [[{"text": "text"}], [{"text": "message"}]]
    assert refused(client.converse, modelId=PROFILE, messages=ASKED)["Error"]["Code"] == (
        "ThrottlingException"
    )


@pytest.mark.parametrize(
    ("printed", "blocks"),
    [
        ("plain\n", [{"text": "plain"}]),
        ('{"code": "x"}', [{"text": '{"code": "x"}'}]),
        ('{"role":"assistant","content":[{"text":"m"}]}', [{"text": "m"}]),
        (
            '{"output":{"message":{"content":[{"text":"m"}]}},"stopReason":"end_turn"}',
            [{"text": "m"}],
        ),
        ("[1]", [{"text": "[1]"}]),
    ],
)
def test_what_a_command_prints(printed, blocks):
    assert read_reply(printed).blocks == blocks


def test_a_command_answers_from_a_shell(boto_session, tmp_path):
    echo = tmp_path / "echo.py"
    echo.write_text(
        "import json, sys\n"
        "request = json.load(sys.stdin)\n"
        "if request['messages'][-1]['content'][0]['text'] == 'fail': sys.exit('broke')\n"
        "print('asked', request['modelId'])\n"
    )
    command = [sys.executable, "-m", "tests.aws", "bedrock", "--port", "0"]
    command += ["--responder", f"{sys.executable} {echo}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            client = boto_session.client("bedrock-runtime", endpoint_url=url, config=ONCE)
            reply = client.converse_stream(modelId="any.model-at-all", messages=ASKED)
            deltas = [
                e["contentBlockDelta"]["delta"]["text"]
                for e in reply["stream"]
                if "contentBlockDelta" in e
            ]
            assert "".join(deltas) == "asked any.model-at-all"
            failing = [{"role": "user", "content": [{"text": "fail"}]}]
            error = refused(client.converse, modelId="any.model-at-all", messages=failing)["Error"]
            assert error["Code"] == "ModelErrorException"
            assert "broke" in error["Message"]
            client.close()
        finally:
            process.terminate()


def test_a_pause_is_between_the_events(serve):
    _, client, _ = serve(Reply("a" * 48, pause=0.05))
    started = time.monotonic()
    events(client)
    assert time.monotonic() - started > 0.3


def test_a_reply_that_cannot_be_is_a_fault_of_the_test(serve):
    server, client, _ = serve(Reply([{"smell": "x"}]))
    _, error = until_it_fails(client)
    assert "closed" in str(error)
    with pytest.raises(KeyError):
        server.close()
    server.faults.clear()
