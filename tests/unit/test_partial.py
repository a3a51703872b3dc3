"""Code inside JSON that is still arriving: each piece gives what it adds, and all of them all."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bluebear_magic.generation.partial import CodeTap


def tapped(raw, cuts):
    tap, found, at = CodeTap(), [], 0
    for cut in [*sorted(cuts), len(raw)]:
        found.append(tap.feed(raw[at : max(at, cut)]))
        at = max(at, cut)
    return found


text = st.text(st.characters(blacklist_categories=["Cs"]), max_size=60)


@given(text, text, st.lists(st.integers(0, 200), max_size=12), st.booleans())
def test_the_pieces_make_the_whole(code, other, cuts, ascii_only):
    raw = json.dumps({"explanation": "x", "code": code, "assumptions": [other]}, ensure_ascii=False)
    assert "".join(tapped(raw, cuts)) == code
    if code.isascii() or ascii_only:
        raw = json.dumps({"code": code})
        assert "".join(tapped(raw, [])) == code


def test_it_starts_before_the_end():
    tap = CodeTap()
    assert tap.feed('{"code": "res') == "res"
    assert tap.feed("ult = 1\\") == "ult = 1"
    assert tap.feed("nx") == "\nx"
    assert tap.feed('", "explanation": "y"}') == ""
    assert tap.feed('"code": "again"') == ""


def test_what_is_no_json_gives_nothing_or_its_text():
    assert CodeTap().feed("no json") == ""
    assert CodeTap().feed('{"code": "\\u12') == ""
    assert CodeTap().feed('{"code": "\\uZZZZ\\q"}') == "\\uZZZZ\\q"


@given(st.text("a\U0001f43b\u00e9\\", max_size=9), st.lists(st.integers(0, 120), max_size=6))
def test_an_emoji_in_two_escapes_is_whole_wherever_it_is_cut(code, cuts):
    assert "".join(tapped(json.dumps({"code": code}), cuts)) == code


def test_half_an_emoji_is_told_when_no_other_half_comes():
    tap = CodeTap()
    assert tap.feed('{"code": "\\ud83d') == ""
    assert tap.feed("x = 1") == "\ufffdx = 1"
