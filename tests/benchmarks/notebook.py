"""What the notebook's views cost, in a real JupyterLab with Chromium.

    python tests/benchmarks/notebook.py                    # about ten minutes on two cores
    python tests/benchmarks/notebook.py --only update_60k

Each row is a cell that runs in a kernel while the page looks on, and prints
its figures as JSON; a row of another view is another entry of ``ROWS``.
Kernel times are medians of updates that were measured one by one; the
overhead is that of epochs with the view beside their neighbours without, in
one run.  The browser draws on the same cores; with two of them, and training
on both, what it draws is taken from the training.  Results go to
``notebook_results.json`` beside this file, with versions and machine.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

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
from hcat_nb.jupyter.vega_bundle import vega_bundle

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
vega_bundle()  # which a run makes while it trains
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
    sent = live.show(scene.frame)
    kernel.append(time.perf_counter() - began)
    cpu.append(time.process_time() - worked)
    await painted()
    wall.append(time.perf_counter() - began)
    sizes.append(sent)
print("figures", json.dumps({
    "embed_s": embedded, "first_paint_s": first,
    "kernel_cpu_ms": 1000 * statistics.median(cpu),
    "kernel_ms": 1000 * statistics.median(kernel), "kernel_ms_most": 1000 * max(kernel),
    "bytes": max(sizes),
    "painted_s": statistics.median(wall), "painted_s_most": max(wall),
    "caption": scene.frame().content["signals"]["caption"],
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
EPOCHS, BLOCK, SETTLED = 124, 2, 4

def watched(epoch):  # whether the view is shown this epoch, and draws while it trains
    return epoch // BLOCK % 2 == 0

class Alternately(Listener):
    def __init__(self):
        self.view, self.ends = LiveListener("widget"), [0.0]
    def on_start(self, event):
        self.view.on_start(event)
    def on_step(self, event):
        if watched(event.epoch):
            self.view.on_step(event)
    def on_epoch(self, event):
        self.ends.append(event.elapsed)
        if watched(event.epoch + 1):  # what is shown now is drawn in the next
            self.view.on_epoch(event)
    def on_end(self, event):
        self.view.on_end(event)

live = Alternately()
hcat.characterize(features, labels, model="mlp", hardness="uniform", p=0.1, epochs=EPOCHS,
                  methods="aum dataiq datamaps el2n forgetting loss".split(), seed=0,
                  listeners=[live])
seconds = dict(enumerate(np.diff(live.ends), start=1))
off = [one for epoch, one in seconds.items() if epoch >= SETTLED and not watched(epoch)]
# Each block with its neighbours: the machine is not the same for a minute.
ratios = []
for first in range(SETTLED, EPOCHS - 2 * BLOCK, 2 * BLOCK):
    with_view = sum(seconds[first + k] for k in range(BLOCK))
    before = [first - 1 - k for k in range(BLOCK)]
    after = [first + BLOCK + k for k in range(BLOCK)]
    assert all(map(watched, range(first, first + BLOCK))) and not any(map(watched, before + after))
    ratios.append(2 * with_view / sum(seconds[k] for k in before + after))
print("figures", json.dumps({
    "epoch_s_off": statistics.median(off), "ratio": statistics.median(ratios), "ratios": ratios,
}))
"""

RUN = """
import asyncio, json, statistics, time
import numpy as np
import hcat_nb as hcat
from hcat_nb.jupyter.limiter import Limiter
from hcat_nb.jupyter.listener import LiveListener
from hcat_nb.training.events import Listener

rng = np.random.default_rng(0)
features = rng.normal(size=(60_000, 8)).astype(np.float32)
labels = (features[:, 0] > 0).astype(int)
drawn, note = [], Limiter.drawn
def heard(limiter, seconds):  # the page's word that a frame is on the screen
    drawn.append(time.perf_counter())
    note(limiter, seconds)
Limiter.drawn = heard
class Watch(Listener):
    ends = []
    def on_epoch(self, event):
        self.ends.append(time.perf_counter())
# In a thread, so that the kernel hears the page while it trains.
run = await asyncio.to_thread(
    hcat.characterize, features, labels, model="mlp", hardness="uniform", p=0.1, epochs=20,
    batch_size=1024, methods=["aum", "datamaps"], seed=0,
    listeners=[Watch(), LiveListener("widget")])
await asyncio.sleep(3)  # the last frame
print("figures", json.dumps({
    "first_paint_s": drawn[0] - Watch.ends[0],
    "epoch_s": statistics.median(np.diff(Watch.ends)),
    "frames": len(drawn), "last_paint_s": drawn[-1] - Watch.ends[-1],
}))
"""

EXPLORER = """
import numpy as np
import hcat_nb as hcat
rng = np.random.default_rng(0)
images = rng.integers(0, 256, (60_000, 28, 28), dtype=np.uint8)  # noise: PNG's worst case
run = hcat.characterize(images, rng.integers(0, 10, 60_000), model="mlp", epochs=1,
                        batch_size=1024, methods=["aum", "datamaps"], seed=0)
# Spread evenly, so that a twelfth of the plot holds 5,000 samples.
run.details["variability"] = 0.5 * rng.random(60_000, dtype=np.float32)
run.details["confidence"] = rng.random(60_000, dtype=np.float32)
print("figures", "{}")
panel = run.explore()
panel
"""

# What the page does while the mouse is dragged.
WATCH = """
window.hcatWatch = { moved: 0, long: [], shown: [] };
Object.defineProperty(globalThis, 'hcatVegaEmbed', {
  set(embed) {
    this.hcatEmbed = async (...given) => {
      const made = await embed(...given);
      window.hcatView = made.view;
      return made;
    };
  },
  get() { return this.hcatEmbed; },
});
addEventListener('pointermove', () => { hcatWatch.moved = performance.now(); }, true);
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) hcatWatch.long.push(duration);
}).observe({ type: 'longtask' });
window.hcatWatchPlace = () => new MutationObserver(() => {
  const words = document.querySelector('.hcat-place').textContent;
  requestAnimationFrame(() => requestAnimationFrame(() => {
    hcatWatch.shown.push([words, performance.now()]);
  }));
}).observe(document.querySelector('.hcat-place'), { childList: true, characterData: true });
"""

# Where the plot begins on its canvas.
CORNER = """() => {
  const [[left, top], padding] = [hcatView.origin(), hcatView.padding()];
  return [left + padding.left, top + padding.top];
}"""

# Whether the gallery shows a page of so many samples.
PLACE = """([low, high]) => {
  const words = document.querySelector('.hcat-place').textContent;
  const n = Number(words.split(' of ').pop().split(' ')[0].replace(',', ''));
  return low < n && n < high;
}"""


def brush(lab: Any) -> dict[str, Any]:
    """Drag a brush over a twelfth of the explorer's map, five times."""
    page = lab.page
    page.wait_for_selector(".hcat-tile", timeout=120_000)
    page.wait_for_function(
        "() => document.querySelector('.hcat-map')?.dataset.epoch !== undefined", timeout=60_000
    )
    canvas = page.locator(".hcat-map canvas")
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(2000)  # what the first pictures still do
    page.evaluate("() => hcatWatchPlace()")
    width, height = page.evaluate(
        "() => ['x', 'y'].map(n => Math.max(...hcatView.scale(n).range()))"
    )
    latencies, longest, selected = [], [], []
    for turn in range(5):
        box, (left, top) = canvas.bounding_box(), page.evaluate(CORNER)
        corner = (box["x"] + left, box["y"] + top + height)
        if turn:  # a click beside the brush takes it away
            page.mouse.click(corner[0] + 0.9 * width, corner[1] - 0.9 * height)
            page.wait_for_function(PLACE, arg=[59_999, 60_001], timeout=30_000)
            page.wait_for_timeout(1000)
        page.evaluate("() => { hcatWatch.long = []; hcatWatch.shown = []; }")
        page.mouse.move(corner[0] + 1, corner[1] - 1)
        page.mouse.down()
        for step in range(1, 31):
            share = step / 30
            page.mouse.move(corner[0] + share * width / 3, corner[1] - share * height / 4)
            page.wait_for_timeout(16)
        page.mouse.up()
        page.wait_for_function(PLACE, arg=[4_500, 5_500], timeout=30_000)
        page.wait_for_timeout(1000)  # a later page, if there is one, counts
        seen = page.evaluate("() => hcatWatch")
        words, painted = seen["shown"][-1]
        selected.append(int(words.split(" of ")[1].split()[0].replace(",", "")))
        latencies.append(painted - seen["moved"])
        longest.append(max(seen["long"], default=0.0))
    return {
        "gallery_ms": statistics.median(latencies),
        "gallery_ms_most": max(latencies),
        "long_task_ms": statistics.median(longest),
        "long_task_ms_most": max(longest),
        "selected": selected,
    }


class Row(NamedTuple):
    """A cell, the goals by figure, what is done on the page after the cell, and if there is one."""

    cell: str
    goals: dict[str, float]
    gesture: Callable[[Any], dict[str, Any]] | None = None
    page: bool = True


ROWS = {
    "update_60k": Row(
        SCENE.format(n=60_000) + UPDATE,
        {"first_paint_s": 1.0, "kernel_ms": 20, "bytes": 300_000, "painted_s": 0.3},
    ),
    "update_1m": Row(SCENE.format(n=1_000_000) + UPDATE, {"kernel_ms": 50}),
    "overhead_60k": Row(OVERHEAD, {"ratio": 1.03}),
    # The browser on another machine: messages go out, and nobody here draws them.
    "overhead_60k_apart": Row(OVERHEAD, {"ratio": 1.03}, page=False),
    "run_60k": Row(RUN, {"first_paint_s": 1.0, "notebook_bytes": 300_000}),
    "brush_60k": Row(EXPLORER, {"gallery_ms": 150, "long_task_ms": 100}, brush),
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
            page.add_init_script(WATCH)
            yield browser.LabPage(page, address, served)
            chromium.close()
        finally:
            with contextlib.suppress(StopIteration):
                next(server)


def measure(lab: Any, name: str, row: Row) -> dict[str, Any]:
    """Run one row and return its figures."""
    notebook = f"{name}.ipynb"
    lab.open(notebook, [row.cell])
    lab.command("notebook:run-all-cells")
    lab.wait_for_text("figures", seconds=900)
    text = lab.page.locator(".jp-OutputArea-output:has-text('figures {')").last.inner_text()
    figures: dict[str, Any] = json.loads(text.split("figures ", 1)[1])
    if row.gesture is not None:
        figures |= row.gesture(lab)
    lab.page.wait_for_timeout(1000)  # the picture behind the view
    saved = lab.save(notebook)
    pictures = [out.data.get("image/png", "") for out in saved.cells[0].outputs if "data" in out]
    figures["picture_bytes"] = max(map(len, pictures), default=0)
    figures["notebook_bytes"] = (lab.folder / notebook).stat().st_size
    return figures


def measure_apart(row: Row) -> dict[str, Any]:
    """Run one row in a kernel that no page listens to and return its figures."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(row.cell)])
    NotebookClient(notebook, kernel_name="python3", timeout=900).execute()
    text = "".join(one.text for one in notebook.cells[0].outputs if one.output_type == "stream")
    figures: dict[str, Any] = json.loads(text.split("figures ", 1)[1])
    return figures


def main() -> None:
    """Measure, print a table and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(ROWS), nargs="+", default=list(ROWS))
    chosen = parser.parse_args().only
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {"rows": {}}
    for name in chosen:
        row = ROWS[name]
        if row.page:
            with lab_page() as lab:
                figures = measure(lab, name, row)
        else:
            figures = measure_apart(row)
        # A figure is worth what the machine was worth: above the number of
        # cores, the load makes wall-clock figures mean little.
        figures["load"] = os.getloadavg()[0]
        results["rows"][name] = {"figures": figures, "goals": row.goals}
        for figure, goal in row.goals.items():
            met = "met" if figures[figure] <= goal else "MISSED"
            print(f"{name:14} {figure:16} {figures[figure]:>12,.3f}  goal {goal:>10,} {met}")
    results["versions"] = {
        one: version(one) for one in ("jupyterlab", "ipykernel", "anywidget", "altair", "torch")
    }
    results["machine"] = {
        "platform": platform.platform(),
        "cores": os.cpu_count(),
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
