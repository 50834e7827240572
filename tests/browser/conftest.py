"""A JupyterLab and a Notebook of our own, and a Chromium that looks at them, all offline.

Every connection to another machine is blocked: the browser knows no name but
this machine's, and servers and kernels are sent to a proxy that is not there.

``HCAT_KERNEL_PYTHON`` names another Python whose kernel runs the notebooks: the
same tests then hold for its version of ipykernel.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest

TOKEN = "test"
SCREENSHOTS = Path(__file__).parent / "screenshots"
CHROMIUM = os.environ.get("HCAT_CHROMIUM", "/usr/bin/chromium")
_CONNECTED = """async () => {
  const { sessionContext } = window.jupyterapp.shell.currentWidget;
  await sessionContext.ready;
  await sessionContext.session.kernel.info;
}"""
_RUN_LAST = """async () => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.activeCellIndex = content.widgets.length - 1;
  await window.jupyterapp.commands.execute('notebook:run-cell');
}"""
_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
LIMIT = 300  # seconds until whatever hangs is given up; never an expectation


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"needs Chromium, and {CHROMIUM} is absent (HCAT_CHROMIUM names another)")
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that JupyterLab serves."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="session")
def lab(lab_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab that knows nothing of the user's settings."""
    with _server("jupyterlab", lab_folder, tmp_path_factory.mktemp("jupyter")) as address:
        yield address


@pytest.fixture(scope="session")
def notebook7(lab_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Jupyter Notebook 7, which serves the same folder."""
    pytest.importorskip("notebook", reason="needs the package notebook")
    with _server("notebook", lab_folder, tmp_path_factory.mktemp("notebook7")) as address:
        yield address


@contextmanager
def _server(module: str, folder: Path, own: Path) -> Iterator[str]:
    names = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "HCAT_CACHE": "cache",
    }
    folders = {name: str(own / folder) for name, folder in names.items()}
    # Kernels are spoken to through files in it, whose names may not be long; a port could be
    # taken by somebody else before the kernel binds it.
    runtime = Path(folders.setdefault("JUPYTER_RUNTIME_DIR", tempfile.mkdtemp(prefix="hcat")))
    page_config = own / "config" / "labconfig" / "page_config.json"
    page_config.parent.mkdir(parents=True)
    # The news pop-up would cover the lower right corner, and asks the network.
    page_config.write_text(
        json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}})
    )
    if "HCAT_KERNEL_PYTHON" in os.environ:
        _write_kernel(own / "kernel", os.environ["HCAT_KERNEL_PYTHON"])
        # Goes before the kernel of the server's own environment.
        paths = [str(own / "kernel"), *os.environ.get("JUPYTER_PATH", "").split(os.pathsep)]
        folders["JUPYTER_PATH"] = os.pathsep.join(filter(None, paths))
    command = [sys.executable, "-m", module, "--no-browser", "--allow-root"]
    command += ["--expose-app-in-browser", "--ip=127.0.0.1", "--port=0"]  # it chooses one itself
    command += ["--KernelManager.transport=ipc", f"--IdentityProvider.token={TOKEN}"]
    command += [f"--ServerApp.root_dir={folder}"]
    log = (own / "server.log").open("w")
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    nowhere |= {name.lower(): value for name, value in nowhere.items()}
    blocked = {**nowhere, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    server = subprocess.Popen(
        command, env={**os.environ, **folders, **blocked}, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        yield _address_of(server, runtime / f"jpserver-{server.pid}.json", own / "server.log")
    finally:
        server.terminate()  # Jupyter ends its kernels first
        server.wait(timeout=LIMIT)
        log.close()
        shutil.rmtree(runtime)


def _write_kernel(place: Path, python: str) -> None:
    """Make ``python3`` the kernel of another Python."""
    folder = place / "kernels" / "python3"
    folder.mkdir(parents=True)
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))


def _address_of(server: subprocess.Popen[bytes], told: Path, log: Path) -> str:
    """Wait until the server says where it listens, and answers there."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        with suppress(OSError, json.JSONDecodeError):  # not yet, or not wholly
            address = f"http://127.0.0.1:{json.loads(told.read_text())['port']}"
            urllib.request.urlopen(f"{address}/api/status?token={TOKEN}", timeout=5).close()
            return address
        time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text()}")


@dataclass
class LabPage:
    """One notebook in the browser."""

    page: Any
    lab: str
    folder: Path
    tree: str = "lab/tree"
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def open(self, name: str, cells: list[str] | None = None) -> None:
        """Open a notebook; with ``cells`` it is written first."""
        if cells is not None:
            notebook = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
                metadata={
                    "kernelspec": {
                        "name": "python3",
                        "display_name": "Python 3",
                        "language": "python",
                    }
                },
            )
            nbformat.write(notebook, self.folder / name)
        self.page.goto(f"{self.lab}/{self.tree}/{name}?reset&token={TOKEN}")
        self.page.wait_for_selector(".jp-Notebook-cell")
        # A command before the kernel is connected opens a dialog.
        self.page.evaluate(_CONNECTED)
        self.theme("Light")  # a test before this one may have left the other

    def theme(self, name: str) -> None:
        """Change to JupyterLab's theme ``Light`` or ``Dark``."""
        self.page.evaluate(_THEME, f"JupyterLab {name}")
        light = str(name == "Light").lower()
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")

    def command(self, name: str) -> None:
        """Execute a command of JupyterLab without waiting for its end."""
        self.page.evaluate("name => { window.jupyterapp.commands.execute(name); }", name)

    def run_last_cell(self) -> None:
        """Run the last cell once the kernel is idle."""
        self.page.evaluate(_RUN_LAST)

    def save(self, name: str) -> nbformat.NotebookNode:
        """Save the notebook and return what lies on disk."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        return nbformat.read(self.folder / name, as_version=4)

    def wait_for_text(self, text: str) -> None:
        """Wait until an output shows ``text``."""
        self.page.wait_for_selector(f".jp-OutputArea-output:has-text('{text}')")

    def screenshot(self, name: str) -> None:
        """Keep a picture for a person to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def remote_requests(self) -> list[str]:
        """Return what was asked of another machine."""
        own = (f"{self.lab}/", self.lab.replace("http", "ws", 1) + "/", "blob:", "data:")
        return [url for url in self.requests if not url.startswith(own)]


@pytest.fixture
def lab_page(
    browser: Any, lab: str, lab_folder: Path, request: pytest.FixtureRequest
) -> Iterator[LabPage]:
    """A fresh page of JupyterLab, whose requests and console are recorded."""
    yield from _page(browser, LabPage(None, lab, lab_folder), request)


@pytest.fixture(params=["lab", "notebook7"])
def either_page(
    browser: Any, lab_folder: Path, request: pytest.FixtureRequest
) -> Iterator[LabPage]:
    """A fresh page of JupyterLab, then one of Notebook 7."""
    tree = {"lab": "lab/tree", "notebook7": "notebooks"}[request.param]
    address = request.getfixturevalue(request.param)
    yield from _page(browser, LabPage(None, address, lab_folder, tree), request)


def _page(browser: Any, opened: LabPage, request: pytest.FixtureRequest) -> Iterator[LabPage]:
    context = browser.new_context(viewport={"width": 1100, "height": 1000})
    context.set_default_timeout(1000 * LIMIT)
    page = opened.page = context.new_page()
    page.on("request", lambda request: opened.requests.append(request.url))
    page.on("websocket", lambda socket: opened.requests.append(socket.url))
    page.on("console", lambda message: opened.messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: opened.messages.append(f"pageerror: {error}"))
    yield opened
    # What the page looked like at the end, and what it said: all there is after a failure.
    opened.screenshot(f"after_{request.node.name}")
    print("\n".join(opened.messages[-40:]))
    context.close()
    _end_kernels(opened.lab)


def _end_kernels(address: str) -> None:
    """End the kernels of a server, each of which holds torch: some 600 MB a test."""
    kernels = f"{address}/api/kernels"
    authorized = {"Authorization": f"token {TOKEN}"}
    with urllib.request.urlopen(urllib.request.Request(kernels, headers=authorized)) as answer:
        running = json.load(answer)
    for kernel in running:
        end = urllib.request.Request(
            f"{kernels}/{kernel['id']}", headers=authorized, method="DELETE"
        )
        urllib.request.urlopen(end, timeout=LIMIT).close()
