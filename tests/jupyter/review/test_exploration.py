"""The explorer's logic: filters, an order, a selection that stays, pages."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.errors import UnknownNameError
from hcat_nb.jupyter.review.exploration import PAGE, Exploration
from hcat_nb.runs.review.decision import ACTIONS
from hcat_nb.runs.review.queue import queue_of

N = 250


def made_up(ids=None, truth: bool = True) -> SimpleNamespace:
    """A run that nobody trained: 250 samples, three classes, one without a label."""
    rng = np.random.default_rng(0)
    index = pd.Index([f"s{i:03}" for i in rng.permutation(N)] if ids is None else ids)
    codes = rng.integers(0, 3, N)
    codes[7] = -1
    confidence = rng.random(N, dtype=np.float32)
    confidence[3] = np.nan
    groups = pd.Categorical.from_codes(rng.integers(0, 3, N), ["easy", "ambiguous", "hard"])
    details = pd.DataFrame(
        {
            "label": pd.Categorical.from_codes(codes, ["oak", "elm", "<b>ash</b>"]),
            "confidence": confidence,
            "variability": rng.random(N, dtype=np.float32) / 2,
            "aleatoric": rng.random(N, dtype=np.float32) / 4,
            "correctness": np.nan,
            "mean_loss": rng.random(N, dtype=np.float32),
            "dataiq_group": groups,
            "datamaps_group": groups[::-1],
        },
        index=index,
    )
    scores = pd.DataFrame(
        {"aum": rng.normal(size=N).astype("f4"), "vog": rng.integers(0, 5, N).astype("f4")},
        index=index,
    )
    scores.iloc[11] = np.nan
    is_hard = rng.random(N) < 0.2 if truth else np.zeros(N, dtype=bool)
    return SimpleNamespace(
        details=details,
        scores=scores,
        truth=pd.DataFrame({"is_hard": is_hard}, index=index),
        methods=["aum", "vog"],
        first_look=None,  # its parts are another matter
        info={"methods": {"aum": {"ties": None}, "vog": {"ties": "mean_loss"}}},
    )


@pytest.fixture
def run() -> SimpleNamespace:
    return made_up()


def test_all_are_shown_hardest_first_those_without_a_score_last(run):
    exploration = Exploration(run)
    expected = run.scores["aum"].sort_values(ascending=False, na_position="last").index
    assert exploration.ids[exploration.rows].tolist() == expected.tolist()
    exploration.sort("vog")
    vog = run.scores["vog"].to_numpy()[exploration.rows[:-1]]
    loss = run.details["mean_loss"].to_numpy()[exploration.rows[:-1]]
    assert (np.diff(vog) <= 0).all()
    assert (np.diff(loss)[np.diff(vog) == 0] <= 0).all()


def test_pages_hold_all_samples_once(run):
    exploration = Exploration(run)
    seen = []
    for page in range(exploration.pages):
        assert exploration.page == page
        seen += exploration.on_page().tolist()
        exploration.turn(page + 1)
    assert seen == exploration.rows.tolist()
    assert exploration.pages == 3
    assert not exploration.turn(99)
    assert len(exploration.on_page()) == N - 2 * PAGE
    assert exploration.turn(-5)
    assert exploration.page == 0


def test_a_brush_selects_all_inside_edges_included_and_none_without_a_place(run):
    exploration = Exploration(run)
    x, y = run.details["variability"], run.details["confidence"]
    # The first sample is a corner.
    bounds = (float(x.iloc[0]), 0.5, float(y.iloc[0]), 0.9)
    inside = (x >= bounds[0]) & (x <= 0.5) & (y >= bounds[2]) & (y <= 0.9)
    count = exploration.brush("variability", "confidence", bounds)
    assert count == inside.sum()
    assert exploration.selected.tolist() == run.details.index[inside].tolist()
    assert run.details.index[0] in exploration.selected
    exploration.brush("variability", "confidence", (-1, 1, -1, 2))
    assert len(exploration.selected) == N - 1
    assert exploration.brush("aum", "vog", (9, 9, 9, 9)) == 0
    assert len(exploration.rows) == 0
    assert exploration.pages == 1
    exploration.brush("aum", "vog", None)
    assert exploration.selected is None
    assert len(exploration.rows) == N


def test_a_selection_is_a_set_of_ids_that_stays(run):
    exploration = Exploration(run)
    ids = ["s017", "s003", "s111"]
    exploration.select(ids)
    chosen = sorted(ids, key=list(run.details.index).index)
    assert exploration.selected.tolist() == chosen
    exploration.sort("vog")
    exploration.filter("label", "elm")
    exploration.filter("label", None)
    assert exploration.selected.tolist() == chosen
    assert sorted(exploration.ids[exploration.rows]) == sorted(ids)


def test_unknown_ids_are_named_and_change_nothing(run):
    exploration = Exploration(run)
    exploration.select(["s001"])
    with pytest.raises(UnknownNameError, match="no sample 's999'"):
        exploration.select(["s002", "s999"])
    assert exploration.selected.tolist() == ["s001"]


def test_numbers_are_ids_and_not_positions():
    exploration = Exploration(made_up(ids=np.arange(N) + 1000))
    exploration.select([1003, 1001])
    assert exploration.chosen.tolist() == [1, 3]
    with pytest.raises(UnknownNameError, match="no sample 3;"):
        exploration.select([3])


def test_every_sample_of_a_repeated_id_is_selected():
    exploration = Exploration(made_up(ids=["same", "other"] * (N // 2)))
    exploration.select(["same"])
    assert exploration.chosen.tolist() == list(range(0, N, 2))


def test_filters_join_and_go(run):
    exploration = Exploration(run)
    exploration.filter("label", "<b>ash</b>")
    exploration.filter("truth", "made hard")
    both = (run.details["label"] == "<b>ash</b>") & run.truth["is_hard"]
    assert sorted(exploration.ids[exploration.rows]) == sorted(run.details.index[both])
    exploration.filter("truth", None)
    exploration.filter("label", "(no label)")
    assert exploration.rows.tolist() == [7]
    exploration.filter("label", None)
    assert exploration.filters == {}
    for way, column in (("Data-IQ", "dataiq_group"), ("Data Maps", "datamaps_group")):
        exploration.filter("group", f"{way}: hard")
        assert len(exploration.rows) == (run.details[column] == "hard").sum()


def test_a_filter_limits_a_brush_and_the_brush_stays_when_it_goes(run):
    exploration = Exploration(run)
    exploration.filter("label", "elm")
    exploration.brush("variability", "confidence", (0, 0.5, 0, 1))
    ids = exploration.selected.tolist()
    exploration.filter("label", None)
    assert exploration.selected.tolist() == ids
    assert set(run.details["label"][ids]) == {"elm"}


def test_decisions_filter_as_they_change(run):
    codes = np.full(N, -1, dtype=np.int8)
    exploration = Exploration(run, lambda: codes)
    exploration.filter("decision", "decided")
    assert len(exploration.rows) == 0
    codes[[4, 9]] = [ACTIONS.index("drop"), ACTIONS.index("keep")]
    exploration.decisions_changed()
    assert sorted(exploration.rows) == [4, 9]
    exploration.filter("decision", "drop")
    assert exploration.rows.tolist() == [4]
    exploration.filter("decision", "undecided")
    assert len(exploration.rows) == N - 2


def test_a_decision_takes_no_sample_from_a_page_that_is_not_filtered_by_it(run):
    exploration = Exploration(run, lambda: np.zeros(N, dtype=np.int8))
    exploration.turn(1)
    before = exploration.on_page()
    exploration.decisions_changed()
    assert np.array_equal(exploration.on_page(), before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda one: one.filter("colour", "red"), "no filter 'colour'.*one of label, group"),
        (lambda one: one.filter("label", "oack"), "label cannot be 'oack'.*nearest: oak"),
        (lambda one: one.filter("decision", "drop"), "decision cannot be 'drop'"),
        (lambda one: one.sort("el2n"), "no method 'el2n'.*aum, vog"),
        (lambda one: one.coordinates("correctness"), "no axis 'correctness'"),
    ],
)
def test_mistakes_are_named(call, message, run):
    with pytest.raises(UnknownNameError, match=message):
        call(Exploration(run))


def test_there_is_no_truth_to_filter_by_where_nothing_was_injected():
    assert Exploration(made_up(truth=False)).choices("truth") == []


def test_axes_are_the_maps_and_every_method(run):
    exploration = Exploration(run)
    assert exploration.axes == ("variability", "aleatoric", "confidence", "aum", "vog")
    assert exploration.coordinates("vog").dtype == np.float32


def test_the_share_of_easier_samples(run):
    exploration = Exploration(run)
    order = exploration.rows
    assert exploration.share_easier(int(order[0]), "aum") == (N - 2) / (N - 1)
    assert exploration.share_easier(int(order[-2]), "aum") == 0
    assert exploration.share_easier(11, "aum") is None


def test_a_queue_that_was_handed_in_is_an_order_and_the_rest_follows(run):
    ids = run.details.index[[50, 2, 77]].tolist()
    queue = queue_of(run, [{"sample_id": one} for one in ids])
    exploration = Exploration(run, None, queue)
    assert (exploration.by, exploration.orders[0]) == ("queue", "queue")
    exploration.review()
    assert exploration.rows.tolist() == [50, 2, 77]
    assert exploration.reviewing
    exploration.choose(None)
    assert not exploration.reviewing
    plain = Exploration(run).rows
    assert exploration.rows.tolist()[3:] == [row for row in plain if row not in (50, 2, 77)]
    assert exploration.rank(77) == 3
    with pytest.raises(UnknownNameError):
        Exploration(run).sort("queue")


def test_samples_are_found_by_id_and_else_by_what_they_hold(run):
    exploration = Exploration(run)
    labels = run.details["label"].astype(object).fillna("")
    exploration.find(" S10 ", lambda: labels)
    assert all("s10" in str(one) for one in exploration.selected)
    assert len(exploration.rows) == sum("s10" in one for one in run.details.index)
    exploration.find("elm", lambda: labels)
    assert len(exploration.rows) == (labels == "elm").sum()
    exploration.find("no such thing", lambda: labels)
    assert len(exploration.rows) == 0
    exploration.find("", lambda: labels)
    assert exploration.selected is None


def test_columns_are_asked_for_by_name_and_value() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"len = 1": rng.normal(size=60), "wood": ["Oak", "elm", None] * 20})
    frame["kind"] = np.where(frame["len = 1"] > 0, "a", "b")
    run = characterize(frame, target="kind", epochs=2, methods="aum", seed=0, judges=False)
    shown = Exploration(run)

    def found(words: str) -> list[int]:
        shown.find(words, list)
        return sorted(shown.rows.tolist())

    assert found("wood = oak") == list(range(0, 60, 3))
    assert found("aum > 0") == np.flatnonzero(run.scores["aum"] > 0).tolist()
    assert found("label != a") == np.flatnonzero(frame["kind"] != "a").tolist()
    assert found("correctness < 1") == np.flatnonzero(run.details["correctness"] < 1).tolist()
    assert found("no such column = 3") == []


def test_samples_are_coloured_by_what_was_decided() -> None:
    run = characterize("wine", epochs=1, methods="aum", seed=0, judges=False)
    codes = np.full(178, -1, dtype=np.int8)
    codes[[3, 5]] = ACTIONS.index("drop"), ACTIONS.index("keep")
    colors = Exploration(run, lambda: codes).coloring("decision", "variability")
    names = np.array(colors.levels)[colors.data]
    assert names[3] == "drop"
    assert names[5] == "keep"
    assert (names == "undecided").sum() == 176
    assert len(colors.palette) == len(colors.levels)


def test_looks_are_counted_against_what_was_made_hard() -> None:
    run = made_up()
    codes = np.full(N, -1, dtype=np.int8)
    shown = Exploration(run, lambda: codes)
    assert shown.found() == ""
    hard = np.flatnonzero(run.truth["is_hard"])
    codes[hard[:3]] = codes[np.flatnonzero(~run.truth["is_hard"])[:2]] = 0
    assert shown.found() == f"found 3 of {len(hard)} with 5 looks"
    assert Exploration(made_up(truth=False), lambda: codes).found() == ""
