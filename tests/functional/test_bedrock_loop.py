"""The whole loop through boto3: a question, Bedrock's stand-in, the guard, real Spark, repair."""

import json
import os
import signal
import subprocess
import sys
import threading
from decimal import Decimal

import pytest

from bluebear_magic import Bluebear
from bluebear_magic.cli import main
from bluebear_magic.errors import Cancelled, NeedsAnswer
from bluebear_magic.provenance import bill
from bluebear_magic.testing import RecordingReporter
from tests.aws import (
    Account,
    Bedrock,
    Cut,
    FoundationModel,
    Hang,
    Intervene,
    Reply,
    expired,
    throttled,
    tool_call,
)
from tests.aws.shapes import knows

COUNTS = knows("bedrock-runtime", "CountTokens", "input", "converse", "toolConfig")

RIGHT = """from pyspark.sql import functions as F

result = spark.table("sales").groupBy("region").agg(F.sum("amount").alias("total")).orderBy("region")
"""
WRONG_COLUMN = RIGHT.replace('"amount"', '"amuont"')
WRONG_TABLE = RIGHT.replace('"sales"', '"sale"')
WRONG_SYNTAX = RIGHT.replace('alias("total"))', 'alias("total")')
WRONG_IMPORT = "import os\n" + RIGHT
TOTALS = {"region": ["N", "S"], "total": [6, 2]}


def drafts(*codes):
    return [
        Reply([tool_call({"code": code, "explanation": "Sums amounts."}, use=f"t{number}")])
        for number, code in enumerate(codes)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bedrock")
    (folder / "sales.csv").write_text(
        "region,amount,day\nN,1,2024-01-01\nS,2,2024-02-01\nN,5,2024-03-01\n"
    )
    return folder


@pytest.fixture
def ask(folder, local, monkeypatch, tmp_path):
    """``ask(script...)``: an answer, the server, what was reported, the session."""
    servers = []
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # a day of its own

    def ask(*script, attempts=4, responder=None, model="bedrock", account=None, **settings):
        server = Bedrock(script, responder=responder, account=account)
        servers.append(server.__enter__())
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        reporter = RecordingReporter()
        bb = Bluebear(model, folder=folder, reporter=reporter)
        for name, value in settings.items():
            setattr(bb.settings, name, value)
        bb.tools.backends = {**bb.tools.backends, "local": local}
        bb.model(model)._sleep = lambda seconds: None  # waits are told, and nobody waits
        bb.add_data("sales", folder / "sales.csv")
        return bb.ask("total by region", attempts=attempts), server, reporter, bb

    yield ask
    for server in servers:
        server.close()


def feedback(request):
    """What went back with the last message, as the tool's result."""
    (block,) = request["messages"][-1]["content"]
    return block["toolResult"]["content"][0]["text"]


def test_first_try_right(ask):
    answer, server, reporter, bb = ask(*drafts(RIGHT))
    assert answer.ok
    assert (answer.code, answer.explanation) == (RIGHT, "Sums amounts.")
    assert answer.model == "us.anthropic.claude-sonnet-5"
    assert len(answer.attempts) == 1
    assert answer.chosen.draft.usage[0].dollars > 0
    assert "us.anthropic.claude-sonnet-5 writes the code" in reporter.steps or (
        "bedrock writes the code" in reporter.steps
    )
    assert bb.run(answer, strict=True).df.to_dict("list") == TOTALS
    sent = str(server.asked()[0]["messages"])
    assert "`amount` INT" in sent or "`amount` BIGINT" in sent
    assert "2024" not in sent  # a value


def test_a_wrong_column_then_right(ask):
    answer, server, _, _ = ask(*drafts(WRONG_COLUMN, RIGHT))
    assert answer.ok
    assert [attempt.ok for attempt in answer.attempts] == [False, True]
    first = answer.attempts[0]
    assert min(*first.tokens, first.seconds) > 0
    told = feedback(server.asked()[1])
    assert "while Spark analysed it (line 3, UNRESOLVED_COLUMN" in told
    assert ">   3 | result =" in told
    assert "amuont" in told
    assert "amount" in told
    assert "UNRESOLVED_COLUMN" in told
    assert "java" not in told
    assert "\tat " not in told


def test_three_wrong_then_right(ask):
    answer, server, _, _ = ask(*drafts(WRONG_COLUMN, WRONG_SYNTAX, WRONG_IMPORT, RIGHT))
    assert answer.ok
    assert [attempt.ok for attempt in answer.attempts] == [False] * 3 + [True]
    last = server.asked()[-1]["messages"]
    assert [message["role"] for message in last] == ["user", *["assistant", "user"] * 3]
    assert [b["toolUse"]["toolUseId"] for m in last if m["role"] == "assistant" for b in m["content"]] == [
        "tooluse_t0", "tooluse_t1", "tooluse_t2",
    ]  # fmt: skip


def test_four_wrong_ends_with_everything_shown(ask):
    codes = (WRONG_COLUMN, WRONG_TABLE, WRONG_SYNTAX, WRONG_IMPORT)
    answer, server, reporter, _ = ask(*drafts(*codes))
    assert not answer.ok
    assert answer.error.kind == "gave_up"
    assert [attempt.draft.code for attempt in answer.attempts] == list(codes)
    assert len(reporter.attempts) == 4
    assert len(server.asked()) == 4


def test_prose_only(ask):
    answer, _, reporter, _ = ask(*["I would rather talk about it."] * 3)
    assert answer.error.kind == "model"
    assert "rather talk" in answer.error.message
    assert sum("asking again" in step for step in reporter.steps) == 2


def test_broken_tool_json_throttling_and_a_cut_stream_on_the_way_to_an_answer(ask):
    answer, server, reporter, _ = ask(
        throttled(), Reply([tool_call('{"code": "result = ')]), Cut(), *drafts(RIGHT)
    )
    assert answer.ok
    assert len(answer.attempts) == 1
    assert len(server.asked()) == 4
    told = " ".join(reporter.steps)
    assert "trying again in" in told
    assert "not valid JSON" in told
    assert "starting over" in told


def test_a_guardrail_that_steps_in(ask):
    answer, server, _, _ = ask(Intervene(), guardrail="abc:1")
    assert answer.error.kind == "model"
    assert "the guardrail abc:1 stepped in (salaries)" in answer.error.message
    assert len(server.asked()) == 1


def test_expired_credentials_after_a_draft_keep_the_draft(ask):
    answer, _, _, _ = ask(*drafts(WRONG_COLUMN), expired())
    assert "aws sso login" in answer.error.hint
    assert [attempt.draft.code for attempt in answer.attempts] == [WRONG_COLUMN]


@pytest.mark.parametrize("scope", ["question", "notebook", "day"])
def test_a_budget_stops_before_the_first_call_until_it_is_raised(ask, scope):
    # Two calls may cost about 0.1 dollars each at most, and take about 0.002.
    answer, server, _, bb = ask(*drafts(WRONG_COLUMN, RIGHT), **{f"budget_{scope}": 0.05})
    assert answer.error.kind == "budget"
    assert f"%config Bluebear.budget_{scope} =" in answer.error.hint
    assert server.asked() == []
    setattr(bb.settings, f"budget_{scope}", 0.11)
    answer = bb.ask("total by region")
    assert answer.ok
    assert len(server.asked()) == 2
    assert len(answer.usage) == 2
    assert bb.tools.books.ledger.today()[-1].question == "total by region"
    bb.settings.budget_day = 0.001
    answer = bb.ask("total by region", strict=False)
    assert "spent today" in answer.error.message


def test_a_budget_that_ends_between_two_drafts_keeps_the_first(ask):
    usage = {"inputTokens": 90_000, "outputTokens": 10}
    first = Reply([tool_call({"code": WRONG_COLUMN, "explanation": ""})], usage=usage)
    answer, server, _, _ = ask(first, *drafts(RIGHT), budget_question=0.2)
    assert answer.error.kind == "budget"
    assert [attempt.draft.code for attempt in answer.attempts] == [WRONG_COLUMN]
    assert len(server.asked()) == len(answer.usage) == 1


def test_a_budget_that_ends_before_a_better_draft_keeps_the_one_that_runs_and_says_so(ask):
    usage = {"inputTokens": 90_000, "outputTokens": 10}
    doubtful = RIGHT.replace('.groupBy("region")', '.where("region = \'n\'").groupBy("region")')
    first = Reply([tool_call({"code": doubtful, "explanation": ""})], usage=usage)
    answer, server, reporter, _ = ask(first, *drafts(RIGHT), budget_question=0.2)
    assert answer.ok
    assert answer.code == doubtful
    assert len(server.asked()) == 1
    (warning,) = [text for text in reporter.warnings if "no better draft" in text]
    assert "would break the budget of $0.2000" in warning


def test_calls_that_came_to_nothing_are_on_the_bill(ask):
    answer, _, _, bb = ask(throttled(), *["I would rather talk about it."] * 3)
    assert answer.error.kind == "model"
    assert len(answer.usage) == 3
    assert len(bb.tools.books.charges) == 3


def test_a_model_without_a_known_price_is_asked_under_a_budget_once_it_is_said(ask):
    account = Account((FoundationModel("mistral.new-v1:0", on_demand=True),), ())
    model = {"model": "mistral.new-v1:0", "account": account}
    answer, server, _, bb = ask(*drafts(RIGHT), budget_day=5, **model)
    assert "the price of mistral.new-v1:0 is not known" in answer.error.message
    assert server.asked() == []
    bb.settings.prices = {"mistral.new-v1:0": {"input": 1, "output": 2}}
    answer = bb.ask("total by region")
    assert answer.ok
    (usage,) = answer.usage
    assert usage.dollars == Decimal(usage.input + 2 * usage.output) / 1_000_000
    assert bill.usage_told(answer.usage).endswith("(your own prices).")


def telling(*sentences, **more):
    return Reply([tool_call({"sentences": list(sentences), **more}, name="summary")])


def test_a_run_is_told_of_by_the_model_that_wrote_the_code(ask):
    chart = {"kind": "bar", "x": "region", "y": ["total"]}
    answer, server, reporter, bb = ask(
        *drafts(RIGHT), telling("N has 6, three times S.", "It grew by 17%.", chart=chart),
        share="samples",
    )  # fmt: skip
    result = bb.run(answer, strict=True)
    assert result.summary == "N has 6, three times S."
    assert result.hint.kind == "bar"
    assert reporter.warnings == []
    shown = result._repr_mimebundle_()["text/plain"]
    assert "each number checked against the result; 2 rows were sent. Asked us.anthropic" in shown
    assert len(server.asked()) == 2
    assert len(bb.tools.books.asked) == 2
    assert bb.run(RIGHT, strict=True).usage == ()  # code alone: no question, nothing to tell


def test_a_summary_that_fails_leaves_the_run_as_it_is(ask):
    answer, _, reporter, bb = ask(*drafts(RIGHT), expired(), share="samples")
    result = bb.run(answer, strict=True)
    assert result.df.to_dict("list") == TOTALS
    assert "N is highest with 6" in result.summary
    assert reporter.warnings[-1].startswith("the summary was made here: ")


def test_without_consent_a_run_asks_no_model(ask):
    answer, server, _, bb = ask(*drafts(RIGHT))
    assert "N is highest with 6" in bb.run(answer, strict=True).summary
    assert len(server.asked()) == 1


def test_ctrl_c_in_the_middle(ask):
    def interrupt(request):
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        return Hang(after=3, seconds=60)

    with pytest.raises(Cancelled):
        ask(responder=interrupt)


US = "us.anthropic.claude-sonnet-5"


def test_a_dry_run_tells_the_very_request_and_sends_none(ask, folder, monkeypatch, capsys):
    _, server, _, bb = ask(*drafts(RIGHT, RIGHT))
    before = len(server.requests)
    preview = bb.would_send("total by day", model=US)
    assert len(server.requests) == before
    usage = bb.ask("total by day", model=US).chosen.draft.usage[0]
    assert preview.tokens == pytest.approx(usage.input + usage.cache_write, rel=0.4)
    sent = server.asked()[-1]
    assert {**preview.request, "modelId": US} == sent
    for block in [*sent["system"], *sent["messages"][0]["content"]]:
        assert block.get("text", "") in preview.text
    assert json.dumps(sent["toolConfig"])[1:-1] in preview.text
    preview = bb.would_send("total by day", model=US, fresh=True)
    assert bb.history

    monkeypatch.chdir(folder)
    asked = ["ask", "total by day", "--dry-run", "--model", US, "--data", "sales.csv"]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["would_send"]
    assert told["request"] == preview.request
    assert main(asked) == 0
    out = capsys.readouterr().out
    assert f"{US} would get 1 schema, 0 rows: about" in out
    assert preview.text.splitlines()[1] in out
    assert main(["ask", "total by day", "--dry-run", "--data", "sales.csv"]) == 0
    assert "nothing would be" in capsys.readouterr().out
    assert len(server.requests) == before + 1


@pytest.mark.skipif(not COUNTS, reason="this boto3 does not count tokens")
def test_a_dry_run_lets_bedrock_count_where_the_setting_says_so(ask, folder, monkeypatch, capsys):
    _, server, _, bb = ask(*drafts(RIGHT))
    bb.settings.count_tokens = True
    preview = bb.would_send("total by day", model=US)
    assert preview.counted
    assert len(server.asked("CountTokens")) == len(server.asked()) == 1
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BLUEBEAR_COUNT_TOKENS", "yes")
    asked = ["ask", "total by day", "--dry-run", "--model", US, "--data", "sales.csv"]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sent"] == "to_count"
    assert told["would_send"]["counted"]


def test_an_answer_says_what_was_sent(ask):
    answer, _, _, bb = ask(*drafts(WRONG_COLUMN, RIGHT, RIGHT, RIGHT))
    assert answer.sent == f"Sent to {US}: 1 schema, 0 rows."
    bb.share("sales", "samples")
    assert bb.ask("total by region").sent == f"Sent to {US}: 1 schema (1 with values), 3 rows."
    assert bb.ask("total amount by region", model="offline").sent == "Nothing was sent."


ASKS = Reply([tool_call({"code": "", "explanation": "", "questions": ["Sum or mean?"]}, use="q")])


def test_a_question_back_is_answered_by_the_next_question(ask):
    answer, server, reporter, bb = ask(ASKS, ASKS, *drafts(WRONG_COLUMN, RIGHT, RIGHT, RIGHT))
    assert (answer.ok, answer.code, answer.questions) == (False, "", ("Sum or mean?",))
    assert (answer.error.kind, reporter.attempts) == ("question", [])
    assert "Sum or mean?" in answer.error.message
    assert answer.sent == f"Sent to {US}: 1 schema, 0 rows."
    with pytest.raises(NeedsAnswer):
        bb.ask("well", strict=True)
    then = bb.ask("the sum")
    assert then.ok
    assert then.whole_question == "total by region / the sum"
    assert [attempt.ok for attempt in then.attempts] == [False, True]
    last = server.asked()[-1]["messages"]
    assert {"text": "The question:\ntotal by region"} in last[0]["content"]
    (told,) = (block["toolResult"] for block in last[4]["content"])
    assert (told["status"], told["toolUseId"]) == ("success", "tooluse_q")
    assert "The person answers:\nthe sum" in told["content"][0]["text"]
    assert "UNRESOLVED_COLUMN" in feedback(server.asked()[-1])

    bb.ask("and by day")
    assert len(server.asked()[-1]["messages"]) == 1  # that was answered
    assert "total by region / the sum" in str(server.asked()[-1]["messages"])


def test_fresh_and_the_same_question_again_are_no_answers(ask):
    _, server, _, bb = ask(ASKS, ASKS, ASKS, *drafts(RIGHT))
    bb.ask("total by region")
    bb.ask("something else", fresh=True)
    assert [len(request["messages"]) for request in server.asked()] == [1, 1, 1]
    bb.forget()
    assert bb.ask("the sum").ok
    assert len(server.asked()[-1]["messages"]) == 1


def test_what_was_asked_back_under_another_sharing_is_not_gone_on_with(ask):
    _, server, _, bb = ask(ASKS, ASKS, *drafts(RIGHT), share="profile")
    bb.share("default", "schema")
    bb.ask("the sum")
    assert len(server.asked()[-1]["messages"]) == 1


def test_an_answer_that_could_not_be_sent_can_be_given_again(ask):
    _, server, _, bb = ask(ASKS, expired(), *drafts(RIGHT))
    assert bb.ask("the sum").error.kind == "model"
    assert bb.ask("the sum").ok
    assert len(server.asked()[-1]["messages"]) == 3


def test_ask_in_a_shell_tells_the_question_and_ends_with_its_own_status(
    ask, folder, monkeypatch, capsys
):
    ask(ASKS, ASKS, ASKS)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BLUEBEAR_WARM", "false")  # no Spark of its own: nothing comes to a check
    asked = ["ask", "total by region", "--model", "bedrock", "--data", "sales.csv"]
    assert main([*asked, "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["questions"], told["error"]["kind"]) == (
        False,
        ["Sum or mean?"],
        "question",
    )
    assert main(asked) == 3
    assert "the model asks: Sum or mean?" in capsys.readouterr().err


def test_follow_ups_go_on_from_what_was_asked_and_what_it_gave(ask):
    answer, server, _, bb = ask(*drafts(*[RIGHT] * 5))
    bb.ask("now by month")
    past = str(server.asked()[-1]["messages"])
    assert "gave: `region`, `total`\\n" in past
    bb.run(answer, strict=True)
    assert [(turn.question, turn.row_count) for turn in bb.history] == [
        ("now by month", None), ("total by region", 2),
    ]  # fmt: skip
    bb.ask("only the north")
    assert "gave: `region`, `total`, 2 rows" in str(server.asked()[-1]["messages"])
    bb.ask("by region", fresh=True)
    assert "Asked before" not in str(server.asked()[-1]["messages"])
    assert [turn.question for turn in bb.history] == ["by region"]
    bb.forget()
    assert bb.history == ()


def test_a_bedrock_id_is_a_model_and_a_misspelt_name_is_none(folder):
    with Bluebear(folder=folder) as bb:
        assert bb.model("us.anthropic.claude-sonnet-5").name == "us.anthropic.claude-sonnet-5"
        assert bb.model("bedrock") is bb.model("bedrock")
        before = bb.model("bedrock")
        bb.settings.aws_region = "eu-west-1"
        assert bb.model("bedrock") is not before
        answer = bb.ask("x", model="bedrok")
        assert "models: offline, bedrock" in answer.error.hint


def test_boto3_loads_only_when_bedrock_is_asked():
    code = (
        "import sys, bluebear_magic\n"
        "from bluebear_magic import Bluebear\n"
        "bb = Bluebear()\n"
        "bb.model('bedrock')\n"
        "print([name for name in ('boto3', 'botocore', 'urllib3') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
