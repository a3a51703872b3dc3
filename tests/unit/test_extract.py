"""From what models say to a draft: the shapes they say it in, and what is never taken for code."""

import ast
import json
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluebear_magic.generation.drafts import draft_of
from bluebear_magic.generation.extract import Extracted, code_in, extract, merged
from bluebear_magic.records import ChartHint, Draft

IMPORT = "from pyspark.sql import functions as F\n"
LAST = 'result = spark.table("sales").groupBy("region").agg(F.sum("amount").alias("total"))\n'
CODE = IMPORT + "\n" + LAST
OTHER = 'result = spark.table("sales").limit(5)\n'
SQL = 'result = spark.sql("""\nSELECT region, SUM(amount) AS total\nFROM sales\nGROUP BY region\n""")\n'
HELPER = 'sales = spark.table("sales").where("amount > 0")\n'
USES = 'result = sales.groupBy("region").count()\n'
DOC = '"""\nUsage:\n```\nsomething\n```\n"""\n' + OTHER


def fenced(code=CODE, info="python", fence="```"):
    return f"{fence}{info}\n{code}{fence}\n"


def indented(text, by):
    return "".join(by + line if line.strip() else line for line in text.splitlines(keepends=True))


ARGUMENTS = {"code": CODE, "explanation": "Sums.", "assumptions": ["all regions"]}
INVOKE = (
    '<function_calls>\n<invoke name="draft">\n<parameter name="code">' + OTHER + "</parameter>\n"
    '<parameter name="explanation">Five rows.</parameter>\n</invoke>\n</function_calls>'
)

FOUND = {
    # fences
    "python": (fenced(), CODE),
    "py": (fenced(info="py"), CODE),
    "capital": (fenced(info="Python"), CODE),
    "python3": (fenced(info="python3"), CODE),
    "pyspark": (fenced(info="pyspark"), CODE),
    "no language": (fenced(info=""), CODE),
    "blank before the language": (fenced(info=" python"), CODE),
    "attributes": (fenced(info='python title="cell.py"'), CODE),
    "braces": (fenced(info="{.python .numberLines}"), CODE),
    "jupyter braces": (fenced(info="{python}"), CODE),
    "file name": (fenced(info="python:cell.py"), CODE),
    "tildes": (fenced(fence="~~~"), CODE),
    "four backticks": (fenced(fence="````"), CODE),
    "five tildes": (fenced(fence="~~~~~"), CODE),
    "never closed": ("```python\n" + CODE, CODE),
    "never closed, no newline": ("```python\n" + CODE.rstrip(), CODE),
    "never closed, then chatter": ("```python\n" + CODE + "\nThis sums the amounts.", CODE),
    "closed on the last line": ("```python\n" + CODE.rstrip() + "```", CODE),
    "code on the fence's line": ("```python " + OTHER + "```", OTHER),
    "all on one line": ("```" + OTHER.strip() + "```", OTHER),
    "all on one line, named": ("Use ```python " + "x```\n" + fenced(OTHER), OTHER),
    "trailing blanks": (fenced().replace("```", "```   "), CODE),
    "indented fence": (indented(fenced(), "    "), CODE),
    "indented by a tab": (indented(fenced(), "\t"), CODE),
    "code indented, fence not": (fenced(indented(CODE, "  ")), CODE),
    "list item": ("1. " + indented(fenced(), "   ").lstrip(), CODE),
    "quoted": (indented(fenced(), "> "), CODE),
    "carriage returns": (fenced().replace("\n", "\r\n"), CODE),
    "old carriage returns": (fenced().replace("\n", "\r"), CODE),
    "byte order mark": ("\ufeff" + fenced(), CODE),
    "special tokens": ("<|assistant|>" + fenced() + "<|im_end|>", CODE),
    "nested in markdown": ("````markdown\nSee:\n" + fenced() + "````\n", CODE),
    "nested, same length": ("```markdown\nSee:\n" + fenced() + "```\n", CODE),
    "fence in a docstring": (fenced(DOC), DOC),
    "triple quotes of SQL": (fenced(SQL), SQL),
    "spaces that do not break": (fenced(OTHER.replace(" = ", "\u00a0=\u00a0")), OTHER),
    "typographic quotes": (fenced(OTHER.replace('("', "(\u201c").replace('")', "\u201d)")), OTHER),
    # around the block
    "chatter before": ("Sure! Here is the code:\n\n" + fenced(), CODE),
    "chatter after": (fenced() + "\nThis sums the amounts. Let me know!", CODE),
    "inline code before": ("Use `spark.table` and `F.sum`:\n" + fenced(), CODE),
    "heading": ("## Answer\n\n" + fenced() + "\n### Notes\n- fine", CODE),
    "thinking": ("<thinking>\nHm, maybe\n" + fenced(OTHER) + "</thinking>\n" + fenced(), CODE),
    "think, one line": ("<think>x = 1</think>" + fenced(), CODE),
    "thinking, opening lost": ("First " + fenced(OTHER) + "so\n</think>\n" + fenced(), CODE),
    "thinking in capitals": ("<Thinking>a</Thinking>\n" + fenced(), CODE),
    "scratchpad": ("<scratchpad>\n" + OTHER + "</scratchpad>\n" + fenced(), CODE),
    # tags
    "code tag": ("<code>\n" + CODE + "</code>", CODE),
    "answer tag": ("<answer>\n" + CODE + "</answer>", CODE),
    "fence in a tag": ("<answer>\n" + fenced() + "</answer>", CODE),
    "html": (
        '<pre><code class="language-python">' + OTHER.replace('"', "&quot;") + "</code></pre>",
        OTHER,
    ),
    "bracket tag": ("[CODE]\n" + OTHER + "[/CODE]", OTHER),
    "function call as text": (INVOKE, OTHER),
    # JSON
    "json": (json.dumps(ARGUMENTS), CODE),
    "json in a fence": (fenced(json.dumps(ARGUMENTS) + "\n", "json"), CODE),
    "json in a bare fence": (fenced(json.dumps(ARGUMENTS) + "\n", ""), CODE),
    "json after chatter": ("Here you go: " + json.dumps(ARGUMENTS) + " Done.", CODE),
    "json with raw newlines": ('{"code": "' + OTHER.replace('"', '\\"') + '"}', OTHER),
    "json in json": (json.dumps(json.dumps(ARGUMENTS)), CODE),
    "python's spelling": (str(ARGUMENTS), CODE),
    "a call with arguments": (json.dumps({"name": "draft", "arguments": ARGUMENTS}), CODE),
    "a call with text arguments": (
        json.dumps({"name": "draft", "arguments": json.dumps(ARGUMENTS)}),
        CODE,
    ),
    "tool_call tag": (
        "<tool_call>\n" + json.dumps({"name": "draft", "parameters": ARGUMENTS}) + "\n</tool_call>",
        CODE,
    ),
    "lines": (json.dumps({"code": CODE.split("\n")}), CODE),
    "fence inside json": (json.dumps({"code": fenced()}), CODE),
    "another name": (json.dumps({"pyspark_code": CODE}), CODE),
    # no mark at all
    "bare": (CODE, CODE),
    "bare, chatter before": ("Here it is:\n\n" + CODE, CODE),
    "bare, chatter after": (CODE + "\nThis gives the total by region.", CODE),
    "bare, indented": (indented(CODE, "    "), CODE),
    "bare SQL": ("The query:\n" + SQL, SQL),
    "prompts": (">>> " + OTHER + "DataFrame[region: string]\n", OTHER),
    "numbered prompts": (fenced("In [3]: " + OTHER), OTHER),
    "cell magic": (fenced("%%bluebear_run --into x\n" + CODE), CODE),
    # several blocks
    "shell first": (fenced("pip install pyspark\n", "bash") + fenced(), CODE),
    "output after": (fenced() + fenced("+------+\n|region|\n", ""), CODE),
    "usage after": (fenced() + fenced("result.show()\n"), CODE),
    "imports apart": (fenced(IMPORT) + "then\n" + fenced(LAST), IMPORT + "\n" + LAST),
    "helper apart": (fenced(HELPER) + fenced(USES), HELPER + "\n" + USES),
    "helper not needed": (fenced("x = spark.table('a')\n") + fenced(OTHER), OTHER),
    "corrected": (fenced() + "Wait, simpler:\n" + fenced(OTHER), OTHER),
    "result refined": (
        fenced(OTHER) + fenced('result = result.where("a > 1")\n'),
        OTHER + "\n" + 'result = result.where("a > 1")\n',
    ),
    "first one not closed": ("```python\n" + HELPER + fenced(USES), HELPER + "\n" + USES),
    "schema first": (fenced('{"type": "struct"}\n', "json") + fenced(), CODE),
    # slips that the check will name
    "syntax error": (fenced(OTHER.replace(")\n", "\n")), OTHER.replace(")\n", "\n")),
    "no result": (fenced('spark.table("sales").show()\n'), 'spark.table("sales").show()\n'),
}

NOT_FOUND = {
    "empty": ("", "prose"),
    "blank": (" \n\t\n", "prose"),
    "prose": ("I would need to know the year.", "prose"),
    "prose in a fence": (fenced("I cannot do that without a date column.\n"), "prose"),
    "prose in a bare fence": (fenced("Please tell me more\n", ""), "prose"),
    "one word": ("result", "prose"),
    "a word in a fence": (fenced("Hello\n"), "prose"),
    "prose that parses": (fenced("yes (maybe)\n"), "prose"),
    "names code": ("Use spark.table and then result = the sum, as you like.", "prose"),
    "prose with code words": (
        "You could call spark.table(\"x\")\nand then import what you need from it\n", "prose",
    ),
    "other language": (fenced('val result = spark.table("sales")\n', "scala"), "prose"),
    "shell": (fenced("spark-submit job.py\n", "bash"), "prose"),
    "unrelated Python": (fenced("def f(x):\n    return x + 1\n"), "prose"),
    "sql alone": (fenced("SELECT 1\n", "sql"), "sql"),
    "only thinking": ("<thinking>\n" + fenced() + "</thinking>\nI am not sure.", "prose"),
    "thinking that never ends": ("<thinking>\n" + fenced(), "prose"),
    "cut in a fence": ("```python\n" + IMPORT + 'result = spark.table("sa', "cut"),
    "cut before the result": ("```python\n" + IMPORT + HELPER, "cut"),
    "cut at a method": ('Here:\n```python\nresult = spark.table("s")\\\n  .groupBy(', "cut"),
    "cut unmarked": (OTHER + "result = result.groupBy(", "prose"),
    "cut json": (json.dumps(ARGUMENTS)[:-40], "cut"),
    "cut json in a fence": ("```json\n" + json.dumps(ARGUMENTS)[:60], "cut"),
    "json without code": ('{"answer": 42}', "prose"),
    "a call as text with prose as code": ('<parameter name="code">I cannot</parameter>', "prose"),
    "json with prose as code": ('{"code": "I cannot do that"}', "prose"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code"), FOUND.values(), ids=FOUND.keys())
def test_code_is_found(text, code):
    found = extract(text)
    assert found.reason == ""
    assert found.draft.code == code


@pytest.mark.parametrize(("text", "reason"), NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_nothing_is_taken_for_code(text, reason):
    assert extract(text) == Extracted(None, reason)


@pytest.mark.parametrize(("text", "code"), FOUND.values(), ids=FOUND.keys())
def test_a_cut_off_answer_is_never_taken_for_a_whole_one(text, code):
    assert extract(text, cut=True) == Extracted(None, "cut")


def test_what_is_said_beside_the_code_is_its_explanation():
    said = extract("<think>hm</think>## Totals\nThis **sums** it.\n" + fenced() + "All regions.")
    assert said.draft.explanation == "Totals This sums it. All regions."
    assert extract("It sums.\n" + CODE + "Done now.").draft.explanation == "It sums. Done now."


def test_arguments_as_text_keep_what_they_say():
    draft = extract(json.dumps({**ARGUMENTS, "chart": {"kind": "bar", "x": "region"}})).draft
    assert draft.explanation == "Sums."
    assert draft.assumptions == ("all regions",)
    assert draft.chart == ChartHint("bar", "region")


@pytest.mark.parametrize(
    ("arguments", "draft"),
    [
        ({"code": "x", "assumptions": "one"}, Draft("x", assumptions=("one",))),
        ({"code": "x", "chart": "bar"}, Draft("x", chart=ChartHint("bar"))),
        ({"code": "x", "chart": '{"kind": "line", "y": "a"}'}, Draft("x", chart=ChartHint("line", y=("a",)))),
        ({"code": "x", "chart": {"kind": "pie"}}, Draft("x")),
        ({"code": "x", "explanation": None, "assumptions": [1, ""]}, Draft("x")),
        ({"code": "", "questions": ["Which year?"]}, Draft("", questions=("Which year?",))),
        ({"draft": {"code": "x"}}, Draft("x")),
        ({"code": ""}, None),
        ({"code": 5}, None),
        ({}, None),
        ([], None),
        ("x", None),
    ],
)  # fmt: skip
def test_drafts_of_arguments(arguments, draft):
    assert draft_of(arguments) == draft


def test_prose_beside_questions_is_no_code():
    draft = extract('{"code": "I need to know more", "questions": ["Which year?"]}').draft
    assert draft == Draft("", questions=("Which year?",))


def test_code_given_as_code_is_only_tidied():
    assert code_in(fenced()) == CODE
    assert code_in("not code at all") == "not code at all\n"
    assert code_in(DOC) == DOC
    documented = '"""\n' + fenced(OTHER) + '"""\n' + CODE
    assert code_in(documented) == documented


def test_blocks_without_a_result_are_joined():
    assert merged([IMPORT, HELPER]) == IMPORT + "\n" + HELPER
    assert merged([]) == ""


# --- whatever comes ---------------------------------------------------------

PIECES = [
    "```", "```python", "~~~", "````", "<thinking>", "</think>", "<code>", "</code>", "[CODE]",
    '{"code": "', '"}', "{", "}", '"""', "'", "(", ")", "> ", "1. ", "\\", "\r\n", "\n", "\t", "\x00",
    "\ud800", "result = ", "spark.table('a')", "import x", "In [1]: ", ">>> ", "... ", "hello there.",
    "%%time", '<parameter name="code">', "</parameter>", "\u201c", "<|x|>", "[" * 300, "-" * 300,
]  # fmt: skip
soup = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=40).map("".join)


@given(soup | st.text())
@settings(max_examples=400, deadline=None)
def test_no_text_breaks_it(text):
    found = extract(text)
    assert (found.draft is None) == (found.reason != "")
    if found.draft is not None and found.draft.code:
        assert "spark" in found.draft.code or "result" in found.draft.code


WORDS = (
    "the result of a table is that you import from spark for each region with total sales and in "
    "if not or yes no as we return all class def lambda is del pass try"
).split()
sentence = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
prose = st.lists(
    st.tuples(sentence, st.sampled_from([".", "?", ":", "!", ",", " (maybe).", " - so.", ""])).map("".join),
    max_size=6,
)  # fmt: skip


@given(
    prose, st.sampled_from(["{}", "```\n{}\n```", "```python\n{}\n```", "<code>{}</code>", "> {}"])
)
@settings(max_examples=400, deadline=None)
def test_no_prose_is_taken_for_code(lines, around):
    text = around.format("\n".join(lines))
    found = extract(text)
    if found.draft is not None:  # only where chance wrote Python that uses Spark
        tree = ast.parse(found.draft.code)
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert names & {"spark", "result"}
        assert "(" not in found.draft.code or "```" not in text


chatter = st.text(string.ascii_letters + " .,!?\n", max_size=80).filter(
    lambda text: "result" not in text and "spark" not in text
)


marks = st.tuples(
    st.sampled_from(["```", "~~~", "````"]),
    st.sampled_from(["", "python", "py", "Python"]),
    st.sampled_from(["\n", "\r\n"]),
)


@given(chatter, st.sampled_from([CODE, OTHER, SQL, DOC]), chatter, marks)
@settings(max_examples=300, deadline=None)
def test_marked_code_comes_out_as_it_went_in(before, code, after, marks):
    fence, info, end = marks
    text = f"{before}\n{fence}{info}\n{code}{fence}\n{after}".replace("\n", end)
    assert extract(text).draft.code == code


@given(st.sampled_from([CODE, SQL]), st.data())
@settings(max_examples=200, deadline=None)
def test_a_block_that_stops_anywhere_gives_all_or_nothing_that_parses(code, data):
    at = data.draw(st.integers(0, len(code)))
    found = extract("```python\n" + code[:at])
    if found.draft is not None:
        assert code.startswith(found.draft.code.rstrip("\n"))
        ast.parse(found.draft.code)


@pytest.mark.parametrize(
    "piece",
    [
        "```json\n",
        "```\n",
        "<code>\n",
        "<thinking>",
        "{",
        '{"code": ',
        " ",
        "(",
        "a ",
        "result = ",
        "> ",
    ],
)
def test_long_texts_end_soon(piece):
    started = time.monotonic()
    extract(piece * (200_000 // len(piece)))
    assert time.monotonic() - started < 5
