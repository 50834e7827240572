from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.coloring import by_column, by_truth
from hcat_nb.charts.data_map import CONFIDENCE, X_AXES, map_chart
from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.jupyter.frames import Frame, rows
from hcat_nb.jupyter.map_scene import Bounds, MapScene

Made = tuple[MapScene, np.ndarray, np.ndarray]


@pytest.fixture
def make_scene() -> Callable[..., Made]:
    def make(n: int = 200, seed: int = 0, **options: Any) -> Made:
        rng = np.random.default_rng(seed)
        x, y = rng.random(n) / 2, rng.random(n)
        ids = pd.Index([f"s{i:06}" for i in rng.permutation(n)])
        axis = X_AXES["variability"]
        scene = MapScene(
            ids,
            axis,
            CONFIDENCE,
            chart=lambda coloring, caption, n_points: map_chart(
                axis, coloring, title="t", caption=caption, n_points=n_points, live=True
            ),
            color=lambda x, y: by_truth(y < 0.1),
            labels=np.arange(n) % 2,
            class_names=("oak", "elm"),
            **options,
        )
        scene.move(1, "epoch 1", x, y)
        return scene, x, y

    return make


def marked(frame: Frame) -> set[str]:
    return {row["id"] for row in rows(frame)["selected"]}


def test_a_brush_selects_among_all_samples_not_only_those_drawn(
    make_scene: Callable[..., Made],
) -> None:
    scene, x, y = make_scene(20_000)
    inside = scene.inside(Bounds((0.1, 0.3), (0.5, 0.9)))
    expected = np.flatnonzero((x >= 0.1) & (x <= 0.3) & (y >= 0.5) & (y <= 0.9))
    np.testing.assert_array_equal(inside, expected)
    drawn = {row["row"] for row in rows(scene.frame())["points"]}
    assert len(drawn) == 5_000
    assert not drawn & set(expected.tolist())  # the drawn ones have a confidence below .26


def test_filter_and_selection_stay_when_the_colour_changes_and_an_epoch_arrives(
    make_scene: Callable[..., Made],
) -> None:
    scene, x, _ = make_scene()
    elms = np.flatnonzero(np.arange(200) % 2)
    ten = elms[5:15]
    scene.show_only(elms)
    scene.select(ten)
    scene.recolor(by_column(pd.Series(x, name="vog")))
    scene.move(2, "epoch 2", x[::-1].copy(), x * 2)
    frame = scene.frame()
    assert marked(frame) == set(scene.sample_ids[ten])
    assert {row["label"] for row in rows(frame)["points"]} == {"elm"}
    np.testing.assert_array_equal(scene.selected, ten)
    assert frame.content["signals"]["caption"] == (
        "100 of 200 samples pass the filter · 10 selected"
    )
    placed = {row["id"]: row["x"] for row in rows(frame)["selected"]}
    for row in ten:  # at the new place; half a step of 65,535
        assert placed[scene.sample_ids[row]] == pytest.approx(x[::-1][row], abs=4e-6)
    colors = {row["row"]: row["color"] for row in rows(frame)["points"]}
    assert colors[int(ten[0])] == pytest.approx(x[ten[0]])


def test_ids_are_the_users_own(make_scene: Callable[..., Made]) -> None:
    scene, *_ = make_scene()
    wanted = ["s000007", "s000199", "s000000"]
    found = scene.rows_of(wanted)
    assert set(scene.sample_ids[found]) == set(wanted)
    with pytest.raises(UnknownNameError, match="there is no sample 's9'"):
        scene.rows_of(["s000001", "s9"])


def test_an_id_that_repeats_means_each_of_its_samples(make_scene: Callable[..., Made]) -> None:
    scene, *_ = make_scene(4)
    scene.sample_ids = pd.Index([7, 8, 7, 9])
    assert scene.rows_of([7]).tolist() == [0, 2]


def test_selected_and_flagged_samples_are_always_points(make_scene: Callable[..., Made]) -> None:
    scene, _, y = make_scene(20_000)
    easy = np.argsort(-y)[:20]
    scene.select(easy[:10])
    scene.always_draw(easy[10:])
    drawn = {row["row"] for row in rows(scene.frame())["points"]}
    assert set(easy.tolist()) <= drawn
    assert len(drawn) == 5_000


def test_drawn_samples_keep_their_identity_over_epochs(make_scene: Callable[..., Made]) -> None:
    scene, x, y = make_scene(20_000)
    drawn = {row["row"] for row in rows(scene.frame())["points"]}
    scene.keep_drawn()
    scene.move(2, "epoch 2", x, 1 - y)
    again = {row["row"] for row in rows(scene.frame())["points"]}
    assert again == drawn


def test_a_followed_sample_is_marked_with_its_way(make_scene: Callable[..., Made]) -> None:
    scene, x, y = make_scene()
    scene.trails(lambda row: (np.array([1, 2]), np.array([0.25, x[row]]), np.array([1.0, y[row]])))
    scene.follow(3)
    tables = rows(scene.marks())
    assert [(row["row"], row["followed"]) for row in tables["selected"]] == [(3, 1)]
    assert [row["epoch"] for row in tables["trail"]] == [1, 2]
    assert tables["trail"][0]["x"] == pytest.approx(0.25, abs=4e-6)
    scene.follow(None)
    assert rows(scene.marks()) == {"selected": [], "decided": [], "trail": []}


def test_what_is_decided_is_marked_where_the_filter_lets_it_through(
    make_scene: Callable[..., Made],
) -> None:
    scene, x, _ = make_scene()
    scene.mark_decided(np.array([1, 4]))
    assert [row["x"] for row in rows(scene.marks())["decided"]] == pytest.approx(
        [x[1], x[4]], abs=4e-6
    )
    scene.show_only(np.array([4]))
    assert len(rows(scene.frame())["decided"]) == 1


def test_samples_without_a_place_are_neither_marked_nor_found(
    make_scene: Callable[..., Made],
) -> None:
    scene, x, y = make_scene(5)
    x[0] = np.nan
    scene.move(2, "", x, y)
    scene.select(np.array([0, 1]))
    assert [row["row"] for row in rows(scene.marks())["selected"]] == [1]
    assert scene.inside(Bounds((0, 1), (0, 1))).tolist() == [1, 2, 3, 4]


def test_a_colouring_of_another_length_is_refused(make_scene: Callable[..., Made]) -> None:
    scene, *_ = make_scene(5)
    with pytest.raises(SpecError, match="the colouring has 4 values"):
        scene.recolor(by_truth(np.zeros(4, dtype=bool)))


def test_a_million_samples_need_little_of_the_wire(make_scene: Callable[..., Made]) -> None:
    scene, *_ = make_scene(1_000_000)
    frame = scene.frame()
    assert frame.size < 300_000
    assert sum(row["n"] for row in rows(frame)["bins"]) == 995_000
    assert (
        "1,000,000 samples: density, and the 5,000 of lowest"
        in scene.frame().content["signals"]["caption"]
    )
