"""The explorer's panel: what reaches the page, what is decided, and what it lets go."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run, load_run
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, StoreError, UnknownNameError
from hcat_nb.jupyter.map_scene import Bounds
from hcat_nb.jupyter.review.explore_panel import ExplorePanel, explore

N = 130


def _frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(N, 3)), columns=list("abc"))
    frame["kind"] = np.where(frame.a > 0, "elm", "<b id=evil>oak</b>")
    frame.index = [f"s{i:03}" for i in rng.permutation(N)]
    return frame


@pytest.fixture
def run() -> Run:
    return characterize(_frame(), target="kind", epochs=2, methods="aum,el2n", seed=0)


class FakeScreen:
    """What a screen is told."""

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = []
        self.marks: list[dict[int, str]] = []
        self.said: list[str] = []
        self.kept: list[str] = []
        self.samples: list[int | None] = []
        self.map: Any = None
        self.closed = False
        self.unbrushed = 0
        self.gallery = SimpleNamespace(
            show=lambda content, buffers: self.pages.append(content),
            mark=self.marks.append,
            say=lambda words, bad=False: self.said.append(words),
            place=2,
        )
        self.retraining = SimpleNamespace(tell=lambda decided, remains: None)
        self.controls = SimpleNamespace(say=self.kept.append, show=lambda name, value: None)

    def show_map(self, scene: Any) -> None:
        self.map = SimpleNamespace(
            scene=scene,
            show=lambda frame: 0,
            redraw=lambda: None,
            recolor=scene.recolor,
            clear_brush=lambda: setattr(self, "unbrushed", self.unbrushed + 1),
        )

    def show_sample(self, row: int | None, card: Any) -> None:
        self.samples.append(row)
        self.card = card

    def progress(self, share: float, words: str, outcome: str) -> None:
        self.told = (share, words, outcome)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def opened(run) -> tuple[ExplorePanel, FakeScreen]:
    panel, screen = explore(run), FakeScreen()
    panel.select(None)  # what to review first has tests of its own
    panel.attach(screen)
    return panel, screen


def _rows(screen: FakeScreen) -> list[int]:
    return [tile["row"] for tile in screen.pages[-1]["tiles"]]


def test_it_begins_with_all_samples_hardest_first(opened, run):
    _, screen = opened
    assert screen.pages[-1]["total"] == N
    hardest = run.hardest(100).frame.index
    assert [tile["id"] for tile in screen.pages[-1]["tiles"]] == hardest.tolist()


def test_a_brush_shows_the_samples_inside(opened, run):
    panel, screen = opened
    x, y = run.details["variability"], run.details["confidence"]
    bounds = Bounds((0.0, float(x.median())), (0.0, float(y.median())))
    panel.brushed(bounds)
    expected = run.details.index[(x <= x.median()) & (y <= y.median())]
    assert sorted(panel.selected) == sorted(expected)
    assert screen.pages[-1]["total"] == len(expected)
    panel.brushed(None)
    assert screen.pages[-1]["total"] == N


def test_filter_and_selection_stay_when_color_axes_and_order_change(opened):
    panel, screen = opened
    panel.set(label="elm")
    x, y = Bounds((0.0, 0.5), (0.0, 1.0)).x, (0.0, 0.9)
    panel.brushed(Bounds(x, y))
    ids = panel.selected.tolist()
    assert ids
    panel.set(color="el2n", x="aum", y="el2n", by="el2n")
    assert panel.selected.tolist() == ids
    assert panel.exploration.filters == {"label": "elm"}
    assert screen.pages[-1]["total"] == len(ids)
    # On the new axes the samples are marked, for their brush is gone.
    assert screen.map.scene.sample_ids[screen.map.scene.selected].tolist() == ids


def test_ids_of_any_order_are_selected_and_marked(opened):
    panel, screen = opened
    wanted = ["s100", "s002", "s057"]
    panel.select(wanted)
    assert sorted(panel.selected) == sorted(wanted)
    assert sorted(tile["id"] for tile in screen.pages[-1]["tiles"]) == sorted(wanted)
    assert sorted(screen.map.scene.sample_ids[screen.map.scene.selected]) == sorted(wanted)
    assert screen.unbrushed == 0
    panel.pressed("all", "")
    assert panel.selected is None
    assert len(screen.map.scene.selected) == 0
    assert screen.unbrushed == 1


def test_a_click_on_a_point_shows_its_sample(opened):
    panel, screen = opened
    panel.picked("s010")
    assert [tile["id"] for tile in screen.pages[-1]["tiles"]] == ["s010"]
    assert screen.samples[-1] == panel.exploration.ids.get_loc("s010")


def test_the_gallery_turns_pages_and_says_where_they_end(opened):
    panel, screen = opened
    panel.heard("turn", {"to": "previous"})
    assert screen.said[-1] == "the first page"
    panel.heard("turn", {"to": "next"})
    assert (screen.pages[-1]["first"], screen.pages[-1]["focus"]) == (100, 0)
    panel.heard("turn", {"to": "next"})
    assert screen.said[-1] == "the last page"
    panel.heard("turn", {"to": "previous"})
    assert (screen.pages[-1]["first"], screen.pages[-1]["focus"]) == (0, 99)


def _act(panel, action, rows, code=-1):
    panel.heard("act", {"action": action, "rows": rows, "code": code})


def test_decisions_are_made_undone_and_shown(opened, run):
    panel, screen = opened
    rows = _rows(screen)[:2]
    _act(panel, "mislabeled", rows)
    assert {row: screen.marks[-1][row] for row in rows} == dict.fromkeys(rows, "mislabeled")
    code = 1 - int(run.details["label"].cat.codes.iloc[rows[0]])
    _act(panel, "relabel", rows[:1], code)
    assert screen.marks[-1][rows[0]].startswith("relabel → ")
    assert screen.said[-1] == f"1 sample: relabel → {panel.classes[code]}"
    panel.heard("undo", {})
    assert screen.marks[-1][rows[0]] == "mislabeled"
    panel.heard("redo", {})
    panel.heard("redo", {})
    assert screen.said[-1] == "nothing to redo"
    _act(panel, "clear", rows)
    assert len(run.decisions()) == 0
    assert "kept in memory only" in screen.kept[-1]


def test_decisions_made_in_python_show_too(opened, run):
    panel, screen = opened
    run.decisions().drop([panel.exploration.ids[_rows(screen)[0]]])
    assert screen.marks[-1][_rows(screen)[0]] == "drop"


def test_a_page_that_is_filtered_by_decision_goes_on_at_its_place(opened):
    panel, screen = opened
    panel.set(decision="undecided")
    rows = _rows(screen)
    _act(panel, "keep", rows[2:3])
    assert _rows(screen)[:3] == [rows[0], rows[1], rows[3]]
    assert screen.pages[-1]["focus"] == 2
    assert screen.pages[-1]["total"] == N - 1
    # One that stands on another page counts as well.
    panel.decisions.keep([panel.exploration.ids[panel.exploration.rows[-1]]])
    assert screen.pages[-1]["total"] == N - 2
    assert screen.map.scene._keep.sum() == N - 2


def test_mistakes_are_said_on_the_page(opened, run):
    panel, screen = opened
    row = _rows(screen)[0]
    _act(panel, "relabel", [row], int(run.details["label"].cat.codes.iloc[row]))
    assert "already" in screen.said[-1]
    panel.pressed("export", "decisions.xlsx")
    assert "expected .csv or .parquet" in screen.said[-1]
    panel.pressed("import", "nowhere.csv")
    assert "cannot be read" in screen.said[-1]
    panel.chosen("color", "nothing")
    assert "nothing" in screen.said[-1]


def test_files_go_out_and_in(opened, run, tmp_path):
    panel, screen = opened
    _act(panel, "drop", _rows(screen)[:3])
    panel.pressed("export", str(tmp_path / "d.parquet"))
    assert screen.said[-1] == f"exported to {tmp_path / 'd.parquet'}"
    panel.heard("undo", {})
    panel.pressed("import", str(tmp_path / "d.parquet"))
    assert len(run.decisions()) == 3
    assert screen.said[-1].startswith("taken in from")


def test_decisions_on_a_saved_run_are_there_when_it_is_opened_again(run, tmp_path):
    panel, screen = explore(load_run(run.save(tmp_path / "run"))), FakeScreen()
    panel.select(None)
    panel.attach(screen)
    _act(panel, "drop", _rows(screen)[:1])
    assert "kept in" in screen.kept[-1]
    later, screen = explore(load_run(tmp_path / "run")), FakeScreen()
    later.select(None)
    later.attach(screen)
    assert [tile["decision"] for tile in screen.pages[-1]["tiles"]][:2] == ["drop", ""]


def test_without_unique_ids_samples_are_shown_and_not_decided_on(run, tmp_path):
    frame = _frame().set_axis(["same"] * N)
    run = characterize(frame, target="kind", epochs=1, methods="el2n", seed=0)
    panel, screen = explore(run), FakeScreen()
    panel.select(None)
    panel.attach(screen)
    assert screen.pages[-1]["total"] == N
    assert "decisions are off: the sample id 'same' occurs more than once" in screen.kept[-1]
    _act(panel, "drop", [0])
    assert screen.said[-1] == screen.kept[-1]
    with pytest.raises(DataError, match="more than once"):
        explore(run, file=tmp_path / "d.json")


def test_mistakes_in_python_are_raised(run):
    for options, message in (
        ({"x": "vog"}, "no axis 'vog'"),
        ({"by": "vog"}, "no method 'vog'"),
    ):
        with pytest.raises(UnknownNameError, match=message):
            explore(run, **options)
    with pytest.raises(UnknownNameError, match=r"no choice 'colour'.*nearest: color"):
        explore(run).set(colour="aum")
    with pytest.raises(DataError, match="the data are not the run's"):
        explore(run, dataset=load("wine"))


def test_a_loaded_run_shows_the_data_that_it_is_given(run, tmp_path):
    loaded = load_run(run.save(tmp_path / "run"))
    panel, screen = explore(loaded, dataset=run.dataset), FakeScreen()
    panel.attach(screen)
    assert screen.pages[-1]["columns"] == ["a", "b", "c"]
    panel, screen = explore(loaded), FakeScreen()
    panel.attach(screen)
    assert screen.pages[-1]["columns"] == []
    assert screen.pages[-1]["said"].startswith("without the samples: the run was trained on")
    assert "dataset=" in screen.pages[-1]["said"]


def test_a_loaded_run_on_named_data_shows_them_as_they_were_made_hard(tmp_path):
    run = characterize("digits", hardness="uniform", p=0.1, subset=80, epochs=1, methods="el2n")
    panel, screen = explore(load_run(run.save(tmp_path / "run"))), FakeScreen()
    panel.attach(screen)
    assert screen.pages[-1]["kind"] == "image"
    assert screen.pages[-1]["said"] == ""
    assert torch.equal(panel.run.dataset.labels, run.dataset.labels)


def test_a_closed_panel_holds_nothing_and_says_so(opened, run):
    panel, screen = opened
    data = weakref.ref(run.dataset)
    decisions = run.decisions()
    panel.close()
    panel.close()
    assert screen.closed
    assert decisions.listeners == []
    assert repr(panel) == "<explorer, closed>"
    with pytest.raises(StoreError, match="the explorer is closed"):
        panel.select(["s001"])
    assert data() is not None
    del opened, screen
    run.dataset = None
    gc.collect()
    assert data() is None


def test_a_panel_that_nobody_closes_goes_with_its_last_name(run):
    held = weakref.ref(run.dataset)
    decisions = run.decisions()
    panel = explore(run)
    assert len(decisions.listeners) == 1
    del panel
    gc.collect()
    assert decisions.listeners == []
    del decisions
    run.dataset = None
    gc.collect()
    assert held() is None


def test_decisions_count_in_a_panel_that_is_not_shown(run):
    panel = explore(run)
    panel.select(None)
    panel.set(decision="undecided")
    assert repr(panel) == f"<explorer: {N} of {N} samples>"
    run.decisions().drop(run.details.index[:3])
    assert repr(panel) == f"<explorer: {N - 3} of {N} samples>"


def test_the_gallery_stays_as_it_is_when_colour_and_axes_change(opened):
    panel, screen = opened
    panel.heard("turn", {"to": "next"})
    shown = len(screen.pages)
    panel.set(color="el2n", x="aum", y="el2n")
    assert len(screen.pages) == shown  # its focus and its own selection stay
    panel.set(by="el2n", label="elm")
    assert len(screen.pages) == shown + 2


def test_its_repr_is_short(opened):
    assert repr(opened[0]) == "<explorer: 130 of 130 samples>"


def _doubting(run: Run, rows: list[int]) -> Run:
    """The run as if it doubted the labels of these samples."""
    label = run.details["label"].cat.codes.to_numpy()
    codes = np.full(N, -1)
    codes[rows] = 1 - label[rows]
    categories = run.details["label"].cat.categories
    run.details["suggested"] = pd.Categorical.from_codes(codes, categories=categories)
    run.details["suggested_probability"] = np.where(codes >= 0, 0.75, np.nan).astype("f4")
    return run


def test_it_opens_on_the_suspects_hardest_first(run):
    _doubting(run, [3, 8, 90])
    panel, screen = explore(run), FakeScreen()
    panel.attach(screen)
    order = [run.details.index.get_loc(one) for one in run.hardest(N).frame.index]
    assert _rows(screen) == [row for row in order if row in (3, 8, 90)]
    assert screen.told == (0.0, "0 of 3 suspects reviewed", "")
    assert not screen.pages[-1]["brushed"]
    assert len(screen.map.scene.selected) == 0  # the map is not full of rings
    panel.pressed("all", "")
    assert screen.pages[-1]["total"] == N
    panel.pressed("queue", "")
    assert screen.pages[-1]["total"] == 3


def test_one_key_accepts_and_the_progress_is_told(run):
    _doubting(run, [3, 8, 90])
    panel, screen = explore(run), FakeScreen()
    panel.attach(screen)
    rows = _rows(screen)
    _act(panel, "accept", rows[:1])
    _act(panel, "keep", rows[1:2])
    assert screen.marks[-1][rows[0]].startswith("relabel → ")
    assert screen.told == (pytest.approx(2 / 3), "2 of 3 suspects reviewed", "1 accepted, 1 kept")
    marked = screen.map.scene._decided
    assert sorted(marked.tolist()) == sorted(rows[:2])
    panel.heard("undo", {})
    assert screen.told[1] == "1 of 3 suspects reviewed"


def test_a_selection_takes_each_ones_proposal_and_counts_the_others(run):
    _doubting(run, [3, 8, 90])
    panel, screen = explore(run), FakeScreen()
    panel.attach(screen)
    panel.select(run.details.index[[3, 8, 10, 11]])
    assert screen.pages[-1]["brushed"]
    panel.heard("accept_shown", {})
    said = "2 samples relabelled as proposed, 2 samples skipped: no label is proposed"
    assert screen.said[-1] == said.replace("2 samples skipped", "2 skipped")
    label = run.details["label"].cat.codes.to_numpy()
    assert {row: one.code for row, one in run.decisions().items()} == {
        row: 1 - label[row] for row in (3, 8)
    }
    panel.heard("undo", {})  # all of them were one step
    assert len(run.decisions()) == 0
