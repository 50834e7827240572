"""The workbench's goals, counted: keys a decision, actions a selection, widths without a scroll."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (480, 800, 1100, 1440, 2400)
RUN = (
    "import hcat_nb, numpy as np, json\n"
    "run = hcat_nb.characterize('digits', subset=400, epochs=4, seed=0, methods='aum,el2n',\n"
    "    hardness='uniform', p=.1, keep_dynamics='logits', listeners=[])\n"
    "label = run.details['label']\n"
    "ids = run.hardest(50).frame.index\n"
)
# 40 suspects; nothing is proposed for those of a selection that are not among them.
QUEUE = (
    "queue = [{'sample_id': one, 'proposal': (label[one] + 1) % 10, 'probability': .7}\n"
    "         for one in ids[:40]]\n"
    "panel = run.explore(queue=queue)\npanel"
)
# What scrolls sideways, and what ends beyond the view's right edge.
CLIPPED = """name => {
  const frame = document.querySelector(name);
  const right = frame.getBoundingClientRect().right + 1;
  const told = element => `${element.tagName}.${element.className}`;
  const found = [];
  for (const one of [frame, ...frame.querySelectorAll('*')]) {
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height || style.visibility === 'hidden') continue;
    if (one.closest('details:not([open])') && one.tagName !== 'DETAILS') continue;
    if (['auto', 'scroll'].includes(style.overflowX) && one.scrollWidth > one.clientWidth + 1)
      found.push(`${told(one)} scrolls`);
    if (box.right > right && !one.closest('svg')) found.push(`${told(one)} ends beyond`);
  }
  return found;
}"""
WIDE = """([name, width]) => {
  const frame = document.querySelector(name);
  frame.style.cssText = `width: ${width}px; flex: none`;
  frame.parentElement.style.maxWidth = 'none';
}"""
VIEW = """Object.defineProperty(globalThis, 'hcatVegaEmbed', {
  set(embed) {
    this.hcatEmbed = async (...given) => {
      const made = await embed(...given);
      window.hcatView = made.view;
      return made;
    };
  },
  get() { return this.hcatEmbed; },
})"""
PLOT = """() => {
  const [[left, top], padding] = [hcatView.origin(), hcatView.padding()];
  return [left + padding.left, top + padding.top, hcatView.width(), hcatView.height()];
}"""
OFF_SCREEN = """() => [...document.querySelectorAll('.hcat-bar, .hcat-tile:focus, .hcat-said')]
  .filter(one => {
    const { top, bottom } = one.getBoundingClientRect();
    return top < 0 || bottom > window.innerHeight;
  }).map(one => one.className)"""


def _open(lab_page: LabPage, name: str, cells: list[str], *, view: str) -> None:
    lab_page.open(name, cells)
    lab_page.command("application:toggle-left-area")
    lab_page.command("notebook:run-all-cells")
    lab_page.page.wait_for_selector(view)
    lab_page.page.wait_for_function(
        "() => document.querySelector('.hcat-map')?.dataset.epoch !== undefined"
    )
    lab_page.page.wait_for_timeout(1500)  # what is drawn after it


def _to_top(page: Any, view: str) -> None:
    page.evaluate("view => document.querySelector(view).scrollIntoView({ block: 'start' })", view)
    page.wait_for_timeout(500)


def _look(lab_page: LabPage, view: str, name: str, width: int, pictures: str) -> list[str]:
    """Give a view a width, keep a picture of it in both themes, and tell what is clipped."""
    page = lab_page.page
    page.set_viewport_size({"width": max(width + 320, 700), "height": 1400})
    page.evaluate(WIDE, [view, width])
    page.wait_for_timeout(1500)  # the charts take their room
    _to_top(page, view)
    for theme in ("Light", "Dark"):
        lab_page.theme(theme)
        page.wait_for_timeout(500)
        lab_page.screenshot(f"{pictures}_{width}_{theme.lower()}")
    lab_page.theme("Light")
    found: list[str] = page.evaluate(CLIPPED, view)
    return found


def test_forty_suspects_take_forty_keys_and_nothing_leaves_the_screen(lab_page: LabPage) -> None:
    page = lab_page.page
    page.set_viewport_size({"width": 1240, "height": 1000})
    _open(lab_page, "forty.ipynb", [RUN, QUEUE], view=".hcat-tile")
    _to_top(page, ".hcat-bench")
    assert "0 of 40 suspects reviewed" in page.locator(".hcat-progress").inner_text()
    page.locator(".hcat-tile").first.focus()
    off = []
    for key in ("aaak" * 8 + "aaaaaa" + "dd")[:40]:
        off += page.evaluate(OFF_SCREEN)
        page.keyboard.press(key)
    page.wait_for_selector(".hcat-progress:has-text('40 of 40 suspects reviewed')")
    told = page.locator(".hcat-progress").inner_text()
    assert "30 accepted, 8 kept, 2 dropped" in told
    assert off == []
    lab_page.screenshot("workbench_reviewed")
    # One key takes one decision back.
    page.locator(".hcat-tile").first.focus()
    page.keyboard.press("u")
    page.wait_for_selector(".hcat-progress:has-text('39 of 40 suspects reviewed')")
    assert not [text for text in lab_page.messages if text.startswith("pageerror")]


def test_a_brushed_selection_takes_two_actions(lab_page: LabPage) -> None:
    page = lab_page.page
    page.set_viewport_size({"width": 1240, "height": 1000})
    page.add_init_script(VIEW)
    # About 28 of lowest confidence are a strip of the map, cut where its edge is not a matter of
    # pixels; nothing is proposed for five of them.
    corner = (
        "low = run.details['confidence'].sort_values()\n"
        "n = 20 + int(np.argmax(np.diff(low.to_numpy()[19:41])))\n"
        "some = low.index[:n]\n"
        "queue = [{'sample_id': one, 'proposal': (label[one] + 1) % 10} for one in some[5:]]\n"
        "panel = run.explore(queue=queue)\npanel"
    )
    edge = "print('edge', n, float((low.iloc[n - 1] + low.iloc[n]) / 2), flush=True)"
    _open(lab_page, "brush.ipynb", [RUN, corner, edge], view=".hcat-tile")
    page.wait_for_selector(".jp-OutputArea-output:has-text('edge ')")
    words = page.locator(".jp-OutputArea-output:has-text('edge ')").last.inner_text()
    n, edge_at = int(words.split()[1]), float(words.split()[2])
    _to_top(page, ".hcat-bench")
    # 1: drag from the lower right corner of the plot up to that confidence.
    box = page.locator(".hcat-map canvas").bounding_box()
    left, top, width, height = page.evaluate(PLOT)
    x, y = box["x"] + left, box["y"] + top
    page.mouse.move(x + width - 2, y + height - 2)
    page.mouse.down()
    page.mouse.move(x - 20, y + height * (1 - edge_at), steps=8)  # to the edge, and over it
    page.mouse.up()
    page.wait_for_function(
        "n => document.querySelector('.hcat-place').textContent.endsWith(` of ${n} samples`)", arg=n
    )
    # 2: accept each one's proposal.
    page.get_by_role("button", name=f"Accept each one's proposal ({n})").click()
    said = f"{n - 5} samples relabelled as proposed, 5 skipped: no label is proposed"
    page.wait_for_selector(f".hcat-said:has-text('{said}')")
    lab_page.screenshot("workbench_brushed")
    assert f"{n - 5} accepted" in page.locator(".hcat-progress").inner_text()


def test_the_map_is_brushed_by_keyboard_and_samples_are_found_by_words(lab_page: LabPage) -> None:
    page = lab_page.page
    _open(lab_page, "keys_map.ipynb", [RUN, "panel = run.explore()\npanel"], view=".hcat-tile")
    page.locator(".hcat-map").focus()
    page.keyboard.press("ArrowDown")
    for _ in range(30):
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("ArrowUp")
    page.wait_for_function(
        "() => / of [0-9]+ samples$|^0 samples$/.test("
        "document.querySelector('.hcat-place').textContent)"
    )
    assert page.locator(".jp-Notebook-cell").count() == 2
    page.keyboard.press("Escape")
    page.wait_for_selector(".hcat-place:has-text('of 400 samples')")
    search = page.get_by_placeholder("search: id, text, aum > .5")
    search.fill("no such sample")
    search.press("Enter")
    page.wait_for_selector(".hcat-place:has-text('0 samples')")
    search.fill("aum > 1e9")
    search.press("Enter")
    page.wait_for_selector(".hcat-place:has-text('0 samples')")
    search.fill("")
    search.press("Enter")
    page.wait_for_selector(".hcat-place:has-text('of 400 samples')")


TABLE = (
    "import hcat_nb, numpy as np, pandas as pd\n"
    "rng = np.random.default_rng(0)\n"
    "frame = pd.DataFrame(rng.normal(size=(300, 9)),\n"
    "    columns=[f'a rather long name of column {k}' for k in range(9)])\n"
    "frame['y'] = np.where(frame.iloc[:, 0] + frame.iloc[:, 1] > 0, 'benign', 'malignant')\n"
    "run = hcat_nb.characterize(frame, target='y', epochs=3, methods='aum,el2n', seed=0,\n"
    "    hardness='uniform', p=.1, keep_dynamics='logits', listeners=[])\n"
)
TEXT = (
    "import hcat_nb, pandas as pd\n"
    "frame = pd.DataFrame({'text': [f'the film number {i} was ' + ('good' if i % 2 else 'bad')\n"
    "    + ' and long' * 30 for i in range(300)], 'y': [i % 2 for i in range(300)]})\n"
    "data = hcat_nb.load(frame, target='y', text='text')\n"
    "run = hcat_nb.characterize(data, epochs=3, methods='aum,el2n', seed=0,\n"
    "    hardness='uniform', p=.1, listeners=[])\n"
)


@pytest.mark.parametrize("kind", ["images", "table", "text"])
def test_the_explorer_fits_every_width(kind: str, lab_page: LabPage) -> None:
    make = {"images": RUN, "table": TABLE, "text": TEXT}[kind]
    cells = [make, "panel = run.explore()\npanel"]
    _open(lab_page, f"widths_{kind}.ipynb", cells, view=".hcat-tile")
    found = {
        width: _look(lab_page, ".hcat-frame", kind, width, f"workbench_{kind}") for width in WIDTHS
    }
    assert found == {width: [] for width in WIDTHS}


def test_nothing_is_clipped_when_the_page_is_enlarged_by_half(
    browser: Any, lab_page: LabPage
) -> None:
    # What a browser's zoom does: fewer and larger pixels, the window stays as it is.
    size = {"width": 1100 * 2 // 3, "height": 1000 * 2 // 3}
    context = browser.new_context(viewport=size, device_scale_factor=1.5)
    context.set_default_timeout(300_000)
    plain, page = lab_page.page, context.new_page()
    lab_page.page = page
    _open(lab_page, "zoom.ipynb", [RUN, "panel = run.explore()\npanel"], view=".hcat-tile")
    _to_top(page, ".hcat-frame")
    lab_page.screenshot("workbench_zoom_150")
    assert page.evaluate("() => window.devicePixelRatio") == 1.5
    assert page.evaluate(CLIPPED, ".hcat-frame") == []
    context.close()
    lab_page.page = plain


def test_the_live_view_fits_one_screen_and_every_width(lab_page: LabPage) -> None:
    page = lab_page.page
    train = "run = %hcat_train digits --hardness uniform --p 0.1 --epochs 4 --seed 0"
    _open(lab_page, "live_widths.ipynb", ["%load_ext hcat_nb", train], view=".hcat-result")
    found = {}
    for width in WIDTHS:
        found[width] = _look(lab_page, ".hcat-frame", "live", width, "workbench_live")
        if width == 1100:
            height = page.evaluate(
                "() => document.querySelector('.hcat-run').getBoundingClientRect().height"
            )
    assert found == {width: [] for width in WIDTHS}
    assert height <= 640
    # What is folded away is drawn when it is looked at.
    page.locator(".hcat-more summary").click()
    page.wait_for_function("() => document.querySelectorAll('.hcat-folded canvas').length === 3")
    page.get_by_role("button", name="Look at the suspects").click()
    page.wait_for_selector(".hcat-tile")
    assert "suspects reviewed" in page.locator(".hcat-progress").inner_text()
    assert not [text for text in lab_page.messages if text.startswith("pageerror")]
