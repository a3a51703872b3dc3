"""Bedrock from a real kernel: code that streams into the cell, questions back, Ctrl-C, follow-ups."""

import os
import time

import psutil
import pytest

from bluebear_magic.provenance.header import parse
from tests.aws import Bedrock, Hang, Refuse, Reply, tool_call
from tests.functional.test_magics import Kernel

RIGHT = """from pyspark.sql import functions as F

result = spark.table("sales").groupBy("region").agg(F.sum("amount").alias("total")).orderBy("region")
"""
ASKS = Reply([tool_call({"code": "", "explanation": "", "questions": ["Sum <b>or</b> mean?"]})])


def draft(**how):
    arguments = {"code": RIGHT, "explanation": "Sums amounts."}
    return Reply([tool_call(arguments)], **how)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """``notebook(reply, ...)``: a kernel whose Bedrock gives these next, and the server."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "data").mkdir()
    (folder / "data" / "sales.csv").write_text("region,amount\nN,1\nS,2\nN,5\n")
    script = []
    with Bedrock(responder=lambda _: script.pop(0)) as server:
        kernel = Kernel(folder, BLUEBEAR_MODEL="bedrock", **server.environment)
        kernel.run("%load_ext bluebear_magic")

        def notebook(*replies):
            script[:] = replies
            return kernel, server

        yield notebook
        kernel.close()


def test_code_is_shown_while_it_streams_and_what_was_cut_off_is_cleared(notebook):
    cut = Reply([tool_call({"code": "first_try = 1\n" * 40})], stop="max_tokens", pause=0.02)
    kernel, _ = notebook(cut, draft(pause=0.1))
    ran = kernel.run("%%bluebear --fresh\ntotal by region", "streams")
    assert ran.ok, ran.outputs
    partly = [step for step in ran.steps if "from pyspark" in step and "orderBy" not in step]
    assert partly, "the code came all at once"
    assert any("first_try" in step for step in ran.steps)
    assert not any("first_try" in step and "from pyspark" in step for step in ran.steps)
    assert "first_try" not in ran.text
    assert "asking again" not in ran.text
    assert parse(ran.inserted[0]).code.strip() == RIGHT.strip()
    assert "Sent to us.anthropic.claude-sonnet-5: 1 schema, 0 rows." in ran.text


def test_a_question_back_is_shown_and_the_next_cell_answers_it(notebook):
    kernel, server = notebook(ASKS, draft())
    ran = kernel.run("%%bluebear --fresh\ntotal of each region", "asks")
    assert ran.ok
    assert ran.inserted == []
    assert "the model asks:\nSum <b>or</b> mean?\n" in ran.text
    assert "Answer in the next %%bluebear cell" in ran.text
    assert "Sum &lt;b&gt;or&lt;/b&gt; mean?" in ran.html
    assert "waits for an answer: Sum <b>or</b> mean?" in kernel.run("%bluebear history").text

    answered = kernel.run("%%bluebear\nthe sum", "answers")
    assert answered.ok, answered.outputs
    cell = parse(answered.inserted[0])
    assert cell.header.question == "total of each region / the sum"
    assert "The person answers:\\nthe sum" in str(server.asked()[-1]["messages"])
    # the cell below answers this cell's own text
    again = kernel.run("%%bluebear\nthe sum", "answers")
    assert "no model was called" in again.text


def test_what_was_asked_is_listed_and_forgotten(notebook):
    kernel, server = notebook(draft(), draft(), draft())
    kernel.run("%%bluebear --fresh\ntotals", "one")
    kernel.run(kernel.run("%%bluebear\nnow sorted", "two").inserted[0])
    assert kernel.run("%bluebear history").text == (
        "1. totals: region, total\n2. now sorted: region, total, 2 rows"
    )
    assert kernel.run("%bluebear forget").ok
    assert "Nothing was asked yet" in kernel.run("%bluebear history").text
    kernel.run("%%bluebear\nagain", "three")
    assert "Asked before" not in str(server.asked()[-1]["messages"])


def test_sharing_is_shown_and_changed_by_a_line(notebook):
    kernel, server = notebook(draft(), draft())
    assert "sales: schema (names, types and sizes, no values)" in kernel.run("%bluebear share").text
    changed = kernel.run("%bluebear share sales profile")
    assert "sales: profile (names, types, ranges and frequent values)" in changed.text
    kernel.run("%%bluebear --fresh\nshared", "shared")
    assert 'values "N", "S"' in str(server.asked()[-1]["messages"])
    assert kernel.run("%bluebear share schema").ok
    kernel.run("%%bluebear --fresh\nnot shared", "not shared")
    assert '"N"' not in str(server.asked()[-1]["messages"])
    assert "no level" in kernel.run("%bluebear share all").text


def test_an_interrupt_stops_the_stream_at_once(notebook):
    kernel, server = notebook(Hang(after=3, seconds=60))
    request = kernel.send("%%bluebear --fresh\ninterrupted", "stops")
    end = time.monotonic() + 30
    before = len(server.asked())
    while len(server.asked()) == before and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.3)
    begun = time.monotonic()
    os.kill(kernel.process.pid, psutil.signal.SIGINT)
    ran = kernel.receive(request)
    assert time.monotonic() - begun < 3
    assert "the model was stopped" in ran.trouble
    assert server.requests[-1].hung_up.wait(5)


def test_without_bedrock_the_offline_model_is_offered_and_not_taken(notebook):
    refused = Refuse("AccessDeniedException", "You don't have access to the model", 403)
    kernel, _ = notebook(*[refused] * 12)
    ran = kernel.run("%%bluebear --fresh\ntotal amount by region", "refused")
    assert not ran.ok
    assert ran.inserted == []
    assert "--model offline answers simple questions without AWS" in ran.trouble
