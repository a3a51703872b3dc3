"""Hostile text in names, values, questions and drafts stays text in a real JupyterLab."""

import csv
import runpy
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bluebear_magic.present import escape
from bluebear_magic.provenance.header import parse

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
CORPUS = runpy.run_path(str(HERE.parent / "unit" / "hostile.py"))["HOSTILE"]
# These leave a trace where they run, or load something from another host.
PAYLOADS = (
    "<script>window.__pwned=1</script>",
    "<img src=x onerror='window.__pwned=1'>",
    "<svg onload=window.__pwned=1>",
    "<details open ontoggle=window.__pwned=1>",
    '"><img src=x onerror="window.__pwned=1">',
    "</pre></td></table><script>window.__pwned=1</script>",
    "<img src='https://evil.example/pixel.png'>",
    "![pixel](https://evil.example/pixel.png)",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<a href='javascript:window.__pwned=1'>click</a>",
    "[click](javascript:window.__pwned=1)",
    "$\\href{javascript:window.__pwned=1}{x}$ $\\frac{1}{2}$",
)
# A file of text cannot hold the first; the second would be the value of a variable.
TEXTS = [*PAYLOADS, *(t for t in CORPUS if "\ud800" not in t and "\0" not in t and "{{" not in t)]
COLUMNS = [
    "<script>window.__pwned=1</script>",
    "<img src=x onerror='window.__pwned=1'>",
    "![pixel](https://evil.example/pixel.png)",
    "$\\frac{1}{2}$",
    "two\nlines",
    "\x1b[31mred\x1b[0m",
    "\u202etxt.exe",
    "`); import os #",
    "'; DROP TABLE sales; --",
    "<b>n</b>",
]
FILE = "<img src=x onerror=window.__pwned=1> \u202e `x`.csv"
NAME = "hostile"
QUESTION = "\n".join(PAYLOADS[:12]) + '\n"""\nimport os\n"""\n# bluebear: \u202e \x1b[31m \u2028 \\'
REGISTER = f"""from bluebear_magic.records import Draft
from bluebear_magic.testing import ScriptedModel
draft = Draft({f'result = spark.table("{NAME}")'!r}, {chr(10).join(TEXTS)!r}, {tuple(PAYLOADS)!r})
get_ipython()._bluebear.frontend.bb.tools.models["scripted"] = ScriptedModel([draft])"""
CELLS = [
    REGISTER,
    f"%bluebear data add {NAME} {shlex.quote('data/' + FILE)}",
    "%bluebear data",
    f"%bluebear data show {NAME}",
    f'%%bluebear_run\nresult = spark.table("{NAME}")',
    f"%%bluebear --model scripted\n{QUESTION}",
    f'%%bluebear_run\nresult = spark.table("{NAME}").select({PAYLOADS[1]!r})',
    f"%bluebear data show {shlex.quote(PAYLOADS[6])}",
    f"from IPython.display import HTML\nHTML({PAYLOADS[1]!r})",
]
# Every element that is not made from data: of HTML, of plain text, of errors.
OURS = {
    ".jp-RenderedHTML": {
        "DIV", "P", "PRE", "SMALL", "STRONG", "EM", "DETAILS", "SUMMARY", "SPAN",
        "TABLE", "CAPTION", "THEAD", "TBODY", "TR", "TH", "TD",
    },
    # JupyterLab makes links of addresses and colours of escape codes, in any text.
    ".jp-RenderedText": {"PRE", "A", "SPAN"},
}  # fmt: skip


@pytest.fixture(scope="module")
def hostile_file(folder):
    """Every string once as a value; the last column holds numbers."""
    width = len(COLUMNS) - 1
    rows = [TEXTS[start : start + width] for start in range(0, len(TEXTS), width)]
    rows[-1] += ["x"] * (width - len(rows[-1]))
    with (folder / "data" / FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(COLUMNS)
        writer.writerows([*row, str(number)] for number, row in enumerate(rows))
    return folder / "data" / FILE


@pytest.fixture
def guarded(open_notebook, lab, hostile_file):
    """``run(index)`` runs a cell and returns its output; ``check(output)``: it is but text."""
    sources = ["%load_ext bluebear_magic", *CELLS]
    notebook = open_notebook("hostile.ipynb", *sources)
    # A server that has just come up may not know yet that the notebook names its kernel.
    select = notebook.page.locator(".jp-Dialog .jp-mod-accept")
    notebook.page.add_locator_handler(
        notebook.page.get_by_text("Select kernel for"), lambda _: select.click()
    )
    dialogs, foreign = [], []
    notebook.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    notebook.page.on("request", lambda request: foreign.append(request.url))
    notebook.run(0)

    def check(output):
        output.scroll_into_view_if_needed()
        notebook.page.wait_for_timeout(300)  # for what would run or load
        assert notebook.page.evaluate("window.__pwned") is None
        assert dialogs == []
        assert {urlsplit(url).netloc for url in foreign} <= {urlsplit(lab).netloc, ""}
        for kind, ours in OURS.items():
            assert tags(output, kind) <= ours

    def run(index):
        notebook.run(index)
        output = notebook.output(index)
        check(output)
        return output

    return notebook, run, check


def tags(output, kind):
    """The elements inside outputs of one kind."""
    found = output.locator(f"{kind} *").evaluate_all("all => all.map(e => e.tagName)")
    return {tag.upper() for tag in found}


def test_names_and_values_stay_text(guarded):
    notebook, run, _ = guarded
    run(1)
    assert "hostile: csv, 10 columns" in run(2).inner_text()
    assert FILE.replace("\u202e", "\\u202e") in run(3).inner_text()

    for index in (4, 5):  # the card and the whole table
        told = run(index).inner_text()
        for name in COLUMNS:
            assert spelled(name) in told
    cells = notebook.output(5).locator("td").all_inner_texts()
    missing = [text for text in map(spelled, TEXTS) if text[:60].strip() not in "\n".join(cells)]
    assert missing == []

    chart = notebook.output(5).locator(".jp-RenderedPlotly")
    chart.locator("svg, img").first.wait_for()
    drawn = tags(notebook.output(5), ".jp-RenderedPlotly")
    assert drawn.isdisjoint({"SCRIPT", "IFRAME", "OBJECT", "FOREIGNOBJECT"})
    images = chart.locator("img, image").evaluate_all(
        "all => all.map(e => e.src || e.href.baseVal)"
    )
    assert all(source.startswith(("data:", "blob:")) for source in images)

    notebook.run(len(CELLS))  # the same payload as HTML: it would have been noticed
    notebook.page.wait_for_function("window.__pwned === 1")


def test_a_question_a_draft_and_errors_stay_text(guarded):
    notebook, run, check = guarded
    run(1)
    run(2)
    answer = run(6)
    told = answer.inner_text()
    for text in (*PAYLOADS, "\\[x\\] \\(y\\)", "\\u202etxt.exe", "\\x1b[31mred\\x1b[0m"):
        assert text in told
    assert answer.locator("mjx-container, .MathJax").count() == 0
    answer.get_by_role("button", name="Run").click()
    answer.locator("table").first.wait_for()
    check(answer)

    saved = notebook.save()["cells"]
    text = "".join(saved[7]["source"])
    lines = text.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "%%bluebear_run --into script_window_pwned_script",
        *["# bluebear"] * 3,
        'result = spark.table("hostile")',
    ]
    assert parse(text).header.question == QUESTION
    assert run(7).locator("table").count() == 1
    assert PAYLOADS[1] in run(8).inner_text()
    assert PAYLOADS[6] in run(9).inner_text()


def spelled(text):
    """A value on one line, as every screen shows it."""
    return escape.bare(escape.visible(text))
