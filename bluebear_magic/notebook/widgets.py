"""The picker: which backend runs this code, and a button that runs it.

A view without state of its own: the choice lives in the session, and the text and HTML
forms say what was offered and chosen when the widget is gone.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ipywidgets

from bluebear_magic.present import escape
from bluebear_magic.protocols import Backend

AUTO = "auto"


class Picker(ipywidgets.VBox):
    """A drop-down of backends with their state, a Run button, and a line for errors.

    ``chosen``: the backend's name to begin with; ``choose``: called with a name when the
    user picks one; ``run``: called when Run is pressed. ``identity``: the
    view's id; the same from run to run so that a committed notebook does not change.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend],
        chosen: str,
        *,
        auto: str,
        choose: Callable[[str], object],
        run: Callable[[], None],
        identity: str,
    ) -> None:
        self._offers = [(f"Auto ({backends[auto].title})", AUTO)]
        for name, backend in backends.items():
            status = backend.status()
            missing = status.state == "not configured"
            self._offers.append((f"{backend.title}{' (not configured)' if missing else ''}", name))
        self._backends = backends
        self._choose = choose
        self._run = run
        self.choice = ipywidgets.Dropdown(
            options=self._offers,
            value=chosen,
            description="Run on",
            style={"description_width": "initial"},
        )
        self.button = ipywidgets.Button(description="Run", button_style="primary", icon="play")
        self.note = ipywidgets.HTML()
        self.choice.observe(self._chosen, names="value")
        self.button.on_click(self._clicked)
        super().__init__(
            [ipywidgets.HBox([self.choice, self.button]), self.note], model_id=identity
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs) or {}
        chosen = [label for label, name in self._offers if name == self.choice.value]
        others = [label for label, name in self._offers if name != self.choice.value]
        line = f"Runs on {chosen[0]}. Other backends: {', '.join(others)}."
        bundle["text/plain"] = escape.terminal(line)
        bundle["text/html"] = f"<div>{escape.html(line)}</div>"
        return bundle

    def _chosen(self, change: Mapping[str, Any]) -> None:
        name = change["new"]
        self._choose(name)
        backend = self._backends.get(name)
        status = backend.status() if backend else None
        missing = status is not None and status.state == "not configured"
        self.button.disabled = missing
        self.tell(f"Not configured: {status.detail}" if status is not None and missing else "")

    def tell(self, text: str) -> None:
        """Shows one line under the drop-down."""
        self.note.value = escape.html(text)

    def _clicked(self, _button: Any) -> None:
        if self.button.disabled:
            return
        self.button.disabled = True
        self.tell("")
        on_main_thread(self._run_and_tell)

    def _run_and_tell(self) -> None:
        try:
            with interruptible():
                self._run()
        except KeyboardInterrupt:
            self.tell("Interrupted; the work was cancelled.")
        except Exception as error:  # noqa: BLE001 - errors in a callback reach nobody otherwise
            self.tell(f"{type(error).__name__}: {error}")
        finally:
            self.button.disabled = False


def on_main_thread(work: Callable[[], None]) -> None:
    """Runs ``work`` on the kernel's main thread, where interrupts arrive.

    Newer frontends deliver widget messages on another thread of the kernel.
    """
    if threading.current_thread() is threading.main_thread():
        work()
        return
    from IPython import get_ipython

    get_ipython().kernel.io_loop.add_callback(work)


@contextmanager
def interruptible() -> Iterator[None]:
    """An interrupt raises KeyboardInterrupt; an idle kernel would ignore it."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
