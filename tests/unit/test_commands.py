"""``%bluebear``: what it tells of sharing."""

from bluebear_magic.commands import sharing_told
from bluebear_magic.records import Column, Dataset, Sharing


def test_it_is_told_where_names_are_held_back():
    columns = (Column("Anna", "STRING", guessed=True),)
    pairs = Dataset("pairs", "p.csv", "csv", ("/p.csv",), columns, "f")
    (told, _, _) = sharing_told([pairs], Sharing(hidden=frozenset({("pairs", "Anna")})))
    assert told.endswith("no values; names of columns that may be values are held back)")
    (told, _, _) = sharing_told([pairs], Sharing())
    assert told == "pairs: schema (names, types and sizes, no values)"
