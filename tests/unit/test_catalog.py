"""The datasets of a session: registered, found, shadowed, changed, unknown."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from bluebear_magic.context import sources
from bluebear_magic.context.catalog import Catalog, identifier
from bluebear_magic.context.local import describe, fingerprint
from bluebear_magic.context.sources import GROUP
from bluebear_magic.errors import DatasetError
from bluebear_magic.notebook.reporter import SilentReporter
from bluebear_magic.protocols import Found


@pytest.fixture
def folder(tmp_path):
    """A notebook's folder: three datasets, one broken file, and others in ``data/``."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "sales.csv").write_text("region,amount\nNORTH,1\n")
    (data / "my report-2024.csv").write_text("a\n1\n")
    (data / "events").mkdir()
    (data / "events" / "part-0.json").write_text('{"a": 1}\n')
    (data / "ragged.csv").write_text("a,b\n1,2\n3\n")
    (data / "README.md").write_text("# data")
    (data / ".hidden.csv").write_text("a\n1\n")
    return tmp_path


@pytest.fixture
def catalog(folder):
    return Catalog(folder)


def names(datasets) -> list[str]:
    return [dataset.name for dataset in datasets]


def test_the_data_folder_is_found_by_itself_and_a_broken_file_hurts_no_other(catalog):
    datasets, broken = catalog.survey()
    assert names(datasets) == ["events", "my_report_2024", "sales"]
    assert [item.name for item in broken] == ["ragged"]
    assert "line 3" in str(broken[0].error)
    assert names(catalog.list()) == names(catalog.resolve([])) == names(datasets)


def test_a_broken_file_is_told_when_it_is_asked_for(catalog):
    with pytest.raises(DatasetError, match="line 3"):
        catalog.get("ragged")


def test_a_name_that_is_made_is_told(catalog):
    (warning,) = catalog.get("my_report_2024").warnings
    assert "'my report-2024'" in warning


def test_without_a_folder_nothing_is_found():
    assert Catalog(None).list() == ()


def test_a_folder_without_data_is_no_mistake(tmp_path):
    assert Catalog(tmp_path).list() == ()


def test_two_files_of_one_name_are_both_found(folder, catalog):
    (folder / "data" / "sales.json").write_text('{"a": 1}\n')
    assert {"sales", "sales_json"} <= set(names(catalog.list()))


def test_a_registered_dataset_hides_a_found_one_until_it_is_removed(folder, catalog):
    (folder / "other.csv").write_text("x,y,z\n1,2,3\n")
    catalog.add("SALES", folder / "other.csv")
    assert len(catalog.get("sales").columns) == 3
    assert names(catalog.list()).count("sales") == 0
    catalog.remove("Sales")
    assert len(catalog.get("sales").columns) == 2


def test_relative_locations_count_from_the_notebooks_folder(folder, catalog):
    (folder / "other.csv").write_text("x\n1\n")
    assert catalog.add("other", "other.csv").paths == (str(folder / "other.csv"),)


def test_names_compare_without_regard_to_case(catalog):
    assert catalog.get("SaLeS").name == "sales"
    assert names(catalog.resolve(["Sales", "sales", "events"])) == ["sales", "events"]


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("my sales", "my_sales"), ("2024", "_2024"), ("a-b", "a_b"), ("é", "data")],
)
def test_a_name_that_is_no_identifier_is_refused_with_one_that_is(catalog, folder, name, suggested):
    with pytest.raises(DatasetError) as caught:
        catalog.add(name, folder / "data" / "sales.csv")
    assert repr(name) in caught.value.message
    assert caught.value.hint.endswith(f"such as {suggested}.")


def test_an_unknown_name_names_the_nearest(catalog):
    with pytest.raises(DatasetError) as caught:
        catalog.get("slaes")
    assert "'slaes'" in caught.value.message
    assert "sales" in caught.value.hint


def test_an_unknown_name_in_an_empty_catalog_says_how_to_add_one():
    with pytest.raises(DatasetError, match="data add"):
        Catalog().get("sales")


def test_a_changed_file_is_described_again(folder, catalog):
    before = catalog.get("sales")
    assert catalog.get("sales") is before
    path = folder / "data" / "sales.csv"
    path.write_text("region,amount,day\nNORTH,1,2024-01-01\n")
    after = catalog.get("sales")
    assert [column.type for column in after.columns] == ["STRING", "BIGINT", "DATE"]
    assert after.fingerprint != before.fingerprint


def test_a_touched_file_has_another_fingerprint(folder, catalog):
    before = catalog.get("sales").fingerprint
    os.utime(folder / "data" / "sales.csv", ns=(1, 1))
    assert catalog.get("sales").fingerprint != before


def test_a_file_that_is_gone_is_told(folder, catalog):
    catalog.add("mine", "data/sales.csv")
    (folder / "data" / "sales.csv").unlink()
    with pytest.raises(DatasetError, match="does not exist"):
        catalog.get("mine")
    assert "mine" in {item.name for item in catalog.survey()[1]}


def test_a_found_file_that_is_gone_is_no_longer_known(folder, catalog):
    catalog.get("sales")
    (folder / "data" / "sales.csv").unlink()
    assert "sales" not in names(catalog.list())


def test_what_is_found_cannot_be_removed(catalog):
    with pytest.raises(DatasetError, match="not registered"):
        catalog.remove("sales")
    with pytest.raises(DatasetError, match="no dataset"):
        catalog.remove("nothing")


# --- what --data takes -------------------------------------------------------


def test_data_takes_a_path(folder, catalog):
    (folder / "Q1 numbers.csv").write_text("x\n1\n")
    dataset = catalog.add_path("Q1 numbers.csv")
    assert dataset.name == "Q1_numbers"
    assert "no identifier" in dataset.warnings[0]
    assert catalog.get("q1_numbers") == dataset


def test_data_takes_a_name_and_a_path(folder, catalog):
    assert catalog.add_path("mine=data/sales.csv").name == "mine"
    with pytest.raises(DatasetError, match="no name for a dataset"):
        catalog.add_path("my data=data/sales.csv")


def test_data_takes_a_name_that_is_known(catalog):
    assert catalog.add_path("Sales").name == "sales"
    with pytest.raises(DatasetError, match="'salse'") as caught:
        catalog.add_path("salse")
    assert "sales" in caught.value.hint


def test_data_takes_a_pattern_and_a_partitioned_folder(folder, catalog):
    for year in (2023, 2024):
        (folder / "orders" / f"year={year}").mkdir(parents=True)
        (folder / "orders" / f"year={year}" / "p.csv").write_text("a\n1\n")
    assert catalog.add_path("data/events/*.json").name == "events"
    assert catalog.add_path("orders").partition_columns == ("year",)
    assert catalog.add_path("orders/year=2024").name == "orders"


def test_data_takes_a_compressed_file_and_a_folder_with_a_dot(folder, catalog):
    (folder / "x.csv.gz").write_bytes(__import__("gzip").compress(b"a\n1\n"))
    assert catalog.add_path("x.csv.gz").name == "x"
    (folder / "out.parquet").mkdir()
    (folder / "out.parquet" / "part-0.csv").write_text("a\n1\n")
    assert catalog.add_path("out.parquet").name == "out"


def test_data_refuses_nothing_at_all(catalog):
    with pytest.raises(DatasetError):
        catalog.add_path("  ")


# --- results -----------------------------------------------------------------


def test_options_are_kept_when_the_data_changes(folder, catalog):
    path = folder / "x.csv"
    path.write_text("a;b\n1;2\n")
    catalog.add("x", path, header="false")
    path.write_text("a;b\n1;2\n3;4\n")
    assert [column.name for column in catalog.get("x").columns] == ["column_1", "column_2"]


@pytest.mark.parametrize("text", ["a b", "1x", "", "___", "ünï", "a" * 300, "../../etc", "a;b"])
def test_an_identifier_is_made_of_anything(text):
    assert identifier(text).isidentifier()
    assert identifier(text).isascii()


def test_a_place_that_no_source_knows_is_told(catalog):
    with pytest.raises(DatasetError, match="no source of data knows") as told:
        catalog.add("sales", "gopher://example/sales.csv")
    assert "there are: files" in told.value.hint


class _Parrots:
    """A source as another package might bring it."""

    name = "parrots"

    def __init__(self, place):
        self._file = place.folder / "parrots.csv"

    def claims(self, location):
        return location.startswith("parrot:")

    def complete(self, location):
        return location

    def suggest(self, location):
        return location.partition(":")[2]

    def found(self):
        return [Found("polly", "parrot:polly", "polly_parrot")]

    def describe(self, name, location, options):
        self._file.write_text(f"says\n{self.suggest(location)}\n")
        return replace(describe(name, self._file), location=location)

    def fingerprint(self, location, options):
        return fingerprint(self._file)

    def whole(self, dataset, reporter):
        return dataset.binding


def test_a_package_may_bring_a_source(folder, monkeypatch):
    installed = [EntryPoint("parrots", f"{__name__}:_Parrots", GROUP)]
    monkeypatch.setattr(sources, "entry_points", lambda group: installed if group == GROUP else [])
    catalog = Catalog(folder)
    assert "polly" in {dataset.name for dataset in catalog.list()}
    assert catalog.add("cracker", "parrot:cracker").paths == (str(folder / "parrots.csv"),)
    assert catalog.add_path("parrot:kea").name == "kea"
    assert catalog.whole(catalog.get("kea"), SilentReporter()).name == "kea"


def test_a_source_that_cannot_be_loaded_is_named(folder, monkeypatch):
    entry = EntryPoint("broken", "bluebear_magic.none:Source", GROUP)
    monkeypatch.setattr(sources, "entry_points", lambda group: [entry])
    with pytest.raises(DatasetError, match="broken"):
        Catalog(folder)


def test_what_was_never_looked_for_is_found_for_a_glimpse(folder, tmp_path):
    """A dataset that was registered first hides none of those in the folder."""
    (tmp_path / "elsewhere.csv").write_text("x\n1\n")
    catalog = Catalog(folder)
    catalog.add("elsewhere", tmp_path / "elsewhere.csv")
    assert {"elsewhere", "sales", "events"} <= set(catalog.glimpse())
    assert catalog.glimpse()["elsewhere"] == ("x",)
