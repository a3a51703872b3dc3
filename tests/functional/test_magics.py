"""The magics in a real kernel, spoken to as a frontend does."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import psutil
import pytest
from jupyter_client.manager import KernelManager

from bluebear_magic.context.catalog import Catalog
from bluebear_magic.provenance.header import code_hash, parse, prompt_hash, render, schema_hash

ROOT = Path(__file__).parents[2]
ASKED = "Show me total sales by region over the last 12 months"
HEAVY = ("boto3", "matplotlib", "pandas", "plotly", "pyarrow", "pyspark")
LOADED = f"import sys; print([name for name in {HEAVY} if name in sys.modules])"
COUNT = 'result = spark.table("sales_data").groupBy("region").count().orderBy("region")\n'


@dataclass
class Ran:
    """What a cell left: its reply, its outputs as they ended, and every text shown meanwhile."""

    reply: dict = field(default_factory=dict)
    outputs: list = field(default_factory=list)
    steps: list = field(default_factory=list)
    buttons: dict = field(default_factory=dict)  # of its widgets, by what stands on them

    @property
    def ok(self):
        return self.reply["status"] == "ok"

    @property
    def text(self):
        return "\n".join(
            out.get("text") or out.get("data", {}).get("text/plain", "") for out in self.outputs
        )

    @property
    def html(self):
        return "".join(out.get("data", {}).get("text/html", "") for out in self.outputs)

    @property
    def kinds(self):
        return {kind for out in self.outputs for kind in out.get("data", {})}

    @property
    def inserted(self):
        """The texts of the cells that the frontend is asked to insert."""
        payload = self.reply.get("payload", [])
        return [item["text"] for item in payload if item["source"] == "set_next_input"]

    @property
    def trouble(self):
        """What the user reads when it failed: IPython's usage error, or the one of the cell."""
        assert not self.ok
        errors = [out for out in self.outputs if "traceback" in out]
        if not errors:
            return self.text.strip()
        (error,) = errors
        (shown,) = error["traceback"]
        return shown


class Kernel:
    """A kernel and what a frontend has of it."""

    def __init__(self, folder, **environ):
        foreign = ("IPYTHON", "JPY", "BLUEBEAR", "PYDEVD", "MPL")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(
            cwd=str(folder),
            env={**inherited, "BLUEBEAR_CLASS_ARCHIVE": "false", **environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(60)
        self.process = psutil.Process(self.manager.provisioner.pid)

    def send(self, code, cell_id=None):
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        metadata = {"cellId": cell_id} if cell_id else {}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def receive(self, request, *, until=None, ran=None):
        """Reads to the end of the request, or until ``until(ran)`` holds; ``ran``: so far."""
        ran = ran or Ran()
        while until is None or not until(ran):
            message = self.client.get_iopub_msg(timeout=90)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                break
            if message["msg_type"] == "comm_open":
                label = content["data"].get("state", {}).get("description")
                ran.buttons[label] = content["comm_id"]
                continue
            if "data" in content:
                ran.steps.append(content["data"].get("text/plain", ""))
            if message["msg_type"] == "update_display_data":
                (shown,) = [
                    out for out in ran.outputs if out.get("transient") == content["transient"]
                ]
                shown["data"] = content["data"]
            elif message["msg_type"] in {"display_data", "stream", "error", "execute_result"}:
                ran.outputs.append(content)
        else:
            return ran
        while True:
            reply = self.client.get_shell_msg(timeout=90)
            if reply["parent_header"].get("msg_id") == request:
                ran.reply = reply["content"]
                return ran

    def run(self, code, cell_id=None):
        return self.receive(self.send(code, cell_id))

    def complete(self, code, at=None):
        """What a frontend is offered at a place in a cell: the text replaced, and the matches."""
        reply = self.client.complete(code, len(code) if at is None else at, reply=True, timeout=60)
        content = reply["content"]
        assert content["status"] == "ok"
        return code[content["cursor_start"] : content["cursor_end"]], content["matches"]

    def value(self, expression):
        """A plain value of the kernel."""
        ran = self.run(f"print(repr({expression}))")
        assert ran.ok, ran.outputs
        return ast.literal_eval(ran.text)

    def worker(self):
        """The process of its own in which generated code runs, or None."""
        for child in self.process.children():
            if "bluebear_magic.runner.worker" in child.cmdline():
                return child
        return None

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "data").mkdir()
    shutil.copy(ROOT / "notebooks" / "data" / "sales_data.csv", folder / "data")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "staff.csv").write_text("team,pay\nred,10\nblue,20\nred,30\n")
    return folder


@pytest.fixture(scope="module")
def kernel(project):
    """One kernel with one warm Spark, as in a notebook; nothing is known of its file."""
    kernel = Kernel(project)
    kernel.at_load = kernel.run(f"%load_ext bluebear_magic\n{LOADED}")
    yield kernel
    kernel.close()


@pytest.fixture(scope="module")
def cold(project):
    """A kernel for what needs no Spark."""
    kernel = Kernel(project, BLUEBEAR_WARM="0")
    kernel.run("%load_ext bluebear_magic")
    yield kernel
    kernel.close()


@pytest.fixture(scope="module")
def answered(kernel):
    """The question, asked in the cell with the id ``asked``."""
    return kernel.run(f"%%bluebear\n{ASKED}", "asked")


@pytest.fixture(scope="module")
def ran(kernel, answered):
    """The cell that the question inserted, run."""
    return kernel.run(answered.inserted[0])


@pytest.fixture
def scripted(kernel):
    """``scripted(draft, ...)``: the model ``scripted`` gives these; they are asked for by
    ``%%bluebear --model scripted``. ``asked()``: how often it was.
    """

    def scripted(*drafts):
        made = kernel.run(
            "from bluebear_magic.testing import ScriptedModel\n"
            f"scripted = ScriptedModel({drafts!r})\n"
            "get_ipython()._bluebear.frontend.bb.tools.models['scripted'] = scripted"
        )
        assert made.ok, made.outputs
        return lambda: kernel.value("len(scripted.conversations)")

    return scripted


# --- loading and settings ----------------------------------------------------


def test_loading_the_extension_loads_nothing_heavy(kernel):
    assert kernel.at_load.text == "[]\n"


def test_loading_it_in_plain_ipython_loads_nothing_heavy(project):
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'bluebear_magic')\n"
        f"assert shell.find_cell_magic('bluebear')\n{LOADED}\n"
    )
    environ = os.environ | {"BLUEBEAR_WARM": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=project,
        env=environ,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_config_lists_the_settings_and_refuses_what_they_cannot_be(cold):
    listed = cold.run("%config Bluebear").text
    for name in ("attempts", "backend", "model", "sample_rows", "warm"):
        assert f"Bluebear.{name}=" in listed
    refused = cold.run("%config Bluebear.attempts = 99").text
    assert "'attempts'" in refused
    assert "not be greater than 10" in refused
    assert "Current: 4" in cold.run("%config Bluebear").text
    assert cold.run("%config Bluebear.attempts = 2").ok
    assert cold.value("get_ipython()._bluebear.frontend.bb.settings.attempts") == 2


def test_help_on_the_magic_tells_of_options_and_shape(cold):
    (page,) = cold.run("%%bluebear?").reply["payload"]
    told = page["data"]["text/plain"]
    for words in ("--data PATH_OR_NAME", "--dry-run", "{{name}}", "plain English"):
        assert words in told


# --- a question and its cell -------------------------------------------------


def test_a_question_inserts_a_cell_that_describes_itself(answered, project):
    (text,) = answered.inserted
    assert [item["replace"] for item in answered.reply["payload"]] == [False]
    cell = parse(text)
    assert cell.arguments == "--into total_sales_by_region"
    assert cell.header.question == ASKED
    assert (cell.header.model, cell.header.attempts, cell.header.checked) == ("offline", 1, "whole")
    assert re.fullmatch(r"4\.\d+\.\d+", cell.header.spark)
    assert cell.header.code == code_hash(cell.code)
    assert cell.header.prompt == prompt_hash(ASKED)
    assert cell.header.schema == schema_hash(Catalog(project).resolve(["sales_data"]))
    assert 'spark.table("sales_data")' in cell.code


def test_the_code_is_in_the_output_too(answered):
    code = parse(answered.inserted[0]).code.strip()
    assert code in answered.text
    assert "spark.table(&quot;sales_data&quot;)" in answered.html
    assert "A new cell below runs this code into total_sales_by_region." in answered.text
    assert "file is not known" in answered.text


def test_the_picker_is_told_without_its_widget(answered):
    (picker,) = [o for o in answered.outputs if "widget-view" in "".join(o.get("data", {}))]
    for kind in ("text/plain", "text/html"):
        told = picker["data"][kind]
        assert told.count("(not configured)") == 2
        for title in ("Auto (Local Spark)", "SoAL (not", "EMR Serverless (not", "Local Spark,"):
            assert title in told


def test_a_question_may_stand_on_the_magics_own_line(kernel, scripted):
    scripted(COUNT)
    ran = kernel.run("%%bluebear --model scripted rows for every region, on one line")
    assert ran.ok
    assert parse(ran.inserted[0]).header.question == "rows for every region, on one line"


def test_asking_again_inserts_nothing_and_calls_no_model(kernel, scripted):
    asked = scripted(COUNT, COUNT, COUNT)
    question = "%%bluebear --model scripted\nrows of each region"
    assert len(kernel.run(question, "one").inserted) == 1
    again = kernel.run(question, "one")
    assert again.ok
    assert again.inserted == []
    assert "answers this question already; no model was called" in again.text
    assert COUNT.strip() in again.text
    assert asked() == 1

    new = kernel.run(question.replace("scripted", "scripted --new"), "one")
    assert len(new.inserted) == 1
    assert asked() == 2

    assert len(kernel.run(question, "another cell").inserted) == 1
    assert asked() == 3


def on_disk(folder, *sources):
    path = folder / "asked.ipynb"
    cells = [
        {"cell_type": "code", "id": f"c{n}", "source": source.splitlines(keepends=True)}
        for n, source in enumerate(sources)
    ]
    path.write_text(json.dumps({"cells": cells}))
    return path


def test_after_a_restart_the_notebook_on_disk_tells(answered, project):
    path = on_disk(project, f"%%bluebear\n{ASKED}", answered.inserted[0])
    kernel = Kernel(project, BLUEBEAR_WARM="0", JPY_SESSION_NAME=str(path))
    try:
        kernel.run("%load_ext bluebear_magic")
        for cell_id in ("c0", None):
            again = kernel.run(f"%%bluebear\n{ASKED}", cell_id)
            assert again.ok
            assert again.inserted == []
            assert "answers this question already; no model was called" in again.text
        assert kernel.worker() is None
    finally:
        kernel.close()


def test_a_changed_answer_is_shown_as_a_difference(kernel, project, scripted):
    scripted(COUNT)
    old = parse(kernel.run("%%bluebear --model scripted --new\nrows by region, then").inserted[0])
    stale = render(
        old.header, COUNT.replace("orderBy", "sort"), old.arguments
    ).replace(old.header.schema, "sha256:0000")  # fmt: skip
    question = "%%bluebear --model scripted\nrows by region, then"
    path = on_disk(project, question, stale)
    scripted(COUNT)
    kernel.run(f"__vsc_ipynb_file__ = {str(path)!r}")  # as VS Code tells it
    try:
        ran = kernel.run(question, "c0")
    finally:
        kernel.run("del __vsc_ipynb_file__")
    assert ran.ok
    assert ran.inserted == []
    assert "-result = " in ran.text
    assert "+result = " in ran.text
    assert "--new inserts it" in ran.text


def test_failed_drafts_are_told_and_do_not_stop_a_right_one(kernel, scripted):
    scripted("import os\n" + COUNT, COUNT.replace("region", "regoin"), COUNT)
    ran = kernel.run("%%bluebear --model scripted\nrows by region, in the end")
    assert parse(ran.inserted[0]).header.attempts == 3
    assert ran.html.count("<details><summary>attempt ") == 2
    assert "attempt 1 failed: line 1: `os`" in ran.text
    assert "attempt 2 failed: line 1: " in ran.text


def test_when_all_attempts_fail_the_cell_fails_and_shows_them(kernel, scripted):
    scripted("import os\n" + COUNT, "import sys\n" + COUNT)
    ran = kernel.run("%%bluebear --model scripted --attempts 2\nrows by region, never")
    assert ran.trouble.startswith("GaveUp: line 1: all 2 attempts failed: ")
    assert ran.inserted == []
    assert "Attempt 1: line 1: `os`" in ran.text
    assert "Attempt 2: line 1: `sys`" in ran.text
    assert "import sys\n" + COUNT.strip() in ran.text


def test_a_refusal_names_the_words(kernel):
    ran = kernel.run("%%bluebear\nflurb the zorgs by region")
    assert ran.trouble.startswith("NotUnderstood: ")
    assert "'flurb', 'zorgs'" in ran.trouble


def test_a_question_holds_no_instructions_to_nbval(kernel, scripted):
    scripted(COUNT)
    ran = kernel.run("%%bluebear --model scripted\n# NBVAL_IGNORE_OUTPUT\nrows by region, marked")
    assert parse(ran.inserted[0]).header.question == "rows by region, marked"


def test_braces_take_values_of_the_notebook(kernel):
    kernel.run("wanted = 'NORTH'")
    ran = kernel.run("%%bluebear --data sales_data\ntotal sales for region {{wanted}}")
    cell = parse(ran.inserted[0])
    assert cell.header.question == "total sales for region NORTH"
    assert '"NORTH"' in cell.code


def test_run_answers_at_once_and_inserts_the_cell_too(kernel):
    ran = kernel.run(
        "%%bluebear --run --into north --data sales_data\ntotal sales for region NORTH", "n"
    )
    assert parse(ran.inserted[0]).arguments == "--into north"
    assert '.agg(\n    F.sum("sales")' in ran.text
    assert "817,078" in ran.text
    assert int(kernel.run("print(north.df.iloc[0, 0], bb is north)").text.split()[0]) == 817_078


def test_dry_run_shows_what_would_be_sent_and_stops(project):
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "us-east-1"}
    kernel = Kernel(project, BLUEBEAR_WARM="0", **nowhere)
    try:
        kernel.run("%load_ext bluebear_magic")
        ran = kernel.run("%%bluebear --dry-run\ntotal sales by region")
        there = kernel.run("%%bluebear --dry-run --model bedrock\ntotal sales by region")
        assert kernel.worker() is None
    finally:
        kernel.close()
    assert ran.ok
    assert ran.inserted == []
    assert ran.text == "Nothing was sent, and nothing would be: offline runs on this machine."
    assert there.ok
    assert re.match(
        r"Nothing was sent. bedrock would get 1 schema, 0 rows: about [\d,]+ tokens", there.text
    )
    assert "The question:\ntotal sales by region" in there.text
    assert "  `region` STRING," in there.text
    assert "NORTH" not in there.text  # a value


@pytest.mark.parametrize("data", ["elsewhere/staff.csv", "people=elsewhere/staff.csv"])
def test_data_names_what_is_asked_about(kernel, data):
    ran = kernel.run(f"%%bluebear --data {data}\ntotal pay by team", data)
    name = data.partition("=")[0].removeprefix("elsewhere/").removesuffix(".csv")
    assert f'spark.table("{name}")' in parse(ran.inserted[0]).code
    assert kernel.run(f"%bluebear data rm {name}").ok


def test_a_frame_of_the_notebook_is_asked_about_by_its_name(kernel):
    kernel.run(
        "import pandas as pd; pay = pd.DataFrame({'team': ['a', 'b', 'a'], 'sum': [1, 2, 4]})"
    )
    ran = kernel.run("%%bluebear --run\nhow many rows are in pay by team", "pay")
    assert ran.ok, ran.outputs
    assert 'spark.table("pay")' in parse(ran.inserted[0]).code
    assert "pay: the variable `pay` as it was when this was asked: 3 rows" in ran.text
    assert kernel.value("sorted(bb.df.iloc[:, 1])") == [1, 2]
    listed = kernel.run("%bluebear data")
    assert re.search(r"pay +pandas +2 .* frame:pay", listed.text)
    refused = kernel.run("%%bluebear_run --into pay\nresult = spark.table('pay')")
    assert "`pay` is a dataset" in refused.trouble
    kernel.run("del pay")


# --- running -----------------------------------------------------------------


def test_the_cell_shows_a_table_and_a_chart(ran):
    assert ran.ok
    assert {"text/plain", "text/html", "image/png", "application/vnd.plotly.v1+json"} <= ran.kinds
    assert "<table" in ran.html
    assert "4 rows" in ran.text
    assert "4 rows" in ran.html
    assert "checking on Local Spark" not in "".join(ran.steps)


def test_the_result_is_a_variable_and_right(kernel, ran, project):
    sales = pd.read_csv(project / "data" / "sales_data.csv", parse_dates=["date"])
    recent = sales[sales["date"] > sales["date"].max() - pd.DateOffset(months=12)]
    expected = recent.groupby("region")["sales"].sum().to_dict()
    found = "dict(total_sales_by_region.df.astype(object).itertuples(index=False))"
    assert kernel.value(found) == expected
    kernel.run("%%bluebear_run\n" + COUNT)
    assert kernel.value("bb is total_sales_by_region") is False
    assert kernel.value("list(bb.df.columns)") == ["region", "count"]
    assert kernel.value("type(total_sales_by_region.fig).__name__") == "Figure"
    assert kernel.value("total_sales_by_region.receipt.as_dict()['question']") == ASKED
    path = kernel.value("total_sales_by_region.path")
    assert pd.read_parquet(path).set_index("region")["total_sales"].to_dict() == expected


def test_the_result_shows_itself_as_the_cell_did(kernel, ran):
    shown = kernel.run("total_sales_by_region")
    assert [out["data"] for out in shown.outputs] == [out["data"] for out in ran.outputs]


def test_the_result_is_a_dataset_for_the_next_question(kernel, ran):
    asked = kernel.run("%%bluebear --run --data total_sales_by_region\nhighest total sales")
    assert asked.ok
    top = kernel.value("int(total_sales_by_region.df['total_sales'].max())")
    assert f"{top:,}" in asked.text


def test_edited_code_is_checked_again(kernel, answered):
    (text,) = answered.inserted
    edited = kernel.run(text.replace("F.desc(", "F.asc("))
    assert edited.ok
    assert any("checking on" in step or "checking" in step for step in edited.steps)
    again = kernel.run(text.replace("F.desc(", "F.asc("))
    assert not any("checking" in step for step in again.steps)


def test_edited_code_is_guarded_and_the_line_is_the_cells(kernel, answered):
    (text,) = answered.inserted
    lines = text.splitlines()
    broken = "\n".join([*lines[:4], "import os", *lines[4:]])
    assert kernel.run(broken).trouble.startswith("Blocked: line 5: `os` is not on the list")
    wrong = kernel.run('%%bluebear_run\n# mine\nresult = spark.table("sales_data").select("sale")')
    assert wrong.trouble.startswith("RunFailed: line 3: ")
    assert "did you mean `sales`" in wrong.trouble


def test_a_backend_without_settings_says_what_to_set(kernel):
    ran = kernel.run("%%bluebear_run --backend soal\n" + COUNT)
    assert ran.trouble.startswith("NotConfigured: SoAL is not configured\n")
    assert "soal.lambda_function_arn" in ran.trouble


def test_the_run_line_wins_over_the_sessions_choice(kernel):
    assert "EMR Serverless" in kernel.run("%bluebear use emr").text
    try:
        assert "emr_serverless.application_id" in kernel.run("%%bluebear_run\n" + COUNT).trouble
        assert kernel.run("%%bluebear_run --backend local\n" + COUNT).ok
    finally:
        assert "Local Spark" in kernel.run("%bluebear use auto").text
    assert kernel.run("%%bluebear_run\n" + COUNT).ok


@pytest.fixture(scope="module")
def interrupted(kernel, project):
    """A cell that runs over the whole data without end, interrupted."""
    (project / "elsewhere" / "n.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(200_000)))
    kernel.run("%config Bluebear.sample_rows = 10")
    kernel.run("%bluebear data add numbers elsewhere/n.csv")
    request = kernel.send(
        '%%bluebear_run\nn = spark.table("numbers").count()\n'
        'result = spark.range(n * n * n).selectExpr("sum(id % 7) AS s")\n'
    )
    ran = kernel.receive(request, until=lambda ran: "running on" in "".join(ran.steps))
    time.sleep(0.5)  # into Spark's work
    begun = time.monotonic()
    kernel.manager.interrupt_kernel()
    ran = kernel.receive(request, ran=ran)
    ran.seconds = time.monotonic() - begun
    kernel.run("%bluebear data rm numbers")
    return ran


def test_an_interrupt_cancels_the_run_and_the_next_cell_works(kernel, interrupted):
    assert interrupted.seconds < 10
    assert (interrupted.reply["status"], interrupted.reply["ename"]) == ("error", "Cancelled")
    next_cell = kernel.run("%%bluebear_run\n" + COUNT)
    assert next_cell.ok
    assert "4 rows" in next_cell.text


def test_an_interrupted_cell_says_so_in_one_line(interrupted):
    assert interrupted.trouble == "Cancelled: interrupted; the Spark work was cancelled"


# --- wrong input: one sentence, no traceback ---------------------------------

COMMANDS = """\
%bluebear data                   the datasets, and where each can be read
%bluebear data add NAME URI      register a file, a folder, a glob or another place, with
    --format F, --option KEY=VALUE, --share LEVEL, --description TEXT, --save (in bluebear.toml)
%bluebear data show NAME         schema, notes, keys, rows, size, examples
%bluebear data search WORDS      by names, notes, columns, known values; --catalogs: in Glue too
%bluebear data profile NAME      measure it anew; --full reads every row, whatever the size
%bluebear data refresh [NAME]    read it anew, and take changed columns as they are now
%bluebear data use glue:DATABASE take in all that a database holds
%bluebear data rm NAME           forget a dataset (the files stay); --save: in bluebear.toml too
%bluebear explore [NAME]         look at the datasets with pictures, share them, upload a file
%bluebear use BACKEND            where code runs: auto, local, soal, emr
%bluebear policy                 what code may do, what needs approval, who says so
%bluebear policy NAME            read_only, write_with_approval or locked from now on
%bluebear cost                   tokens and dollars: the last question, this notebook, today
%bluebear share                  what of the data may leave for a model
%bluebear share [NAME] LEVEL     schema, profile or samples, for one dataset or for all
%bluebear share NAME.COLUMN shared|schema    a column: as its dataset, or no value of it
%bluebear history                the questions that the next one may go on from
%bluebear forget                 let go of them; the next question starts anew
%bluebear worker                 local Spark's process: its state and memory
%bluebear worker stop|restart    end it (the next run starts another), or start it afresh
%%bluebear?                      how to ask a question"""

WRONG = {
    "%%bluebear": "UsageError: there is no question\n"
    "write it below %%bluebear or after it, in plain English",
    "%%bluebear --run\n \n": "UsageError: there is no question\n"
    "write it below %%bluebear or after it, in plain English",
    "%%bluebear --modle x total sales": "UsageError: there is no option --modle\n"
    "did you mean --model?",
    "%%bluebear --data": "UsageError: --data needs a value\n"
    "a dataset: its name, a path, or NAME=PATH; may be repeated",
    "%%bluebear --data sales_dta\ntotal sales": "DatasetError: there is no dataset 'sales_dta'\n"
    "Did you mean sales_data?",
    "%%bluebear --model gpt\ntotal sales": "UsageError: there is no model `gpt`\n"
    "models: offline, bedrock, or a model's id on Bedrock",
    "%%bluebear --attempts 0\ntotal sales": "UsageError: 0 attempts\ngive a number from 1 to 10",
    "%%bluebear --into 1st\ntotal sales": "UsageError: --into 1st: not a name for a variable\n"
    "for example --into st",
    "%%bluebear\ntotal sales in {{yaer}}": "UsageError: {{yaer}}: there is no variable `yaer`\n"
    "did you mean {{year}}?",
    "%%bluebear_run extra\nresult = 1": "UsageError: %%bluebear_run: what is 'extra'? "
    "The code goes below this line",
    "%bluebear nonsense": f"UsageError: there is no command %bluebear nonsense\n{COMMANDS}",
    "%bluebear dta": "UsageError: there is no command %bluebear dta\ndid you mean %bluebear data?",
    "%bluebear use emt": "UsageError: there is no backend `emt`\nbackends: auto, local, soal, emr",
    "%bluebear data add staff": "UsageError: %bluebear data add: the following arguments are "
    f"required: URI\n{COMMANDS}",
    "%bluebear data serach pay": "UsageError: there is no data serach\ndid you mean data search?",
    "%bluebear data add staff elsewhere/staff1.csv --fromat csv": "UsageError: data add has no "
    "option --fromat\ndid you mean --format?",
    '%bluebear data add "my staff" elsewhere/staff.csv': "DatasetError: 'my staff' is no name for "
    "a dataset\nUse letters, digits and _, such as my_staff.",
    "%bluebear data show sales": "DatasetError: there is no dataset 'sales'\n"
    "Did you mean sales_data?",
    "%bluebear data rm sales_data": "DatasetError: sales_data is not registered: it was found at "
    "{project}/data/sales_data.csv\nMove the file out of that folder.",
    "%bluebear use 'local": "UsageError: %bluebear use 'local: No closing quotation\n"
    "close the quote",
}


@pytest.mark.parametrize("cell", WRONG)
def test_wrong_input_gets_one_sentence_and_what_to_do(cold, project, cell):
    cold.run("year = 2024")
    ran = cold.run(cell)
    assert ran.trouble == WRONG[cell].replace("{project}", str(project))
    assert ran.inserted == []


@pytest.mark.parametrize("cell", ["%%bluebear --backend lcoal\ntotal", "%%bluebear --backend=x t"])
def test_a_backend_that_is_none_is_told_with_those_that_are(cold, cell):
    trouble = cold.run(cell).trouble
    assert trouble.startswith("UsageError: argument --backend: invalid choice: ")
    for name in ("auto", "local", "soal", "emr"):
        assert name in trouble


def test_an_error_that_quotes_the_data_has_no_escape_codes(kernel, project):
    (project / "elsewhere" / "esc.csv").write_text("\x1b[31mred\x1b[0m,n\nx,1\n")
    kernel.run("%bluebear data add esc elsewhere/esc.csv")
    ran = kernel.run('%%bluebear_run\nresult = spark.table("esc").select("rde")')
    kernel.run("%bluebear data rm esc")
    assert "\\x1b[31mred" in ran.trouble
    assert "\x1b" not in json.dumps(ran.outputs, ensure_ascii=False)


# --- %bluebear ---------------------------------------------------------------


def test_datasets_are_listed_added_shown_and_forgotten(cold):
    assert cold.run("%bluebear").text == COMMANDS
    listed = cold.run("%bluebear data")
    assert "sales_data  csv           5  74.2 kB" in listed.text.replace("\n", " ")
    assert {"text/plain", "text/html"} == listed.kinds

    added = cold.run("%bluebear data add staff elsewhere/staff*.csv")
    assert added.text == "staff: csv, 2 columns. %bluebear data show staff"
    shown = cold.run("%bluebear data show staff")
    for words in ("3 rows", "team", "STRING", "pay", "BIGINT", "10 to 30", "elsewhere"):
        assert words in shown.text
        assert words in shown.html
    assert "staff" in cold.run("%bluebear data").text
    assert cold.run("%bluebear data rm staff").ok
    assert "staff" not in cold.run("%bluebear data").text


def test_names_of_the_data_options_and_commands_are_completed(cold):
    cold.run("%bluebear data add staff elsewhere/staff.csv")
    assert cold.complete("%%bluebear --mo") == ("--mo", ["--model"])
    assert cold.complete("%%bluebear --backend s") == ("s", ["soal"])
    assert cold.complete("%%bluebear\naverage pa") == ("pa", ["pay"])
    assert cold.complete("%%bluebear\ntotal re of x", 19) == ("re", ["region"])
    assert cold.complete('%%bluebear_run\nx = spark.table("sta') == ("sta", ["staff"])
    assert "pay" in cold.complete('%%bluebear_run\nx = spark.table("staff").select("p')[1]
    assert cold.complete("x = 1\n%bluebear data sh") == ("sh", ["show"])
    assert cold.complete("%bluebear data show sa") == ("sa", ["sales_data"])
    assert cold.complete("%bluebear policy lo") == ("lo", ["locked"])
    assert cold.run("%bluebear data rm staff").ok
    assert cold.complete("%%bluebear\naverage pa")[1] != ["pay"]


def test_other_cells_are_completed_as_ever(cold):
    cold.run("%config Completer.use_jedi = False\nimport sys")  # loading it takes seconds
    assert "version_info" in " ".join(cold.complete("sys.versio")[1])
    assert "region" not in cold.complete("%%time\nreg")[1]


def test_use_says_where_code_runs_from_now_on(cold):
    told = cold.run("%bluebear use soal").text
    assert told.startswith("Code of this session runs on SoAL from now on (not configured).")
    assert "soal.lambda_function_arn" in told
    assert "runs on Local Spark" in cold.run("%bluebear use auto").text


def test_cost_tells_what_was_spent_under_which_budget(cold):
    assert cold.run("%config Bluebear.budget_day = 2").ok
    told = cold.run("%bluebear cost").text.splitlines()
    assert told[0].split() == ["last", "question", "nothing"]
    assert told[2].split()[-3:] == ["of", "$2.00", "(budget_day)"]
    assert told[-1].startswith("Model prices: on demand, as published on 20")
    assert cold.run("%config Bluebear.budget_day = 0").ok
    assert "budget" not in cold.run("%bluebear cost").text
    assert "unrecognized arguments: much" in cold.run("%bluebear cost much").trouble


# --- outputs and processes ---------------------------------------------------


def test_outputs_are_the_same_from_run_to_run(kernel, answered, ran, scripted):
    cells = (
        "%bluebear data show sales_data", answered.inserted[0],
        f"%%bluebear --new --data sales_data\n{ASKED}",
    )  # fmt: skip
    for cell in cells:
        runs = [kernel.run(cell, "asked") for _ in range(2)]
        once, again = ([strip_widget(out.get("data")) for out in ran.outputs] for ran in runs)
        assert once == again
        shown = json.dumps(once, ensure_ascii=False)
        assert "\x1b" not in shown
        assert not re.search(r"0x[0-9a-f]{6,}", shown)  # an object's id
        assert not re.search(r"\(\d+ s\)|\d\d:\d\d:\d\d|\d ms\b", shown)  # a time
        assert str(kernel.value("get_ipython().user_ns['bb'].path")) not in shown


def strip_widget(data):
    return {kind: value for kind, value in data.items() if "widget-view" not in kind}


def test_unloading_removes_the_magics_and_ends_the_worker(project):
    """And a kernel that is killed leaves no worker behind either."""
    kernel = Kernel(project, BLUEBEAR_WARM="0")
    try:
        kernel.run("%load_ext bluebear_magic")
        worker = begin(kernel)
        kernel.manager.interrupt_kernel()
        assert wait_for(lambda: kernel.run("1").ok)
        assert worker.is_running()  # the start of Spark is not lost
        assert kernel.run("%unload_ext bluebear_magic").ok
        wait_for(lambda: not worker.is_running())
        assert "`%%bluebear` not found" in kernel.run("%%bluebear\ntotal sales").text
        assert "`%bluebear` not found" in kernel.run("%bluebear data").text
        assert "Invalid config" in kernel.run("%config Bluebear").text

        assert kernel.run("%load_ext bluebear_magic").ok
        worker = begin(kernel)
        family = [worker, *wait_for(worker.children)]
        kernel.process.kill()
        wait_for(lambda: not any(alive(process) for process in family))
    finally:
        kernel.close()


def begin(kernel):
    """Runs a cell up to where it waits for Spark; the worker that starts it."""
    kernel.send("%%bluebear_run\n" + COUNT)
    return wait_for(kernel.worker)


def alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# --- policy and approvals ---


@pytest.fixture
def may_write(kernel):
    """The session asks a person about writes, and does so no longer afterwards."""
    told = kernel.run("%bluebear policy write_with_approval")
    yield told
    assert kernel.run("%bluebear policy read_only").ok


def press(kernel, button, ran):
    """Presses a button that ``ran`` showed, as a frontend does; waits until it has acted."""
    data = {"method": "custom", "content": {"event": "click"}}
    content = {"comm_id": ran.buttons[button], "data": data}
    message = kernel.client.session.msg("comm_msg", content)
    kernel.client.shell_channel.send(message)
    while True:
        told = kernel.client.get_iopub_msg(timeout=90)
        if told["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        content = told["content"]
        if told["msg_type"] == "update_display_data":
            for out in ran.outputs:
                if out.get("transient") == content["transient"]:
                    out["data"] = content["data"]
        if told["msg_type"] == "status" and content["execution_state"] == "idle":
            return


def decisions(kernel):
    kernel.run("from bluebear_magic.folders import state_folder as _folder")
    file = Path(kernel.value("str(_folder() / 'audit.jsonl')"))
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def writing(target):
    return COUNT + f'result.write.mode("append").parquet("{target}")\n'


def test_the_policy_is_shown_and_chosen(kernel, may_write):
    assert may_write.ok
    assert may_write.text.startswith("write_with_approval: ")
    assert "needs approval: SPARK-WRITE" in may_write.text
    assert "set by this session" in may_write.text
    assert kernel.run("%bluebear policy").text == may_write.text
    wrong = kernel.run("%bluebear policy open")
    assert "there is no policy `open`" in wrong.trouble
    assert "read_only" in wrong.trouble
    assert kernel.run("%config Bluebear.policy = 'read_only'").ok
    usual = kernel.run("%bluebear policy").text
    assert usual.startswith("read_only: ")
    assert "needs approval" not in usual


def test_an_approved_cell_writes(kernel, may_write, tmp_path):
    before = len(decisions(kernel))
    out = tmp_path / "counts"
    cell = f"%%bluebear_run --into counted\n{writing(out)}"
    ran = kernel.run(cell)
    assert not ran.ok
    assert "NeedsApproval: line 3: this needs a person's approval" in ran.trouble
    assert "--approve SPARK-WRITE" in ran.trouble
    assert (
        f"line 2: parquet files to {out}; it adds to what is there (nothing is there yet)"
        in ran.text
    )
    assert "Approve or reject it here" in ran.text
    assert not out.exists()
    assert len(decisions(kernel)) == before

    press(kernel, "Approve", ran)
    assert len(pd.read_parquet(out)) == 4
    assert "This code writes, and was approved:" in ran.text
    assert "text/html" in ran.kinds
    assert "WEST" in ran.text
    assert kernel.value("counted.receipt.as_dict()['approved'][0]['target']") == str(out)
    (entry,) = decisions(kernel)[before:]
    assert (entry["decision"], entry["by"], entry["target"]) == ("approved", "button", str(out))

    assert kernel.run(cell).ok  # this very code needs no second approval
    assert len(pd.read_parquet(out)) == 8
    assert kernel.value("counted.receipt.as_dict()['approved'][0]['by']") == "button"
    assert not kernel.run(cell.replace('"region"', '"product"', 1)).ok


def test_a_question_that_writes_inserts_a_cell_that_asks(kernel, may_write, scripted, tmp_path):
    before = len(decisions(kernel))
    out = tmp_path / "counts"
    scripted(writing(out))
    asked = kernel.run("%%bluebear --model scripted\nkeep the counts in that folder")
    assert asked.ok, asked.text
    assert f"line 2: this code writes parquet files to {out}" in asked.text
    assert "A new cell below asks for your approval" in asked.text
    assert "Run" not in asked.buttons  # only the cell runs it
    assert not out.exists()
    (cell,) = asked.inserted
    assert "# bluebear: " in cell
    ran = kernel.run(cell)
    assert "NeedsApproval" in ran.trouble
    assert not out.exists()
    assert len(decisions(kernel)) == before
    press(kernel, "Approve", ran)
    assert len(pd.read_parquet(out)) == 4
    assert [entry["target"] for entry in decisions(kernel)[before:]] == [str(out)]


def test_asking_to_run_at_once_stops_at_the_pair(kernel, may_write, scripted, tmp_path):
    out = tmp_path / "counts"
    scripted(writing(out))
    asked = kernel.run("%%bluebear --run --into kept --model scripted\nkeep the counts there")
    assert asked.ok, asked.trouble  # so that the cell is inserted
    assert len(asked.inserted) == 1
    assert "This code writes. Nothing was run or written yet:" in asked.text
    assert not out.exists()
    press(kernel, "Approve", asked)
    assert len(pd.read_parquet(out)) == 4
    assert kernel.value("len(kept.df)") == 4


def test_a_rejected_cell_writes_nothing(kernel, may_write, tmp_path):
    before = len(decisions(kernel))
    ran = kernel.run(f"%%bluebear_run\n{writing(tmp_path / 'counts')}")
    press(kernel, "Reject", ran)
    assert "was rejected: nothing was run or written." in ran.text
    press(kernel, "Approve", ran)  # too late
    assert not (tmp_path / "counts").exists()
    assert [entry["decision"] for entry in decisions(kernel)[before:]] == ["rejected"]


def test_a_cell_approves_by_its_own_line(kernel, may_write, tmp_path):
    cell = f"%%bluebear_run --approve SPARK-WRITE\n{writing(tmp_path / 'counts')}"
    ran = kernel.run(cell)
    assert ran.ok, ran.trouble
    assert len(pd.read_parquet(tmp_path / "counts")) == 4
    assert f'Approved. `.parquet("{tmp_path / "counts"}")`' in ran.text
    assert "no such rule" in kernel.run(cell.replace("SPARK-WRITE", "SPARK-WRIT")).trouble
    assert kernel.run("%bluebear policy read_only").ok
    assert "lets nobody approve" in kernel.run(cell).trouble


def test_a_folder_that_asks_for_more_is_told_once_and_ignored(tmp_path):
    (tmp_path / "bluebear.toml").write_text('policy = "write_with_approval"\n')
    kernel = Kernel(tmp_path, BLUEBEAR_WARM="0")
    try:
        assert kernel.run("%load_ext bluebear_magic").ok
        told = kernel.run("%bluebear policy").text
        assert told.startswith("read_only: ")
        assert f"{tmp_path / 'bluebear.toml'} would allow more" in told
        first, second = (kernel.run("%%bluebear --dry-run\ncount rows") for _ in range(2))
        assert "bluebear trust" in first.text
        assert "bluebear trust" not in second.text
    finally:
        kernel.close()
