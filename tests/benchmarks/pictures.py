"""Pictures of the notebook's views, from real runs in a real JupyterLab with Chromium.

    python tests/benchmarks/pictures.py                      # the six of README and documentation
    python tests/benchmarks/pictures.py --all FOLDER         # each view, four widths, two themes
    python tests/benchmarks/pictures.py --all FOLDER --only explorer sweep

Every picture is what a cell shows; numbers are those of the run in it.
"""

from __future__ import annotations

import argparse
import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from notebook import lab_page
from PIL import Image

DOCS = Path(__file__).resolve().parents[2] / "notebooks" / "docs" / "views"
WIDTHS = (480, 800, 1100, 1440)
COLORS = 128  # of a palette: what is drawn here has few
WIDTH = "one => one.getBoundingClientRect().width"
MOST = 150_000  # bytes of a picture in the repository (tests/architecture/test_files.py)

DIGITS = "digits --hardness uniform --p 0.1 --model cnn --epochs 10 --seed 0"
LOAD = "%load_ext hcat_nb\nimport hcat_nb, numpy as np, pandas as pd\n"
RUN = LOAD + "run = hcat_nb.characterize('digits', model='cnn', epochs=10, seed=0, listeners=[],\n"
NOISY = RUN + "    hardness='uniform', p=.1, keep_dynamics='logits')\n"
FRAME = (
    "rng = np.random.default_rng(0)\n"
    "frame = pd.DataFrame(rng.normal(size=(600, 7)).round(2),\n"
    "    columns=['length', 'width', 'weight', 'age', 'income', 'visits', 'score'])\n"
    "frame['kind'] = np.where(frame['length'] + frame['width'] > 0, 'benign', 'malignant')\n"
    "wrong = rng.choice(600, 40, replace=False)\n"
    "frame.loc[wrong, 'kind'] = frame.loc[wrong, 'kind'].map(\n"
    "    {'benign': 'malignant', 'malignant': 'benign'})\n"
)
IMAGES = (
    "from sklearn.datasets import load_digits\n"
    "digits = load_digits()\n"
    "images = (np.repeat(np.repeat(digits.images, 3, 1), 3, 2) * 15.9).astype('uint8')\n"
    "pair = (images, digits.target)\n"
)
SWEEP = (
    "%%hcat_sweep --out sweep_results --workers 2\n"
    "grid: {dataset: [wine, digits], hardness: [uniform, asymmetric], p: [0.1, 0.2]}\n"
    "base: {model: mlp, epochs: 20, methods: [aum, el2n, loss, forgetting, grand]}\n"
)


def _decide(keys: str) -> Callable[[Any], None]:
    """Press keys in the queue, one when the one before was answered."""

    def act(page: Any) -> None:
        page.wait_for_selector(".hcat-verdict")
        page.locator(".hcat-tile").first.focus()
        for number, key in enumerate(keys, start=1):
            page.keyboard.press(key)
            page.locator(f".hcat-progress:has-text('{number} of ')").wait_for()
        page.wait_for_timeout(1000)

    return act


def _by_decision(page: Any) -> None:
    _decide("aakadmaaka")(page)
    page.locator(".widget-accordion .jupyter-widget-Collapse-header").click()
    page.get_by_label("colour", exact=True).select_option("decision")
    page.wait_for_timeout(1500)


def _hover(page: Any) -> None:
    box = page.locator(".hcat-map canvas").bounding_box()
    for step in itertools.count():  # along the lower left, where the doubted ones are
        page.mouse.move(box["x"] + 50 + step % 100, box["y"] + box["height"] - 60 - step // 100)
        page.wait_for_timeout(60)
        tip = page.locator(".hcat-tip")
        if tip.is_visible() and "sample" in tip.inner_text():
            break
    page.wait_for_timeout(500)


def _present(page: Any) -> None:
    page.get_by_role("button", name="Present").click()
    page.locator(".hcat-presented").wait_for()
    page.wait_for_timeout(1000)


class View(NamedTuple):
    """Cells, what is there when they are done, what is taken, and what is done on the page."""

    cells: list[str]
    ready: str
    taken: str
    act: Callable[[Any], None] = lambda page: None


VIEWS = {
    "live": View([LOAD, f"run = %hcat_train {DIGITS}"], ".hcat-result", ".hcat-frame"),
    "explorer": View([NOISY, "run.explore()"], ".hcat-tile", ".hcat-frame", _decide("aakada")),
    "hover": View([NOISY, "run.explore()"], ".hcat-tile", ".hcat-frame", _decide("aka")),
    "by_decision": View([NOISY, "run.explore()"], ".hcat-tile", ".hcat-frame", _by_decision),
    "table": View(
        [
            LOAD + FRAME,
            "run = hcat_nb.characterize(frame, target='kind', epochs=10, seed=0, listeners=[])",
            "run.explore()",
        ],
        ".hcat-tile",
        ".hcat-frame",
        _decide("aka"),
    ),
    "panel": View(
        [LOAD, f"%hcat_panel {DIGITS}"], "img[alt], .jp-RenderedHTMLCommon img", ".hcat-live"
    ),
    "panel_images": View([LOAD + IMAGES, "%hcat_panel pair"], ".hcat-live img", ".hcat-live"),
    "panel_table": View(
        [LOAD + FRAME, "%hcat_panel frame --target kind"], ".hcat-live th", ".hcat-live"
    ),
    "compare": View(
        [
            NOISY + "offered = run.details['suggested'][run.hardest(60).frame.index].dropna()\n"
            "for one in offered.index[:12]:\n"
            "    run.decisions().relabel([one], offered[one])\n",
            "again = run.retrain(listeners=[])",
            "%hcat_compare run again",
        ],
        ".hcat-chart-view canvas, .hcat-live canvas",
        ".hcat-live",
    ),
    "sweep": View([LOAD, SWEEP], ".jp-OutputArea-output em", ".jp-OutputArea-output:has(em)"),
    "teaching": View([NOISY, "run.explore(reveal=False)"], ".hcat-tile", ".hcat-frame", _present),
    "audit": View(
        [
            LOAD + FRAME,
            "found = hcat_nb.audit(frame, target='kind', budget='1min', seed=0)",
            "found.explore()",
        ],
        ".hcat-tile",
        ".hcat-frame",
        _decide("akakak"),
    ),
}
# Of the documentation: view, width, theme.
BEST = {
    "live": ("live", 1100, "Light"),
    "review": ("explorer", 1100, "Light"),
    "hover": ("hover", 1100, "Dark"),
    "panel": ("panel", 1100, "Light"),
    "sweep": ("sweep", 800, "Light"),
    "compare": ("compare", 1100, "Light"),
}


def show(lab: Any, name: str) -> None:
    """Open a view, and do on it what is to be seen."""
    view, page = VIEWS[name], lab.page
    page.set_viewport_size({"width": 1300, "height": 2400})
    lab.open(f"{name}.ipynb", view.cells)
    lab.command("application:toggle-left-area")
    lab.command("notebook:run-all-cells")
    page.locator(view.ready).first.wait_for()
    page.wait_for_timeout(3000)  # what is drawn last
    view.act(page)


def take(lab: Any, name: str, width: int, theme: str) -> bytes:
    """Return the view as wide as this, as PNG."""
    page = lab.page
    lab.theme(theme)
    taken = page.locator(VIEWS[name].taken).first
    for _ in range(2):  # the page's own margins depend on its width
        own, size = taken.evaluate(WIDTH), page.viewport_size
        page.set_viewport_size({**size, "width": round(size["width"] + width - own)})
        page.wait_for_timeout(500)
    page.wait_for_timeout(1500)  # it is laid out and drawn anew
    if name == "hover":
        _hover(page)
    taken.scroll_into_view_if_needed()
    picture: bytes = taken.screenshot()
    return picture


def small(picture: bytes) -> bytes:
    """Return a PNG with a palette, small enough for a repository."""
    made = io.BytesIO()
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    whole.quantize(COLORS, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
    if len(made.getvalue()) > MOST:
        raise ValueError(
            f"the picture has {len(made.getvalue()):,} bytes, and {MOST:,} are allowed"
        )
    return made.getvalue()


def main() -> None:
    """Take the pictures of the documentation, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", type=Path, metavar="FOLDER")
    parser.add_argument("--only", choices=list(VIEWS), nargs="+", default=list(VIEWS))
    given = parser.parse_args()
    if given.all is None:
        DOCS.mkdir(exist_ok=True)
        for picture, (name, width, theme) in BEST.items():
            if name not in given.only:
                continue
            with lab_page() as lab:
                show(lab, name)
                (DOCS / f"{picture}.png").write_bytes(small(take(lab, name, width, theme)))
        return
    given.all.mkdir(parents=True, exist_ok=True)
    for name in given.only:
        with lab_page() as lab:
            show(lab, name)
            for theme, width in itertools.product(("Light", "Dark"), WIDTHS):
                path = given.all / f"{name}_{width}_{theme.lower()}.png"
                path.write_bytes(take(lab, name, width, theme))


if __name__ == "__main__":
    main()
