"""The explorer's controls: a search box, the datasets, what is shared of one, an upload.

What they bring up is a display of its own below them, which a saved notebook keeps as HTML.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets

from bluebear_magic.context.describe import ListedDataset
from bluebear_magic.context.files import FORMATS
from bluebear_magic.errors import BluebearError
from bluebear_magic.notebook.exploration import Doors, Exploration
from bluebear_magic.notebook.widgets import interruptible, on_main_thread
from bluebear_magic.present import escape
from bluebear_magic.present.explored import Bundle
from bluebear_magic.records import Dataset, Profile
from bluebear_magic.sharing import LEVELS

TOLD = "The explorer of datasets; what it showed last is below. Open it again: %bluebear explore"
_LABEL = {"description_width": "initial"}
_ROW = {"flex_flow": "row wrap", "align_items": "center"}
# Many Jupyter servers end a connection that sends them more than 10 MB at once.
_HOW = (
    "CSV, JSON, Parquet or ORC, up to {limit:,} MB, into data/. Where Jupyter drops what is over "
    "10 MB, put the file into data/ with the file browser and press Refresh."
)


class _Stopped(Exception):
    """A person pressed Stop."""


class Explorer(ipywidgets.VBox):
    """``show`` replaces what is displayed below. ``identity``: the view's id, the same from run
    to run, so that a committed notebook does not change. ``limit_mb``: told of uploads.
    """

    def __init__(
        self,
        exploration: Exploration,
        show: Callable[[Bundle], None],
        *,
        limit_mb: int,
        identity: str,
    ) -> None:
        self._exploration = exploration
        self._show = show
        self._quiet = False  # whether a control is changed by us and not by a person
        self._pending: tuple[str, bytes | memoryview] | None = None
        self._stop = threading.Event()
        self._make_controls(limit_mb)
        self._listen()
        super().__init__(
            [
                self._row(self.search, self.refresh),
                self.datasets,
                self._row(self.level, self.measure, self.stop),
                self._row(self.file, self._hint),
                self.renaming,
                self.note,
            ],
            model_id=identity,
        )
        self._list()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs) or {}
        bundle["text/plain"] = TOLD
        bundle["text/html"] = f"<div>{escape.html(TOLD)}</div>"
        return bundle

    def choose(self, name: str) -> None:
        """Chooses a dataset, as a person would; the search is cleared where it hides it."""
        if name not in [value for _, value in self.datasets.options]:
            self.search.value = ""
        self.datasets.value = name

    def tell(self, text: str) -> None:
        """Shows a line below the controls; screen readers say it."""
        told = escape.html(text).replace("\n", "<br>")
        self.note.value = f'<div role="status" style="line-height:1.4">{told}</div>'

    # --- the controls ------------------------------------------------------

    def _make_controls(self, limit_mb: int) -> None:
        wide = ipywidgets.Layout(width="98%", max_width="720px")
        self.search = ipywidgets.Text(
            description="Search", placeholder="name, column, format; Enter opens", style=_LABEL,
            tooltip="A name, a column or a format; Enter opens the first that fits",
        )  # fmt: skip
        self.refresh = ipywidgets.Button(
            description="Refresh", icon="refresh", tooltip="Look for datasets again"
        )
        self.datasets = ipywidgets.Select(
            description="Datasets", options=[], rows=6, style=_LABEL, layout=wide
        )
        self.level = ipywidgets.Dropdown(
            description="A model may see",
            options=[(f"{level}: {meaning}", level) for level, meaning in LEVELS.items()],
            disabled=True, style=_LABEL, layout=wide,
        )  # fmt: skip
        self.measure = ipywidgets.Button(
            description="Measure", icon="bar-chart", disabled=True,
            tooltip="Read the values of all rows and count them",
        )  # fmt: skip
        self.stop = ipywidgets.Button(
            description="Stop", icon="stop", tooltip="Stop measuring", layout={"display": "none"}
        )
        endings = [f".{ending}" for ending in FORMATS]
        self.file = ipywidgets.FileUpload(
            description="Upload a file", accept=",".join([*endings, ".gz"]), multiple=False,
            tooltip=_HOW.format(limit=limit_mb), style=_LABEL, layout={"width": "auto"},
        )  # fmt: skip
        self._hint = ipywidgets.HTML(
            '<small style="line-height:1.3;display:block">'
            f"{escape.html(_HOW.format(limit=limit_mb))}</small>",
            layout={"max_width": "560px"},
        )
        self.name = ipywidgets.Text(description="Save as", style=_LABEL)
        self.keep = ipywidgets.Button(description="Save", tooltip="Keep it under this name")
        self.renaming = self._row(self.name, self.keep)
        self.renaming.layout.display = "none"
        self.note = ipywidgets.HTML()

    @staticmethod
    def _row(*controls: Any) -> Any:
        return ipywidgets.Box(controls, layout=ipywidgets.Layout(**_ROW))

    def _listen(self) -> None:
        self.search.observe(lambda _: self._list(), names="value")
        self.search.on_msg(self._searched)
        self.datasets.observe(self._chosen, names="value")
        self.level.observe(self._leveled, names="value")
        self.file.observe(self._uploaded, names="value")
        self.refresh.on_click(lambda _: self._do(self._refresh))
        self.measure.on_click(lambda _: self._do(self._measure))
        self.stop.on_click(lambda _: self._stop.set())
        self.keep.on_click(lambda _: self._do(self._renamed))

    def _do(self, work: Callable[[], None]) -> None:
        """Does what a control asks for; what goes wrong is told, since nobody else would."""

        def told() -> None:
            try:
                with interruptible():
                    work()
            except KeyboardInterrupt:
                self.tell("Interrupted.")
            except BluebearError as error:
                self.tell(str(error))
            except Exception as error:  # noqa: BLE001 - errors in a callback reach nobody otherwise
                self.tell(f"{type(error).__name__}: {error}")

        on_main_thread(told)

    # --- the list ----------------------------------------------------------

    def _list(self) -> None:
        """Lists what fits the search; what is chosen stays so while it is listed."""
        found = self._exploration.matching(self.search.value)
        options = tuple((_label(line), line.name) for line in found)
        held, self._quiet = self.datasets.value, True
        try:
            if options != self.datasets.options:  # a new list would take a key that is pressed
                self.datasets.options = options
            self.datasets.value = held if held in {line.name for line in found} else None
        finally:
            self._quiet = False
        if self.search.value.strip():
            self.tell(f"{len(found):,} of {len(self._exploration.lines):,} datasets")

    def _searched(self, _box: Any, message: Mapping[str, Any], _buffers: Any) -> None:
        """Enter opens the first that fits: JupyterLab takes the arrow keys from the list."""
        if message.get("event") == "submit" and self.datasets.options:
            self.choose(self.datasets.options[0][1])

    def _refresh(self) -> None:
        self._exploration.refresh()
        self._list()
        self.tell(f"{len(self._exploration.lines):,} datasets")
        if self.datasets.value:
            self._open(self.datasets.value)
        else:
            self._show(self._exploration.bundle)

    def _chosen(self, change: Mapping[str, Any]) -> None:
        name = change["new"]
        if not self._quiet and name is not None:
            self._do(lambda: self._open(name))

    def _open(self, name: str) -> None:
        self.tell(f"Reading {name} ...")
        self._show(self._exploration.open(name))
        self.tell("")
        self._settle()

    def _settle(self) -> None:
        """The controls say what holds for the dataset chosen."""
        view = self._exploration.view
        self._quiet = True
        try:
            self.level.disabled = view is None
            if view is not None:
                self.level.value = self._exploration.level
        finally:
            self._quiet = False
        self.measure.disabled = view is None or view.profile is not None or view.look.whole

    # --- sharing -----------------------------------------------------------

    def _leveled(self, change: Mapping[str, Any]) -> None:
        if not self._quiet:
            self._do(lambda: self._share(change["new"]))

    def _share(self, level: str) -> None:
        try:
            told = self._exploration.share(level)
        finally:
            self._settle()
        self._show(self._exploration.bundle)
        self.tell(told)

    # --- measuring ---------------------------------------------------------

    def _measure(self) -> None:
        """Measures on a thread of its own: meanwhile cells run, and Stop can be pressed."""
        view = self._exploration.view
        if view is None:
            return
        self.measure.disabled = True
        self.stop.layout.display = ""
        self._stop.clear()
        threading.Thread(
            target=self._measure_aside, args=(view.dataset,), name="bluebear-measure", daemon=True
        ).start()

    def _measure_aside(self, dataset: Dataset) -> None:
        try:
            found = self._exploration.measure(dataset, self._progress)
        except _Stopped:
            on_main_thread(lambda: self._measured_not(f"{dataset.name}: stopped, nothing is kept."))
        except Exception as error:  # noqa: BLE001 - on a thread they reach nobody otherwise
            told = f"{dataset.name}: {error}"
            on_main_thread(lambda: self._measured_not(told))
        else:
            self._do(lambda: self._measured(dataset, found))

    def _progress(self, text: str) -> None:
        if self._stop.is_set():
            raise _Stopped
        self.tell(f"{text[:1].upper()}{text[1:]} ...")

    def _measured(self, dataset: Dataset, found: Profile) -> None:
        self.stop.layout.display = "none"
        self._show(self._exploration.measured(dataset, found))
        self._list()
        self._settle()
        self.tell(f"{dataset.name} is measured.")

    def _measured_not(self, why: str) -> None:
        self.stop.layout.display = "none"
        self._settle()
        self.tell(why)

    # --- uploads -----------------------------------------------------------

    def _uploaded(self, change: Mapping[str, Any]) -> None:
        if change["new"]:
            self._do(lambda: self._take(change["new"][0]))

    def _take(self, file: Mapping[str, Any]) -> None:
        """Keeps the file, or asks for another name where its own is taken."""
        name = str(file["name"])
        self._pending = (name, file["content"])
        self.file.value = ()  # it is not kept twice, nor saved with the notebook
        self._ask_name(None)
        try:
            other = self._exploration.other_name(name)
            if other is None:
                self._save(name)
        except BluebearError:
            self._pending = None
            raise
        if other is not None:
            self._ask_name(other)
            self.tell(f"{name} is there already and is not overwritten: save it as {other}?")

    def _ask_name(self, proposed: str | None) -> None:
        self.renaming.layout.display = "none" if proposed is None else ""
        self.name.value = proposed or ""

    def _renamed(self) -> None:
        self._save(self.name.value)
        self._ask_name(None)

    def _save(self, name: str) -> None:
        if self._pending is None:
            return
        dataset = self._exploration.upload(name, self._pending[1])
        self._pending = None
        self._list()
        self.choose(dataset)
        self.tell(f"{dataset} is a dataset now.")


class _Page:
    """What is shown where there are no widgets: a terminal, a script."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def __repr__(self) -> str:
        return self._bundle["text/plain"]

    def _repr_mimebundle_(self, **_: Any) -> Bundle:
        return self._bundle


def explore(doors: Doors, name: str | None, number: int) -> None:
    """Displays the explorer, with the dataset ``name`` chosen; without widgets, what it would
    show. ``number``: how many were there before in this session.

    Raises DatasetError where there is no such dataset.
    """
    from IPython import get_ipython
    from IPython.display import display

    exploration = Exploration(doors)
    if name is None and len(exploration.lines) == 1:
        name = exploration.lines[0].name
    elif name is not None:
        name = exploration.known(name)
    if not hasattr(get_ipython(), "kernel"):
        display(_Page(exploration.open(name) if name else exploration.bundle))
        return
    slots: list[Any] = []
    explorer = Explorer(
        exploration,
        lambda bundle: slots[0].update(bundle, raw=True),
        limit_mb=doors.upload_mb(),
        identity=uuid.uuid5(uuid.NAMESPACE_URL, f"bluebear explorer {number}").hex,
    )
    display(explorer)
    slots.append(display(exploration.bundle, raw=True, display_id=True))
    if name:
        explorer.choose(name)


def _label(line: ListedDataset) -> str:
    """A dataset on a line of the list."""
    if line.error:
        return escape.line(f"{line.name} · cannot be read")
    rows = "" if line.rows is None else f"{line.rows:,} rows"
    return escape.line(" · ".join(filter(None, (line.name, line.format, line.size, rows))))
