"""The loop needs no model and no Spark: it is driven here by hand."""

from bluebear_magic.records import Accepted, Asked, Checked, Draft, Finding, GivenUp
from bluebear_magic.repair.feedback import feedback
from bluebear_magic.repair.known import Known
from bluebear_magic.repair.loop import Generate, Try, loop
from bluebear_magic.runner.envelope import Fault, Outcome

GOOD = Checked((), Outcome("ok"))


def failed(message="no such column", line=2):
    fault = Fault("analyse", "AnalysisException", message, "UNRESOLVED_COLUMN", line)
    return Checked((), Outcome("fault", fault=fault))


def drive(attempts, drafts, verdicts):
    """Everything the loop yielded, and what it returned."""
    steps = loop(attempts, lambda attempt: feedback(attempt, Known(everything=True)))
    seen, drafts, verdicts = [], iter(drafts), iter(verdicts)
    try:
        step = next(steps)
        while True:
            seen.append(step)
            step = steps.send(next(drafts) if isinstance(step, Generate) else next(verdicts))
    except StopIteration as ended:
        return seen, ended.value


def test_a_right_first_draft_ends_it():
    seen, end = drive(4, [Draft("a")], [GOOD])
    assert seen == [Generate(()), Try(Draft("a"))]
    assert isinstance(end, Accepted)
    assert [a.number for a in end.attempts] == [1]


def test_what_was_wrong_goes_back_with_the_draft():
    seen, end = drive(4, [Draft("a\nb"), Draft("c")], [failed(), GOOD])
    (turn,) = seen[2].turns
    assert turn.draft == Draft("a\nb")
    assert "no such column" in turn.feedback
    assert "> " in turn.feedback
    assert "| b" in turn.feedback
    assert isinstance(end, Accepted)


def test_it_gives_up_after_the_last_attempt():
    seen, end = drive(3, [Draft(c) for c in "abc"], [failed()] * 3)
    assert isinstance(end, GivenUp)
    assert len(end.attempts) == 3
    assert end.reason == "all 3 attempts failed"
    assert sum(isinstance(step, Generate) for step in seen) == 3


def test_the_same_code_again_ends_it_without_another_check():
    seen, end = drive(4, [Draft("a"), Draft("a")], [failed()])
    assert isinstance(end, GivenUp)
    assert "repeated code" in end.reason
    assert sum(isinstance(step, Try) for step in seen) == 1


def test_code_that_differs_in_comments_and_layout_alone_is_the_same():
    again = "x = 1  # better now\n\ny = (x)\n"
    seen, end = drive(4, [Draft("x=1\ny=x"), Draft(again)], [failed()])
    assert "repeated code" in end.reason
    assert sum(isinstance(step, Try) for step in seen) == 1


ASKS = Draft("", questions=("By revenue or by pieces?",))


def test_a_draft_that_only_asks_never_reaches_the_check():
    seen, end = drive(4, [ASKS], [])
    assert isinstance(end, Asked)
    assert end.draft is ASKS
    assert seen == [Generate(())]


def test_a_draft_with_code_and_questions_is_tried():
    _, end = drive(4, [Draft("a", questions=("Really?",))], [GOOD])
    assert end.chosen.draft.code == "a"


def test_code_that_works_is_kept_when_the_model_asks_afterwards():
    _, end = drive(4, [Draft("a"), ASKS], [DOUBTED])
    assert end.chosen.draft.code == "a"


def test_the_guards_findings_go_back_with_their_advice():
    finding = Finding("PY-IMPORT", "block", 1, 0, "os", "no import.", "Leave it out.")
    warning = Finding("W", "warn", 1, 0, "x", "unimportant")
    seen, _ = drive(2, [Draft("import os"), Draft("b")], [Checked((finding, warning)), GOOD])
    assert seen[2].turns[0].feedback == (
        "Line 1: `os` (PY-IMPORT): no import. Leave it out.\n>   1 | import os"
    )


DOUBT = Finding(
    "meaning.unknown-value", "repair", 1, 0, "x", "'n' is no value", "Did you mean 'N'?"
)
DOUBTED = Checked((DOUBT,), Outcome("ok"))


def test_a_draft_in_doubt_gets_one_more_try_with_the_values_that_are_there():
    seen, end = drive(4, [Draft("a"), Draft("b")], [DOUBTED, GOOD])
    (turn,) = seen[2].turns
    assert "Did you mean 'N'?" in turn.feedback
    assert ">   1 | a" in turn.feedback
    assert isinstance(end, Accepted)
    assert end.chosen.draft.code == "b"


def test_a_second_doubt_is_accepted():
    seen, end = drive(4, [Draft("a"), Draft("b")], [DOUBTED, DOUBTED])
    assert end.chosen.draft.code == "b"
    assert sum(isinstance(step, Generate) for step in seen) == 2


def test_code_that_works_is_not_lost_to_a_worse_draft_or_to_the_same_again():
    _, worse = drive(4, [Draft("a"), Draft("b")], [DOUBTED, failed()])
    assert worse.chosen.draft.code == "a"
    assert len(worse.attempts) == 2
    _, same = drive(4, [Draft("a"), Draft("a")], [DOUBTED])
    assert same.chosen.draft.code == "a"


def test_a_doubt_in_the_last_attempt_is_accepted():
    _, one = drive(1, [Draft("a")], [DOUBTED])
    assert one.chosen.draft.code == "a"
    _, second = drive(2, [Draft("a"), Draft("b")], [failed(), DOUBTED])
    assert second.chosen.draft.code == "b"
