"""The explorer in a real kernel, spoken to through its widgets' messages as a frontend does."""

import re
import time

import pytest

from tests.functional.test_magics import Kernel

SALES = "region,amount,email\n" + "".join(f"R{n % 4},{n},u{n}@example.org\n" for n in range(300))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explored")
    (folder / "data").mkdir()
    (folder / "data" / "sales.csv").write_text(SALES)
    (folder / "data" / "cities.csv").write_text("city,zone\nRome,1\nOslo,2\n")
    return folder


@pytest.fixture(scope="module")
def kernel(folder):
    kernel = Kernel(
        folder,
        BLUEBEAR_WARM="0",
        BLUEBEAR_MAX_UPLOAD_SIZE_MB="1",
        XDG_CACHE_HOME=str(folder / "cache"),
    )
    assert kernel.run("%load_ext bluebear_magic").ok
    yield kernel
    kernel.close()


class Explored:
    """An explorer that a cell opened: ``told`` is the line below its controls."""

    def __init__(self, kernel, line="%bluebear explore"):
        self.kernel, self.told = kernel, ""
        self.ran = kernel.run(line)
        assert self.ran.ok, self.ran.outputs
        self.states = {}

    @property
    def shown(self):
        """What is displayed below the controls."""
        return self.ran.outputs[-1]["data"]

    def click(self, control):
        self._send(control, {"method": "custom", "content": {"event": "click"}})

    def enter(self, control):
        self._send(control, {"method": "custom", "content": {"event": "submit"}})

    def set(self, control, *buffers, **state):
        paths = [["value", n, "content"] for n in range(len(buffers))]
        data = {"method": "update", "state": state, "buffer_paths": paths}
        self._send(control, data, list(buffers))

    def upload(self, name, content):
        file = {"name": name, "type": "text/csv", "size": len(content), "last_modified": 0}
        self.set("Upload a file", content, value=[file])

    def _send(self, control, data, buffers=()):
        content = {"comm_id": self.ran.buttons[control], "data": data}
        message = self.kernel.client.session.msg("comm_msg", content)
        message["buffers"] = buffers
        self.kernel.client.shell_channel.send(message)
        while not self._read(message["header"]["msg_id"]):
            pass

    def wait_for(self, words):
        """Reads what a thread of the kernel sends."""
        end = time.monotonic() + 30
        while words not in self.told:
            assert time.monotonic() < end, self.told
            self._read(None)

    def _read(self, request):
        """Takes in one message; whether it ends the request."""
        told = self.kernel.client.get_iopub_msg(timeout=30)
        content = told["content"]
        if told["msg_type"] == "update_display_data":
            for out in self.ran.outputs:
                if out.get("transient") == content["transient"]:
                    out["data"] = content["data"]
        if told["msg_type"] == "comm_msg":
            state = content["data"].get("state", {})
            self.states.setdefault(content["comm_id"], {}).update(state)
            if 'role="status"' in str(state.get("value", "")):
                self.told = re.sub(r"<[^>]*>", " ", state["value"]).strip()
        ours = request is not None and told["parent_header"].get("msg_id") == request
        return ours and told["msg_type"] == "status" and content["execution_state"] == "idle"

    def state(self, control):
        """What the frontend was told of a control since it was opened."""
        return self.states[self.ran.buttons[control]]


def test_the_list_is_there_at_once_and_nothing_is_measured(kernel, folder):
    explored = Explored(kernel)
    assert "sales" in explored.shown["text/plain"]
    assert "<table" in explored.shown["text/html"]
    assert not list((folder / "cache").rglob("profiles/*"))
    (view,) = [out for out in explored.ran.outputs if "widget" in "".join(out["data"])]
    for kind in ("text/plain", "text/html"):
        assert "%bluebear explore" in view["data"][kind]
    for control in ("Search", "Datasets", "A model may see", "Upload a file", "Refresh", "Measure"):
        assert control in explored.ran.buttons


def test_a_dataset_is_searched_chosen_and_shared(kernel):
    explored = Explored(kernel)
    explored.set("Search", value="amount")
    assert explored.told == "1 of 2 datasets"
    assert explored.state("Datasets")["_options_labels"] == ["sales · csv · 7.0 kB"]
    explored.enter("Search")
    assert "300 rows" in explored.shown["text/plain"]
    assert explored.shown["text/html"].count("<svg") == 3
    assert "never a value of: email" in explored.shown["text/html"]
    assert explored.state("A model may see")["disabled"] is False

    explored.set("Search", value="")
    explored.set("Datasets", index=0)
    assert "cities: csv, 2 rows" in explored.shown["text/plain"]
    explored.set("Datasets", index=1)
    explored.set("A model may see", index=2)
    assert explored.told.startswith("sales from now on: A model elsewhere may see: samples (")
    assert "sales: samples" in kernel.run("%bluebear share").text
    assert kernel.run("%bluebear share sales schema").ok


def test_a_dataset_may_be_named(kernel):
    assert "sales: csv" in Explored(kernel, "%bluebear explore SALES").shown["text/plain"]
    wrong = kernel.run("%bluebear explore sale")
    assert "Did you mean sales?" in wrong.trouble


def test_a_frame_of_the_notebook_is_shown_too(kernel):
    made = "import pandas as pd\norders = pd.DataFrame({'item': ['pen', 'cup', 'pen'], 'n': [1, 2, 3]})"
    assert kernel.run(made).ok
    explored = Explored(kernel, "%bluebear explore orders")
    assert "3 rows" in explored.shown["text/plain"]
    assert "pen, cup" in explored.shown["text/plain"]
    assert explored.shown["text/html"].count("<svg") == 2
    assert kernel.run("del orders").ok


def test_an_upload_is_kept_listed_and_shown(kernel, folder):
    explored = Explored(kernel)
    explored.upload("../my staff.csv", b"team,pay\nred,10\nblue,20\n")
    assert explored.told == "my_staff is a dataset now."
    assert (folder / "data" / "my staff.csv").read_bytes() == b"team,pay\nred,10\nblue,20\n"
    assert "my_staff: csv, 2 rows" in explored.shown["text/plain"]
    assert explored.state("Upload a file")["value"] == []
    assert "my_staff" in kernel.run("%bluebear data").text

    for name, content, words in (
        ("my staff.csv", b"a\n1\n", "save it as my staff_2.csv?"),
        ("big.csv", b"n\n" + b"1\n" * 600_000, "an upload may have 1 MB"),
        ("broken.parquet", b"PAR1", "nothing was kept"),
        ("x.exe", b"MZ", "a file of this kind is not read"),
    ):
        explored.upload(name, content)
        assert words in explored.told
    left = sorted(path.name for path in (folder / "data").iterdir())
    assert left == ["cities.csv", "my staff.csv", "sales.csv"]


def test_another_name_is_offered_where_one_is_taken(kernel, folder):
    explored = Explored(kernel)
    explored.upload("sales.csv", b"a\n1\n")
    assert explored.state("Save as")["value"] == "sales_2.csv"
    explored.set("Save as", value="cities.csv")
    explored.click("Save")
    assert "data/cities.csv is there already" in explored.told
    explored.set("Save as", value="sales_2.csv")
    explored.click("Save")
    assert explored.told == "sales_2 is a dataset now."
    assert (folder / "data" / "sales.csv").read_text() == SALES


@pytest.fixture
def samples_only(kernel, folder):
    """``samples_only(name, text)``: a file, of which no more than a sample is looked at."""
    made = []

    def samples_only(name, text):
        assert kernel.run("from bluebear_magic.context import looks; looks.SMALL = 1000").ok
        made.append(folder / "data" / name)
        made[0].write_text(text)

    yield samples_only
    made[0].unlink()


def test_all_rows_are_measured_only_when_asked_for(kernel, samples_only):
    samples_only("long.csv", "n\n" + "".join(f"{n}\n" for n in range(120_000)))
    explored = Explored(kernel, "%bluebear explore long")
    assert "rows not counted" in explored.shown["text/plain"]
    assert "Measure reads them all" in explored.shown["text/plain"]
    explored.click("Measure")
    explored.wait_for("long is measured.")
    for again in (explored, Explored(kernel, "%bluebear explore long")):
        assert "120,000 rows" in again.shown["text/plain"]
        assert "0 to 119999" in again.shown["text/plain"]


def test_measuring_can_be_stopped(kernel, samples_only):
    names = ",".join(f"c{n}" for n in range(400))
    row = ",".join(f"w{n}" for n in range(400))
    samples_only("wide.csv", f"{names}\n" + f"{row}\n" * 350)
    explored = Explored(kernel, "%bluebear explore wide")
    assert "of its rows" in explored.shown["text/plain"]
    explored.click("Measure")
    explored.click("Stop")
    explored.wait_for("wide: stopped, nothing is kept.")
    assert explored.state("Measure")["disabled"] is False
    assert "rows not counted" in Explored(kernel, "%bluebear explore wide").shown["text/plain"]
