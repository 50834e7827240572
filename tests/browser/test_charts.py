"""The charts of a run in a real JupyterLab, which draws them with a Vega-Lite of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = pytest.mark.browser

TRAIN = (
    "import hcat_nb\n"
    "run = hcat_nb.characterize('wine', hardness='uniform', p=.2, epochs=3, seed=0,\n"
    "    methods='aum,loss,vog', keep_dynamics='probs')"
)
CHARTS = [
    "run.data_map()",
    "run.curves()",
    "run.histograms()",
    "run.agreement()",
    "run.by_class()",
    "run.trajectories()",
    "run.auroc_by_epoch()",
    "run.scatter('aum', 'vog')",
    "run.costs_chart()",
]

# How light the text of the last chart is: 0 is black, 255 white.
INK = """() => {
  const charts = document.querySelectorAll('.vega-embed svg.marks');
  const text = charts[charts.length - 1].querySelector('text');
  const [red] = getComputedStyle(text).fill.match(/[0-9.]+/g).map(Number);
  return red;
}"""


def test_jupyterlab_draws_every_chart_without_a_complaint(lab_page: LabPage) -> None:
    page = lab_page.page
    page.set_viewport_size({"width": 1100, "height": 5000})  # a cell out of sight is not drawn
    lab_page.open("charts.ipynb", [TRAIN, *CHARTS])
    lab_page.command("notebook:run-all-cells")
    page.wait_for_function(
        "n => document.querySelectorAll('.vega-embed svg.marks, .jp-RenderedText').length >= n",
        arg=len(CHARTS),
    )
    assert "Error" not in page.locator(".jp-Notebook").inner_text()
    assert page.locator(".vega-embed svg.marks").count() == len(CHARTS)
    lab_page.screenshot("charts")

    # The words of a chart are as light or dark as the page needs, whatever theme it was drawn in.
    assert page.evaluate(INK) < 100
    lab_page.theme("Dark")
    page.wait_for_function(f"() => ({INK})() > 155")
    lab_page.screenshot("charts_dark")
    lab_page.run_last_cell()
    page.wait_for_selector(".vega-embed svg.marks")
    assert page.evaluate(INK) > 155
    assert lab_page.remote_requests() == []
