from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hcat_nb.jupyter.frames import Frame, rows
from hcat_nb.jupyter.listener import LiveListener
from hcat_nb.jupyter.map_scene import MapScene
from hcat_nb.jupyter.progress import Progress
from hcat_nb.jupyter.static_view import StaticView
from hcat_nb.methods.dataiq import dataiq_groups
from hcat_nb.methods.datamaps import datamaps_groups
from hcat_nb.training.events import EndEvent, ExtraEvent, StepEvent


class Recorder:
    """A screen that writes down what it is told."""

    def __init__(self) -> None:
        self.states: list[Progress] = []
        self.specs: list[dict[str, Any]] = []
        self.frames: list[Frame] = []
        self.views: list[StaticView] = []
        self.discarded = 0

    def update(self, progress: Progress) -> None:
        self.states.append(progress)

    def start_map(self, scene: MapScene) -> None:
        self.specs.append(scene.spec())

    def move_map(self, frame: Callable[[], Frame]) -> None:
        self.frames.append(frame())

    def finish(self, progress: Progress, view: StaticView) -> None:
        self.states.append(progress)
        self.views.append(view)

    def discard(self) -> None:
        self.discarded += 1


def play(
    run: Any, outcome: Any = "finished", epochs: int | None = None, **options: Any
) -> Recorder:
    screen = Recorder()
    listener = LiveListener(screen=screen, **options)
    listener.on_start(run.start)
    epochs = run.n_epochs if epochs is None else epochs
    for epoch in range(1, epochs + 1):
        listener.on_step(StepEvent(epoch, 1, 4))
        listener.on_epoch(run.epoch(epoch))
    listener.on_end(EndEvent(outcome, epochs))
    return screen


def column(frame: Frame, dataset: str, name: str) -> Any:
    return [row[name] for row in rows(frame)[dataset]]


def test_every_epoch_is_a_frame_of_all_samples_that_have_a_place(made_up_run: Any) -> None:
    run = made_up_run()
    screen = play(run)
    assert [frame.content["epoch"] for frame in screen.frames] == [1, 2, 3]
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
    if x == "variability":
        groups = datamaps_groups(snapshot.confidence, snapshot.variability)
    else:
        groups = dataiq_groups(snapshot.confidence, snapshot.aleatoric)
    last = screen.frames[-1]
    rows = run.start.sample_ids.get_indexer(column(last, "points", "id"))
    assert column(last, "points", "color") == groups[rows].tolist()
    sizes = dataiq_groups(snapshot.confidence, snapshot.aleatoric)
    for group in ("easy", "ambiguous", "hard"):
        assert f"{(sizes == group).sum()} {group}" in screen.views[0].summary


def test_the_specification_fits_the_frames(made_up_run: Any) -> None:
    screen = play(made_up_run())
    (spec,) = screen.specs
    for layer in spec["layer"][:2]:
        name = layer["data"]["name"]
        fields = {part["field"] for part in layer["encoding"]["tooltip"]} - {"x0", "x1"}
        described = next(d for d in screen.frames[0].content["datasets"] if d["name"] == name)
        assert fields <= {header["name"] for header in described["columns"]}
    caption = screen.frames[0].content["signals"]["caption"]
    assert caption == "100 samples, 1 of them without coordinates"
    scale = spec["layer"][1]["encoding"]["color"]["scale"]
    assert scale["domain"] == ["untouched", "made hard"]


def test_a_large_run_stays_small_on_the_wire(made_up_run: Any) -> None:
    (frame, *_) = play(made_up_run(n=60_000, n_epochs=1)).frames
    assert frame.size < 250_000
    assert len(column(frame, "points", "x")) == 5_000
    assert sum(column(frame, "bins", "n")) == 54_999


def test_the_end_is_a_picture_and_its_words(made_up_run: Any) -> None:
    screen = play(made_up_run())
    (view,) = screen.views
    assert Image.open(io.BytesIO(view.png or b"")).format == "PNG"
    assert "100 samples, finished after epoch 3/3 · loss 0.333 · accuracy 75.0 %" in view.summary
    assert "<b>trees</b>" not in view.bundle()["text/html"]
    assert base64.b64decode(view.bundle()["image/png"]) == view.png


def test_a_run_stopped_before_its_first_epoch_has_words_only(made_up_run: Any) -> None:
    (view,) = play(made_up_run(), outcome="stopped", epochs=0).views
    assert view.png is None
    assert "stopped after epoch 0/3" in view.summary


def test_only_a_run_that_did_not_begin_is_taken_away(made_up_run: Any) -> None:
    screen = Recorder()
    LiveListener(screen=screen).discard()
    assert screen.discarded == 1
    begun = LiveListener(screen=screen)
    begun.on_start(made_up_run().start)
    begun.discard()
    assert screen.discarded == 1
    begun.on_end(EndEvent("failed", 0, "ValueError: no"))
    begun.discard()
    assert screen.discarded == 1
    assert "failed after epoch 0/3 · ValueError: no" in screen.views[-1].summary


def test_without_a_screen_nothing_happens(made_up_run: Any) -> None:
    run = made_up_run()
    listener = LiveListener("none")
    listener.on_start(run.start)
    listener.on_step(StepEvent(1, 1, 4))
    listener.on_epoch(run.epoch(1))
    listener.on_end(EndEvent("finished", 1))
    listener.discard()


def test_extra_trainings_are_said_and_move_no_map(made_up_run: Any) -> None:
    run, screen = made_up_run(), Recorder()
    listener = LiveListener(screen=screen)
    listener.on_start(run.start)
    listener.on_epoch(run.epoch(1))
    frames = len(screen.frames)
    listener.on_extra(ExtraEvent("fold 1 of 2", 1, 2, epoch=0, n_epochs=3, step=1, n_steps=4))
    assert "extra training 1/2 (fold 1 of 2)" in screen.states[-1].line()
    assert len(screen.frames) == frames
