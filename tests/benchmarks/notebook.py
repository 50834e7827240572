"""What the notebook's views cost, in a real JupyterLab with Chromium.

    python tests/benchmarks/notebook.py                    # about ten minutes on two cores
    python tests/benchmarks/notebook.py --only update_60k

Each row is a cell that runs in a kernel while the page looks on, and prints
its figures as JSON; a row of another view is another entry of ``ROWS``.
Kernel times are medians of updates that were measured one by one; the
overhead is the ratio of epochs with and without the view, in turn in one
process.  The browser draws on the same cores.  Results go to
``notebook_results.json`` beside this file, with versions and machine.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "notebook_results.json"

SCENE = """
import asyncio, json, statistics, threading, time
import numpy as np, pandas as pd
from IPython.display import display
from hcat_nb.charts.coloring import by_truth
from hcat_nb.charts.data_map import CONFIDENCE, X_AXES
from hcat_nb.charts.live_view import live_view
from hcat_nb.jupyter.live_map import LiveMap
from hcat_nb.jupyter.live_panels import LivePanels
from hcat_nb.jupyter.map_scene import MapScene

n, rng = {n}, np.random.default_rng(0)
hard = rng.random(n) < 0.1
methods = ["aum", "dataiq", "datamaps", "el2n", "forgetting", "grand", "loss", "vog"]
panels = LivePanels(methods, hard)
def chart(coloring, caption, points):
    return live_view(X_AXES["variability"], coloring, title="", caption=caption, n_points=points,
                     n_epochs=20, methods=dict.fromkeys(methods, "epoch"), truth=True)
truth = by_truth(hard)
scene = MapScene(pd.RangeIndex(n), X_AXES["variability"], CONFIDENCE, chart=chart,
                 color=lambda x, y: truth)
def epoch(number):
    y = rng.beta(9, 1, n).astype(np.float32)
    y[hard] = rng.random(hard.sum()) * 0.4
    x = (np.sqrt(y * (1 - y)) * rng.random(n)).astype(np.float32)
    if number % 4 == 1:
        panels.add_scores(number, {{m: 1 - y + 0.1 * k for k, m in enumerate(methods)}})
    panels.add_epoch(number, 1 / number, 0.8)
    return x, y
drawn = threading.Event()  # set in whichever thread handles messages
async def painted():
    end = time.monotonic() + 60
    while not drawn.is_set():
        assert time.monotonic() < end, "the page did not draw"
        await asyncio.sleep(0.002)
    drawn.clear()
"""

UPDATE = """
warm = LiveMap(scene)  # makes the bundle, which a run makes while it trains
began = time.perf_counter()
live = LiveMap(on_drawn=lambda s: drawn.set())
live.on_msg(lambda _, content, buffers: drawn.set() if content["type"] == "ready" else None)
live.present(scene)
display(live)
await painted()  # embedded, which a run does during its first epoch
embedded = time.perf_counter() - began
x, y = epoch(1)
began = time.perf_counter()
scene.move(1, "epoch 1", x, y, extras=panels.datasets())
live.redraw()
await painted()
first = time.perf_counter() - began
kernel, cpu, sizes, wall = [], [], [], []
for number in range(2, 14):
    x, y = epoch(number)
    began, worked = time.perf_counter(), time.process_time()
    scene.move(number, f"epoch {number}", x, y, extras=panels.datasets())
    frame = scene.frame()
    live.show(frame)
    kernel.append(time.perf_counter() - began)
    cpu.append(time.process_time() - worked)
    await painted()
    wall.append(time.perf_counter() - began)
    sizes.append(frame.size)
print("figures", json.dumps({
    "embed_s": embedded, "first_paint_s": first,
    "kernel_cpu_ms": 1000 * statistics.median(cpu),
    "kernel_ms": 1000 * statistics.median(kernel), "kernel_ms_most": 1000 * max(kernel),
    "bytes": max(sizes),
    "painted_s": statistics.median(wall), "painted_s_most": max(wall),
    "caption": frame.content["signals"]["caption"],
}))
"""

OVERHEAD = """
import json, statistics
import numpy as np
import hcat_nb as hcat
from hcat_nb.jupyter.listener import LiveListener
from hcat_nb.training.events import Listener

rng = np.random.default_rng(0)
features = rng.normal(size=(60_000, 20)).astype(np.float32)
labels = (features[:, 0] + features[:, 1] > 0).astype(int)

class Watch(Listener):
    def on_epoch(self, event):
        self.elapsed = event.elapsed

def train(*views):
    watch = Watch()
    hcat.characterize(features, labels, model="mlp", hardness="uniform", p=0.1, epochs=6,
                      methods="aum dataiq datamaps el2n forgetting loss".split(), seed=0,
                      listeners=[*views, watch])
    return watch.elapsed / 6

train()  # a first optimizer imports a compiler
pairs = []
for turn in range(3):
    off = train()
    on = train(LiveListener("widget"))
    pairs.append((off, on))
print("figures", json.dumps({
    "epoch_s_off": statistics.median(off for off, _ in pairs),
    "ratio": statistics.median(on / off for off, on in pairs),
    "ratios": [on / off for off, on in pairs],
}))
"""

SAVED = """
import numpy as np
import hcat_nb as hcat
from hcat_nb.jupyter.listener import LiveListener
rng = np.random.default_rng(0)
features = rng.normal(size=(60_000, 8)).astype(np.float32)
labels = (features[:, 0] > 0).astype(int)
run = hcat.characterize(features, labels, model="mlp", hardness="uniform", p=0.1, epochs=20,
                        batch_size=1024, methods=["aum", "datamaps"], seed=0,
                        listeners=[LiveListener("widget")])
print("figures", "{}")
"""

# name -> (cell, goals by figure)
ROWS: dict[str, tuple[str, dict[str, float]]] = {
    "update_60k": (
        SCENE.format(n=60_000) + UPDATE,
        {"first_paint_s": 1.0, "kernel_ms": 20, "bytes": 300_000, "painted_s": 0.3},
    ),
    "update_1m": (SCENE.format(n=1_000_000) + UPDATE, {"kernel_ms": 50}),
    "overhead_60k": (OVERHEAD, {"ratio": 1.03}),
    "saved_60k": (SAVED, {"notebook_bytes": 300_000}),
}


class _Folders:
    """As much of pytest's factory as the browser tests' JupyterLab asks for."""

    def __init__(self, root: str) -> None:
        self._root = root

    def mktemp(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=name, dir=self._root))


@contextlib.contextmanager
def lab_page() -> Iterator[Any]:
    """Open the JupyterLab and the browser of the browser tests."""
    from playwright.sync_api import sync_playwright

    path = HERE.parent / "browser" / "conftest.py"
    described = importlib.util.spec_from_file_location("browser_conftest", path)
    assert described is not None
    assert described.loader is not None
    browser = importlib.util.module_from_spec(described)
    sys.modules[described.name] = browser  # dataclasses look their module up
    described.loader.exec_module(browser)
    with tempfile.TemporaryDirectory() as root, sync_playwright() as engine:
        folders = _Folders(root)
        served = folders.mktemp("notebooks")
        server = browser.lab.__wrapped__(served, folders)
        try:
            address = next(server)
            chromium = engine.chromium.launch(
                executable_path=browser.CHROMIUM,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            page = chromium.new_page(viewport={"width": 1400, "height": 1300})
            yield browser.LabPage(page, address, served)
            chromium.close()
        finally:
            with contextlib.suppress(StopIteration):
                next(server)


def measure(lab: Any, name: str, cell: str) -> dict[str, Any]:
    """Run one row and return its figures."""
    notebook = f"{name}.ipynb"
    lab.open(notebook, [cell])
    lab.command("notebook:run-all-cells")
    lab.wait_for_text("figures", seconds=900)
    text = lab.page.locator(".jp-OutputArea-output:has-text('figures {')").last.inner_text()
    figures: dict[str, Any] = json.loads(text.split("figures ", 1)[1])
    lab.page.wait_for_timeout(1000)  # the picture behind the view
    lab.save(notebook)
    figures["notebook_bytes"] = (lab.folder / notebook).stat().st_size
    return figures


def main() -> None:
    """Measure, print a table and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(ROWS), nargs="+", default=list(ROWS))
    chosen = parser.parse_args().only
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {"rows": {}}
    for name in chosen:
        cell, goals = ROWS[name]
        with lab_page() as lab:
            figures = measure(lab, name, cell)
        results["rows"][name] = {"figures": figures, "goals": goals}
        for figure, goal in goals.items():
            met = "met" if figures[figure] <= goal else "MISSED"
            print(f"{name:14} {figure:16} {figures[figure]:>12,.3f}  goal {goal:>10,} {met}")
    results["versions"] = {
        one: version(one) for one in ("jupyterlab", "ipykernel", "anywidget", "altair", "torch")
    }
    results["machine"] = {
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),  # above the number of cores, wall-clock figures mean little
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
