"""A model tells of a result, through boto3 and the stand-in: asked with consent, believed with proof."""

import json
import os
import signal
import threading
from dataclasses import replace

import pytest

from bluebear_magic import Bluebear, narration
from bluebear_magic.aws import Aws
from bluebear_magic.generation.bedrock import BedrockModel, Options
from bluebear_magic.records import ChartHint, Column, Dataset
from bluebear_magic.runner.envelope import Table
from bluebear_magic.testing import RecordingReporter, ScriptedModel
from tests.aws import Bedrock, Hang, Intervene, Refuse, Reply, expired, throttled, tool_call

US = "us.anthropic.claude-sonnet-5"
SALES = Dataset("sales", "sales.csv", "csv", ("/d/sales.csv",), (Column("region", "STRING"),), "f")
TABLE = Table(
    "result", (("region", "string"), ("total", "double")),
    (("North", 1200.0), ("South", 300.0), ("<b>East</b>", 500.0)), 3, False, False,
)  # fmt: skip
QUESTION = "total by region"
TRUE = "North has the highest total with 1,200, four times South."
FALSE = "South grew by 17% to 351."


def told(*sentences, chart=None):
    said = {"sentences": list(sentences), **({"chart": chart} if chart else {})}
    return Reply([tool_call(said, name="summary")])


@pytest.fixture
def narrate(aws, boto_session, tmp_path, monkeypatch):
    """``narrate(script...)``: what comes of it; ``.server``, ``.warned``, ``.bb`` beside it."""
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    made = []

    class Narrate:
        def __call__(
            self, *script, share="samples", table=TABLE, model=US, responder=None,
            guardrail="", question=QUESTION, **settings,
        ):  # fmt: skip
            self.server = Bedrock(script, responder=responder)
            aws(self.server)
            made.append(self.server.__enter__())
            reporter = RecordingReporter()
            self.bb = Bluebear(folder=tmp_path, reporter=reporter)
            self.bb.settings.share = share
            (tmp_path / "sales.csv").write_text("region\nNorth\n")
            sales = replace(SALES, paths=(str(tmp_path / "sales.csv"),))
            for name, value in settings.items():
                setattr(self.bb.settings, name, value)
            if isinstance(model, str):
                model = BedrockModel(
                    model, aws=Aws(session=boto_session), options=Options(guardrail=guardrail),
                    meter=self.bb.tools.books, sleep=lambda seconds: None,
                )  # fmt: skip
            found = narration.narrate(self.bb.tools, model, question, [table], [sales])
            self.warned = reporter.warnings
            return found

    yield Narrate()
    for server in made:
        server.close()


def test_proven_sentences_and_a_chart_that_fits_are_used(narrate):
    found = narrate(told(TRUE, chart={"kind": "bar", "x": "region", "y": ["total"]}))
    assert found.summary == TRUE
    assert found.chart == ChartHint("bar", "region", ("total",))
    assert narrate.warned == []
    assert found.note.startswith(
        "Summary by a model, each number checked against the result; 3 rows"
    )
    assert found.usage[0].dollars > 0
    assert narrate.bb.tools.books.ledger.today()[0].question == QUESTION


def test_the_rows_are_sent_as_data_and_little_is_asked_for(narrate):
    narrate(told(TRUE))
    (request,) = narrate.server.asked()
    assert request["inferenceConfig"]["maxTokens"] <= 2000
    (block,) = request["messages"][0]["content"]
    head, rest = block["text"].split("<data-", 1)
    inside = rest.split("</data-", 1)[0]
    assert '["North", "1,200"]' in inside
    assert "of all rows, total: lowest 300, highest 1,200, sum 2,000" in inside
    assert "North" not in head
    assert rest.rstrip().endswith(QUESTION)


def test_a_sentence_with_a_number_that_is_not_there_is_dropped(narrate):
    found = narrate(told(FALSE, TRUE))
    assert found.summary == TRUE
    assert narrate.warned == []
    assert narrate(told(FALSE)).summary == ""
    assert "numbers that the result has not" in narrate.warned[0]


@pytest.mark.parametrize(
    "chart",
    [
        {"kind": "bar", "x": "nowhere"},
        {"kind": "bar", "x": "region", "y": ["region"]},
        {"kind": "pie", "x": "region"},
        {"kind": "line", "x": "region", "y": ["total"]},
        "<script>", 7,
    ],
)  # fmt: skip
def test_a_chart_that_does_not_fit_is_ignored(narrate, chart):
    found = narrate(told(TRUE, chart=chart))
    assert (found.summary, found.chart) == (TRUE, None)


def test_that_no_chart_helps_is_heard(narrate):
    assert narrate(told(TRUE, chart={"kind": "none"})).chart == ChartHint("none")


@pytest.mark.parametrize(
    ("share", "why"),
    [
        ("schema", "rows of `sales` are not shared"),
        ("profile", "rows of `sales` are not shared"),
        ("samples, sales=schema", "rows of `sales` are not shared"),
        ("samples, sales.region=schema", "columns that are not"),
    ],
)
def test_without_consent_nothing_is_sent(narrate, share, why):
    assert narrate(told(TRUE), share=share) == narration.Narration()
    assert narrate.server.asked() == []
    assert narrate.warned == []
    narrate(told(TRUE), share=share, summary="model")
    assert narrate.server.asked() == []
    assert why in narrate.warned[0]


def test_the_setting_and_models_that_do_not_tell(narrate):
    assert narrate(told(TRUE), summary="local") == narration.Narration()
    assert narrate.server.asked() == []
    assert narrate(told(TRUE), question="") == narration.Narration()
    scripted = ScriptedModel([])
    assert narrate(model=scripted) == narration.Narration()
    assert narrate.warned == []
    narrate(model=scripted, summary="model")
    assert "the model scripted writes none" in narrate.warned[0]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ([throttled(), throttled()], "too often"),
        ([expired()], "expired"),
        ([Refuse("InternalServerException", "no", 500)] * 2, "trouble"),
        ([Intervene()], "guardrail"),
        ([Reply("cut", stop="max_tokens")], None),
        ([Reply([tool_call('{"sentences": [', name="summary")])], None),
        ([Reply([tool_call([1, 2], name="summary")])], None),
        ([told()], None),
    ],
    ids=["throttled", "expired", "500", "guardrail", "cut", "broken", "shape", "nothing"],
)
def test_whatever_fails_the_summary_is_made_here(narrate, script, why):
    found = narrate(*script)
    assert (found.summary, found.chart) == ("", None)
    if why:
        assert narrate.warned[0].startswith("the summary was made here")


def test_throttling_that_passes_is_waited_for(narrate):
    assert narrate(throttled(), told(TRUE)).summary == TRUE


def test_a_budget_stops_the_summary_and_nothing_else(narrate):
    found = narrate(told(TRUE), budget_question=0.001)
    assert found.summary == ""
    assert "break the budget of $0.0010" in narrate.warned[0]
    assert narrate.server.asked() == []


def test_an_unknown_price_stops_it_too(narrate):
    narrate(told(TRUE), model="mistral.new-v1:0", budget_day=1)
    assert "the price of mistral.new-v1:0 is not known" in narrate.warned[0]


def test_an_interrupt_ends_the_call_and_keeps_the_result(narrate):
    def interrupt(request):
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        return Hang(after=3, seconds=60)

    assert narrate(responder=interrupt).summary == ""
    assert "the model was stopped" in narrate.warned[0]


@pytest.mark.parametrize(
    "said",
    [
        "North wins, see https://evil.example/x for more.",
        "North wins ![x](//evil.example/x.png).",
        "North wins <img src=x onerror=alert(1)>.",
        "Visit www.evil.example now.",
    ],
)
def test_what_would_link_or_load_is_dropped(narrate, said):
    assert narrate(told(said, TRUE)).summary == TRUE


def test_hostile_text_is_made_visible(narrate):
    found = narrate(told("North\u202e wins\x1b[31m."))
    assert "\u202e" not in found.summary
    assert "\x1b" not in found.summary


def test_prose_is_taken_from_a_model_without_tools(narrate):
    refuse = Refuse("ValidationException", "This model doesn't support tool use.")
    found = narrate(refuse, Reply(f"{TRUE}\n- {FALSE} East is in the middle."))
    assert found.summary == f"{TRUE} East is in the middle."
    assert "toolConfig" not in narrate.server.asked()[1]


def test_at_most_three_sentences(narrate):
    assert narrate(told("One. Two is second. North leads. East too.")).summary.count(".") <= 3


def test_of_a_part_of_the_rows_the_summary_says_so(narrate):
    part = Table("result", TABLE.columns, TABLE.rows, 9000, False, True)
    assert narrate(told(TRUE), table=part).summary == f"{TRUE} Told from the first 3 rows."
    assert "sum" not in json.dumps(narrate.server.asked()[0]["messages"])
    assert narrate(told("In all it is 2,000."), table=part).summary == ""
