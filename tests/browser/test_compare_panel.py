"""The compare panel in a real JupyterLab: offline, by clicks, in both themes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = pytest.mark.browser

RUNS = """import hcat_nb as hcat
options = dict(hardness="uniform", p=0.1, epochs=3, methods="aum loss vog", data_seed=0)
run_a, run_b = (hcat.characterize("wine", model_seed=seed, **options) for seed in (1, 2))"""
PANEL = """from hcat_nb.jupyter.review.compare_panel import ComparePanel
panel = ComparePanel()
panel"""
DRAWN = "seq => Number(document.querySelector('.hcat-chart')?.dataset.seq) === seq"
INK = """() => {
  const canvas = document.querySelector('.hcat-chart canvas');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, 30).data;
  let sum = 0, n = 0;
  for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] > 200) { sum += pixels[i]; n++; }
  return sum / n;
}"""


def test_runs_and_methods_are_compared_by_clicks(lab_page: LabPage) -> None:
    page = lab_page.page
    lab_page.open("compare.ipynb", [RUNS, PANEL])
    lab_page.command("notebook:run-all-cells")
    page.wait_for_function(DRAWN, arg=1)
    lists = page.locator(".jupyter-widgets select")
    assert "ranks by aum" in (page.locator(".hcat-chart").get_attribute("aria-label") or "")
    dark_text = page.evaluate(INK)
    lab_page.screenshot("compare_light")

    lists.nth(2).select_option("vog")
    page.wait_for_function(DRAWN, arg=2)
    assert "ranks by vog" in (page.locator(".hcat-chart").get_attribute("aria-label") or "")
    assert page.locator(".hcat-chart canvas").count() == 1

    lists.nth(1).select_option(index=0)  # the same run: two of its methods
    page.wait_for_selector("text=and method")
    page.wait_for_function(DRAWN, arg=3)

    lab_page.theme("Dark")
    # The same words, in the light ink of a dark page.
    page.wait_for_function(f"ink => ({INK})() > ink + 80", arg=dark_text)
    lab_page.screenshot("compare_dark")
    assert lab_page.remote_requests() == []
