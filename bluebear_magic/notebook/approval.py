"""Approve and Reject: a pair of buttons below what code would write.

What would be written where, and what was decided, stands in a display of its own above, which
a saved notebook keeps; this pair says in plain text and HTML that it was there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from bluebear_magic.notebook.widgets import interruptible, on_main_thread
from bluebear_magic.present import escape

TOLD = "Approve or reject it here, in the running notebook."


class ApprovalPair(ipywidgets.VBox):
    """``approve`` and ``reject`` are called once, for the button pressed; what they raise is
    told below. ``identity``: the view's id, the same from run to run.
    """

    def __init__(
        self, approve: Callable[[], None], reject: Callable[[], None], *, identity: str
    ) -> None:
        self.approve = ipywidgets.Button(
            description="Approve", button_style="danger", icon="check",
            tooltip="Let this code write what is shown, and run it",
        )  # fmt: skip
        self.reject = ipywidgets.Button(
            description="Reject", icon="times", tooltip="Write nothing and run nothing"
        )
        self.note = ipywidgets.HTML()
        self.approve.on_click(lambda _: self._decide(approve, "Running ..."))
        self.reject.on_click(lambda _: self._decide(reject, ""))
        super().__init__(
            [ipywidgets.HBox([self.approve, self.reject]), self.note], model_id=identity
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs) or {}
        bundle["text/plain"] = TOLD
        bundle["text/html"] = f"<div>{escape.html(TOLD)}</div>"
        return bundle

    def tell(self, text: str) -> None:
        """Shows one line under the buttons."""
        self.note.value = escape.html(text)

    def _decide(self, act: Callable[[], None], meanwhile: str) -> None:
        if self.approve.disabled:
            return
        self.approve.disabled = self.reject.disabled = True
        self.tell(meanwhile)

        def work() -> None:
            try:
                with interruptible():
                    act()
                self.tell("")
            except KeyboardInterrupt:
                self.tell("Interrupted; the work was cancelled. Run the cell again.")
            except Exception as error:  # noqa: BLE001 - errors in a callback reach nobody otherwise
                self.tell(f"{type(error).__name__}: {error} Run the cell again.")

        on_main_thread(work)
