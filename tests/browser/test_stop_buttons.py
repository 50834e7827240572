"""Pause and Stop of the run monitor while its cell blocks, by whatever route this kernel has.

With ``HCAT_KERNEL_PYTHON`` the same tests hold for another version of ipykernel.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = pytest.mark.browser

CELLS = [
    "%load_ext hcat_nb",
    "run = %hcat_train digits --hardness uniform --epochs 90000 --methods aum --seed 0",
    "print('kept', len(run.history), 'epochs,', run.info['outcome'])",
]
EPOCH = "() => Number(document.querySelector('.hcat-map')?.dataset.epoch ?? 0)"


def _version() -> tuple[int, ...]:
    python = os.environ.get("HCAT_KERNEL_PYTHON", sys.executable)
    code = "import ipykernel; print(*ipykernel.version_info[:2])"
    printed = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return tuple(map(int, printed.stdout.split()))


def _halted(page: Any) -> int:
    """Return the epoch at which the map stands still; a busy machine draws it late."""
    for _ in range(6):
        epoch: int = page.evaluate(EPOCH)
        page.wait_for_timeout(4000)  # many epochs long, if it went on
        if page.evaluate(EPOCH) == epoch:
            return epoch
    pytest.fail("the map moves on after Pause")


def test_stop_while_the_cell_blocks(either_page: LabPage) -> None:
    from playwright.sync_api import expect

    page = either_page.page
    either_page.open("button.ipynb", CELLS)
    either_page.command("notebook:run-all-cells")
    page.wait_for_function(f"() => ({EPOCH})() > 0")
    reached = page.evaluate(EPOCH)
    pause = page.locator(".hcat-monitor button", has_text="Pause")
    # Messages reach a blocked kernel through a subshell, which ipykernel 6 does not have.
    hears = _version() >= (7, 0)
    if hears:  # a message there and back has to tell it
        expect(pause).to_be_enabled(timeout=300_000)
    either_page.screenshot(f"buttons_ipykernel_{'_'.join(map(str, _version()))}")
    assert pause.is_enabled() is hears
    if hears:
        pause.click()
        page.wait_for_selector(".hcat-line:has-text('paused')")
        _halted(page)
        page.locator(".hcat-monitor button", has_text="Resume").click()
    interrupts = [url for url in either_page.requests if url.endswith("/interrupt")]
    page.locator(".hcat-monitor button", has_text="Stop").click()
    page.wait_for_selector(".hcat-stopped")
    either_page.screenshot("stopped_by_button")
    asked = [url for url in either_page.requests if url.endswith("/interrupt")]
    assert len(asked) - len(interrupts) == (0 if hears else 1)
    either_page.run_last_cell()
    either_page.wait_for_text("epochs, stopped")
    kept = page.locator(".jp-OutputArea-output:has-text('epochs, stopped')").last.inner_text()
    assert int(kept.split()[1]) >= reached


def test_the_server_is_asked_where_the_kernel_is_deaf(lab_page: LabPage) -> None:
    page = lab_page.page
    deaf = (
        "from hcat_nb.jupyter.run_monitor import RunMonitor\n"
        "RunMonitor._hear = lambda *_: None  # as if no message arrived while a cell blocks"
    )
    lab_page.open("deaf.ipynb", [*CELLS[:1], deaf, *CELLS[1:]])
    lab_page.command("notebook:run-all-cells")
    page.wait_for_function(f"() => ({EPOCH})() > 0")
    assert page.locator(".hcat-monitor button", has_text="Pause").is_disabled()
    page.locator(".hcat-monitor button", has_text="Stop").click()
    page.wait_for_selector(".hcat-stopped")
    assert [url for url in lab_page.requests if url.endswith("/interrupt")]
    lab_page.run_last_cell()
    lab_page.wait_for_text("epochs, stopped")
