"""A page without JupyterLab: nbconvert's HTML, and a plain one, with the HTML widget manager.

The manager comes from the network as a rule; here every request is answered from the tools of
widgets/package.json, and what is not among them fails.  Without node there are none, and the tests
are skipped, also where a browser is required: this file has no mark ``browser`` of that kind.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = pytest.mark.slow

CELLS = [
    "%load_ext hcat_nb\nrun = %hcat_train digits --subset 300 --hardness uniform --p 0.1"
    " --epochs 3 --seed 0 --methods aum,el2n",
    "panel = run.explore(file='decisions.json')\npanel",
    "%hcat_compare run --methods aum el2n",
    "%hcat_panel digits",
]
ANY = {"access-control-allow-origin": "*"}  # as a network of files answers
KEEP_STATE = "@jupyter-widgets/jupyterlab-manager:saveWidgetState"


@pytest.fixture(scope="session")
def manager(repository: Path) -> dict[str, Path]:
    """The files of the HTML manager, by what their addresses hold."""
    modules = repository / "widgets" / "node_modules"
    found = {
        "require": modules / "requirejs" / "require.js",
        "html-manager": modules / "@jupyter-widgets/html-manager/dist/embed-amd.js",
        "anywidget": Path(sys.prefix) / "share/jupyter/nbextensions/anywidget/index.js",
    }
    missing = [str(one) for one in found.values() if not one.is_file()]
    if missing and modules.is_dir() and os.environ.get("HCAT_REQUIRE_BROWSER"):
        pytest.fail(f"{missing} are missing: `npm ci` in widgets/ installs them")
    if missing:
        pytest.skip("needs the HTML manager: `npm ci` in widgets/ installs it")
    return found


@pytest.fixture
def plain(browser: Any, manager: dict[str, Path]) -> Any:
    """Opens a file in a fresh page, the manager's files at hand; returns page and what failed."""
    context = browser.new_context(viewport={"width": 1100, "height": 1400})
    context.set_default_timeout(90_000)

    def opened(file: Path) -> tuple[Any, list[str]]:
        page, wrong = context.new_page(), []
        page.on("pageerror", lambda error: wrong.append(str(error)))

        def answer(route: Any) -> None:
            url = route.request.url
            for name, path in manager.items():
                if name in url and url.startswith("http"):
                    return route.fulfill(path=path, content_type="text/javascript", headers=ANY)
            return route.abort()

        page.route(lambda url: url.startswith("http"), answer)
        page.goto(file.as_uri())
        return page, wrong

    yield opened
    context.close()


def _review(lab_page: LabPage, name: str, cells: list[str]) -> None:
    page = lab_page.page
    lab_page.open(name, cells)
    lab_page.command("notebook:run-all-cells")
    page.wait_for_selector(".hcat-verdict")
    page.locator(".hcat-tile").first.focus()
    for number, key in enumerate("mkd", start=1):
        page.keyboard.press(key)
        page.locator(f".hcat-progress:has-text('{number} of ')").wait_for()


def test_a_page_of_nbconvert_tells_what_the_views_told(
    lab_page: LabPage, plain: Callable[[Path], tuple[Any, list[str]]]
) -> None:
    """The widgets are restored there, and have no kernel: pictures and words stand in for them."""
    from nbconvert import HTMLExporter

    lab_page.open("plain.ipynb", CELLS[:1])
    lab_page.command(KEEP_STATE)
    try:
        _review(lab_page, "plain.ipynb", CELLS)
        page = lab_page.page
        page.wait_for_selector(".jp-OutputArea-output figure img, .hcat-setup")
        page.locator(".hcat-static:has-text('3 decisions')").wait_for(state="attached")
        assert not page.locator(".hcat-static:visible").count()
        saved = lab_page.save("plain.ipynb")
    finally:
        lab_page.command(KEEP_STATE)
    assert saved.metadata["widgets"]
    made = lab_page.folder / "plain.html"
    made.write_text(HTMLExporter().from_notebook_node(saved)[0], encoding="utf-8")
    page, wrong = plain(made)
    page.wait_for_selector(".jupyter-widgets-disconnected", state="attached")
    page.wait_for_timeout(3000)  # what is drawn last
    page.screenshot(path=Path(__file__).parent / "screenshots/plain_nbconvert.png", full_page=True)
    words = page.locator("body").inner_text()
    assert page.locator(".hcat-static:visible").count() == 4
    assert page.locator(".hcat-static img:visible").count() == 3
    assert "Run this cell to go on; 3 decisions" in words
    assert "%hcat_panel opens it again" in words
    assert not page.locator(".hcat-frame:visible").count()
    assert wrong == []


PLAIN = """
from ipywidgets.embed import embed_minimal_html, dependency_state
box = panel.screen.box
state = dependency_state([box], drop_defaults=False)  # else modules are left out
embed_minimal_html("embedded.html", views=[box], state=state, drop_defaults=False)
print("written")
"""


def test_an_embedded_view_says_that_it_needs_a_kernel(
    lab_page: LabPage, plain: Callable[[Path], tuple[Any, list[str]]]
) -> None:
    _review(lab_page, "embedded.ipynb", [CELLS[0], "panel = run.explore()\npanel", PLAIN])
    lab_page.run_last_cell()
    lab_page.wait_for_text("written")
    made = lab_page.folder / "embedded.html"
    # Of the file that the network would have sent; ours is another version.
    made.write_text(re.sub(' integrity="[^"]*"', "", made.read_text()), encoding="utf-8")
    page, wrong = plain(made)
    page.wait_for_selector(".hcat-verdict")
    page.wait_for_timeout(3000)  # what is drawn last
    page.screenshot(path=Path(__file__).parent / "screenshots/plain_embedded.png", full_page=True)
    told = page.locator(".hcat-frame").first.evaluate(
        "one => getComputedStyle(one, '::before').content"
    )
    assert "run its cell" in told
    assert "3 of " in page.locator(".hcat-progress").inner_text()
    assert page.locator(".hcat-title").inner_text().startswith("Labelled ")
    assert wrong == []
