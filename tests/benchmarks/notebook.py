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

from notebook_cells import (
    CORNER,
    EXPLORER,
    OVERHEAD,
    PLACE,
    RUN,
    SCENE,
    UPDATE,
    WATCH,
)

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "notebook_results.json"


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
            page.set_default_timeout(1000 * browser.LIMIT)  # a run takes longer than the 30 s there
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
    lab.wait_for_text("figures")
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
