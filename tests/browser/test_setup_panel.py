"""The setup panel in JupyterLab and in Notebook 7: preview, Train, Pause, Stop, keyboard, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = pytest.mark.browser

LOAD = "%load_ext hcat_nb"
OPEN = (
    "panel = %hcat_panel digits --hardness zoom_shift --epochs 90000 --methods aum el2n --seed 0\n"
    "panel"
)
EPOCH = "() => Number(document.querySelector('.hcat-map')?.dataset.epoch ?? 0)"
# Every control and what a screen reader calls it; hidden ones are not reached.
NAMES = """() => [...document.querySelectorAll(
    '.jp-OutputArea input, .jp-OutputArea select, .jp-OutputArea button, .jp-OutputArea textarea')]
  .filter((one) => one.offsetParent !== null)
  .map((one) => [one.outerHTML.slice(0, 120),
    (one.getAttribute('aria-label') || one.innerText
      || [...(one.labels ?? [])].map((label) => label.innerText).join('')).trim()])"""


def _button(page: Any, text: str) -> Any:
    return page.locator(f".jupyter-button:has-text('{text}')").first


def _opened(lab_page: LabPage, name: str, cells: list[str]) -> Any:
    page = lab_page.page
    lab_page.open(name, [LOAD, OPEN, *cells])
    lab_page.command("notebook:run-all-cells")
    page.wait_for_selector("img[alt*='before']")
    return page


def _wait_for_epoch(page: Any, after: int) -> int:
    page.wait_for_function(f"after => ({EPOCH})() > after", arg=after)
    reached: int = page.evaluate(EPOCH)
    return reached


def _halted(page: Any) -> int:
    """Return the epoch at which the map stands still; a busy machine draws it late."""
    for _ in range(6):
        epoch: int = page.evaluate(EPOCH)
        page.wait_for_timeout(4000)  # many epochs long, if it went on
        if page.evaluate(EPOCH) == epoch:
            return epoch
    pytest.fail("the map moves on after Pause")


def test_train_pause_and_stop_while_it_trains(either_page: LabPage) -> None:
    check = (
        "print('kept', len(panel.run.history), panel.run.info['outcome'], len(panel.run.scores))"
    )
    page = _opened(either_page, "panel.ipynb", ["print('free', 1 + 1)"])
    either_page.wait_for_text("free 2")
    either_page.screenshot("panel_open")
    before = len(either_page.messages)  # what the front end says of itself while it opens

    _button(page, "Train").click()
    reached = _wait_for_epoch(page, 0)
    _button(page, "Pause").click()
    page.wait_for_selector(".widget-button:has-text('Resume')")
    paused = _halted(page)
    _button(page, "Resume").click()
    later = _wait_for_epoch(page, paused)
    assert later > reached
    _button(page, "Stop").click()
    page.wait_for_selector(".hcat-stopped")
    page.wait_for_selector("[role=status]:has-text('.run of this panel')")
    page.locator(".hcat-map").scroll_into_view_if_needed()
    either_page.screenshot("panel_stopped")

    # In both front ends: a new cell at the end, typed by hand.
    page.evaluate(
        """code => {
          const { content } = window.jupyterapp.shell.currentWidget;
          content.activeCellIndex = content.widgets.length - 1;
          content.activeCell.model.sharedModel.setSource(code);
        }""",
        check,
    )
    either_page.run_last_cell()
    either_page.wait_for_text("stopped 1797")
    kept = page.locator(".jp-OutputArea-output:has-text('stopped 1797')").last.inner_text()
    assert int(kept.split()[1]) >= later
    assert either_page.remote_requests() == []
    said = either_page.messages[before:]
    assert not [text for text in said if text.startswith("pageerror")]


def test_every_control_has_a_name_and_the_keyboard_reaches_it(either_page: LabPage) -> None:
    page = _opened(either_page, "keys.ipynb", [])
    for title in ("Methods", "More options"):
        _button(page, title).focus()
        page.keyboard.press("Space")
    page.wait_for_selector(".widget-button:has-text('Estimate')")
    either_page.screenshot("panel_unfolded")
    names = page.evaluate(NAMES)
    assert len(names) > 40  # 27 options, 13 methods, and buttons
    assert [html for html, name in names if not name] == []

    # By Tab alone from the first control to Train, which Enter presses.
    page.locator(".jp-OutputArea select").first.focus()
    for _ in range(len(names) + 10):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.innerText?.trim()") == "Train":
            break
    else:
        pytest.fail("Tab does not lead to Train")
    page.keyboard.press("Enter")
    _wait_for_epoch(page, 0)
    _button(page, "Stop").focus()
    page.keyboard.press("Space")
    page.wait_for_selector(".hcat-stopped")


def test_another_kind_moves_preview_and_line_and_a_mistake_is_text(lab_page: LabPage) -> None:
    from playwright.sync_api import expect

    page = _opened(lab_page, "preview.ipynb", [])
    before = page.locator("img[alt*='after']").first.get_attribute("src")
    page.get_by_label("hardness", exact=True).select_option("crop_shift")
    page.wait_for_function(
        "old => document.querySelector(\"img[alt*='after']\")?.src !== old", arg=before
    )
    assert "--hardness crop_shift" in page.get_by_label("magic line").inner_text()
    assert "hardness='crop_shift'" in page.get_by_label("Python code").inner_text()
    target = page.get_by_label("model options", exact=True)
    _button(page, "More options").click()
    target.fill("<b id=evil>x</b>")
    target.press("Enter")
    page.wait_for_selector(".jp-OutputArea :text('is no option')")
    assert page.locator("#evil").count() == 0
    expect(_button(page, "Train")).to_be_disabled(timeout=300_000)


def test_a_panel_shown_twice_shows_the_same_twice(lab_page: LabPage) -> None:
    page = _opened(lab_page, "twice.ipynb", ["panel"])
    page.wait_for_function("() => document.querySelectorAll(\"img[alt*='before']\").length === 12")
    hardness = page.get_by_label("hardness", exact=True)
    assert hardness.count() == 2
    hardness.nth(1).select_option("uniform")
    page.wait_for_function(
        "() => [...document.querySelectorAll('pre[aria-label=\"magic line\"]')]"
        ".every((one) => one.innerText.includes('--hardness uniform'))"
    )
    assert hardness.nth(0).input_value() == "uniform"


def test_a_dark_page_and_a_restarted_kernel(lab_page: LabPage) -> None:
    page = _opened(lab_page, "dark_panel.ipynb", [])
    lab_page.theme("Dark")
    _button(page, "Methods").click()
    page.wait_for_selector(".widget-button:has-text('Estimate')")
    lab_page.screenshot("panel_dark")
    lab_page.save("dark_panel.ipynb")
    saved = (lab_page.folder / "dark_panel.ipynb").read_bytes()
    (lab_page.folder / "panel_again.ipynb").write_bytes(saved)
    lab_page.open("panel_again.ipynb")
    words = page.locator(".hcat-static:has-text('%hcat_panel opens it again')")
    words.wait_for(state="visible")
    page.wait_for_timeout(2000)  # the error, if it comes, comes after the widget's time-out
    assert "model not found" not in page.locator(".jp-Notebook").inner_text().lower()
