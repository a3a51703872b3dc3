"""The explorer without its widgets: shapes of columns, their pictures, the card, uploads."""

import datetime as dt
import gzip
import math
import re
import xml.etree.ElementTree as ET
from decimal import Decimal
from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bluebear_magic import Bluebear
from bluebear_magic.config import Settings
from bluebear_magic.consent import Consent
from bluebear_magic.context import looks, uploads
from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.looks import look
from bluebear_magic.context.shapes import PARTS, WORDS, shape
from bluebear_magic.errors import DatasetError
from bluebear_magic.notebook.exploration import Doors, Exploration
from bluebear_magic.present import escape, histogram
from bluebear_magic.sharing import parse

INF, NAN = math.inf, math.nan
SVG = "{http://www.w3.org/2000/svg}"


def boxes(drawn):
    """Every bar of a picture: (x, y, width, height)."""
    found = []
    for path in ET.fromstring(drawn).iter(f"{SVG}path"):
        parts = re.findall(r"M(\S+) (\S+)h(\S+)v(\S+)h-\S+z", path.get("d"))
        assert "M".join(["", *(f"{x} {y}h{w}v{h}h-{w}z" for x, y, w, h in parts)]) == path.get("d")
        found += [tuple(map(float, part)) for part in parts]
    return found


# --- shapes ---

AWKWARD = {
    "nothing": ("DOUBLE", []),
    "all null": ("BIGINT", [None] * 5),
    "one value": ("BIGINT", [7] * 9),
    "zeros": ("DOUBLE", [0.0, -0.0]),
    "not finite": ("DOUBLE", [1.0, NAN, NAN, INF, -INF, 3.0, None]),
    "nothing finite": ("DOUBLE", [NAN, INF]),
    "widest": ("DOUBLE", [-1.7e308, 0.0, 1.7e308]),
    "smallest": ("DOUBLE", [0.0, 5e-324, 1e-323]),
    "huge": ("DECIMAL(38,0)", [10**37, 10**37 + 1, 2 * 10**37]),
    "decimals": ("DECIMAL(38,10)", [Decimal("-99999999999999"), Decimal("0.0000000001"), Decimal(3)]),
    "days": ("DATE", [dt.date.min, dt.date(2024, 2, 29), dt.date.max]),
    "beyond": ("DATE", ["0044-03-15 (BC)", dt.date(2024, 1, 1), "12000-01-01"]),
    "instants": ("TIMESTAMP", [dt.datetime.min, dt.datetime.max, None]),
    "flags": ("BOOLEAN", [True, False, True, None]),
    "words": ("STRING", ["", " ", "é", None]),
    "long": ("STRING", ["x" * 100_000, "y" * 100_000]),
    "nested": ("ARRAY<INT>", [[1], [2], None]),
}  # fmt: skip


@pytest.mark.parametrize(("ddl", "values"), AWKWARD.values(), ids=AWKWARD)
def test_every_value_is_counted_once_and_drawn_within_the_picture(ddl, values):
    found = shape("c", ddl, values)
    counted = found.nulls + found.odd + sum(found.bars) + sum(count for _, count in found.top)
    assert found.kind == "other" or counted == len(values)
    assert len(found.bars) <= PARTS
    drawn = histogram.svg(found)
    assert bool(drawn) == bool(found.bars or found.top)
    for x, y, width, height in boxes(drawn) if drawn else ():
        assert width > 0
        assert height > 0
        assert x >= 0
        assert y >= 0
        assert x + width <= histogram.WIDTH + 0.11  # two numbers of one decimal
        assert y + height <= histogram.HEIGHT + 0.11


def test_ten_thousand_words_are_a_few_bars():
    words = [f"w{n}" for n in range(10_000)] + ["w7"] * 50
    found = shape("c", "STRING", words)
    assert (found.distinct, len(found.top), found.top[0]) == (10_000, WORDS, ("w7", 51))
    assert len(boxes(histogram.svg(found))) == 6
    assert histogram.words(found).endswith("others 9,995")


def test_parts_are_equal_and_hold_their_ends():
    found = shape("c", "DOUBLE", [n / 100 for n in range(101)])
    assert found.bars == (*[5] * 19, 6)
    assert shape("c", "BIGINT", [1, 2, 2, 5]).bars == (1, 2, 0, 0, 1)
    assert shape("c", "BIGINT", [10**18 + n for n in range(40)]).bars == (2,) * 19 + (2,)
    months = [dt.date(2024, month, 1) for month in range(1, 13)]
    assert sum(shape("c", "DATE", months).bars) == len(shape("c", "DATE", months).bars) == 12


def test_what_cannot_be_placed_is_told():
    found = shape("c", "DOUBLE", AWKWARD["not finite"][1])
    assert (found.odd, found.nulls, found.low, found.high, found.distinct) == (4, 1, 1.0, 3.0, 5)
    assert histogram.words(found).endswith("; 4 beyond")
    assert shape("c", "DATE", AWKWARD["beyond"][1]).odd == 2


def test_a_picture_says_in_words_what_it_shows():
    found = shape("c", "BIGINT", [0, 0, 0, 100, 1000])
    assert histogram.words(found) == "0 to 1,000 in 3 equal parts, most (4) in part 1"
    assert ET.fromstring(histogram.svg(found)).find(f"{SVG}title").text == histogram.words(found)


def test_hostile_words_are_text_in_a_picture(hostile):
    drawn = histogram.svg(shape(hostile, "STRING", [hostile, hostile, "plain"]))
    page = Page(drawn)
    assert set(page.tags) <= {"svg", "title", "path", "span"}
    assert escape.line(hostile, 30) in page.text


# --- looks ---


class Page(HTMLParser):
    """The elements of a piece of HTML, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(html)
        self.close()

    @property
    def text(self):
        return "".join(self.words)

    def handle_starttag(self, tag, attrs):
        assert not any(name.startswith("on") or name in {"src", "href"} for name, _ in attrs)
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "sales.csv").write_text("region,amount,email\nN,1,a@b.org\nS,2,c@d.org\n")
    return folder


def exploration(folder, share=None, limit=1):
    settings = Settings()

    def sharing(dataset, known):
        return Consent(parse(settings.share), {}).sharing((dataset,), (known,))

    def level(name, value):
        settings.share = parse(settings.share).with_(name, value).text

    return Exploration(Doors(Catalog(folder), sharing, level, lambda: limit))


def test_of_much_data_only_some_is_looked_at(folder, monkeypatch):
    monkeypatch.setattr(looks, "SMALL", 1000)
    monkeypatch.setattr(looks, "ROWS", 500)
    table = pa.table({"n": range(200_000), "text": [f"some text {n}" for n in range(200_000)]})
    pq.write_table(table, folder / "data" / "big.parquet", row_group_size=1000)
    seen = look(Catalog(folder).get("big"))
    assert seen.total is None
    assert not seen.whole
    assert 400 <= seen.rows <= 500
    assert len(seen.first) == looks.FIRST
    shown = exploration(folder).open("big")["text/plain"]
    assert "rows not counted" in shown
    assert "of its rows: Measure reads them all" in shown
    assert f"{seen.shapes[0].distinct:,}+" in shown


def test_of_a_small_dataset_the_rows_are_from_everywhere(folder):
    lines = "".join(f"{n}\n" for n in range(40_000))
    (folder / "data" / "long.csv").write_text("n\n" + lines)
    seen = look(Catalog(folder).get("long"))
    assert (seen.rows, seen.total, seen.shapes[0].bars) == (10_000, 40_000, (500,) * PARTS)


def test_wide_data_is_looked_at_in_part(folder):
    names = ",".join(f"c{n}" for n in range(300))
    (folder / "data" / "wide.csv").write_text(f"{names}\n" + ",".join("1" * 300) + "\n")
    shown = exploration(folder).open("wide")
    assert "first 100 of 300 columns" in shown["text/plain"]
    assert shown["text/html"].count("<svg") == 100


# --- what is shown ---


def test_the_list_tells_of_every_dataset_and_what_cannot_be_read(folder):
    (folder / "data" / "broken.parquet").write_bytes(b"PAR1 nothing")
    explored = exploration(folder)
    for shown in explored.bundle.values():
        assert "sales" in shown
        assert "broken cannot be read: " in shown
    assert "cannot be read" in explored.open("broken")["text/plain"]
    assert explored.view is None
    assert [line.name for line in explored.matching("AMOUNT")] == ["sales"]
    assert [line.name for line in explored.matching("parquet broken")] == ["broken"]
    assert explored.matching("nothing such") == []


def test_a_dataset_is_shown_with_figures_pictures_and_rows(folder):
    explored = exploration(folder)
    shown = explored.open("sales")
    assert "sales: csv, 2 rows, 44 B, data/sales.csv" in shown["text/plain"]
    assert "never a value of: email" in shown["text/plain"]
    assert "a@b.org" in shown["text/plain"]
    assert shown["text/html"].count("<svg") == 3
    assert [line.rows for line in explored.lines] == [2]


def test_sharing_is_changed_and_said(folder):
    explored = exploration(folder)
    explored.open("sales")
    assert explored.level == "schema"
    told = explored.share("profile")
    assert told.startswith("sales from now on: A model elsewhere may see: profile (")
    assert explored.level == "profile"
    assert "may see: profile" in explored.bundle["text/html"]


def test_data_that_goes_away_is_told(folder):
    explored = exploration(folder)
    (folder / "data" / "sales.csv").unlink()
    assert "sales" in explored.open("sales")["text/plain"]
    assert explored.view is None
    explored.refresh()
    assert "no dataset yet" in explored.bundle["text/plain"]


def test_measuring_can_be_ended(folder):
    class Enough(Exception):
        pass

    def progress(text):
        raise Enough

    explored = exploration(folder)
    explored.open("sales")
    dataset = explored.view.dataset
    with pytest.raises(Enough):
        explored.measure(dataset, progress)
    found = explored.measure(dataset, lambda text: None)
    assert found.rows == 2
    assert "Figures and pictures are of all rows" in explored.measured(dataset, found)["text/html"]


def test_without_widgets_the_same_is_shown_as_text(folder, capsys):
    with Bluebear(folder=folder) as session:
        session.explore()  # of one dataset: that one
        assert capsys.readouterr().out.startswith("sales: csv, 2 rows, 44 B, data/sales.csv\n")
        with pytest.raises(DatasetError, match="there is no dataset 'nowhere'"):
            session.explore("nowhere")


def test_hostile_names_and_values_stay_text(folder, hostile_corpus):
    texts = [text for text in hostile_corpus if "\ud800" not in text]
    names = list(dict.fromkeys(text[:40] or "x" for text in texts[:40]))
    table = pa.table([[text] * 3 for text in texts[: len(names)]], names=names)
    pq.write_table(table, folder / "data" / "hostile.parquet")
    shown = exploration(folder).open("hostile")
    page = Page(shown["text/html"])
    ours = "div strong span table caption thead tbody tr th td p em svg title path details summary"
    assert set(page.tags) <= {*ours.split(), "small"}
    assert page.tags.count("svg") == len(names)
    assert "\x1b" not in shown["text/plain"]
    assert "\u202e" not in shown["text/plain"] + shown["text/html"]


# --- uploads ---

GOOD = b"a,b\n1,2\n3,4\n"


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("sales.csv", "sales.csv"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\me\\my data.CSV", "my data.CSV"),
        (".hidden.csv", "hidden.csv"),
        ("__x.parquet", "x.parquet"),
        ("a:b*c?.json.gz", "a_b_c_.json.gz"),
        ("\u202egpj.csv", "gpj.csv"),
        ("$(rm -rf).csv", "(rm -rf).csv"),
        ("é" * 300 + ".csv", "é" * 96 + ".csv"),
        ("日本.csv", "日本.csv"),
        ("...csv", "data.csv"),
    ],
)
def test_a_name_is_made_safe(given, safe):
    assert uploads.safe_name(given) == safe


@pytest.mark.parametrize("name", ["x.exe", "x", "", "csv", "x.csv/", "x.zip", "x.gz"])
def test_other_kinds_of_files_are_refused(folder, name):
    with pytest.raises(DatasetError, match="is not read") as refused:
        uploads.save(folder, name, GOOD, 1)
    assert "Parquet" in refused.value.hint


def test_an_upload_is_a_dataset_at_once(folder):
    explored = exploration(folder)
    assert explored.upload("my new data.csv", memoryview(GOOD)) == "my_new_data"
    assert (folder / "data" / "my new data.csv").read_bytes() == GOOD
    assert "2 rows" in explored.open("my_new_data")["text/plain"]
    assert left(folder) == ["my new data.csv", "sales.csv"]


def left(folder):
    return sorted(path.name for path in (folder / "data").iterdir())


def test_an_upload_whose_name_a_dataset_elsewhere_has_gets_another(folder, tmp_path):
    (tmp_path / "elsewhere.csv").write_bytes(GOOD)
    explored = exploration(folder)
    explored._doors.catalog.add("staff", tmp_path / "elsewhere.csv")
    assert explored.upload("staff.csv", b"a\n1\n") == "staff_2"
    assert "data/staff.csv" in explored.open("staff_2")["text/plain"]
    assert "elsewhere.csv" in explored.open("staff")["text/plain"]


BROKEN = {
    "empty.csv": b"",
    "binary.csv": bytes(range(256)) * 10,
    "cut.parquet": b"PAR1" + b"x" * 50,
    "cut.csv.gz": gzip.compress(b"a,b\n" + b"1,2\n" * 5000)[:40],
    "no.json": b"{",
}


@pytest.mark.parametrize(("name", "content"), BROKEN.items(), ids=BROKEN)
def test_a_broken_file_leaves_nothing(folder, name, content):
    with pytest.raises(DatasetError) as refused:
        uploads.save(folder, name, content, 1)
    assert name in refused.value.message
    assert ".upload-" not in str(refused.value)
    assert refused.value.message.endswith("nothing was kept")
    assert left(folder) == ["sales.csv"]


def test_an_upload_that_is_too_large_leaves_nothing(tmp_path):
    with pytest.raises(DatasetError, match=r"big.csv has 1.0 MB; an upload may have 1 MB"):
        uploads.save(tmp_path, "big.csv", b"n\n" + b"1\n" * 500_000, 1)
    with pytest.raises(DatasetError):
        uploads.save(tmp_path, "broken.parquet", b"x", 1)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(folder):
    explored = exploration(folder)
    before = (folder / "data" / "sales.csv").read_bytes()
    assert explored.other_name("sales.csv") == "sales_2.csv"
    assert explored.other_name("new.csv") is None
    with pytest.raises(DatasetError, match="is there already; nothing was overwritten") as refused:
        explored.upload("sales.csv", GOOD)
    assert "sales_2.csv" in refused.value.hint
    (folder / "data" / "dangling.csv").symlink_to(folder / "nowhere")
    with pytest.raises(DatasetError, match="is there already"):
        explored.upload("dangling.csv", GOOD)
    assert (folder / "data" / "sales.csv").read_bytes() == before
    assert not (folder / "nowhere").exists()
    assert explored.upload("sales_2.csv", GOOD) == "sales_2"


def test_without_links_nothing_is_overwritten_either(folder, monkeypatch):
    def no_links(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(uploads.os, "link", no_links)
    uploads.save(folder, "new.csv", GOOD, 1)
    with pytest.raises(DatasetError, match="is there already"):
        uploads.save(folder, "new.csv", b"c\n1\n", 1)
    assert (folder / "data" / "new.csv").read_bytes() == GOOD


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(DatasetError, match=r"new.csv cannot be written to"):
        uploads.save(tmp_path, "new.csv", GOOD, 1)
