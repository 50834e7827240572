"""The live map in a real JupyterLab: it moves in place, offline, and leaves a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = pytest.mark.browser

TRAIN = "%hcat_train digits --hardness uniform --p 0.1 --seed 0"
LOAD = "%load_ext hcat_nb"

# A module that loads as slowly as on a busy machine: 3 s a million bytes.
SLOW = """() => {
  const made = URL.createObjectURL;
  URL.createObjectURL = (blob) => {
    const wait = `await new Promise((go) => setTimeout(go, ${3e-3 * blob.size}));`;
    const slow = blob.type === 'text/javascript' ? new Blob([wait, blob], blob) : blob;
    return made.call(URL, slow);
  };
}"""

# The run waits after each epoch until a file says that it was looked at.
WAIT = """import pathlib, time
from hcat_nb.jupyter.listener import LiveListener
whole = LiveListener.on_epoch
def on_epoch(self, event):
    whole(self, event)
    while not pathlib.Path(f'looked_at_{min(event.epoch, 3)}').exists():
        time.sleep(0.05)
LiveListener.on_epoch = on_epoch"""

# Keeps the plot's pixels in the page, without the title, whose text changes anyway.
KEEP = """() => {
  const canvas = document.querySelector('.hcat-map canvas');
  const top = Math.round(canvas.height * 0.2);
  const pixels = canvas.getContext('2d').getImageData(0, top, canvas.width, canvas.height - top);
  const epoch = Number(document.querySelector('.hcat-map').dataset.epoch);
  (window.hcatPixels ??= {})[epoch] = new Uint32Array(pixels.data.buffer);
  return epoch;
}"""
MOVED = """([before, after]) => {
  const [old, now] = [window.hcatPixels[before], window.hcatPixels[after]];
  const painted = now.filter((pixel) => pixel !== 0).length;
  return now.filter((pixel, i) => pixel !== old[i]).length / painted;
}"""


def _epoch_after(page: Any, epoch: int) -> int:
    """Wait until an epoch later than ``epoch`` is drawn, keep its pixels, and return it."""
    page.wait_for_function(
        "epoch => Number(document.querySelector('.hcat-map')?.dataset.epoch) > epoch",
        arg=epoch,
    )
    reached: int = page.evaluate(KEEP)
    return reached


def test_the_same_map_moves_between_epochs_and_nothing_leaves_the_machine(
    lab_page: LabPage,
) -> None:
    page = lab_page.page
    check = "print('run of', len(run.scores), 'samples,', len(run.history), 'epochs')"
    lab_page.open("live.ipynb", [LOAD, WAIT, f"run = {TRAIN} --epochs 8", check])
    lab_page.command("notebook:run-all-cells")

    first = _epoch_after(page, 0)
    page.evaluate("() => { document.querySelector('.hcat-map canvas').hcatMark = 'first'; }")
    lab_page.screenshot("live_early")
    (lab_page.folder / "looked_at_1").touch()
    second = _epoch_after(page, first)
    assert (first, second) == (1, 2)
    for epoch in (2, 3):
        (lab_page.folder / f"looked_at_{epoch}").touch()
    lab_page.wait_for_text("run of 1797 samples, 8 epochs")
    last = _epoch_after(page, 7)
    lab_page.screenshot("live_end")

    # Shares of painted pixels: 0 for a map drawn again as it was, .7 measured for these.
    assert page.evaluate(MOVED, [first, second]) > 0.2
    assert page.evaluate(MOVED, [first, last]) > 0.2
    mark = page.evaluate("() => document.querySelector('.hcat-map canvas').hcatMark")
    assert mark == "first", "the map was embedded anew"
    assert page.locator(".hcat-map canvas").count() == 1
    assert "finished after epoch 8/8" in page.locator(".hcat-line").inner_text()
    assert page.locator("img[alt*='1,797 samples']").count() == 1
    assert not page.locator("img[alt*='1,797 samples']").is_visible()
    assert lab_page.remote_requests() == []
    assert not [text for text in lab_page.messages if text.startswith("pageerror")]


def test_a_saved_notebook_shows_the_picture_without_its_kernel(lab_page: LabPage) -> None:
    page = lab_page.page
    lab_page.open("saved.ipynb", [LOAD, f"run = {TRAIN} --epochs 2 --methods aum", "print('over')"])
    lab_page.command("notebook:run-all-cells")
    lab_page.wait_for_text("over")
    _epoch_after(page, 1)
    saved = lab_page.save("saved.ipynb")
    assert (lab_page.folder / "saved.ipynb").stat().st_size < 300_000
    outputs = saved.cells[1].outputs
    assert [sorted(output.data) for output in outputs] == [
        ["application/vnd.jupyter.widget-view+json"],
        ["image/png", "text/html", "text/plain"],
    ]

    # The same content under another name is trusted, and has a kernel that knows no widget.
    (lab_page.folder / "reopened.ipynb").write_bytes((lab_page.folder / "saved.ipynb").read_bytes())
    lab_page.open("reopened.ipynb")
    picture = page.locator("img[alt*='1,797 samples']")
    picture.wait_for(state="visible")
    page.wait_for_timeout(2000)  # the error, if it comes, comes after the widget's time-out
    lab_page.screenshot("reopened")
    words = page.locator(".jp-Notebook").inner_text()
    assert "model not found" not in words.lower()
    assert "Error displaying widget" not in words
    assert picture.is_visible()
    assert lab_page.remote_requests() == []


@pytest.mark.parametrize("kind", ["ours", "default"])
def test_an_exported_page_shows_the_picture_without_network(
    kind: str, lab_page: LabPage, browser: Any
) -> None:
    from nbconvert import HTMLExporter

    from hcat_nb.sweeps.execute import export_html

    notebook = lab_page.folder / f"exported_{kind}.ipynb"
    cells = [LOAD, f"run = {TRAIN} --epochs 2 --methods aum", "print('over')"]
    lab_page.open(notebook.name, cells)
    lab_page.command("notebook:run-all-cells")
    lab_page.wait_for_text("over")
    _epoch_after(lab_page.page, 1)
    saved = lab_page.save(notebook.name)
    path = notebook.with_suffix(".html")
    if kind == "ours":
        assert export_html(notebook) == path
    else:  # names a CDN for what the picture does not need
        path.write_text(HTMLExporter().from_notebook_node(saved)[0], encoding="utf-8")

    context = browser.new_context(viewport={"width": 1100, "height": 1000}, offline=True)
    context.set_default_timeout(300_000)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    picture = page.locator("img[alt*='1,797 samples']")
    picture.wait_for(state="visible")
    assert picture.count() == 1
    assert picture.evaluate("image => image.naturalWidth") > 400
    page.wait_for_timeout(2000)  # what would take its place comes late
    assert picture.is_visible()
    assert "model not found" not in page.locator("body").inner_text().lower()
    remote = [url for url in asked if not url.startswith(("file:", "data:"))]
    assert kind == "default" or remote == []
    type(lab_page)(page, "", lab_page.folder).screenshot(notebook.stem)
    context.close()


def test_an_interrupt_ends_the_run_softly_and_returns_it(lab_page: LabPage) -> None:
    page = lab_page.page
    check = "print('kept', len(run.history), 'epochs,', run.info['outcome'])"
    lab_page.open("stop.ipynb", [LOAD, f"run = {TRAIN} --epochs 90000 --methods aum", check])
    lab_page.command("notebook:run-all-cells")
    reached = _epoch_after(page, 0)
    lab_page.command("notebook:interrupt-kernel")
    page.wait_for_selector(".hcat-stopped")
    # An interrupt makes JupyterLab drop the cells behind it, so this one is run by hand.
    lab_page.run_last_cell()
    lab_page.wait_for_text("epochs, stopped")
    lab_page.screenshot("interrupted")
    kept = page.locator(".jp-OutputArea-output:has-text('epochs, stopped')").inner_text()
    assert int(kept.split()[1]) >= reached
    assert "stopped after epoch" in page.locator(".hcat-line").inner_text()


def test_a_dark_page_keeps_the_view_and_a_chart_shows_offline(lab_page: LabPage) -> None:
    page = lab_page.page
    own = (
        "import numpy as np, pandas as pd\n"
        "rng = np.random.default_rng(0)\n"
        "frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=list('abc'))\n"
        "frame['kind'] = np.where(frame.a > 0, '<b id=evil>bold</b>', 'plain')\n"
    )
    train = "run = %hcat_train frame --target kind --epochs 3 --seed 0 --methods aum"
    lab_page.open("dark.ipynb", [LOAD, own, train, "run.data_map(color='label')", "print('over')"])
    lab_page.command("notebook:run-all-cells")
    lab_page.wait_for_text("over")
    _epoch_after(page, 2)
    page.evaluate("() => { document.querySelector('.hcat-map canvas').hcatMark = 'first'; }")
    lab_page.theme("Dark")
    page.locator(".vega-embed, .jp-RenderedImage").last.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # two draws
    lab_page.screenshot("dark")
    assert page.evaluate("() => document.querySelector('.hcat-map canvas').hcatMark") == "first"
    assert page.locator("#evil").count() == 0
    assert lab_page.remote_requests() == []


def test_a_map_whose_module_loads_slowly_hears_the_epochs(lab_page: LabPage) -> None:
    page = lab_page.page
    check = "print('run of', len(run.scores), 'samples')"
    lab_page.open("slow.ipynb", [LOAD, f"run = {TRAIN} --epochs 4 --methods aum", check])
    page.evaluate(SLOW)
    lab_page.command("notebook:run-all-cells")
    lab_page.wait_for_text("run of 1797 samples")
    # After two seconds anywidget gives a module up, and says so for each message from then on.
    assert not [one for one in lab_page.messages if one.startswith("pageerror")]
    assert _epoch_after(page, 3) == 4
