"""The whole live view in a real JupyterLab: gestures stay, epochs come back, samples are found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import LabPage

pytestmark = pytest.mark.browser

LOAD = "%load_ext hcat_nb"
TRAIN = "%hcat_train digits --hardness uniform --p 0.1 --seed 0 --methods aum,datamaps"

# Lets the test look into the view that the page embeds.
WATCH = """Object.defineProperty(globalThis, 'hcatVegaEmbed', {
  set(embed) {
    this.hcatEmbed = async (...given) => {
      const made = await embed(...given);
      (window.hcatViews ??= []).unshift(made.view);
      if ((made.vgSpec.signals ?? []).some(one => one.name === 'brush')) {  // the map
        window.hcatView = made.view;
        window.hcatEmbedded = (window.hcatEmbedded ?? 0) + 1;
      }
      return made;
    };
  },
  get() { return this.hcatEmbed; },
})"""
# The run waits after each epoch until a file says that it was looked at.
WAIT = """import pathlib, time
from hcat_nb.jupyter.listener import LiveListener
whole = LiveListener.on_epoch
def on_epoch(self, event):
    whole(self, event)
    while not pathlib.Path('looked_at').exists():
        time.sleep(0.05)
LiveListener.on_epoch = on_epoch"""
ZOOMED = "() => { const { x } = hcatView.signal('zoom'); return x[1] - x[0] < 0.5; }"
GESTURES = "() => ({brush: hcatView.signal('brush'), zoom: hcatView.signal('zoom')})"
CORNER = """() => {
  const [[left, top], padding] = [hcatView.origin(), hcatView.padding()];
  return [left + padding.left, top + padding.top];
}"""
# Python was told of the brush, and what it selected is drawn.  The wire rounds to 1/65535 of an
# axis: a sample on the very edge may differ.
TOLD = """() => {
  const { x, y } = hcatView.signal('brush');
  const inside = hcatView.data('points').filter(row => x[0] <= row.x && row.x <= x[1]
    && Math.min(...y) <= row.y && row.y <= Math.max(...y)).length;
  const told = parseInt([...document.querySelectorAll('.widget-label')].at(-1).innerText);
  return [told, hcatView.data('selected').length].every(n => n && Math.abs(n - inside) <= 2);
}"""
# Charts stand in views of their own; the newest that has the dataset tells.
ROWS = """name => {
  const view = hcatViews.find(one => Object.keys(one.getState({ data: () => true }).data ?? {})
    .includes(name));
  return view.data(name).map(row => ({...row}));
}"""


def _wait_for_epoch(page: Any, epoch: int) -> None:
    page.wait_for_function(
        "epoch => Number(document.querySelector('.hcat-map')?.dataset.epoch) >= epoch",
        arg=epoch,
    )


def _place(page: Any, x: float, y: float) -> tuple[float, float]:
    """Return where on the page a share of the plot's width and height lies, from its lower left."""
    box = page.locator(".hcat-map canvas").bounding_box()
    # The plot begins after the padding and the axis' and the heading's room.
    left, top = page.evaluate(CORNER)
    width, height = page.evaluate("() => [hcatView.width(), hcatView.height()]")
    return box["x"] + left + width * x, box["y"] + top + height * (1 - y)


def _drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    for step in range(1, 9):
        share = step / 8
        page.mouse.move(*(a + share * (b - a) for a, b in zip(start, end, strict=True)))
    page.mouse.up()


def test_brush_and_zoom_stay_while_epochs_arrive_and_a_slider_replays_them(
    lab_page: LabPage,
) -> None:
    page = lab_page.page
    page.set_viewport_size({"width": 1400, "height": 1250})
    page.add_init_script(WATCH)
    lab_page.open("view.ipynb", [LOAD, WAIT, f"run = {TRAIN} --epochs 25", "print('over')"])
    lab_page.command("notebook:run-all-cells")
    _wait_for_epoch(page, 1)
    page.evaluate("() => { document.querySelector('.hcat-map canvas').hcatMark = 'first'; }")
    _drag(page, _place(page, 0.1, 0.2), _place(page, 0.4, 0.7))
    page.mouse.move(*_place(page, 0.3, 0.5))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_function(ZOOMED)
    before = page.evaluate(GESTURES)
    reached = int(page.locator(".hcat-map").get_attribute("data-epoch"))
    assert set(before["brush"]) == set(before["zoom"]) == {"x", "y"}
    low, high = before["zoom"]["x"]
    assert 0 < high - low < 0.5  # zoomed in
    assert reached == 1
    (lab_page.folder / "looked_at").touch()
    lab_page.wait_for_text("over")
    _wait_for_epoch(page, 25)
    assert page.evaluate(GESTURES) == before
    assert page.evaluate("() => document.querySelector('.hcat-map canvas').hcatMark") == "first"
    assert page.evaluate("() => window.hcatEmbedded") == 1
    lab_page.screenshot("view_brushed")

    slider = page.locator(".hcat-replay input")
    assert page.locator(".hcat-replay output").inner_text() == "epoch 25 of 25"
    points = {row["row"]: row["y"] for row in page.evaluate(ROWS, "points")}
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('.hcat-map').dataset.epoch === '1'")
    earlier = {row["row"]: row["y"] for row in page.evaluate(ROWS, "points")}
    assert earlier.keys() == points.keys()
    assert earlier != points
    assert page.evaluate(ROWS, "now")[0]["epoch"] == 1
    assert page.evaluate(GESTURES) == before
    assert page.locator(".hcat-replay output").inner_text() == "epoch 1 of 25"
    lab_page.screenshot("view_replayed")
    assert lab_page.remote_requests() == []
    assert not [text for text in lab_page.messages if text.startswith("pageerror")]


def test_the_brush_reaches_python_and_a_new_colour_keeps_it(
    lab_page: LabPage,
) -> None:
    page = lab_page.page
    page.set_viewport_size({"width": 1400, "height": 1250})
    page.add_init_script(WATCH)
    show = (
        "import ipywidgets\n"
        "from hcat_nb.jupyter.live_map import LiveMap\n"
        "from hcat_nb.jupyter.run_scene import run_scene\n"
        "live = LiveMap(run_scene(run))\n"
        "said = ipywidgets.Label('nothing yet')\n"
        "def brushed(bounds):\n"
        "    live.select([] if bounds is None else live.inside(bounds))\n"
        "    said.value = f'{len(live.selected)} selected'\n"
        "live.on_brush(brushed)\n"
        "ipywidgets.VBox([live, said])"
    )
    train = f"from hcat_nb import characterize\nrun = characterize('digits', epochs=3, {OPTIONS})"
    recolor, clear = "live.recolor(run.scores['aum'])\nprint('blue')", "live.clear_brush()"
    lab_page.open("api.ipynb", [train, show, recolor, clear])
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
    for _ in range(2):
        lab_page.command("notebook:run-cell-and-select-next")
    page.wait_for_selector("text=nothing yet")
    _wait_for_epoch(page, 3)
    page.locator(".hcat-map canvas").scroll_into_view_if_needed()
    page.locator(".hcat-map canvas").element_handle().wait_for_element_state("stable")
    _drag(page, _place(page, 0.02, 0.02), _place(page, 0.98, 0.98))
    page.wait_for_function(TOLD)
    bounds = page.evaluate("() => hcatView.signal('brush')")
    inside = [
        row["row"]
        for row in page.evaluate(ROWS, "points")
        if bounds["x"][0] <= row["x"] <= bounds["x"][1]
        and min(bounds["y"]) <= row["y"] <= max(bounds["y"])
    ]
    told = page.locator(".widget-label").last.inner_text()
    assert abs(int(told.split()[0]) - len(inside)) <= 2
    assert abs(len(page.evaluate(ROWS, "selected")) - len(inside)) <= 2
    lab_page.screenshot("api_brushed")

    lab_page.command("notebook:run-cell-and-select-next")
    lab_page.wait_for_text("blue")
    page.wait_for_function("() => window.hcatEmbedded === 2")
    page.wait_for_function(TOLD)
    assert page.evaluate("() => hcatView.signal('brush')") == bounds
    assert abs(len(page.evaluate(ROWS, "selected")) - len(inside)) <= 2
    lab_page.screenshot("api_recoloured")

    # The program takes the brush away, its callback hears so, and another can be drawn.
    lab_page.run_last_cell()
    lab_page.wait_for_text("0 selected")
    assert "x" not in page.evaluate("() => hcatView.signal('brush')")
    lab_page.screenshot("api_cleared")
    _drag(page, _place(page, 0.5, 0.02), _place(page, 0.98, 0.98))
    page.wait_for_function(
        "() => [...document.querySelectorAll('.widget-label')].at(-1).innerText[0] !== '0'",
    )


OPTIONS = "hardness='uniform', p=0.1, seed=0, methods=['aum', 'datamaps']"


# Where a sample is drawn, in pixels of the page.
SPOT = """row => {
  const { x, y } = hcatView.data('points').find(point => point.row === row);
  const [[left, top], padding] = [hcatView.origin(), hcatView.padding()];
  const box = document.querySelector('.hcat-map canvas').getBoundingClientRect();
  return [box.x + padding.left + left + hcatView.scale('x')(x),
          box.y + padding.top + top + hcatView.scale('y')(y)];
}"""
# The topmost sample at the place of each: the last drawn one of those that lie closer than
# a point is wide; samples with a neighbour are left out.
ALONE = """() => {
  const points = hcatView.data('points').map(({row, x, y}) =>
    [row, hcatView.scale('x')(x), hcatView.scale('y')(y)]);
  const inside = (v, end) => v > 30 && v < end - 30;
  return points.filter(([row, x, y]) => inside(x, 512) && inside(y, 384) && points.every(
    ([other, u, v]) => other === row || Math.hypot(x - u, y - v) > 8)).map(([row]) => row);
}"""


def test_a_click_picks_the_sample_also_under_a_brush_and_after_every_change(
    lab_page: LabPage,
) -> None:
    page = lab_page.page
    page.set_viewport_size({"width": 1400, "height": 1250})
    page.add_init_script(WATCH)
    show = (
        "import ipywidgets\n"
        "from hcat_nb.jupyter.live_map import LiveMap\n"
        "from hcat_nb.jupyter.run_scene import run_scene\n"
        "live = LiveMap(run_scene(run))\n"
        "said = ipywidgets.Label('nothing yet')\n"
        "def picked(sample_id):\n"
        "    live.follow(sample_id)\n"
        "    said.value = f'picked {sample_id}'\n"
        "live.on_pick(picked)\n"
        "ipywidgets.VBox([live, said])"
    )
    train = f"from hcat_nb import characterize\nrun = characterize('digits', epochs=3, {OPTIONS})"
    steps = {
        "recoloured": "live.recolor(run.scores['aum'])",
        "moved": "live.scene.move(4, 'four', live.scene._x * 0.9, live.scene._y * 0.9 + 0.05)\n"
        "live.redraw()",
        "filtered": "live.show_only(run.details.index[::2])",
    }
    drawn = {
        "recoloured": "hcatEmbedded === 2 && hcatView.data('points').length === 1797",
        "moved": "document.querySelector('.hcat-map').dataset.epoch === '4'",
        "filtered": "hcatView.data('points').length === 899",
    }
    lab_page.open("pick.ipynb", [train, show, *steps.values()])
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
    for _ in range(2):
        lab_page.command("notebook:run-cell-and-select-next")
    page.wait_for_selector("text=nothing yet")
    _wait_for_epoch(page, 3)

    def click_one(place: int) -> None:
        alone = page.evaluate(ALONE)
        row = alone[place % len(alone)]
        page.mouse.click(*page.evaluate(SPOT, row))
        page.wait_for_selector(f"text=picked {row}")
        page.wait_for_function(
            "row => hcatView.data('selected').some(one => one.row === row && one.followed)",
            arg=row,
        )

    page.locator(".hcat-map canvas").scroll_into_view_if_needed()
    page.locator(".hcat-map canvas").element_handle().wait_for_element_state("stable")
    click_one(0)
    _drag(page, _place(page, 0.02, 0.02), _place(page, 0.98, 0.98))
    page.wait_for_function("() => ['x', 'y'].every(name => name in hcatView.signal('brush'))")
    brush = page.evaluate("() => hcatView.signal('brush')")
    assert set(brush) == {"x", "y"}
    click_one(1)
    assert page.evaluate("() => hcatView.signal('brush')") == brush
    for place, step in enumerate(steps, start=2):
        page.evaluate(
            "index => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = index; }",
            place,
        )
        lab_page.command("notebook:run-cell")
        page.wait_for_function(
            """index => {
              const cell = window.jupyterapp.shell.currentWidget.content.widgets[index];
              return cell.model.executionCount !== null;
            }""",
            arg=place,
        )
        page.wait_for_function(f"() => {drawn[step]}")
        page.locator(".hcat-map canvas").scroll_into_view_if_needed()
        click_one(place)
        assert page.evaluate("() => hcatView.signal('brush')") == brush
        lab_page.screenshot(f"picked_{step}")
    assert not [text for text in lab_page.messages if text.startswith("pageerror")]


def test_a_reloaded_page_shows_the_map_of_the_living_kernel(lab_page: LabPage) -> None:
    page = lab_page.page
    lab_page.open("reload.ipynb", [LOAD, f"run = {TRAIN} --epochs 3", "print('over')"])
    lab_page.command("notebook:run-all-cells")
    lab_page.wait_for_text("over")
    _wait_for_epoch(page, 3)
    lab_page.save("reload.ipynb")
    lab_page.open("reload.ipynb")
    _wait_for_epoch(page, 3)
    assert page.locator(".hcat-map canvas").count() == 1
    assert not page.locator("img[alt*='1,797 samples']").is_visible()
    page.locator(".hcat-replay button").click()
    page.wait_for_function("() => document.querySelector('.hcat-map').dataset.epoch === '1'")
    _wait_for_epoch(page, 3)
    lab_page.screenshot("view_reloaded")
    assert lab_page.remote_requests() == []
