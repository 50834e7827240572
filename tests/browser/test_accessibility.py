"""axe-core on each view, in light and in dark: nothing serious, nothing critical.

axe-core is a tool of widgets/package.json.  Without node there is none, and the tests are
skipped, also where a browser is required: this file has no mark ``browser`` of that kind.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import hcat_nb
from hcat_nb.study.report import write_report

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
    "teaching": (
        [TRAIN, "run.explore(reveal=False)"],
        ".hcat-bench .hcat-verdict",
        ".hcat-presented",
    ),
    "audit": (
        [
            "import hcat_nb\nfound = hcat_nb.audit('wine', epochs=2, methods='aum el2n', seed=0)",
            "found.explore()",
        ],
        ".hcat-bench .hcat-verdict",
        ".hcat-bench",
    ),
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


@pytest.fixture(scope="module")
def written(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report of a study, and the page of an audit of images."""
    folder = tmp_path_factory.mktemp("pages")
    write_report(repository / "notebooks" / "small_study", folder / "report.html", progress=False)
    found = hcat_nb.audit("digits", subset=300, epochs=2, methods="aum el2n", seed=0)
    found.report(folder / "audit.html")
    return folder


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report", "audit"])
def test_a_page_has_no_serious_fault(
    name: str, scheme: str, axe: str, written: Path, browser: Any
) -> None:
    for width in (480, 1100):
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True
        )
        page = context.new_page()
        page.goto((written / f"{name}.html").as_uri())
        page.wait_for_function("() => !document.querySelector('.hcat-chart img')")
        assert _faults(page, axe, "html") == []
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        page.evaluate("() => document.body.append(Object.assign(new Image(), {src: 'x.png'}))")
        assert "image-alt" in "".join(_faults(page, axe, "html"))
        context.close()


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_no_serious_fault(name: str, axe: str, lab_page: LabPage) -> None:
    cells, ready, view = VIEWS[name]
    page = lab_page.page
    lab_page.open(f"axe_{name}.ipynb", cells)
    lab_page.command("notebook:run-all-cells")
    page.locator(ready).first.wait_for()
    if name == "teaching":
        page.get_by_role("button", name="Present").click()
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
