"""``%bluebear``: what its words mean, and what it tells of sharing."""

import pytest

from bluebear_magic.commands import _with_options, sharing_told
from bluebear_magic.records import Column, Dataset, Sharing


@pytest.mark.parametrize(
    ("line", "path", "options"),
    [
        ("data/pairs.csv", "data/pairs.csv", {}),
        ("my data/pairs.csv", "my data/pairs.csv", {}),
        ("pairs.csv header=true sep=;", "pairs.csv", {"header": "true", "sep": ";"}),
        ("my data/x.csv header=false", "my data/x.csv", {"header": "false"}),
        ("sales/year=2024 header=true", "sales/year=2024", {"header": "true"}),
        ("sales/year=2024 sales/year=2025", "sales/year=2024 sales/year=2025", {}),
        ("year=2024", "year=2024", {}),  # the path itself
        ("x.csv nullValue=", "x.csv", {"nullValue": ""}),
    ],
)
def test_options_follow_a_path(line, path, options):
    assert _with_options(line.split()) == (path, options)


def test_it_is_told_where_names_are_held_back():
    columns = (Column("Anna", "STRING", guessed=True),)
    pairs = Dataset("pairs", "p.csv", "csv", ("/p.csv",), columns, "f")
    (told, _, _) = sharing_told([pairs], Sharing(hidden=frozenset({("pairs", "Anna")})))
    assert told.endswith("no values; names of columns that may be values are held back)")
    (told, _, _) = sharing_told([pairs], Sharing())
    assert told == "pairs: schema (names, types and sizes, no values)"
