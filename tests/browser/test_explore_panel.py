"""The explorer in a real JupyterLab: brush, look, decide by keyboard, come back tomorrow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = pytest.mark.browser

PICTURE = "() => document.querySelector('.hcat-map canvas').toDataURL()"
SETUP = "import hcat_nb, numpy as np, pandas as pd\nfrom pathlib import Path"


def _place(page: Any) -> str:
    words: str = page.locator(".hcat-place").inner_text()
    return words


def _wait_for_place(page: Any, pattern: str) -> str:
    page.wait_for_function(
        "pattern => new RegExp(pattern).test(document.querySelector('.hcat-place')?.textContent)",
        arg=pattern,
    )
    return _place(page)


def _settle(page: Any) -> None:
    """Wait for the gallery of a whole brush: on the way there are those of its parts."""
    before = None
    while (now := page.locator(".hcat-tiles").inner_text()) != before:
        before = now
        page.wait_for_timeout(1000)  # many times what a message takes


def _brush(page: Any, fractions: tuple[float, float, float, float], steps: int = 15) -> None:
    """Drag over the map, in shares of the canvas."""
    canvas = page.locator(".hcat-map canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x0, y0, x1, y1 = fractions
    page.mouse.move(box["x"] + x0 * box["width"], box["y"] + y0 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + x1 * box["width"], box["y"] + y1 * box["height"], steps=steps)
    page.mouse.up()


def _open_explorer(lab_page: LabPage) -> None:
    page = lab_page.page
    page.wait_for_selector(".hcat-tile")
    page.wait_for_selector(".hcat-map canvas")
    page.wait_for_function("() => document.querySelector('.hcat-map')?.dataset.epoch !== undefined")
    page.wait_for_selector(".hcat-verdict")
    page.wait_for_timeout(1000)  # the mark of the sample on the card is drawn


def test_from_a_brush_to_a_relabelled_image_that_is_there_tomorrow(lab_page: LabPage) -> None:
    page = lab_page.page
    train = (
        "run = hcat_nb.characterize('digits', hardness='uniform', p=.1, epochs=4, seed=0,\n"
        "    methods='aum,el2n,forgetting', keep_dynamics='probs', out='explored', overwrite=True)"
    )
    lab_page.open(
        "explore.ipynb", [SETUP, train, "panel = run.explore()\npanel.select(None)\npanel"]
    )
    lab_page.command("notebook:run-all-cells")
    _open_explorer(lab_page)
    assert _place(page) == "1–100 of 1,797 samples"

    plain = page.evaluate(PICTURE)
    _brush(page, (0.3, 0.45, 0.6, 0.8))
    _wait_for_place(page, "^1–[0-9]+ of (?!1,797)")
    _settle(page)
    lab_page.screenshot("explore_brushed")

    assert page.evaluate(PICTURE) != plain
    page.get_by_role("button", name="All samples").click()
    page.wait_for_function(f"plain => ({PICTURE})() === plain", arg=plain)
    _wait_for_place(page, "^1–100 of 1,797 samples$")
    lab_page.screenshot("explore_all")
    _brush(page, (0.3, 0.45, 0.6, 0.8))
    _wait_for_place(page, "^1–[0-9]+ of (?!1,797)")
    _settle(page)

    # One image by keyboard: to the third tile, relabel to the class 7 (or 8 where it is a 7).
    page.locator(".hcat-tile").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    focused = page.locator(".hcat-tile:focus")
    words = focused.get_attribute("aria-label")
    sample = re.search(r"sample (\d+)", words).group(1)
    label = re.search(r"label (\d)", words).group(1)
    page.wait_for_function(
        "words => document.querySelector('.hcat-detail')?.textContent.includes(words)",
        arg=f"sample{sample}",
    )
    given = "document.querySelectorAll('.hcat-detail svg circle.hcat-given').length"
    page.wait_for_function(f"() => {given} === 4")
    new = "8" if label == "7" else "7"
    page.keyboard.press("r")
    page.keyboard.type(new)
    lab_page.screenshot("explore_relabel")
    page.keyboard.press("Enter")
    page.wait_for_selector(f".hcat-tile[data-decision=relabel]:has-text('→ {new}')")
    page.wait_for_function("() => document.activeElement.className.startsWith('hcat-tile')")

    # It moved on to another one, which is marked and dropped; the drop is undone.
    page.keyboard.press("m")
    page.wait_for_selector(".hcat-tile[data-decision=mislabeled]")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("d")
    page.wait_for_selector(".hcat-tile[data-decision=drop]")
    page.keyboard.press("u")
    page.wait_for_selector(".hcat-tile[data-decision=mislabeled]")
    assert page.locator(".jp-Notebook-cell").count() == 3, "a shortcut reached the notebook"
    lab_page.screenshot("explore_decided")

    page.locator(".widget-accordion .jupyter-widget-Collapse-header").click()
    page.get_by_role("button", name="Export").click()
    page.wait_for_selector(".hcat-said:has-text('exported to decisions.csv')")
    exported = pd.read_csv(lab_page.folder / "decisions.csv", index_col="sample_id")
    assert exported.loc[int(sample), "action"] == "relabel"
    assert exported.loc[int(sample), "new_label"] == int(new)
    assert sorted(exported["action"]) == ["mislabeled", "relabel"]

    # A reload of the page brings the same page of the gallery; then the kernel is restarted.
    brushed = _place(page)
    assert brushed != "1–100 of 1,797 samples"
    lab_page.save("explore.ipynb")
    page.reload()
    page.wait_for_selector(".hcat-tile[data-decision=relabel]")
    _wait_for_place(page, f"^{re.escape(brushed)}$")
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    again = [
        SETUP,
        "run = hcat_nb.load_run('explored')\n"
        "clean = hcat_nb.load('digits')\n"
        "rows = run.details['label'].cat.codes.to_numpy().astype('int64')\n"
        "import torch\n"
        "noisy = clean.replace(labels=torch.from_numpy(rows))\n"
        "mended = run.apply(dataset=noisy)\n"
        "print('mended', mended.notes[-1])",
        "panel = run.explore(dataset=noisy)\npanel.select(None)\npanel",
    ]
    lab_page.open("again.ipynb", again)
    lab_page.command("notebook:run-all-cells")
    lab_page.wait_for_text("mended decisions applied: 1 relabelled, 1 unlabelled")
    _open_explorer(lab_page)
    page.locator(".widget-accordion .jupyter-widget-Collapse-header").click()
    page.get_by_label("decision", exact=True).select_option("decided")
    assert _wait_for_place(page, "of 2 samples") == "1–2 of 2 samples"
    assert page.locator(".hcat-tile[data-decision=relabel]").count() == 1
    lab_page.screenshot("explore_again")
    assert lab_page.remote_requests() == []
    # What the page sends in the moment in which its kernel restarts, JupyterLab refuses aloud.
    errors = [text for text in lab_page.messages if text.startswith("pageerror")]
    assert not [text for text in errors if text != "pageerror: Cannot send"]


EVIL = "<b id=evil>bold</b>"
DATA = {
    "table": (
        "rng = np.random.default_rng(0)\n"
        "frame = pd.DataFrame(rng.normal(size=(300, 3)), columns=['size', 'b', 'c'])\n"
        "frame['colour'] = pd.Categorical(rng.choice(['red', EVIL], 300))\n"
        "frame['y'] = np.where(frame['size'] > 0, EVIL, 'plain')\n"
        "frame.loc[5, 'b'] = np.nan\n"
        "frame.index = [f'{EVIL}{i}' for i in range(300)]\n"
        "data = hcat_nb.load(frame, target='y', impute='median')"
    ),
    "text": (
        "frame = pd.DataFrame({\n"
        "    'text': [f'{EVIL} the film number {i} was ' + ('good' if i % 2 else 'bad')\n"
        "             for i in range(300)],\n"
        "    'y': ['liked' if i % 2 else EVIL for i in range(300)]})\n"
        "data = hcat_nb.load(frame, target='y', text='text')"
    ),
}


@pytest.mark.parametrize("kind", DATA)
def test_rows_and_texts_show_markup_as_text_in_light_and_dark(kind: str, lab_page: LabPage) -> None:
    page = lab_page.page
    make = f"EVIL = {EVIL!r}\n{DATA[kind]}"
    train = "run = hcat_nb.characterize(data, epochs=2, methods='aum,el2n', seed=0)"
    lab_page.open(f"{kind}.ipynb", [SETUP, make, train, "run.explore(y='aum')"])
    lab_page.command("notebook:run-all-cells")
    _open_explorer(lab_page)
    page.locator(".hcat-tile").nth(1).focus()
    page.keyboard.press("r")
    page.wait_for_selector(".hcat-choices > div")
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    page.wait_for_selector(".hcat-tile[data-decision=mislabeled]")
    page.wait_for_function(
        "() => document.querySelector('.hcat-detail').textContent.includes('keep_dynamics')"
    )
    assert page.locator("#evil").count() == 0
    assert EVIL in page.locator(".hcat-tiles").inner_text()
    for theme in ("Light", "Dark"):
        lab_page.theme(theme)
        page.wait_for_timeout(1000)  # two draws
        lab_page.screenshot(f"explore_{kind}_{theme.lower()}")
    assert page.locator("#evil").count() == 0
    assert lab_page.remote_requests() == []


def test_keys_of_the_notebook_do_not_fire(either_page: LabPage) -> None:
    page = either_page.page
    train = "run = hcat_nb.characterize('wine', epochs=1, methods='el2n', seed=0)"
    either_page.open("keys.ipynb", [SETUP, train, "run.explore()"])
    either_page.command("notebook:run-all-cells")
    _open_explorer(either_page)
    page.locator(".hcat-tile").first.focus()
    # In command mode: cut, cut by d d, insert above and below, merge, to markdown, to raw.
    for key in "xddabmryczvl0011":
        page.keyboard.press(key)
        if page.locator(".hcat-chooser input:focus").count():
            page.keyboard.press("Escape")
    for key in ("Enter", "ArrowDown", "PageDown", "End", "Home", "Space", "Shift+ArrowRight"):
        page.keyboard.press(key)
    # Of a button, too: Enter presses it, and does not begin to edit the cell.
    page.locator(".hcat-tile").first.focus()
    page.locator(".hcat-button", has_text="Drop").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".hcat-tile[data-decision=drop]")
    assert page.evaluate("() => document.activeElement.className").startswith("hcat-button")
    assert page.locator(".jp-CodeCell").count() == 3
    assert page.locator(".jp-MarkdownCell, .jp-RawCell").count() == 0
