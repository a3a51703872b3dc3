"""Checks on meaning over real Spark: no wrong repair of right code, planted mistakes named."""

import pytest

from bluebear_magic import pipeline
from bluebear_magic.api import Bluebear
from tests.functional.meaning_corpus import PLANTED, RIGHT, make


@pytest.fixture(scope="module")
def bb(tmp_path_factory, local):
    folder = tmp_path_factory.mktemp("meaning")
    (folder / "data").mkdir()
    make(folder / "data")
    bb = Bluebear(folder=folder)
    bb.tools.backends = {"local": local}
    for dataset in bb.datasets():
        bb.profile(dataset.name)
    return bb


def check(bb, code):
    return pipeline.check(bb.tools, code, bb.datasets())


def lines_of(code, text):
    return {n for n, line in enumerate(code.splitlines(), 1) if text in line}


def test_the_corpora_are_whole():
    assert len(RIGHT) == len(set(RIGHT)) == 100
    assert len(PLANTED) == len({code for code, _, _ in PLANTED}) == 100


def test_right_code_is_not_mended(bb):
    wrong = []
    for code in RIGHT:
        checked = check(bb, code)
        if not checked.ok or checked.doubts:
            wrong.append((code, checked.error, checked.doubts))
    assert not wrong


def test_planted_mistakes_are_named_where_they_stand(bb):
    missed = []
    for code, rule, text in PLANTED:
        checked = check(bb, code)
        named = [f for f in checked.findings if f.rule == f"meaning.{rule}"]
        if not any(finding.line in lines_of(code, text) for finding in named):
            missed.append((code, rule, text, checked.findings, checked.error))
    assert len(PLANTED) - len(missed) >= 90, missed
