# ruff: noqa: RUF001 - Hebrew is meant
import html.parser
import re
import unicodedata

import pytest

from bluebear_magic.present import escape

ISOLATED = re.compile("\u2068[^\u2066-\u2069\n]*\u2069")
SINGLE_LINE = [
    escape.markdown,
    escape.plotly,
    escape.mathtext,
    escape.line,
    escape.visible,
]
EVERY = [*SINGLE_LINE, escape.html, escape.code, escape.terminal]


def hidden(text):
    """Characters that are unseen or that reorder, outside of an isolate and of emoji."""
    rest = ISOLATED.sub(lambda m: m[0][1:-1], text).replace("👩‍👩‍👧", "")
    return [c for c in rest if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


class Reader(html.parser.HTMLParser):
    """What a browser makes of a fragment."""

    def __init__(self, fragment):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.attributes = [], "", []
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        self.tags.append(f"/{tag}")

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        self.tags.append("comment")


@pytest.mark.parametrize("function", EVERY, ids=lambda f: f.__name__)
def test_nothing_hidden_is_left_on_any_screen(hostile, function):
    kept = "\n\t" if function in (escape.html, escape.code, escape.terminal) else ""
    assert set(hidden(function(hostile))) <= set(kept)
    function(hostile).encode("utf-8")


def test_html_is_text_for_a_browser(hostile):
    read = Reader(f"<p>{escape.html(hostile)}</p>")
    assert read.tags == ["p", "/p"]
    kept = escape.isolate(escape.visible(hostile.replace("\r\n", "\n"), keep="\n\t"))
    assert read.text == kept


def test_html_stays_inside_a_quoted_attribute(hostile):
    for quote in "\"'":
        read = Reader(f"<i title={quote}{escape.html(hostile)}{quote}>x</i>")
        assert read.tags == ["i", "/i"]
        assert [name for name, _ in read.attributes] == ["title"]


def test_code_is_text_for_a_browser_and_never_isolated(hostile):
    read = Reader(f"<pre>{escape.code(hostile)}</pre>")
    assert read.tags == ["pre", "/pre"]
    assert "\u2068" not in read.text


def test_markdown_leaves_no_active_punctuation(hostile):
    text = escape.markdown(hostile).replace("@<!-- -->", "")
    text = re.sub(r"&(amp|lt|gt|#\d+);", "", text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]()*_`~#|!<>$&@:.]", text)
    assert not text.startswith("    ")


def test_plotly_reads_no_tags_no_templates_and_no_mathematics(hostile):
    text = escape.plotly(hostile)
    assert not re.search(r"<|\$|%\{", text)


def test_mathtext_is_never_mathematics(hostile):
    from matplotlib import cbook

    text = escape.mathtext(hostile)
    assert not cbook.is_math_text(text)
    assert text.replace(r"\$", "$") == escape.bare(escape.visible(hostile))


def test_terminal_has_no_escape_sequences(hostile):
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", escape.terminal(hostile))


def test_terminal_drops_colours_titles_and_links_whole():
    text = "\x1b[1;31mred\x1b[0m \x1b]0;title\x07a \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x9b2Jz"
    assert escape.terminal(text) == "red a link z"


def test_terminal_keeps_lines_and_tabs():
    assert escape.terminal("a\tb\r\nc\rd\n") == "a\tb\ncd\n"


def test_terminal_keeps_the_text_after_an_unfinished_title():
    assert escape.terminal("\x1b]0;never ends") == "0;never ends"


def test_line_is_one_line_within_its_limit(hostile):
    for limit in (1, 10, 200):
        shown = escape.line(hostile, limit)
        assert len(shown.splitlines()) <= 1
        assert len(escape.bare(shown)) <= limit


def test_controls_are_spelled_out():
    assert escape.line("a\nb\x00\x1b[1m\u202ec", 40) == r"a\nb\x00\x1b[1m\u202ec"
    assert escape.visible("tag\U000e0041") == r"tag\U000e0041"


def test_a_cut_shows():
    assert escape.line("abcdef", 4) == "abc…"
    assert escape.line("abcd", 4) == "abcd"


def test_right_to_left_text_is_isolated_once():
    once = escape.line("שלום, 12", 40)
    assert once == "\u2068שלום, 12\u2069"
    assert escape.line(once, 40) == once
    assert escape.html(once) == once


def test_a_cut_isolate_is_closed():
    assert escape.line("שלום " * 9, 6) == "\u2068שלום…\u2069"


def test_isolates_of_the_data_are_spelled_out_unless_they_are_as_we_write_them():
    assert escape.visible("\u2068latin\u2069") == r"\u2068latin\u2069"
    assert escape.visible("\u2067שלום\u2069") == r"\u2067שלום\u2069"
    assert escape.visible("\u2069") == r"\u2069"


def test_joiners_stay_where_they_join():
    for word in ("👩‍👩‍👧", "❤️‍🔥", "می‌خواهم", "क्‍ष"):
        assert escape.bare(escape.visible(word)) == word
    assert escape.visible("ad\u200dmin\u200c") == r"ad\u200dmin\u200c"


def test_plain_text_passes_unchanged_where_it_may():
    text = "Total sales, 12.5% up (2024): naïve café"
    assert escape.html(text) == escape.plotly(text) == escape.mathtext(text) == text
    assert escape.terminal(text) == escape.line(text) == text


def test_markdown_renders_as_one_literal_paragraph(hostile):
    mistune = pytest.importorskip("mistune")
    render = mistune.create_markdown(escape=False, plugins=["url", "table", "strikethrough"])
    read = Reader(render("before " + escape.markdown(hostile) + " after"))
    assert set(read.tags) <= {"p", "/p", "comment"}
    shown = escape.isolate(escape.visible(hostile))
    assert " ".join(read.text.split()) == " ".join(f"before {shown} after".split())
