"""What is offered at the cursor, in questions, in PySpark and on lines."""

import pytest

from bluebear_magic.notebook.completion import Words, concerns, offered, open_string

WORDS = Words(
    columns={"sales": ("region", "amount", "unit.price"), "staff": ("name", "region")},
    named={"revenue": "metric", "turnover": "synonym"},
    options={
        "bluebear": {"--data": (), "--backend": ("auto", "local"), "--run": ()},
        "bluebear_run": {"--into": (), "--backend": ("auto", "local")},
    },
    commands={"data": ("add", "show", "search"), "use": ("auto", "local"), "share": ("schema",), "cost": ()},
    actions={"add": {"--format": ("csv",), "--save": ()}, "show": {}, "search": {}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("before", "fragment", "texts"),
    [
        ("%%bluebear --", "--", ["--data", "--backend", "--run"]),
        ("%%bluebear --data ", "", ["sales", "staff"]),
        ("%%bluebear --data s", "s", ["sales", "staff"]),
        ("%%bluebear --backend l", "l", ["local"]),
        ("%%bluebear --run total am", "am", ["amount"]),
        ("%%bluebear\ntotal Am", "Am", ["amount"]),
        ("%%bluebear\n\ntotal re", "re", ["revenue", "region"]),
        ("%%bluebear\ntotal amount of s", "s", ["sales", "staff"]),
        ("%%bluebear\ntu", "tu", ["turnover"]),
        ("%%bluebear\nzz", "zz", []),
        ("%%bluebear_run --i", "--i", ["--into"]),
        ('%%bluebear_run\nresult = spark.table("', "", ["sales", "staff"]),
        ("%%bluebear_run\nresult = spark.table('st", "st", ["staff"]),
        ('%%bluebear_run\nx = spark.table("sales").groupBy("', "", ["region", "amount", "`unit.price`"]),
        ('%%bluebear_run\nx = spark.table("staff").select("n', "n", ["name"]),
        ('%%bluebear_run\nspark.sql("""select\n  am', "am", ["amount"]),
        ('%%bluebear_run\nspark.table("sales").where(F.col("un', "un", ["`unit.price`"]),
        ('%%bluebear_run\nresult = spark.table("sales").gr', "", []),
        ('%%bluebear_run\n# it\'s "\nresult = re', "", []),
        ("%bluebear ", "", ["data", "use", "share", "cost"]),
        ("x = 1\n%bluebear da", "da", ["data"]),
        ("%bluebear use ", "", ["auto", "local"]),
        ("%bluebear use local ", "", []),
        ("%bluebear data s", "s", ["show", "search"]),
        ("%bluebear data show ", "", ["sales", "staff"]),
        ("%bluebear data show sales ", "", []),
        ("%bluebear data add x y.csv --", "--", ["--format", "--save"]),
        ("%bluebear data add x y.csv --format ", "", ["csv"]),
        ("%bluebear share s", "s", ["schema", "sales", "staff"]),
        ("print(1)", "", []),
    ],
)  # fmt: skip
def test_what_may_come_next(before, fragment, texts):
    found = offered(before, WORDS)
    assert [offer.text for offer in found.offers] == texts
    assert not texts or found.fragment == fragment


def test_python_goes_on_to_complete_python_and_nothing_else_completes_a_question():
    assert offered("%%bluebear\nam", WORDS).alone
    assert not offered("%%bluebear\nzz", WORDS).alone
    assert not offered('%%bluebear_run\nx.select("re', WORDS).alone


def test_names_of_the_data_come_no_more_than_so_many_at_once():
    many = Words(columns={f"t{n}": [f"c{n}_{m}" for m in range(100)] for n in range(100)})
    assert len(offered("%%bluebear\nc", many).offers) == 300


@pytest.mark.parametrize(
    ("code", "inside"),
    [
        ('f("a', "a"),
        ("f('a\\'b", "a\\'b"),
        ('x = """a\n"b', 'a\n"b'),
        ('f("a") + g("', ""),
        ('f("a")', None),
        ("# 'a", None),
        ('f("a\n', None),
        ("", None),
    ],
)
def test_where_a_string_is_open(code, inside):
    begin = open_string(code)
    assert (None if begin is None else code[begin:]) == inside


@pytest.mark.parametrize(
    ("text", "line", "ours"),
    [
        ("%%bluebear\nx", "x", True),
        ("%%bluebear_run --i", "%%bluebear_run --i", True),
        ("a\n%bluebear data ", "%bluebear data ", True),
        ("%%bluebearish\nx", "x", False),
        ("%%time\nx", "x", False),
        ("%bluebear", "%bluebear", False),
    ],
)
def test_other_cells_are_left_alone(text, line, ours):
    assert concerns(text, line) is ours
