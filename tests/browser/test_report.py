"""The report in a browser without a network: every chart is drawn, and drawn whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hcat_nb.study.report import write_report

pytestmark = pytest.mark.browser

# Of each chart: its title, how many marks the page drew, and the pictures that are left.
DRAWN = """() => [...document.querySelectorAll('.hcat-chart')].map(place => {
  const title = JSON.parse(place.querySelector('script').textContent).title.text;
  return [title, place.querySelectorAll('svg path, svg text').length,
          place.querySelectorAll('img').length];
})"""


def test_every_chart_of_the_report_is_drawn(browser: Any, repository: Path, tmp_path: Path) -> None:
    page_file = write_report(
        repository / "notebooks" / "small_study", tmp_path / "report.html", progress=False
    )
    context = browser.new_context(offline=True, viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(300_000)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(page_file.as_uri())
    page.wait_for_function("() => !document.querySelector('.hcat-chart img')")
    drawn = page.evaluate(DRAWN)
    page.screenshot(path=Path(__file__).parent / "screenshots" / "report.png", full_page=True)
    context.close()
    assert said == []
    assert len(drawn) >= 8
    for title, n_marks, n_pictures in drawn:
        # a plot that is not drawn leaves its title, of two lines
        assert n_marks > 30, title
        assert n_pictures == 0, title
