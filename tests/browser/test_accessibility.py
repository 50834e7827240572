"""axe-core on each view, in light and in dark: nothing serious, nothing critical.

axe-core is a tool of widgets/package.json.  Without node there is none, and the tests are
skipped, also where a browser is required: this file has no mark ``browser`` of that kind.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = pytest.mark.slow

TRAIN = (
    "%load_ext hcat_nb\nimport hcat_nb\n"
    "run = %hcat_train digits --subset 400 --hardness uniform --p 0.1 --epochs 3 --seed 0"
    " --methods aum,el2n"
)
SWEEP = (
    "%load_ext hcat_nb\nplan = {'dataset': 'wine', 'epochs': 1, 'methods': ['aum', 'el2n'],\n"
    "    'hardness': 'uniform', 'p': [.1, .2]}\n"
    "done = %hcat_sweep plan --out axe_sweep --workers 1"
)
# Cells, what is there when they are done, what is looked at.
VIEWS = {
    "live": ([TRAIN], ".hcat-result", ".hcat-frame"),
    "explorer": ([TRAIN, "run.explore()"], ".hcat-bench .hcat-verdict", ".hcat-bench"),
    "panel": (
        ["%load_ext hcat_nb\n%hcat_panel digits --hardness uniform --p 0.1"],
        ".jp-OutputArea-output figure img, .jp-OutputArea-output td img",
        ".hcat-live",
    ),
    "compare": (
        [TRAIN, "%hcat_compare run --methods aum el2n"],
        ".hcat-chart canvas",
        ".hcat-live:has(.hcat-chart)",
    ),
    "sweep": ([SWEEP], ".jp-OutputArea-output em", ".jp-OutputArea-output:has(em)"),
}
FOUND = """async view => {
  const { violations } = await axe.run(view, { resultTypes: ['violations'] });
  return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(one => `${id}: ${one.html.slice(0, 200)} ` +
      one.any.concat(one.all, one.none).map(({ message }) => message).join('; ')));
}"""


@pytest.fixture(scope="session")
def axe(repository: Path) -> str:
    """The script of axe-core."""
    modules = repository / "widgets" / "node_modules"
    script = modules / "axe-core" / "axe.min.js"
    if not script.is_file():
        if modules.is_dir() and os.environ.get("HCAT_REQUIRE_BROWSER"):
            pytest.fail(f"{script} is missing: `npm ci` in widgets/ installs it")
        pytest.skip("needs axe-core: `npm ci` in widgets/ installs it")
    return script.read_text(encoding="utf-8")


def _faults(page: Any, axe: str, view: str) -> list[str]:
    page.evaluate(axe)
    found: list[str] = page.evaluate(FOUND, view)
    return found


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_no_serious_fault(name: str, axe: str, lab_page: LabPage) -> None:
    cells, ready, view = VIEWS[name]
    page = lab_page.page
    lab_page.open(f"axe_{name}.ipynb", cells)
    lab_page.command("notebook:run-all-cells")
    page.locator(ready).first.wait_for()
    page.wait_for_timeout(1500)  # what is drawn after it
    found = {}
    for theme in ("Light", "Dark"):
        lab_page.theme(theme)
        page.wait_for_timeout(500)
        found[theme] = _faults(page, axe, view)
    assert found == {"Light": [], "Dark": []}
    # It would be found: a picture without words.
    page.evaluate(
        "view => document.querySelector(view).append(Object.assign(new Image(), {src: 'x.png'}))",
        view,
    )
    assert "image-alt" in "".join(_faults(page, axe, view))
