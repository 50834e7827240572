from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import altair as alt
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from hcat_nb.errors import SpecError
from hcat_nb.jupyter.frames import Frame, rows
from hcat_nb.jupyter.listener import LiveListener
from hcat_nb.jupyter.map_scene import MapScene
from hcat_nb.jupyter.progress import ProgressBar
from hcat_nb.jupyter.static_view import StaticView
from hcat_nb.training.events import EndEvent, ExtraEvent, StepEvent


class Recorder:
    """A screen that writes down what it is told."""

    def __init__(self, ready: bool = True) -> None:
        self.is_ready = ready
        self.states: list[ProgressBar] = []
        self.scenes: list[MapScene] = []
        self.specs: list[dict[str, Any]] = []
        self.frames: list[Frame] = []
        self.views: list[StaticView] = []
        self.offered: list[tuple[list[int], Callable[[int], Frame], str]] = []

    def update(self, progress: ProgressBar) -> None:
        self.states.append(progress)

    def start_map(self, scene: MapScene) -> None:
        self.scenes.append(scene)
        self.specs.append(scene.spec())

    def ready(self) -> bool:
        return self.is_ready

    def move_map(self, frame: Callable[[], Frame]) -> None:
        self.frames.append(frame())

    def offer_epochs(self, epochs: list[int], frame: Callable[[int], Frame], note: str) -> None:
        self.offered.append((epochs, frame, note))

    def finish(self, progress: ProgressBar, view: StaticView) -> None:
        self.states.append(progress)
        self.views.append(view)


def play(
    run: Any,
    outcome: Any = "finished",
    epochs: int | None = None,
    screen: Recorder | None = None,
    **options: Any,
) -> Recorder:
    screen = screen or Recorder()
    listener = LiveListener(screen=screen, **options)
    listener.on_start(run.start)
    epochs = run.n_epochs if epochs is None else epochs
    for epoch in range(1, epochs + 1):
        listener.on_step(StepEvent(epoch, 1, 4))
        listener.on_epoch(run.epoch(epoch))
    listener.on_end(run.end(outcome, epochs))
    return screen


@pytest.fixture(scope="module")
def played(made_up_run: Any) -> Recorder:
    """What a whole run told its screen; nobody asks it for more."""
    return play(made_up_run())


def column(frame: Frame, dataset: str, name: str) -> Any:
    return [row[name] for row in rows(frame)[dataset]]


def test_every_epoch_is_a_frame_of_all_samples_that_have_a_place(
    made_up_run: Any, played: Recorder
) -> None:
    run, screen = made_up_run(), played
    # The last once more, with the scores of the end.
    assert [frame.content["epoch"] for frame in screen.frames] == [1, 2, 3, 3]
    assert screen.frames[1].content["signals"]["heading"] == "<b>trees</b>, epoch 2 of 3"
    last = screen.frames[-1]
    ids = column(last, "points", "id")
    assert sorted(ids) == sorted(run.start.sample_ids[1:])  # the first has no label
    rows = run.start.sample_ids.get_indexer(ids)
    snapshot = run.snapshot(3)
    # half a step of the wire's 65,535
    np.testing.assert_allclose(column(last, "points", "y"), snapshot.confidence[rows], atol=8e-6)
    np.testing.assert_allclose(column(last, "points", "x"), snapshot.variability[rows], atol=4e-6)
    truth = np.where(run.start.is_hard[rows], "made hard", "untouched").tolist()
    assert column(last, "points", "color") == truth
    labels = [run.start.class_names[code] for code in run.start.labels[rows]]
    assert column(last, "points", "label") == labels


@pytest.mark.parametrize("x", ["variability", "aleatoric"])
def test_without_a_truth_the_groups_are_shown(made_up_run: Any, x: Any) -> None:
    run = made_up_run(truth=False)
    screen = play(run, x=x)
    snapshot = run.snapshot(3)
    # Half of what is left stands for the best other class, of which a live
    # view knows nothing; along the other axis, neither of how much a probability varied
    confidence, spread = snapshot.confidence, snapshot.variability
    doubtful = confidence < 2 * (1 - confidence) / 2
    shown = doubtful | (spread > 0.25) if x == "variability" else doubtful
    groups = np.where(shown, "uncertain", "fine")
    last = screen.frames[-1]
    rows = run.start.sample_ids.get_indexer(column(last, "points", "id"))
    assert column(last, "points", "color") == groups[rows].tolist()
    sizes = np.where(doubtful | (spread > 0.25), "uncertain", "fine")
    for group in ("fine", "uncertain"):
        placed = ~np.isnan(confidence)
        assert f"{(sizes[placed] == group).sum()} {group}" in screen.views[0].summary


def test_the_specification_fits_the_frames(played: Recorder) -> None:
    (spec,) = played.specs
    described = {
        dataset["name"]: {header["name"] for header in dataset["columns"]}
        for dataset in played.frames[0].content["datasets"]
    }
    inline = set(spec["datasets"])  # the line of a guess
    asked = {one for one in _asked(spec) if one[0] not in inline}
    assert {name for name, _ in asked} == set(described)
    made_by_vega = {"x0", "x1", "y0", "y1"}
    assert {field for name, field in asked if field not in described[name]} <= made_by_vega
    caption = played.frames[0].content["signals"]["caption"]
    assert caption == "100 samples, 1 of them without coordinates"


def _asked(part: Any, data: str = "") -> set[tuple[str, str]]:
    """Return (dataset, field) of every encoding and filter."""
    if isinstance(part, list):
        return set().union(*(_asked(one, data) for one in part))
    if not isinstance(part, dict):
        return set()
    data = part.get("data", {}).get("name", data) if isinstance(part.get("data"), dict) else data
    own = {(data, part["field"])} if isinstance(part.get("field"), str) and data else set()
    return own.union(*(_asked(one, data) for one in part.values()))


def test_scores_come_with_the_frames_and_late_ones_at_the_end(
    made_up_run: Any, played: Recorder
) -> None:
    run, screen = made_up_run(), played
    known = [set(column(frame, "histograms", "hcm")) for frame in screen.frames]
    assert known == [{"aum"}, {"aum"}, {"aum", "cleanlab"}, {"aum", "cleanlab"}]
    rows_of_auroc = rows(screen.frames[-1])["auroc"]
    assert [(row["epoch"], row["hcm"]) for row in rows_of_auroc] == [
        *[(1, "aum"), (2, "aum"), (3, "aum"), (3, "cleanlab")]
    ]
    expected = roc_auc_score(run.start.is_hard, run.scores(2, last=False)["aum"])
    assert rows_of_auroc[1]["auroc"] == pytest.approx(expected, abs=1e-6)  # float32
    assert column(screen.frames[1], "curves", "epoch") == [1, 2]


def test_without_a_truth_there_is_no_auroc(made_up_run: Any) -> None:
    screen = play(made_up_run(truth=False))
    assert rows(screen.frames[-1])["auroc"] == []
    assert '"auroc"' not in json.dumps(screen.specs[0])


def test_scores_are_not_made_for_a_screen_that_waits(made_up_run: Any) -> None:
    screen = play(made_up_run(), screen=Recorder(ready=False))
    assert [row["epoch"] for row in rows(screen.frames[-1])["auroc"]] == [3, 3]  # at the end
    assert len(screen.frames) == 4


def test_epochs_can_be_looked_at_again(made_up_run: Any) -> None:
    run = made_up_run(n=12_000)
    screen = play(run)
    ((epochs, show, note),) = screen.offered
    assert (epochs, note) == ([1, 2, 3], "")
    first = show(1)
    assert first.content["signals"]["heading"] == "<b>trees</b>, epoch 1 of 3"
    assert rows(first)["now"] == [{"epoch": 1}]
    assert rows(show(3))["now"] == []
    # The same samples are points in every epoch, so that one can be followed.
    drawn = [set(column(show(epoch), "points", "row")) for epoch in epochs]
    assert drawn[0] == drawn[1] == drawn[2] == set(column(screen.frames[-1], "points", "row"))
    places = dict(zip(column(first, "points", "row"), column(first, "points", "y"), strict=True))
    confidence = run.snapshot(1).confidence
    for row, y in places.items():  # half a step each of replay and wire
        assert y == pytest.approx(float(confidence[row]), abs=1.6e-5)
    (scene,) = screen.scenes
    scene.follow(17)
    assert [row["epoch"] for row in rows(show(2))["trail"]] == [1, 2, 3]


def test_a_selection_outlives_epochs_and_replay(made_up_run: Any) -> None:
    run, screen = made_up_run(), Recorder()
    listener = LiveListener(screen=screen)
    listener.on_start(run.start)
    listener.on_epoch(run.epoch(1))
    (scene,) = screen.scenes
    scene.select(np.arange(5, 15))
    for epoch in (2, 3):
        listener.on_epoch(run.epoch(epoch))
    listener.on_end(run.end())
    ((_, show, _),) = screen.offered
    for frame in (*screen.frames[1:], show(1)):
        assert sorted(column(frame, "selected", "row")) == list(range(5, 15))


def test_a_small_budget_says_what_it_keeps(made_up_run: Any) -> None:
    screen = play(made_up_run(n_epochs=9), replay_bytes=1)
    ((epochs, _, note),) = screen.offered
    assert (epochs, note[:22]) == ([1, 9], "every 8th epoch is kep")


def test_a_chart_of_ones_own(made_up_run: Any) -> None:
    mine = (
        alt.Chart(alt.NamedData("points")).mark_square().encode(x="x:Q", y="y:Q", color="color:N")
    )
    screen = play(made_up_run(), chart=mine)
    assert screen.specs[0]["mark"]["type"] == "square"
    assert screen.views[0].png is not None
    wider = play(made_up_run(), chart=lambda chart: chart.properties(spacing=77))
    assert wider.specs[0]["spacing"] == 77


def test_a_chart_for_every_listener(made_up_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveListener, "default_chart", lambda chart: chart.properties(spacing=9))
    assert play(made_up_run()).specs[0]["spacing"] == 9


def test_a_chart_of_something_else_is_refused() -> None:
    with pytest.raises(SpecError, match="uses none of the datasets"):
        LiveListener("none", chart=alt.Chart(alt.NamedData("cars")).mark_point())
    with pytest.raises(SpecError, match="chart is a str"):
        LiveListener("none", chart="points")


def test_a_large_run_stays_small_on_the_wire(made_up_run: Any) -> None:
    (frame, *_) = play(made_up_run(n=60_000, n_epochs=1)).frames
    assert frame.size < 300_000
    assert len(column(frame, "points", "x")) == 5_000
    assert sum(column(frame, "bins", "n")) == 54_999


def test_the_end_is_a_picture_and_its_words(played: Recorder) -> None:
    (view,) = played.views
    assert Image.open(io.BytesIO(view.png or b"")).format == "PNG"
    assert "100 samples, finished after epoch 3/3 · loss 0.333 · accuracy 75.0 %" in view.summary
    assert "<b>trees</b>" not in view.bundle()["text/html"]
    assert base64.b64decode(view.bundle()["image/png"]) == view.png


def test_a_run_stopped_before_its_first_epoch_has_words_only(made_up_run: Any) -> None:
    (view,) = play(made_up_run(), outcome="stopped", epochs=0).views
    assert view.png is None
    assert "stopped after epoch 0/3" in view.summary


def test_a_failed_run_says_so(made_up_run: Any) -> None:
    screen = Recorder()
    listener = LiveListener(screen=screen)
    listener.on_start(made_up_run().start)
    listener.on_end(EndEvent("failed", 0, "ValueError: no"))
    assert "failed after epoch 0/3 · ValueError: no" in screen.views[-1].summary


def test_without_a_screen_nothing_happens(
    made_up_run: Any, displayed: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run = made_up_run()
    listener = LiveListener("none")
    listener.on_start(run.start)
    listener.on_step(StepEvent(1, 1, 4))
    listener.on_epoch(run.epoch(1))
    listener.on_end(EndEvent("finished", 1))
    assert displayed == []
    assert capsys.readouterr() == ("", "")


def test_extra_trainings_are_said_and_move_no_map(made_up_run: Any) -> None:
    run, screen = made_up_run(), Recorder()
    listener = LiveListener(screen=screen)
    listener.on_start(run.start)
    listener.on_epoch(run.epoch(1))
    frames = len(screen.frames)
    listener.on_extra(ExtraEvent("fold 1 of 2", 1, 2, epoch=0, n_epochs=3, step=1, n_steps=4))
    assert "extra training 1/2 (fold 1 of 2)" in screen.states[-1].line()
    assert len(screen.frames) == frames
