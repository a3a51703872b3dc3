"""The setting ``share`` as text and as a table, what is looser, which columns look personal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluebear_magic.errors import ArgumentError
from bluebear_magic.generation.personal import personal
from bluebear_magic.records import Column, ColumnProfile, Dataset, Profile
from bluebear_magic.sharing import Wish, loosens, parse
from bluebear_magic.vocabulary import SHARES


def test_the_setting_taken_apart():
    wish = parse("Sales=profile, schema , hr = samples,hr.Salary=shared, sales.city=schema")
    assert (wish.default, wish.of("SALES"), wish.of("hr"), wish.of("x")) == (
        "schema", "profile", "samples", "schema",
    )  # fmt: skip
    assert wish.column("HR", "salary") is True
    assert wish.column("sales", "City") is False
    assert wish.column("sales", "other") is None
    assert parse(wish.text) == wish
    assert parse({"sales": "profile", "default": "schema", "sales.x": "shared"}).text == (
        "schema, sales=profile, sales.x=shared"
    )


@pytest.mark.parametrize(
    "value", ["all", "sales=", "=x", "sales=all", "sales.x=profile", ".x=shared", "sales.=shared", 3, ["schema"], {"sales": 1}],
)  # fmt: skip
def test_what_is_no_setting_is_refused(value):
    with pytest.raises(ArgumentError, match=r"share|level|sharing"):
        parse(value)


def test_a_level_for_all_replaces_those_of_the_datasets():
    wish = parse("schema, sales=samples, sales.mail=shared").with_("default", "profile")
    assert (wish.of("sales"), wish.column("sales", "mail")) == ("profile", True)


levels = st.sampled_from(SHARES)
wishes = st.builds(
    Wish,
    levels,
    st.dictionaries(st.sampled_from("ab"), levels),
    st.dictionaries(st.tuples(st.sampled_from("ab"), st.just("c")), st.booleans()),
)


@given(wishes, wishes)
def test_looser_is_what_lets_more_leave_of_any_dataset(wish, other):
    more = any(SHARES.index(wish.of(n)) > SHARES.index(other.of(n)) for n in "abz")
    rank = {False: 0, None: 1, True: 2}
    columns = any(rank[wish.column(n, "c")] > rank[other.column(n, "c")] for n in "ab")
    assert loosens(wish, other) == (more or columns)
    assert not loosens(wish, wish)


def looks(name, columns, **values):
    dataset = Dataset(name, "", "csv", (), tuple(Column(*c.split(" ", 1)) for c in columns), "f")
    known = Profile(9, tuple(ColumnProfile(k, values=tuple(v)) for k, v in values.items()))
    return sorted(personal(dataset, known))


def test_columns_that_look_personal_by_their_name():
    columns = ["id INT", "Email STRING", "firstName STRING", "last_name STRING", "phone_no STRING",
               "DateOfBirth DATE", "addresses ARRAY<STRING>", "region STRING", "total DOUBLE",
               "contact_info STRUCT<city: STRING>", "meta STRUCT<email: STRING>"]  # fmt: skip
    assert looks("sales", columns) == sorted(
        ["Email", "firstName", "last_name", "phone_no", "DateOfBirth", "addresses", "contact_info", "meta"]
    )  # fmt: skip


def test_a_name_is_personal_where_the_dataset_is_of_people():
    assert looks("customers", ["id INT", "name STRING"]) == ["name"]
    assert looks("products", ["id INT", "name STRING"]) == []


def test_columns_that_look_personal_by_their_values():
    columns = [f"c{number} STRING" for number in range(7)]
    assert looks(
        "t", columns,
        c0=["a@b.org", "x.y@z.com", "?"], c1=["+49 170 1234567"], c2=["DE89 3704 0044 0532 0130 00"],
        c3=["2024-01-31", "31.12.2024"], c4=["North", "South"], c5=["192.168.1.1"], c6=["123-45-6789"],
    ) == ["c0", "c1", "c2", "c5", "c6"]  # fmt: skip
