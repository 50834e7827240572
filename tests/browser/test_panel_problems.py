"""The panel on data of the user's own: what was read, and a button that mends a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FRAME = (
    "import numpy as np, pandas as pd\n"
    "frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list('abc'))\n"
    "frame['kind'] = ['oak', 'elm'] * 30\nframe.loc[5, 'a'] = np.nan"
)


def test_two_buttons_mend_what_is_missing_and_the_data_are_shown(lab_page: LabPage) -> None:
    page = lab_page.page
    cells = ["%load_ext hcat_nb\n" + FRAME, "%hcat_panel frame --hardness none"]
    lab_page.open("problems.ipynb", cells)
    lab_page.command("notebook:run-all-cells")
    alert = page.locator("[role=alert]")
    alert.get_by_text("no labels were given").wait_for()
    lab_page.screenshot("panel_problem")
    # The column of the labels, then the row with a missing number.
    page.get_by_role("button", name="target: kind").click()
    alert.get_by_text("1 of 60 rows has NaN").wait_for()
    page.get_by_role("button", name="Leave these rows out").click()
    page.get_by_text("classes: elm").wait_for()
    line = page.get_by_label("magic line").inner_text()
    assert "--target kind" in line
    assert "--on-bad-row drop" in line
    assert alert.count() == 0
    assert "59 samples looked at" in page.locator(".jp-OutputArea").last.inner_text()
    lab_page.screenshot("panel_own_data")
