"""What a question's cell shows, as text and as HTML."""

from html.parser import HTMLParser

import pytest

from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.profiles import profile
from bluebear_magic.errors import RunFailed
from bluebear_magic.notebook import cards
from bluebear_magic.present.listing import card_bundle
from bluebear_magic.provenance.header import Cell, Header, code_hash
from bluebear_magic.records import Answer, Attempt, Checked, Draft, Finding, Preview, Sent
from bluebear_magic.runner.envelope import Fault, Outcome

CODE = 'result = spark.table("sales")\n'
OURS = {"div", "strong", "small", "details", "summary", "pre", "span", "em"}
BLOCKED = Checked(
    (Finding("PY-IMPORT", "block", 2, 0, "os", "`os` is not on the list", "drop it"),)
)
FAULT = Checked((), Outcome("fault", fault=Fault("run", "ZeroDivisionError", "by zero", line=3)))
FINE = Checked((), Outcome("ok"))


class Page(HTMLParser):
    """The elements of a piece of HTML, and its text; fails where they are not balanced."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words, self._open = [], [], []
        self.feed(html)
        self.close()
        assert self._open == []

    @property
    def text(self):
        return "".join(self.words)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def answer(**more):
    facts = {"code": CODE, "explanation": "all of it", "attempts": (Attempt(1, Draft(CODE), FINE),)}
    return Answer("sales?", **{**facts, "checked": "whole", **more})


def test_an_answer_tells_how_it_was_checked_its_code_and_its_place():
    card = cards.answer_card(answer(assumptions=("sales are net",)), "A new cell is below.")
    assert card["text/plain"] == (
        "Checked on the whole data, first attempt.\nall of it\nAssumed: sales are net\n\n"
        f"{CODE}\nA new cell is below."
    )
    page = Page(card["text/html"])
    assert set(page.tags) <= OURS
    for line in filter(None, card["text/plain"].splitlines()):
        assert line in page.text


def test_an_answer_checked_on_samples_says_so():
    tries = tuple(Attempt(n, Draft(CODE), FINE) for n in (1, 2))
    card = cards.answer_card(answer(attempts=tries, checked="sample:1000 rows"), "")
    first = "Checked on a sample of 1000 rows of each large dataset, attempt 2."
    assert card["text/plain"].startswith(first)


def cell(code=CODE):
    return Cell("", Header("q", "offline", 1, "whole", "4.1.1", code_hash(CODE), "s", "p"), code)


def test_a_current_cell_is_shown_and_an_edit_of_it_is_told():
    card = cards.current_card(cell(), "Use --new.")
    assert "answers this question already; no model was called" in card["text/plain"]
    assert "edited" not in card["text/plain"]
    assert CODE.strip() in card["text/plain"]
    assert "It was edited since" in cards.current_card(cell(CODE + "#"), "")["text/plain"]


def test_a_failure_shows_every_error_and_the_last_draft():
    tried = (Attempt(1, Draft("import os"), BLOCKED), Attempt(2, Draft(CODE), FAULT))
    card = cards.failure_card(answer(attempts=tried))
    text = card["text/plain"]
    assert "Attempt 1: line 2: `os` is not on the list" in text
    assert "Attempt 2: line 3: by zero" in text
    assert text.endswith(CODE.strip())
    assert "import os" not in text


def test_a_changed_answer_is_a_difference():
    text = cards.diff_card("a = 1\nb = 2\n", "a = 1\nb = 3\n", "place")["text/plain"]
    assert "--- the cell below\n+++ the new answer" in text
    assert "\n a = 1\n-b = 2\n+b = 3\n" in text
    assert text.endswith("place")


def test_an_error_of_a_button_is_told_as_a_cell_would():
    card = cards.error_card(RunFailed("by zero", "use try_divide", line=3))
    told = " ".join(card["text/plain"].split())
    assert told == "RunFailed: line 3: by zero use try_divide"


MAKERS = {
    "answer": lambda text: cards.answer_card(
        answer(code=text, explanation=text, assumptions=(text,), checked="whole"), text
    ),
    "current": lambda text: cards.current_card(cell(text), text),
    "failure": lambda text: cards.failure_card(
        answer(code=text, attempts=(Attempt(1, Draft(text), hostile_check(text)),))
    ),
    "diff": lambda text: cards.diff_card(text, text + "\nx", text),
    "sent": lambda text: cards.sent_card(Preview(text, {}, text, 1, Sent(1))),
    "error": lambda text: cards.error_card(RunFailed(text, text)),
}


def hostile_check(text):
    return Checked((Finding("X", "block", 1, 0, text, text, text),))


@pytest.mark.parametrize("kind", MAKERS)
def test_hostile_text_is_text_on_every_card(kind, hostile_corpus):
    for text in hostile_corpus:
        card = MAKERS[kind](text)
        html = card["text/html"]
        assert set(Page(html).tags) <= OURS
        assert html.startswith('<div class="tex2jax_ignore mathjax_ignore">')
        assert "\x1b" not in card["text/plain"] + html
        assert "\u202e" not in card["text/plain"] + html


def test_a_dataset_whose_place_looks_like_mathematics_is_no_formula(tmp_path):
    (tmp_path / "$x$.csv").write_text("a,b\n1,2\n")
    dataset = Catalog(tmp_path).add("x", "$x$.csv")
    card = card_bundle(dataset, profile(dataset))
    assert "$x$.csv" in card["text/plain"]
    assert "$x$.csv" not in card["text/html"]
    assert "$x$.csv" in Page(card["text/html"]).text


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "Nothing was sent. m would get 1 schema, 0 rows: about 1,234 tokens (an estimate, made here)."),
        (
            {"counted": True, "left": True},
            "No model was asked; Bedrock got this to count it. m would get 1 schema, 0 rows: "
            "1,234 tokens (as Bedrock counts).",
        ),
        (
            {"left": True, "uncounted": "it does not count"},
            "No model was asked; Bedrock got this to count it. m would get 1 schema, 0 rows: "
            "about 1,234 tokens (an estimate, made here: it does not count).",
        ),
        (
            {"uncounted": "no region"},
            "Nothing was sent. m would get 1 schema, 0 rows: about 1,234 tokens (an estimate, made "
            "here: no region).",
        ),
    ],
)  # fmt: skip
def test_a_dry_run_says_who_counted_and_what_left_for_it(more, told):
    preview = Preview("m", {}, "text", 1234, Sent(1), **more)
    assert cards.preview_told(preview) == (told, "text")
