"""``data`` in a notebook and a shell: what is done, what is shown, what is told of wrong words."""

import argparse
import json
import os
import stat
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from bluebear_magic import cli, data_commands, data_words
from bluebear_magic.api import Bluebear
from bluebear_magic.context import profiles, sources
from bluebear_magic.context.local import describe, fingerprint
from bluebear_magic.context.schemas import SchemaStore
from bluebear_magic.context.sources import GROUP
from bluebear_magic.errors import ArgumentError, ConfigError, DatasetError
from bluebear_magic.notebook.cells import codes_in
from bluebear_magic.pipeline import tell_drift
from bluebear_magic.protocols import Found, Hit, Used
from bluebear_magic.records import PastTurn
from bluebear_magic.testing import RecordingReporter
from bluebear_magic.trust import TrustStore

FILE = """\
# What we agreed on.
attempts = 2  # more is waste

[data.people]   # who they are
description = "One row for each person."

[metrics]
heads = "count(1)"
"""


@pytest.fixture
def home(tmp_path_factory, monkeypatch):
    place = tmp_path_factory.mktemp("home")
    for name in ("CACHE", "STATE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(place / name.lower()))
    monkeypatch.setattr(profiles, "_memory", {})
    return place


@pytest.fixture
def folder(home, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "people.csv").write_text(
        "id,name,city,email\n7,Ann,Oslo,ann@example.org\n8,Bob,Rome,bob@example.org\n"
    )
    (tmp_path / "data" / "orders.csv").write_text("people_id,amount\n7,2.5\n8,3.5\n7,1.0\n")
    (tmp_path / "more files").mkdir()
    (tmp_path / "more files" / "x;y.txt").write_text("a;b\n1;2\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bb(folder):
    return Bluebear(folder=folder, reporter=RecordingReporter())


@pytest.fixture
def data(bb):
    """``data("add", "x", "y.csv")``: what it shows, as plain text; the HTML says the same."""

    def data(*words):
        data_words.check_words(words)
        parser = argparse.ArgumentParser(add_help=False)
        data_words.add_actions(parser)
        shown = []
        data_commands.run(bb, parser.parse_args(words), shown.append)
        assert all(bundle["text/html"] for bundle in shown)
        return "\n".join(bundle["text/plain"] for bundle in shown)

    return data


def test_data_is_added_with_how_to_read_it_and_what_it_is(data, bb):
    told = data(
        "add", "pairs", "more", "files/x;y.txt", "--format", "csv", "--option", "sep=;",
        "--share", "profile", "--description", "Pairs of numbers.",
    )  # fmt: skip
    assert told == "pairs: csv, 2 columns. %bluebear data show pairs"
    pairs = bb.tools.catalog.get("pairs")
    assert [(c.name, c.type) for c in pairs.columns] == [("a", "BIGINT"), ("b", "BIGINT")]
    assert bb.shared().of("pairs") == "profile"
    assert "Pairs of numbers." in data("show", "pairs")
    assert "Pairs of numbers." in data()


def test_what_is_saved_leaves_order_and_comments_and_is_there_in_the_next_session(folder, data):
    file = folder / "bluebear.toml"
    file.write_text(FILE)
    file.chmod(0o640)
    data("add", "pairs", "more", "files/x;y.txt", "--format", "csv", "--option", "sep=;", "--save")
    text = file.read_text()
    for line in FILE.splitlines():
        assert line in text.splitlines()
    assert 'location = "more files/x;y.txt"' in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    again = Bluebear(folder=folder)
    assert [c.name for c in again.tools.catalog.get("pairs").columns] == ["a", "b"]
    assert again.untrusted == ()
    data("rm", "pairs", "--save")
    assert file.read_text().strip() == FILE.strip()
    with pytest.raises(DatasetError):
        Bluebear(folder=folder).tools.catalog.get("pairs")


def test_saving_again_replaces_how_it_is_read_and_keeps_what_was_said(folder, data):
    data("add", "pairs", "more files/x;y.txt", "--format", "csv", "--option", "sep=;", "--save")
    file = folder / "bluebear.toml"
    file.write_text(file.read_text() + 'columns.a = "First."\n')
    data("add", "Pairs", "data/orders.csv", "--save")
    text = file.read_text()
    assert "orders.csv" in text
    assert 'columns.a = "First."' in text
    assert "sep" not in text
    assert text.count("[data.") == 1


def test_what_is_shared_is_saved_too(folder, data):
    data("add", "pairs", "data/orders.csv", "--share", "profile", "--save")
    assert Bluebear(folder=folder).shared().of("pairs") == "profile"


def test_forgetting_leaves_what_is_said_of_a_dataset_that_lies_elsewhere(folder, data):
    (folder / "bluebear.toml").write_text(FILE)
    with pytest.raises(DatasetError, match="was found at"):
        data("rm", "people", "--save")
    assert (folder / "bluebear.toml").read_text() == FILE


def test_a_place_outside_the_folder_that_this_user_saves_is_trusted(folder, data, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "o.csv"
    outside.write_text("a\n1\n")
    data("add", "o", str(outside), "--save")
    assert Bluebear(folder=folder).tools.catalog.get("o").location == str(outside)


def test_saving_into_a_file_that_is_not_trusted_trusts_nothing(folder, data):
    file = folder / "bluebear.toml"
    file.write_text('[data.secrets]\nlocation = "/etc/passwd"\n')
    data("add", "pairs", "data/orders.csv", "--save")
    assert not TrustStore().holds(folder, file.read_bytes())
    (line,) = Bluebear(folder=folder).untrusted
    assert "secrets = /etc/passwd" in line


def test_a_file_that_is_broken_is_left_alone(folder, bb):
    (folder / "bluebear.toml").write_text("[data.people\n")
    with pytest.raises(ConfigError, match=r"bluebear\.toml"):
        bb.add_data("pairs", "data/orders.csv", save=True)
    assert (folder / "bluebear.toml").read_text() == "[data.people\n"


def test_search_looks_at_names_notes_columns_and_known_values(folder, data, bb):
    (folder / "bluebear.toml").write_text(FILE + '[data.orders]\nsynonyms = ["purchases"]\n')
    met = {hit.dataset: hit.where for hit in bb.search_data("purchase people")}
    assert list(met) == ["orders", "people"]
    assert "also called purchases" in met["orders"]
    assert "column people_id" in met["orders"]
    assert bb.search_data("oslo") == ()  # nothing was measured yet, and nothing is read for it
    bb.profile("people")
    (hit,) = bb.search_data("Oslo")
    assert (hit.dataset, hit.where) == ("people", ("value 'Oslo' of city",))
    assert [hit.dataset for hit in bb.search_data("amuont")] == ["orders"]
    assert "No dataset has anything of 'xyzzy'" in data("search", "xyzzy")
    assert "value 'Oslo' of city" in data("search", "oslo")


class _Shelf:
    """A catalog of tables, as another package might bring it: each is a file in the folder."""

    name = "shelf"
    reach = ("local", "emr")

    def __init__(self, place):
        self._folder = place.folder
        self._used = ()

    def claims(self, location):
        return location.startswith("shelf:")

    def complete(self, location):
        return location

    def suggest(self, location):
        return location.partition(":")[2]

    def found(self):
        return self._used

    def use(self, location):
        names = ("orders", "people")
        self._used = tuple(Found(f"{name}s", f"shelf:{name}", f"{name}_shelf") for name in names)
        return Used(location, names, (("torn", "it has no columns"),))

    def search(self, words):
        return [Hit("shelf:orders", "What was bought.", words)]

    def describe(self, name, location, options):
        file = self._folder / "data" / f"{self.suggest(location)}.csv"
        return replace(describe(name, file), location=location)

    def fingerprint(self, location, options):
        return fingerprint(self._folder / "data" / f"{self.suggest(location)}.csv")

    def whole(self, dataset, reporter):
        return dataset.binding


@pytest.fixture
def shelf(monkeypatch):
    installed = [EntryPoint("shelf", f"{__name__}:_Shelf", GROUP)]
    monkeypatch.setattr(sources, "entry_points", lambda group: installed if group == GROUP else [])
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)  # no region: Glue is there, and is not asked


def test_a_catalog_of_tables_is_taken_in_and_searched_when_asked(shelf, bb, data):
    told = data("use", "shelf:all")
    assert told == "2 tables of shelf:all: orders, people\nleft out: torn: it has no columns"
    assert "local, emr" in data()
    assert "runs on local, emr" in data("show", "orderss")
    assert "shelf" not in data("search", "bought")
    assert "No dataset has" in data("search", "bought")
    text = data("search", "bought", "--catalogs")
    assert "%bluebear data add NAME shelf:orders" in text
    assert "What was bought." in text
    assert bb.tools.reporter.warnings[-1] == "Glue was not searched: no AWS region is set"


def test_show_tells_of_keys_personal_data_and_where_it_runs(data):
    data("show", "orders")
    text = data("show", "people")
    assert "probably a key: orders.people_id = people.id (by its name)" in text
    assert "shared with a model elsewhere: schema" in text
    assert "held back, as personal data or by the setting share: name, email" in text
    assert "runs on local" in text


def test_a_profile_is_measured_anew_and_says_how_far_it_is(bb, data, monkeypatch):
    monkeypatch.setattr(profiles, "MAX_SCAN", 10)
    assert bb.profile("people").rows is None
    assert "2 rows" in data("profile", "people", "--full")
    assert bb.profile("people").rows == 2
    assert "measuring people: column 4 of 4" in bb.tools.reporter.steps


def test_columns_that_changed_are_told_where_they_are_used_until_they_are_accepted(
    folder, bb, data
):
    orders = folder / "data" / "orders.csv"
    bb.datasets()
    first = Bluebear(folder=folder, reporter=RecordingReporter())
    assert first.tools.catalog.drift("orders") is None
    assert "All" not in data("refresh", "orders")
    orders.write_text("people_id,amount,day\n7,much,2024-01-01\n")
    later = Bluebear(folder=folder, reporter=RecordingReporter())
    code = 'result = spark.table("orders").agg(F.sum("amount"))'
    later.tools.history.append(PastTurn("total", code))
    later.tools.cells = lambda: (code, code + "\nx = 1", 'spark.table("people").select("amount")')
    for _ in range(2):
        tell_drift(later.tools, later.tools.catalog.resolve(["orders", "people"]))
    assert later.tools.reporter.warnings == [
        "orders.amount is STRING now, was DOUBLE: used in 2 cells",
        "orders.day is new",
        "%bluebear data refresh orders takes them as they are now",
    ]
    assert "orders is not as it was first seen" in data()
    assert "orders.amount is STRING now, was DOUBLE" in data("show", "orders")
    assert "orders.day is new" in data("refresh")
    assert data("refresh", "orders") == "orders is as it was."
    assert "not as it was" not in data()
    orders.write_text("people_id,day\n7,2024-01-01\n")
    bb.datasets()
    assert bb.tools.catalog.drift("orders").gone == ("amount",)


def test_results_and_broken_stores_are_no_drift(folder, home, bb):
    result = home / "cache" / "bluebear" / "results" / "r1"
    result.mkdir(parents=True)
    for text in ("a\n1\n", "b\n1\n"):
        (result / "r.csv").write_text(text)
        bb.tools.catalog.add("r", result / "r.csv")
        assert bb.tools.catalog.drift("r") is None
    bb.datasets()
    kept = list((home / "state" / "bluebear" / "schemas").iterdir())
    assert len(kept) == 2
    for file in kept:
        file.write_text("{")
    (folder / "data" / "orders.csv").write_text("other\n1\n")
    assert Bluebear(folder=folder).tools.catalog.drift("orders") is None


def test_a_state_folder_that_cannot_be_written_is_no_error(folder, home, monkeypatch):
    (home / "state").mkdir(exist_ok=True)
    (home / "state" / "bluebear").write_text("a file")
    store = SchemaStore()
    store.save("/x", {}, ())
    assert store.load("/x", {}) is None
    assert Bluebear(folder=folder).tools.catalog.get("orders")


def test_the_cells_of_a_saved_notebook_are_read(tmp_path):
    cells = [
        {"cell_type": "code", "source": ["%%bluebear_run --into x\n", "result = 1\n"]},
        {"cell_type": "code", "source": "print(1)"},
        {"cell_type": "markdown", "source": "%%bluebear_run\nresult = 2"},
    ]
    file = tmp_path / "n.ipynb"
    file.write_text(json.dumps({"cells": cells}))
    assert codes_in(file) == ("result = 1\n",)
    file.write_text("{")
    assert codes_in(file) == codes_in(None) == ()


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["serach", "x"], "there is no data serach", "did you mean data search?"),
        (["add", "x", "y", "--fromat", "csv"], "data add has no option --fromat", "--format"),
        (["show", "x", "--full"], "data show has no option --full", "options: none"),
        (["add", "x", "data/orders.csv", "--option", "sep"], "--option sep", "KEY=VALUE"),
    ],
)
def test_wrong_words_are_told_with_the_nearest(data, words, message, hint):
    with pytest.raises(ArgumentError) as told:
        data(*words)
    assert (told.value.message, hint in told.value.hint) == (message, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["use", "data/orders.csv"], "is no catalog of tables"),
        (["rm", "orders"], "was found at"),
        (["show", "ordesr"], "there is no dataset 'ordesr'"),
        (["refresh", "ordesr"], "there is no dataset 'ordesr'"),
        (["profile", "ordesr"], "there is no dataset 'ordesr'"),
        (["rm", "ordesr", "--save"], "there is no dataset 'ordesr'"),
    ],
)
def test_what_cannot_be_done_is_told(data, words, message):
    with pytest.raises(DatasetError, match=message) as told:
        data(*words)
    assert told.value.hint


def test_what_is_said_of_no_dataset_is_told_in_the_list(folder, data):
    (folder / "bluebear.toml").write_text('[data.poeple]\ndescription = "x"\n')
    text = " ".join(data().split())
    assert "[data.poeple] speaks of a dataset poeple, which is not there (nearest: people)" in text


def test_the_same_in_a_shell(folder, capsys):
    assert cli.main(["data"]) == 0
    assert "people" in capsys.readouterr().out
    save = ["data", "add", "pairs", "more files/x;y.txt", "--format", "csv", "--option", "sep=;", "--save"]  # fmt: skip
    assert cli.main(save) == 0
    assert "Saved in bluebear.toml. bluebear data show pairs" in capsys.readouterr().out
    assert cli.main(["data", "search", "amount"]) == 0
    assert "column amount" in capsys.readouterr().out
    assert cli.main(["data", "add", "pairs", "data/orders.csv"]) == 2
    assert "--save" in capsys.readouterr().err
    assert cli.main(["data", "rm", "pairs", "--save"]) == 0
    assert "pairs" not in (folder / "bluebear.toml").read_text()
    left = {path.name for path in folder.iterdir()}
    assert left == {"data", "more files", "bluebear.toml"}  # and nothing half-written
