"""The live map in a real JupyterLab: it moves in place, offline, and leaves a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = pytest.mark.browser

TRAIN = "%hcat_train digits --hardness uniform --p 0.1 --seed 0"
LOAD = "%load_ext hcat_nb"

# Reads the plot itself, without the title, whose text changes anyway.
PIXELS = """() => {
  const canvas = document.querySelector('.hcat-map canvas');
  const top = Math.round(canvas.height * 0.2);
  const data = canvas.getContext('2d')
    .getImageData(0, top, canvas.width, canvas.height - top).data;
  return {epoch: Number(document.querySelector('.hcat-map').dataset.epoch), data: Array.from(data)};
}"""


def _epoch_after(page: Any, epoch: int) -> dict[str, Any]:
    """Wait until an epoch later than ``epoch`` is drawn, and read it."""
    page.wait_for_function(
        "epoch => Number(document.querySelector('.hcat-map')?.dataset.epoch) > epoch",
        arg=epoch,
        timeout=120_000,
    )
    state: dict[str, Any] = page.evaluate(PIXELS)
    return state


def _moved(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Return the share of painted pixels that differ."""
    pairs = zip(before["data"], after["data"], strict=True)
    differ = sum(one != other for one, other in pairs)
    return differ / max(1, sum(value > 0 for value in after["data"]))


def test_the_same_map_moves_between_epochs_and_nothing_leaves_the_machine(
    lab_page: LabPage,
) -> None:
    page = lab_page.page
    check = "print('run of', len(run.scores), 'samples,', len(run.history), 'epochs')"
    lab_page.open("live.ipynb", [LOAD, f"run = {TRAIN} --epochs 8", check])
    lab_page.command("notebook:run-all-cells")

    first = _epoch_after(page, 0)
    page.evaluate("() => { document.querySelector('.hcat-map canvas').hcatMark = 'first'; }")
    lab_page.screenshot("live_early")
    second = _epoch_after(page, first["epoch"])
    assert second["epoch"] <= 8
    lab_page.wait_for_text("run of 1797 samples, 8 epochs")
    last = _epoch_after(page, 7)
    lab_page.screenshot("live_end")

    assert _moved(first, second) > 0.01
    assert _moved(first, last) > 0.05
    mark = page.evaluate("() => document.querySelector('.hcat-map canvas').hcatMark")
    assert mark == "first", "the map was embedded anew"
    assert page.locator(".hcat-map canvas").count() == 1
    assert "finished after epoch 8/8" in page.locator(".hcat-line").inner_text()
    assert page.locator("img[alt*='1,797 samples']").count() == 1
    assert not page.locator("img[alt*='1,797 samples']").is_visible()
    assert lab_page.remote_requests() == []
    assert not [text for text in lab_page.messages if text.startswith("pageerror")]
