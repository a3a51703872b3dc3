"""What a data scientist sees: a question typed in JupyterLab becomes a checked cell and runs."""

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
QUESTION = "%%bluebear\nShow me total sales by region over the last 12 months"


def test_a_question_becomes_a_cell_that_runs(open_notebook, screenshots):
    notebook = open_notebook("ask.ipynb", "%load_ext bluebear_magic", "")
    notebook.run(0)
    notebook.type(1, QUESTION)
    notebook.run(1)

    inserted = notebook.cell(2)
    inserted.wait_for()
    code = notebook.sources()[2]
    assert code.startswith("%%bluebear_run --into total_sales_by_region\n# bluebear: ")
    assert 'spark.table("sales_data")' in code
    assert "result" in code

    output = notebook.output(1)
    options = output.locator(".widget-dropdown select option").all_inner_texts()
    options = [option.replace("\xa0", " ") for option in options]
    assert options == [
        "Auto (Local Spark)", "Local Spark", "SoAL (not configured)", "EMR Serverless (not configured)",
    ]  # fmt: skip
    output.locator(".widget-dropdown select").select_option(index=2)
    output.get_by_text(re.compile("Not configured")).wait_for()
    assert output.get_by_role("button", name="Run").is_disabled()
    output.locator(".widget-dropdown select").select_option(index=1)
    output.get_by_role("button", name="Run").click()
    output.locator("table").first.wait_for()
    output.locator(".jp-RenderedPlotly img, .jp-RenderedPlotly svg").first.wait_for()
    assert output.locator("table").first.locator("tbody tr").count() == 4
    assert "NORTH" in output.locator("table").first.inner_text()

    notebook.run(2)
    table = notebook.output(2).locator("table").first
    table.wait_for()
    assert "4 rows" in notebook.output(2).inner_text()
    notebook.page.screenshot(path=screenshots / "question.png", full_page=True)
    notebook.output(2).scroll_into_view_if_needed()
    notebook.page.screenshot(path=screenshots / "result.png", full_page=True)

    saved = notebook.save()
    for cell in saved["cells"][1:3]:
        shown = "".join(
            "".join(output.get("data", {}).get("text/html", "")) for output in cell["outputs"]
        )
        assert "<table" in shown
        assert "NORTH" in shown
    kinds = {kind for out in saved["cells"][2]["outputs"] for kind in out.get("data", {})}
    assert {"application/vnd.plotly.v1+json", "image/png", "text/plain"} <= kinds


def test_a_reopened_notebook_still_tells(open_notebook, lab, screenshots):
    """Without a kernel and without widget state, as a reviewer opens it."""
    notebook = open_notebook("reopen.ipynb", "%load_ext bluebear_magic", QUESTION)
    notebook.run(0)
    notebook.run(1)
    notebook.output(1).get_by_role("button", name="Run").click()
    notebook.output(1).locator("table").first.wait_for()
    notebook.save()
    notebook.shut_down(lab)
    again = open_notebook("reopen.ipynb")
    again.output(1).locator("table").first.wait_for()
    assert "Checked on the whole data" in again.output(1).inner_text()
    again.page.screenshot(path=screenshots / "reopened.png", full_page=True)


def test_run_all_after_a_restart_makes_no_second_copy(open_notebook):
    notebook = open_notebook("again.ipynb", "%load_ext bluebear_magic", QUESTION)
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    notebook.cell(2).wait_for()
    notebook.save()
    before = notebook.sources()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Restart Kernel and Run All Cells…").click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_function(
        "() => { const p = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
        ".map(e => e.innerText); return p.length >= 3 && /\\[3\\]/.test(p[2]); }",
        timeout=120_000,
    )
    page.wait_for_timeout(1000)
    assert notebook.sources() == before
    assert "answers this question already" in notebook.output(1).inner_text()
    assert notebook.output(2).locator("table").count() == 1


def test_an_interrupt_stops_what_run_started(open_notebook):
    code = '%%bluebear_run\nresult = spark.range(10**13).selectExpr("sum(id % 7) as s")\n'
    notebook = open_notebook("stop.ipynb", "%load_ext bluebear_magic", code)
    notebook.run(0)
    page = notebook.page
    notebook.cell(1).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(15_000)
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    page.keyboard.press("i")
    notebook.output(1).get_by_text("Cancelled").first.wait_for(timeout=15_000)


SLOW = """from pyspark.sql import functions as F

big = spark.table("big")
pairs = big.alias("a").crossJoin(big.alias("b"))
result = pairs.agg(F.sum(F.col("a.n") % (F.col("b.n") + 1)).alias("total"))
"""
REGISTER = f"""%load_ext bluebear_magic
from bluebear_magic.testing import ScriptedModel
session = get_ipython()._bluebear.frontend.bb
session.tools.models["scripted"] = ScriptedModel([{SLOW!r}])"""


def test_an_interrupt_stops_what_the_picker_started(open_notebook, folder):
    """Fast on a sample, without end on the whole."""
    (folder / "data" / "big.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(300_000)))
    question = "%%bluebear --model scripted --data big\nEvery pair of numbers"
    notebook = open_notebook("picker.ipynb", REGISTER, question)
    notebook.run(0)
    notebook.run(1)
    output = notebook.output(1)
    output.get_by_role("button", name="Run").click()
    output.get_by_text("running on local Spark").first.wait_for()
    page = notebook.page
    notebook.cell(0).locator(".jp-InputPrompt").click()
    page.keyboard.press("i")
    page.keyboard.press("i")
    output.get_by_text("Interrupted; the work was cancelled.").wait_for(timeout=15_000)
    notebook.cell(2).locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("%%bluebear_run\nresult = spark.range(3)")
    notebook.run(2)
    assert "3 rows" in notebook.output(2).inner_text()
    assert "running" not in output.inner_text()
