import argparse

import pytest

from bluebear_magic.errors import ArgumentError
from bluebear_magic.notebook.arguments import split_line
from bluebear_magic.notebook.naming import name_for
from bluebear_magic.notebook.values import fill


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--data", action="append")
    parser.add_argument("--model", help="who writes the code")
    parser.add_argument("--run", action="store_true")
    return parser


@pytest.mark.parametrize(
    ("line", "arguments", "rest"),
    [
        ("", [], ""),
        ("what's the total?", [], "what's the total?"),
        ("--run what's {this}", ["--run"], "what's {this}"),
        ("--data a.csv --data 'b c.csv' total", ["--data", "a.csv", "--data", "b c.csv"], "total"),
        ("--data=a.csv total", ["--data=a.csv"], "total"),
        ('--data "a b.csv"  two  spaces', ["--data", "a b.csv"], "two  spaces"),
        ("-- --run is a word", [], "--run is a word"),
        (r"--data C:\x total", ["--data", r"C:\x"], "total"),
    ],
)
def test_options_first_then_the_question_as_it_stands(parser, line, arguments, rest):
    assert split_line(line, parser) == (arguments, rest)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--modle x", "there is no option --modle\ndid you mean --model?"),
        ("--zzz", "there is no option --zzz\noptions: --data, --model, --run"),
        ("--model", "--model needs a value\nwho writes the code"),
        ("--data 'a.csv total", "a quote is not closed: 'a.csv total\nclose it"),
    ],
)
def test_a_wrong_option_gets_one_sentence_with_the_nearest(parser, line, message):
    with pytest.raises(ArgumentError) as error:
        split_line(line, parser)
    assert str(error.value) == message


def test_braces_take_a_value_and_single_braces_stay():
    text = fill("in {{ year }} for {{regions}} and {x}", {"year": 2024, "regions": ["N", "S"]})
    assert text == "in 2024 for N, S and {x}"


def test_an_unknown_variable_names_the_nearest():
    with pytest.raises(ArgumentError, match=r"did you mean \{\{region\}\}\?"):
        fill("{{regoin}}", {"region": 1})
    with pytest.raises(ArgumentError, match="the value has 501 characters"):
        fill("{{x}}", {"x": "y" * 501})


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Show me total sales by region over the last 12 months", "total_sales_by_region"),
        ("What is the average?", "average"),
        ("???", "answer"),
        ("import", "import_"),
        ("Quelle année?", "quelle_annee"),
    ],
)
def test_a_name_comes_from_the_questions_words(question, name):
    assert name_for(question) == name
    assert name_for(question, {name}) == f"{name}_2"
    assert name_for(question).isidentifier()
