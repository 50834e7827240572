"""The whole job on own data in a real JupyterLab: find, decide, mend, train again, come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = pytest.mark.browser

LOAD = "%load_ext hcat_nb\nimport hcat_nb as hcat, numpy as np, pandas as pd"
FRAME = """rng = np.random.default_rng(0)
frame = pd.DataFrame({'age': rng.integers(18, 90, 300), 'income': rng.lognormal(10, 1, 300),
                      'city': rng.choice(['Paris', 'Oslo', None], 300)})
frame.loc[7, 'income'] = np.nan
frame['risk'] = np.where(frame.age > 50, 'high', 'low')
frame.index = [f'p{i:03}' for i in range(300)]"""
TRAIN = (
    "run = %hcat_train frame --target risk --dataset-options impute=median --epochs 3 --seed 0 "
    "--methods aum el2n --out own_run"
)
RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"


def test_a_mended_frame_is_trained_again_and_the_decisions_are_there_tomorrow(
    lab_page: LabPage,
) -> None:
    page = lab_page.page
    page.set_viewport_size({"width": 1300, "height": 2400})
    lab_page.open("own.ipynb", [LOAD, FRAME, TRAIN, "run.explore()"])
    lab_page.command("notebook:run-all-cells")
    page.wait_for_selector(".hcat-tile")
    page.locator(".hcat-tile").first.click()
    # Scores are folded, and stand within the card when they are opened.
    page.locator(".hcat-fold summary", has_text="scores").click()
    page.wait_for_selector(".hcat-meter")
    panel = page.locator(".hcat-detail").bounding_box()
    meter = page.locator(".hcat-meter").last.bounding_box()
    assert meter["x"] + meter["width"] <= panel["x"] + panel["width"]
    page.locator(".hcat-tile").first.click()
    page.keyboard.press("d")
    page.wait_for_selector(".hcat-tile[data-decision=drop]")
    lab_page.screenshot("own_explored")

    page.evaluate(RESTART)
    mended = [
        LOAD,
        FRAME,
        "run = hcat.load_run('own_run')\nrun.explore()",
        "run.explore(dataset=frame)",
        "mended = run.apply()\nprint('mended', len(mended))",
        "again = %hcat_train mended --epochs 3 --seed 0 --methods aum el2n",
        "%hcat_compare run again",
    ]
    lab_page.open("own_again.ipynb", mended)
    lab_page.command("notebook:run-all-cells")
    page.wait_for_selector(".hcat-said:has-text('without the samples: the run was trained on')")
    lab_page.wait_for_text("mended 299")
    page.wait_for_selector(".hcat-tile[data-decision=drop]")
    page.wait_for_selector("text=run and again, by aum")
    page.wait_for_function("() => document.querySelector('.hcat-chart')?.dataset.seq === '1'")
    lab_page.screenshot("own_compared")
    assert lab_page.remote_requests() == []
    assert not [text for text in lab_page.messages if text.startswith("pageerror")]


def test_a_loaded_run_shows_the_pictures_that_it_made_hard(lab_page: LabPage) -> None:
    page = lab_page.page
    train = (
        "import hcat_nb as hcat\n"
        "hcat.characterize('digits', hardness='uniform', p=.2, subset=100, epochs=2, seed=0,\n"
        "    methods='aum', out='noisy_run')"
    )
    lab_page.open("noisy.ipynb", [train, "hcat.load_run('noisy_run').explore()"])
    lab_page.command("notebook:run-all-cells")
    page.wait_for_selector(".hcat-of-image .hcat-tile")
    assert page.locator(".hcat-said").inner_text() == ""
    lab_page.screenshot("noisy_loaded")
