"""Whole journeys, as a person makes them: an analyst's, a teacher's, a researcher's."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PLANTED = 20


def _plant(photos: Path, root: Path) -> dict[str, str]:
    """Copy the photos, 20 of them into the folder of the next class; return their true classes."""
    classes = sorted(one.name for one in photos.iterdir() if one.is_dir())
    shutil.copytree(photos, root)
    planted = {}
    for k in range(PLANTED):
        true = classes[k % len(classes)]
        wrong = classes[(k + 1) % len(classes)]
        file = sorted((photos / true).iterdir())[7 * (k // len(classes))]
        (root / true / file.name).rename(root / wrong / file.name)
        planted[f"{wrong}/{file.name}"] = true
    return planted


def _said(page: Any) -> str:
    words: str = page.locator(".hcat-progress").inner_text()
    return words


def test_an_analyst_cleans_a_folder_of_photos(lab_page: LabPage, shared_data: Path) -> None:
    page = lab_page.page
    page.set_viewport_size({"width": 1240, "height": 1000})
    photos = shared_data / "image_folder" / "flowers"
    planted = _plant(photos, lab_page.folder / "my_flowers")
    cells = [
        "import hcat_nb\nrun = hcat_nb.characterize('./my_flowers', epochs=6, methods='aum,loss',\n"
        "    seed=0, listeners=[], judges=False, folds='0', learning_check=False)\n"
        "queue = run.hardest(60).frame.reset_index()[['sample_id']].head(40)\n"
        # of photos like these nothing is proposed; these are the analyst's own guesses
        "queue['proposal'] = [run.details['predicted'][one] for one in queue.sample_id]\n",
        "panel = run.explore(queue=queue)\npanel",
        f"planted = {planted!r}\nlabel = getattr(hcat_nb, 'last_run', run).details['label']\n"
        f"mended = sum(label.get(one) == true for one, true in planted.items())\n"
        f"print(f'{{mended}} of {{len(planted)}} are mended')",
    ]
    lab_page.open("analyst.ipynb", cells)
    lab_page.command("application:toggle-left-area")
    lab_page.command("notebook:run-all-cells")
    page.wait_for_selector(".hcat-progress:has-text('0 of 40 suspects reviewed')")
    assert page.get_by_role("button", name="Apply and retrain").is_disabled()
    page.locator(".hcat-tile").first.focus()
    found = 0
    for k in range(40):
        focused = page.locator(".hcat-tile:focus")
        name = focused.get_attribute("aria-label")
        (wrong,) = [one for one in planted if one in name] or [""]
        if not wrong:
            page.keyboard.press("k")
        elif re.search(rf"proposed {planted[wrong]}\b", name):
            page.keyboard.press("a")
        else:
            page.keyboard.press("d")
        found += bool(wrong)
        page.wait_for_selector(f".hcat-progress:has-text('{k + 1} of 40 suspects reviewed')")
    assert found >= 4  # of 20 planted; by chance 1.6 of the first 40
    accepted = int(re.search(r"(\d+) accepted", _said(page))[1])
    lab_page.screenshot("journey_analyst_reviewed")
    page.get_by_role("button", name="Apply and retrain").click()
    page.get_by_text("the new run is hcat_nb.last_run").wait_for()
    page.locator(f".hcat-live :text('{accepted} relabelled: ')").wait_for()
    page.locator(".hcat-frame > .hcat-result").scroll_into_view_if_needed()
    lab_page.screenshot("journey_analyst_retrained")
    # The run that was trained again has the labels that were accepted, and they are the true ones.
    lab_page.run_last_cell()
    lab_page.wait_for_text(f"{accepted} of {PLANTED} are mended")
    assert not [text for text in lab_page.messages if text.startswith("pageerror")]


def test_a_teacher_shows_it_on_one_screen(either_page: LabPage) -> None:
    """The truth stays hidden until it is revealed; then the looks are counted against it."""
    lab_page, page = either_page, either_page.page
    page.set_viewport_size({"width": 1400, "height": 1000})
    cells = [
        "import hcat_nb\nrun = hcat_nb.characterize('digits', subset=400, epochs=4, seed=0,\n"
        "    methods='aum,el2n', hardness='uniform', p=.1, listeners=[], folds='0')",
        "panel = run.explore(reveal=False)\npanel",
    ]
    lab_page.open("teacher.ipynb", cells)
    opened = len(lab_page.messages)  # what the front end says of itself while it opens
    if lab_page.tree == "lab/tree":
        lab_page.command("application:toggle-left-area")
    lab_page.command("notebook:run-all-cells")
    page.locator(".hcat-tile").first.wait_for()
    page.wait_for_function("() => document.querySelector('.hcat-map')?.dataset.epoch !== undefined")
    before = page.locator(".hcat-head h3").evaluate("one => getComputedStyle(one).fontSize")
    page.get_by_role("button", name="Present").click()
    page.wait_for_function(
        "before => parseFloat(getComputedStyle(document.querySelector('.hcat-head h3')).fontSize)"
        " > parseFloat(before)",
        arg=before,
    )
    # It fills the notebook's own area.
    share = page.evaluate(
        """() => {
          const frame = document.querySelector('.hcat-presented').getBoundingClientRect();
          const page = document.querySelector('.jp-NotebookPanel').getBoundingClientRect();
          return frame.width / page.width;
        }"""
    )
    assert share > 0.9
    page.locator(".hcat-tile").first.focus()
    for _ in range(5):
        page.keyboard.press("m")
    page.locator(".hcat-progress:has-text('5 of ')").wait_for()
    assert "found" not in _said(page)
    lab_page.screenshot("journey_teacher_hidden")
    page.get_by_role("button", name="Reveal truth").click()
    page.locator(".hcat-progress:has-text('with 5 looks')").wait_for()
    assert re.search(r"found \d of 40 with 5 looks", _said(page))
    page.get_by_role("button", name="Present").click()
    page.locator(".hcat-presented").wait_for(state="detached")
    lab_page.screenshot("journey_teacher_revealed")
    # Vega tells what it cannot compute on the console.
    bad = ("pageerror", "error: ERROR")
    assert not [text for text in lab_page.messages[opened:] if text.startswith(bad)]


SWEEP = """%%hcat_sweep --out noise_study --workers 1
grid: {dataset: [wine], hardness: [uniform, asymmetric], p: [0.1, 0.2]}
base: {model: mlp, epochs: 4, methods: [aum, el2n, loss], judges: false}
"""


def test_a_researcher_goes_from_a_sweep_to_its_report(lab_page: LabPage) -> None:
    """The answer leads in the notebook and on the page, and both say the same."""
    page = lab_page.page
    page.set_viewport_size({"width": 1240, "height": 1200})
    report = "import sys\n!{sys.executable} -m hcat_nb report noise_study"
    lab_page.open("researcher.ipynb", ["%load_ext hcat_nb", SWEEP, report])
    lab_page.command("application:toggle-left-area")
    lab_page.command("notebook:run-all-cells")
    page.locator(".jp-OutputArea-output:has-text('of 1 run')").wait_for()  # best so far
    answer = page.locator(".jp-OutputArea-output p:has-text('On these data')")
    answer.wait_for()
    told = answer.inner_text()
    shown = page.locator(".jp-OutputArea-output:has(em)").first
    assert "4/4 done" in shown.inner_text()
    assert "hcat report noise_study" in shown.inner_text()
    heads = shown.locator("thead th").all_inner_texts()
    assert {"uniform", "asymmetric"} <= set(heads)
    assert told.split(" for ")[0].endswith(shown.locator("tbody th").first.inner_text())
    lab_page.screenshot("journey_researcher_sweep")
    lab_page.wait_for_text("report: ")
    made = lab_page.folder / "noise_study" / "report.html"
    page.goto(made.as_uri())
    page.wait_for_function("() => !document.querySelector('.hcat-chart img')")
    lab_page.screenshot("journey_researcher_report")
    words = page.locator("main").inner_text()
    assert words.split("\n", 1)[1].strip().startswith("On these data")
    assert told.split(":")[1].split(";")[0].strip()[:12] in words
    # Before any scrolling: the sentence and the heatmap.
    assert page.locator(".hcat-chart").first.bounding_box()["y"] < 1200
    assert page.locator("text=H-CAT's evaluator").count() == 0
    page.get_by_role("link", name="Ranks", exact=True).click()
    page.wait_for_function(
        "() => Math.abs(document.getElementById('Ranks').getBoundingClientRect().top) < 50"
    )
    assert not [text for text in lab_page.messages if text.startswith("pageerror")]
