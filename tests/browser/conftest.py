"""A real JupyterLab and a real browser; skipped by name where the browser is missing."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
INSTALL = "apt-get install chromium (Debian), brew install --cask chromium (macOS)"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        message = f"no browser: {INSTALL}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def screenshots():
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project's folder: one notebook can ask about the sales in ``data/``."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "data").mkdir()
    shutil.copy(ROOT / "notebooks" / "data" / "sales_data.csv", folder / "data")
    return folder


@pytest.fixture(scope="module")
def lab(folder, tmp_path_factory):
    """The address of a JupyterLab that serves ``folder``."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = home / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text(
        '{"fetchNews": "false", "checkForUpdates": false}'
    )
    environ = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("JUPYTER", "JPY", "IPYTHON", "XDG", "BLUEBEAR", "MPLBACKEND"))
    }
    environ["BLUEBEAR_CLASS_ARCHIVE"] = "false"  # made in the background, it would take a core
    log = (home / "jupyter.log").open("wb")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
            "--ip=127.0.0.1", "--IdentityProvider.token=", "--ServerApp.password=",
            f"--ServerApp.root_dir={folder}", "--ServerApp.disable_check_xsrf=True",
        ],
        env={**environ, "HOME": str(home), "JUPYTERLAB_SETTINGS_DIR": str(home / "settings")}, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=1).close()
            break
        except OSError:
            time.sleep(0.2)
    else:
        pytest.fail((home / "jupyter.log").read_text()[-3000:])
    yield address
    process.terminate()
    process.wait(20)
    log.close()


def write_notebook(path, *sources):
    cells = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "outputs": [],
         "execution_count": None, "source": source}
        for n, source in enumerate(sources)
    ]  # fmt: skip
    spec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    path.write_text(
        json.dumps(
            {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
        )
    )


class Notebook:
    """A notebook open in the browser, driven as a person would."""

    def __init__(self, page, lab, path):
        self.page, self.path = page, path
        page.goto(f"{lab}/lab/tree/{path.name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self._await_kernel(lab)

    def _await_kernel(self, lab):
        """The page shows a kernel as idle before it has one: the server knows better."""
        for _ in range(600):
            with urllib.request.urlopen(f"{lab}/api/sessions") as answer:
                sessions = json.load(answer)
            for session in sessions:
                ready = session["kernel"] and session["kernel"]["execution_state"] == "idle"
                if session["path"] == self.path.name and ready:
                    self.page.wait_for_timeout(500)
                    return
            self.page.wait_for_timeout(100)
        raise AssertionError("no kernel started")

    def cell(self, index):
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(index)

    def sources(self):
        return self.page.evaluate(
            "() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .cm-content')]"
            ".map(e => [...e.querySelectorAll('.cm-line')].map(l => l.textContent).join('\\n'))"
        )

    def type(self, index, text):
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.insert_text(text)

    def run(self, index):
        """Runs a cell and waits for its number."""
        before = self.prompt(index)
        for turn in range(1200):
            now = self.prompt(index)
            if turn % 50 == 0 and now in {
                before,
                "",
            }:  # a kernel that just came up forgets a request
                self.cell(index).locator(".cm-content").click()
                self.page.keyboard.press("Control+Enter")
            elif now not in {before, "", "*"}:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"cell {index} did not finish: {self.output(index).inner_text()}")

    def prompt(self, index):
        return self.cell(index).locator(".jp-InputPrompt").inner_text().strip("[]: \xa0")

    def output(self, index):
        return self.cell(index).locator(".jp-Cell-outputArea")

    def save(self):
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+s")
        self.page.wait_for_function(
            "() => !document.querySelector('.jp-Document.jp-mod-dirty, .jp-mod-dirty')",
            timeout=20_000,
        )
        self.page.wait_for_timeout(500)
        return json.loads(self.path.read_text())

    def shut_down(self, lab):
        """Ends every kernel and leaves the page."""
        self.page.close()
        with urllib.request.urlopen(f"{lab}/api/sessions") as answer:
            sessions = json.load(answer)
        for session in sessions:
            request = urllib.request.Request(f"{lab}/api/sessions/{session['id']}", method="DELETE")
            urllib.request.urlopen(request).close()


@pytest.fixture
def open_notebook(browser, lab, folder, screenshots, request):
    pages = []

    def open_notebook(name, *sources):
        path = folder / name
        if sources:
            write_notebook(path, *sources)
        page = browser.new_page(viewport={"width": 1400, "height": 1300})
        pages.append(page)
        page.set_default_timeout(60_000)
        return Notebook(page, lab, path)

    yield open_notebook
    for page in pages:  # the last thing seen: what a person looks at when the test failed
        if page.is_closed():
            continue
        page.screenshot(path=screenshots / f"last-{request.node.name[:40]}.png", full_page=True)
        page.close()
