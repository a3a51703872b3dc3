"""The model on Bedrock, through boto3 and the stand-in: what is sent, and what comes of replies."""

import json
import os
import signal
import threading
import time
from decimal import Decimal

import pytest

from bluebear_magic.aws import Aws
from bluebear_magic.errors import Cancelled, ConfigError, ModelError
from bluebear_magic.generation.bedrock import BedrockModel, Options
from bluebear_magic.prices import parse
from bluebear_magic.records import (
    Ask,
    ChartHint,
    Column,
    Context,
    Conversation,
    Dataset,
    Draft,
    PastTurn,
    Profile,
    Turn,
)  # fmt: skip
from tests.aws import (
    Account,
    Bedrock,
    Break,
    Cut,
    FoundationModel,
    Hang,
    Intervene,
    Refuse,
    Reply,
    access_denied,
    expired,
    throttled,
    tool_call,
)  # fmt: skip
from tests.aws import (
    Profile as InferenceProfile,
)
from tests.aws.server import count_tokens
from tests.aws.shapes import knows

CACHES = knows("bedrock-runtime", "ConverseStream", "system", "cachePoint")
COUNTS = knows("bedrock-runtime", "CountTokens", "input", "converse", "toolConfig")
AVAILABILITY = knows("bedrock", "GetFoundationModelAvailability")
US = "us.anthropic.claude-sonnet-5"
CODE = 'result = spark.table("sales").groupBy("region").count()\n'
ARGUMENTS = {
    "code": CODE,
    "explanation": "Counts.",
    "assumptions": ["all"],
    "chart": {"kind": "bar", "x": "region"},
}
RIGHT = Reply([tool_call(ARGUMENTS)])
SALES = Dataset("sales", "sales.csv", "csv", ("/d/sales.csv",), (Column("region", "STRING"),), "f")
FEEDBACK = "The code failed (line 1, UNRESOLVED_COLUMN): no column `x`\nSuggestion: region"


def conversation(*turns, history=()):
    return Conversation(Ask("sales by region"), Context((SALES,), (Profile(),), history), turns)


class Books:
    """A meter that keeps what it hears, and refuses from a call on."""

    def __init__(self, most=99):
        self.planned, self.taken, self.most = [], [], most

    def before(self, planned):
        self.planned.append(planned)
        if len(self.planned) > self.most:
            raise ModelError("the budget is spent")

    def after(self, usage):
        self.taken.append(usage)


@pytest.fixture
def bedrock(aws, boto_session):
    """``bedrock(script...)``: a server and a model that asks it; ``said``: its waits."""
    made = []

    def bedrock(
        *script, model=US, account=None, refuse=None, read_seconds=5.0, meter=None, **options
    ):
        server = Bedrock(script, account=account, refuse=refuse)
        aws(server)
        made.append(server.__enter__())
        cloud = Aws(session=boto_session, read_seconds=read_seconds)
        made.append(cloud)
        server.said, server.meter = [], meter or Books()
        return server, BedrockModel(
            model, aws=cloud, options=Options(**options), on_wait=server.said.append,
            meter=server.meter, sleep=server.said.append,
        )  # fmt: skip

    yield bedrock
    for item in reversed(made):
        item.forget() if isinstance(item, Aws) else item.close()


def generate(model, *turns, **more):
    deltas = []
    draft = model.generate(conversation(*turns, **more), deltas.append)
    return draft, "".join(deltas)


def fails(model, match):
    with pytest.raises(ModelError, match=match) as caught:
        generate(model)
    return caught.value


# --- a right answer ---------------------------------------------------------


def test_the_draft_comes_from_the_tools_arguments_and_streams_while_it_is_written(bedrock):
    server, model = bedrock(Reply([{"text": "I count. "}, tool_call(ARGUMENTS)], piece=3))
    draft, streamed = generate(model)
    assert draft == Draft(CODE, "Counts.", ("all",), ChartHint("bar", "region"))
    assert streamed == "I count. " + CODE
    (request,) = server.asked("ConverseStream")
    assert request["modelId"] == US
    assert request["toolConfig"]["tools"][0]["toolSpec"]["name"] == "draft"
    first = request["messages"][0]["content"]
    assert "CREATE TABLE `sales`" in first[0]["text"]
    assert ({"cachePoint": {"type": "default"}} in first) == CACHES
    assert first[-1]["text"] == "The question:\nsales by region"
    assert "result" in request["system"][0]["text"]
    assert "guardrailConfig" not in request
    assert server.said == []


def test_questions_back_are_a_draft_without_code(bedrock):
    _, model = bedrock(
        Reply([tool_call({"code": "", "explanation": "", "questions": ["Which year?"]})])
    )
    draft, _ = generate(model)
    assert (draft.code, draft.questions) == ("", ("Which year?",))


def test_earlier_turns_are_told_and_no_value_is(bedrock):
    server, model = bedrock(RIGHT)
    generate(model, history=(PastTurn("How many?", "result = 1", ("n",), 3),))
    told = json.dumps(server.asked()[0]["messages"], default=str)
    assert "How many?" in told
    assert "3 rows" in told


@pytest.mark.skipif(not CACHES, reason="this boto3 does not tell of caches")
def test_tokens_and_price_are_kept(bedrock):
    usage = {
        "inputTokens": 1000,
        "outputTokens": 200,
        "cacheReadInputTokens": 5000,
        "cacheWriteInputTokens": 400,
    }
    server, model = bedrock(
        Reply([tool_call(ARGUMENTS)], usage=usage), model="global.anthropic.claude-sonnet-5"
    )
    draft, _ = generate(model)
    (used,) = draft.usage
    assert (used.input, used.output, used.cache_read, used.cache_write) == (1000, 200, 5000, 400)
    assert used.dollars == Decimal("0.006")  # 0.002 + 0.002 + 0.001 + 0.001
    assert used.seconds > 0
    assert not used.estimated
    assert server.meter.taken == [used]
    (planned,) = server.meter.planned
    assert planned.estimated
    assert planned.output == 8192
    assert planned.dollars > Decimal("0.08")
    assert planned.input > 1.3 * model.preview(conversation()).tokens  # newer tokenizers count more


def test_an_unknown_price_is_none_not_zero(bedrock):
    account = Account((FoundationModel("acme.writer-v1:0", on_demand=True),), ())
    _, model = bedrock(RIGHT, model="acme.writer-v1:0", account=account)
    draft, _ = generate(model)
    assert draft.usage[0].dollars is None
    assert draft.usage[0].input > 0


def test_a_meter_stops_the_call_that_would_be_too_much(bedrock):
    server, model = bedrock("no code here", RIGHT, meter=Books(most=1))
    fails(model, "the budget is spent")
    assert len(server.asked()) == 1


# --- repair -----------------------------------------------------------------


def test_a_failed_draft_goes_back_as_the_tools_result_with_its_reasoning(bedrock):
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}}
    redacted = {"reasoningContent": {"redactedContent": b"\x01\x02"}}
    server, model = bedrock(
        Reply([thought, redacted, {"text": "So: "}, tool_call(ARGUMENTS)]), RIGHT
    )
    draft, streamed = generate(model)
    assert "hm" not in streamed
    generate(model, Turn(draft, FEEDBACK))
    first, second = server.asked()
    assert (
        second["messages"][0]["content"][:2] == first["messages"][0]["content"][:2]
    )  # still cached
    assert second["messages"][1] == {
        "role": "assistant",
        "content": [thought, redacted, {"text": "So: "}, tool_call(ARGUMENTS)],
    }
    (result,) = second["messages"][2]["content"]
    assert result["toolResult"]["toolUseId"] == "tooluse_t1"
    assert result["toolResult"]["status"] == "error"
    assert result["toolResult"]["content"][0]["text"].startswith(FEEDBACK)


def test_the_same_error_again_says_so(bedrock):
    server, model = bedrock(RIGHT)
    turns = [Turn(Draft("a"), FEEDBACK), Turn(Draft("b"), FEEDBACK)]
    generate(model, *turns)
    messages = server.asked()[0]["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2 + ["user"]
    assert "same error" in messages[-1]["content"][0]["toolResult"]["content"][0]["text"]
    assert "same error" not in messages[2]["content"][0]["toolResult"]["content"][0]["text"]


def test_a_prose_answer_with_code_is_repaired_as_text(bedrock):
    server, model = bedrock(f"Here:\n```python\n{CODE}```", RIGHT)
    draft, _ = generate(model)
    assert (draft.code, draft.explanation) == (CODE, "Here:")
    generate(model, Turn(draft, FEEDBACK))
    assert server.asked()[1]["messages"][2]["content"][0]["text"].startswith(FEEDBACK)


# --- answers that are none --------------------------------------------------


def test_prose_is_asked_again_and_the_answer_taken(bedrock):
    server, model = bedrock("Which table do you mean?", RIGHT)
    draft, _ = generate(model)
    assert draft.code == CODE
    assert len(draft.usage) == 2
    first, second = server.asked()
    assert second["messages"][:1] == first["messages"]
    assert second["messages"][1]["content"] == [{"text": "Which table do you mean?"}]
    assert "Call the tool" in second["messages"][2]["content"][0]["text"]
    assert server.said == [f"{US} answered without code; asking again"]


def test_prose_only_is_an_error_that_shows_it(bedrock):
    server, model = bedrock(*["I would rather not."] * 3)
    error = fails(model, "answered without code, 3 times: I would rather not.")
    assert "--model" in error.hint
    assert len(server.asked()) == 3


def test_an_empty_reply_is_asked_again(bedrock):
    server, model = bedrock(Reply([]), RIGHT)
    assert generate(model)[0].code == CODE
    assert server.asked()[1]["messages"][1]["content"] == [{"text": "(no answer)"}]


BROKEN = '{"code": "result = spark.table(\\"sa'


def test_broken_tool_json_is_asked_again_as_the_calls_result(bedrock):
    server, model = bedrock(Reply([tool_call(BROKEN)]), RIGHT)
    draft, _ = generate(model)
    assert draft.code == CODE
    said, result = server.asked()[1]["messages"][1:]
    assert said["content"][0]["toolUse"]["input"] == {"invalid_json": BROKEN}
    assert "not valid JSON" in result["content"][0]["toolResult"]["content"][0]["text"]


@pytest.mark.parametrize(
    ("first", "second", "explanation"),
    [
        (ARGUMENTS, {**ARGUMENTS, "explanation": "Other."}, "Counts."),
        (BROKEN, ARGUMENTS, "Counts."),
        ({"code": "I cannot do that"}, ARGUMENTS, "Counts."),
        ({"code": ""}, ARGUMENTS, "Counts."),
    ],
    ids=["both right", "broken JSON", "prose", "nothing"],
)
def test_of_two_calls_the_first_that_holds_a_draft_counts(bedrock, first, second, explanation):
    server, model = bedrock(Reply([tool_call(first, use="t1"), tool_call(second, use="t2")]), RIGHT)
    draft, _ = generate(model)
    assert (draft.code, draft.explanation) == (CODE, explanation)
    assert len(server.asked()) == 1
    generate(model, Turn(draft, FEEDBACK))  # and each call gets a result
    results = server.asked()[1]["messages"][2]["content"]
    assert [block["toolResult"]["toolUseId"] for block in results] == ["tooluse_t1", "tooluse_t2"]


def test_two_calls_without_a_draft_are_asked_again_with_a_result_for_each(bedrock):
    server, model = bedrock(
        Reply([tool_call(BROKEN, use="t1"), tool_call(BROKEN, use="t2")]), RIGHT
    )
    assert generate(model)[0].code == CODE
    first, second = server.asked()[1]["messages"][2]["content"]
    assert "not valid JSON" in first["toolResult"]["content"][0]["text"]
    assert "other result" in second["toolResult"]["content"][0]["text"]


@pytest.mark.parametrize(
    "arguments",
    [
        '{"code": "' + CODE.replace('"', '\\"') + '"}',  # a newline inside the string
        json.dumps({"code": f"```python\n{CODE}```"}),
        json.dumps({"draft": ARGUMENTS}),
        str(ARGUMENTS),
    ],
    ids=["newline", "fence", "wrapped", "python"],
)
def test_arguments_that_are_nearly_right_are_read(bedrock, arguments):
    server, model = bedrock(Reply([tool_call(arguments)]))
    assert generate(model)[0].code == CODE
    assert len(server.asked()) == 1


def test_prose_in_the_place_of_code_is_not_code(bedrock):
    server, model = bedrock(Reply([tool_call({"code": "I cannot do that"})]), RIGHT)
    assert generate(model)[0].code == CODE
    assert len(server.asked()) == 2


@pytest.mark.parametrize("stop", ["malformed_tool_use", "malformed_model_output"])
def test_output_that_bedrock_calls_malformed_is_asked_again(bedrock, stop):
    server, model = bedrock(Reply([{"text": "odd"}], stop), RIGHT)
    assert generate(model)[0].code == CODE
    assert len(server.asked()[1]["messages"]) == 1


def test_an_answer_cut_by_its_length_is_asked_again_with_more_room(bedrock):
    whole = f"```python\n{CODE}```"  # parses, and still is not taken
    server, model = bedrock(Reply(whole, "max_tokens"), RIGHT)
    assert generate(model)[0].explanation == "Counts."
    first, second = (request["inferenceConfig"]["maxTokens"] for request in server.asked())
    assert second == 2 * first


def test_an_answer_cut_in_its_thoughts_leaves_nothing_of_them(bedrock):
    thought = {"reasoningContent": {"reasoningText": {"text": "hm"}}}
    server, model = bedrock(*[Reply([thought], "max_tokens")] * 2, RIGHT)
    assert generate(model)[0].code == CODE
    room = [request["inferenceConfig"]["maxTokens"] for request in server.asked()]
    assert room == [8192, 16384, 32768]
    assert all(len(request["messages"]) == 1 for request in server.asked())


def test_an_answer_that_is_cut_each_time_is_an_error(bedrock):
    server, model = bedrock(*[Reply([tool_call(BROKEN)], "max_tokens")] * 3)
    error = fails(model, "cut off in the middle of its answer, 3 times")
    assert "--model" in error.hint
    assert len(server.asked()) == 3


def test_an_answer_that_ends_too_early_by_itself_is_told_so(bedrock):
    server, model = bedrock("```python\nresult = spark.table(", RIGHT)
    assert generate(model)[0].code == CODE
    first, second = server.asked()
    assert first["inferenceConfig"] == second["inferenceConfig"]
    assert "cut off" in second["messages"][-1]["content"][0]["text"]


def test_at_the_models_limit_it_is_asked_to_be_short(bedrock):
    limit = Refuse(
        "ValidationException",
        "The maximum tokens you requested exceeds the model limit of 4096. Try again.",
    )
    server, model = bedrock(limit, Reply("x = 1", "max_tokens"), RIGHT)
    assert generate(model)[0].code == CODE
    asked = server.asked()
    assert [request["inferenceConfig"]["maxTokens"] for request in asked] == [8192, 4096, 4096]
    assert "cut off" in asked[2]["messages"][-1]["content"][-1]["text"]


@pytest.mark.parametrize(
    ("stop", "said"),
    [("content_filtered", "filtered"), ("model_context_window_exceeded", "too long")],
)
def test_stops_that_end_it(bedrock, stop, said):
    server, model = bedrock(Reply("no", stop))
    fails(model, said)
    assert len(server.asked()) == 1


def test_an_intervention_of_a_guardrail_is_reported_as_one(bedrock):
    server, model = bedrock(Intervene(), guardrail="gr4il:3")
    error = fails(model, r"the guardrail gr4il:3 stepped in \(salaries\)")
    assert "other words" in error.hint
    assert server.asked()[0]["guardrailConfig"] == {
        "guardrailIdentifier": "gr4il", "guardrailVersion": "3", "trace": "enabled",
    }  # fmt: skip


def test_a_guardrail_by_arn_without_a_version_is_its_draft(bedrock):
    arn = "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc"
    server, model = bedrock(RIGHT, guardrail=arn)
    generate(model)
    assert server.asked()[0]["guardrailConfig"]["guardrailIdentifier"] == arn
    assert server.asked()[0]["guardrailConfig"]["guardrailVersion"] == "DRAFT"


# --- a network and a service that fail --------------------------------------


def test_throttled_then_fine_waits_and_says_so(bedrock):
    server, model = bedrock(throttled(), throttled(), RIGHT)
    draft, _ = generate(model)
    assert draft.code == CODE
    told = [text for text in server.said if isinstance(text, str)]
    assert [text.rpartition(" ")[0].rpartition("(")[2] for text in told] == ["2 of", "3 of"]
    assert "trying again in" in told[0]
    assert len(draft.usage) == 1  # a refusal costs nothing


@pytest.mark.parametrize(
    "kind", ["throttlingException", "serviceUnavailableException", "internalServerException"]
)
def test_a_passing_error_inside_the_stream_is_waited_for(bedrock, kind):
    server, model = bedrock(Break(kind), RIGHT)
    draft, _ = generate(model)
    assert draft.code == CODE
    assert [used.estimated for used in draft.usage] == [True, False]
    assert len(server.asked()) == 2


THOUGHT = {"reasoningContent": {"reasoningText": {"text": "Let me see. " * 9, "signature": "c2ln"}}}
CUTS = {
    "in thoughts": Cut(Reply([THOUGHT, tool_call(ARGUMENTS)]), after=3),
    "reset": Cut(),
    "polite": Cut(politely=True),
    "in arguments": Cut(Reply([tool_call(ARGUMENTS)]), after=6),
    "model error": Break("modelStreamErrorException"),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS.keys())
def test_a_cut_stream_starts_over_once(bedrock, cut):
    server, model = bedrock(cut, RIGHT)
    assert generate(model)[0].code == CODE
    assert [text for text in server.said if "starting over" in str(text)] != []
    assert server.asked()[0] == server.asked()[1]


def test_a_cut_behind_the_last_word_leaves_a_whole_answer(bedrock):
    """Only what it took is missing then: the event after the one that says why it stopped."""
    frames = len(list(RIGHT.events()))
    server, model = bedrock(Cut(RIGHT, after=frames))
    draft, _ = generate(model)
    assert draft.code == CODE
    assert [used.estimated for used in draft.usage] == [True]
    assert server.said == []


def test_a_second_cut_is_an_error(bedrock):
    server, model = bedrock(Cut(), Cut())
    error = fails(model, "the connection to Bedrock was lost")
    assert "--model offline" in error.hint
    assert len(server.asked()) == 2
    assert [used.estimated for used in server.meter.taken] == [True, True]


@pytest.mark.parametrize("after", [0, 3])
def test_a_hang_ends_with_the_read_timeout(bedrock, after):
    server, model = bedrock(Hang(after=after), read_seconds=0.3)
    error = fails(model, r"Bedrock was silent for 0\.3 s")
    assert "--model offline" in error.hint
    assert server.requests[0].hung_up.wait(2)
    (used,) = server.meter.taken  # it may be paid for
    assert used.estimated
    assert used.dollars > 0


@pytest.mark.parametrize(
    ("refusal", "said", "hint"),
    [
        (expired(), "credentials have expired", "aws sso login"),
        (access_denied(), "may not do bedrock:InvokeModelWithResponseStream", "IAM"),
        (Refuse("ServiceQuotaExceededException", "limit"), "quota", "Service Quotas"),
        (Refuse("ValidationException", "messages.0: odd"), "odd", "--model offline"),
    ],
)
def test_errors_say_what_to_do(bedrock, refusal, said, hint):
    server, model = bedrock(refusal)
    error = fails(model, said)
    assert hint in str(error)
    assert len(server.asked()) == 1
    assert server.meter.taken == []  # a refusal costs nothing


def test_ctrl_c_stops_the_stream_at_once(bedrock):
    server, model = bedrock(read_seconds=60)

    def interrupt(request):
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        return Hang(after=4)

    server.responder = interrupt
    started = time.monotonic()
    with pytest.raises(Cancelled):
        generate(model)
    assert time.monotonic() - started < 3
    assert server.requests[0].hung_up.wait(2)
    (used,) = server.meter.taken
    assert used.estimated
    assert used.input > 0
    server.responder = lambda request: RIGHT
    assert generate(model)[0].code == CODE  # and the next question is answered


# --- which model ------------------------------------------------------------


def test_the_default_is_the_first_of_the_list_that_the_account_may_use(bedrock):
    server, model = bedrock(RIGHT, RIGHT, model="bedrock")
    assert model.name == "bedrock"
    generate(model)
    generate(model)
    assert [request["modelId"] for request in server.asked()] == [US, US]
    assert model.name == US
    assert len(server.asked("GetFoundationModelAvailability")) == int(AVAILABILITY)


def test_a_model_that_was_not_granted_is_passed_over(bedrock):
    haiku = "anthropic.claude-haiku-4-5-20251001-v1:0"
    account = Account(
        (FoundationModel("anthropic.claude-sonnet-5", granted=False), FoundationModel(haiku)),
        (InferenceProfile(US, "anthropic.claude-sonnet-5"), InferenceProfile(f"us.{haiku}", haiku)),
    )
    server, model = bedrock(RIGHT, model="bedrock", account=account)
    generate(model)
    assert [request["modelId"] for request in server.asked()][-1] == f"us.{haiku}"
    assert len(server.asked()) == (1 if AVAILABILITY else 2)
    # and where availability may not be asked, the refusal itself tells
    denied = {
        "GetFoundationModelAvailability": access_denied("bedrock:GetFoundationModelAvailability")
    }
    server, model = bedrock(RIGHT, model="bedrock", account=account, refuse=denied)
    assert generate(model)[0].code == CODE
    assert any(
        "no access to us.anthropic.claude-sonnet-5; asking" in str(text) for text in server.said
    )


def test_an_account_with_none_of_them_is_told_what_to_do(bedrock):
    account = Account(
        (FoundationModel("acme.writer"),), (InferenceProfile("us.acme.writer", "acme.writer"),)
    )
    _, model = bedrock(model="bedrock", account=account)
    assert "--model ID" in fails(model, "none of the models").hint


def test_an_account_that_may_not_list_is_told_the_action(bedrock):
    _, model = bedrock(model="bedrock", account=Account(listing=False))
    assert "bedrock:ListInferenceProfiles" in str(fails(model, "may not do"))


def test_a_model_without_a_profile_is_called_by_its_own_id(bedrock):
    nova = FoundationModel("amazon.nova-2-lite-v1:0", on_demand=True)
    server, model = bedrock(RIGHT, model="bedrock", account=Account((nova,), ()))
    generate(model)
    assert server.asked()[0]["modelId"] == nova.id


@pytest.mark.parametrize(
    ("region", "place"),
    [("us-west-2", "us"), ("eu-west-1", "eu"), ("ap-northeast-1", "jp"), ("sa-east-1", "global")],
)
def test_a_bare_id_is_called_through_the_nearest_profile(bedrock, region, place):
    bare = "anthropic.claude-sonnet-5"
    profiles = tuple(
        InferenceProfile(f"{p}.{bare}", bare) for p in ("global", "apac", "eu", "jp", "us")
    )
    account = Account((FoundationModel(bare),), profiles, region)
    server, model = bedrock(RIGHT, model=bare, account=account)
    model._aws._asked_region = region
    model._aws.forget()
    generate(model)
    assert [request["modelId"] for request in server.asked()] == [bare, f"{place}.{bare}"]
    assert len(server.asked("ListInferenceProfiles")) > 2  # every page
    assert model.name == f"{place}.{bare}"


def test_a_bare_id_where_profiles_may_not_be_listed_names_the_likely_ones(bedrock):
    _, model = bedrock(model="anthropic.claude-sonnet-5", account=Account(listing=False))
    error = fails(model, "only be called through an inference profile")
    assert error.hint == (
        "try --model us.anthropic.claude-sonnet-5 or --model global.anthropic.claude-sonnet-5"
    )


def test_the_arn_of_a_foundation_model_is_resolved_too(bedrock):
    account = Account()
    server, model = bedrock(RIGHT, model=account.model_arn("anthropic.claude-sonnet-5"))
    generate(model)
    assert server.asked()[-1]["modelId"] == US


def test_thoughts_alone_are_asked_again(bedrock):
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}}
    server, model = bedrock(Reply([thought]), RIGHT)
    assert generate(model)[0].code == CODE
    assert server.asked()[1]["messages"][1]["content"] == [thought, {"text": "(no answer)"}]


def test_a_bare_id_without_a_profile_names_those_that_work(bedrock):
    account = Account(
        (
            FoundationModel("anthropic.claude-sonnet-5"),
            FoundationModel("anthropic.claude-sonnet-4-6"),
        ),
        (InferenceProfile("us.anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6"),),
    )
    _, model = bedrock(model="anthropic.claude-sonnet-5", account=account)
    assert "anthropic.claude-sonnet-4-6" in fails(model, "needs an inference profile").hint


def test_a_mistyped_id_names_the_nearest(bedrock):
    _, model = bedrock(model="us.anthropic.claude-sonet-5")
    assert f"did you mean {US}" in fails(model, "knows no model").hint


def test_an_arn_is_called_as_it_stands_and_named_without_the_account(bedrock):
    made = InferenceProfile("abc123def456", "anthropic.claude-sonnet-5", "APPLICATION")
    account = Account((FoundationModel("anthropic.claude-sonnet-5"),), (made,))
    server, model = bedrock(RIGHT, model=made.arn("us-east-1"), account=account)
    draft, _ = generate(model)
    assert server.asked()[0]["modelId"] == made.arn("us-east-1")
    assert model.name == draft.usage[0].model == "abc123def456"


# --- models that can less ---------------------------------------------------


def test_a_model_without_tools_answers_in_prose(bedrock):
    account = Account((FoundationModel("acme.writer", on_demand=True, tools=False),), ())
    server, model = bedrock(
        f"Counts.\n```python\n{CODE}```",
        RIGHT,
        "```\n" + CODE + "```",
        model="acme.writer",
        account=account,
    )
    draft, _ = generate(model)
    assert draft.code == CODE
    first, second = server.asked()
    assert "toolConfig" in first
    assert "toolConfig" not in second
    assert "There is no tool" in second["system"][0]["text"]


def test_it_is_remembered_and_drafts_of_other_models_go_back_as_text(bedrock):
    account = Account((FoundationModel("acme.writer", on_demand=True, tools=False),), ())
    server, model = bedrock(*["```\n" + CODE + "```"] * 2, model="acme.writer", account=account)
    generate(model)
    draft = Draft("x", reply=(tool_call(ARGUMENTS),))
    generate(model, Turn(draft, FEEDBACK), Turn(Draft("y"), FEEDBACK))
    assert len(server.asked()) == 3
    last = server.asked()[-1]["messages"]
    assert "toolUse" not in json.dumps(last)
    assert "```python\\ny\\n```" in json.dumps(last)


def test_a_model_without_a_cache_gets_no_cache_points(bedrock):
    account = Account((FoundationModel("anthropic.claude-old", on_demand=True, caching=False),), ())
    server, model = bedrock(RIGHT, model="anthropic.claude-old", account=account)
    assert generate(model)[0].code == CODE
    assert "cachePoint" not in json.dumps(server.asked()[-1], default=str)
    account = Account((FoundationModel("acme.writer", on_demand=True),), ())
    server, model = bedrock(RIGHT, model="acme.writer", account=account)
    generate(model)
    assert "cachePoint" not in json.dumps(server.asked()[0], default=str)  # not even tried


def test_a_model_that_cannot_stream_is_asked_without(bedrock):
    refusal = Refuse(
        "ValidationException", "The model is unsupported for streaming: does not support streaming."
    )
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}}
    server, model = bedrock(refusal, Reply([thought, {"text": "So."}, tool_call(ARGUMENTS)]))
    draft, streamed = generate(model)
    assert draft.code == CODE
    assert streamed == "So." + CODE
    assert draft.reply[0] == thought
    assert len(server.asked("Converse")) == 1


def test_nothing_is_sent_for_a_preview(bedrock):
    server, model = bedrock(RIGHT)
    preview = model.preview(conversation())
    assert server.requests == []
    generate(model)
    (sent,) = server.asked()
    assert {**preview.request, "modelId": US} == sent


@pytest.mark.skipif(not COUNTS, reason="this boto3 does not count tokens")
@pytest.mark.parametrize("name", [US, "bedrock"])
def test_bedrock_counts_the_very_request_where_it_is_asked_to(bedrock, name):
    server, model = bedrock(RIGHT, model=name)
    preview = model.preview(conversation(), count=True)
    (asked,) = server.asked("CountTokens")
    assert asked["modelId"] == "anthropic.claude-sonnet-5"  # it takes no profile's id
    counted = asked["input"]["converse"]
    assert counted["toolConfig"] == preview.request["toolConfig"]
    assert counted["system"] == preview.request["system"][:1]
    assert "cachePoint" not in json.dumps(counted)
    sent = preview.request["messages"][0]["content"]
    assert counted["messages"][0]["content"] == [block for block in sent if "text" in block]
    assert (preview.counted, preview.left, preview.uncounted) == (True, True, "")
    assert preview.tokens == count_tokens(asked["input"])
    assert server.asked() == []
    assert model.name == US


REFUSALS = {
    "model": (
        Refuse("ValidationException", "The provided model doesn't support counting tokens"), {},
        "doesn't support counting",
    ),
    "role": (access_denied("bedrock:CountTokens"), {}, "may not do bedrock:CountTokens"),
    "throttled": (throttled(), {}, "too often"),
    "no default": (None, {"model": "bedrock", "account": Account(listing=False)}, "ListInference"),
}  # fmt: skip


@pytest.mark.skipif(not COUNTS, reason="this boto3 does not count tokens")
@pytest.mark.parametrize(("refusal", "more", "why"), REFUSALS.values(), ids=REFUSALS.keys())
def test_where_bedrock_does_not_count_the_estimate_stands_and_says_why(bedrock, refusal, more, why):
    server, model = bedrock(refuse={"CountTokens": refusal} if refusal else None, **more)
    preview = model.preview(conversation(), count=True)
    assert not preview.counted
    assert why in preview.uncounted
    assert preview.left == bool(refusal)
    assert preview.tokens == model.preview(conversation()).tokens > 100
    assert len(server.asked("CountTokens")) == bool(refusal)  # once, and no waiting
    assert [text for text in server.said if isinstance(text, float)] == []


@pytest.mark.skipif(not COUNTS, reason="this boto3 does not count tokens")
def test_nothing_has_left_for_a_count_where_nobody_listens(bedrock, monkeypatch):
    _, model = bedrock()
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9")
    preview = model.preview(conversation(), count=True)
    assert (preview.counted, preview.left) == (False, False)
    assert "cannot be reached" in preview.uncounted


@pytest.mark.skipif(COUNTS, reason="this boto3 counts tokens")
def test_an_older_boto3_leaves_it_at_the_estimate(bedrock):
    server, model = bedrock()
    preview = model.preview(conversation(), count=True)
    assert (preview.counted, preview.left) == (False, False)
    assert "this boto3 cannot" in preview.uncounted
    assert server.requests == []


def test_the_users_own_price_is_planned_with_and_told(bedrock):
    account = Account((FoundationModel("acme.writer-v1:0", on_demand=True),), ())
    server, model = bedrock(RIGHT, model="acme.writer-v1:0", account=account)
    model._prices = lambda: parse({"acme.*": {"input": 1000, "output": 1000}})
    (used,) = generate(model)[0].usage
    assert used.own_price
    assert used.dollars == Decimal(used.input + used.output) / 1000
    assert server.meter.planned[0].dollars >= Decimal("8.192")


def test_no_region_is_said_before_anything_else(aws, monkeypatch, boto_session):
    with Bedrock() as server:
        aws(server)
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        with pytest.raises(ConfigError, match="no AWS region"):
            generate(BedrockModel(US))
