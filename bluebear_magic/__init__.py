"""Ask a question in a Jupyter cell, get checked PySpark in the next one.

In a notebook: ``%load_ext bluebear_magic``, then ``%%bluebear``. From Python:
``from bluebear_magic import Bluebear``. From a shell: ``bluebear ask "question"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bluebear_magic.version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from bluebear_magic.api import Bluebear

__all__ = ["Bluebear", "__version__", "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: importing the package costs nothing.
    if name == "Bluebear":
        from bluebear_magic.api import Bluebear

        return Bluebear
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """``%load_ext bluebear_magic``: registers the magics and their settings."""
    from bluebear_magic._magic import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """``%unload_ext bluebear_magic``: ends the session and removes the magics."""
    from bluebear_magic._magic import unload

    unload(shell)
