"""What holds for every chart: it renders whatever the data are, and shows data as text.

Charts are found, not listed: every public function of `hcat_nb.charts` that
returns one.  A new chart without an entry in INPUTS fails here.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
import vl_convert

import hcat_nb.charts
from hcat_nb.charts.agreement import agreement
from hcat_nb.charts.auroc import auroc_by_epoch, auroc_chart
from hcat_nb.charts.by_class import by_class
from hcat_nb.charts.by_p import by_p
from hcat_nb.charts.choice import choice
from hcat_nb.charts.coloring import by_truth
from hcat_nb.charts.costs import costs_chart
from hcat_nb.charts.critical_difference import critical_difference_diagram
from hcat_nb.charts.curves import curves, curves_chart
from hcat_nb.charts.data_map import X_AXES, data_map, map_chart
from hcat_nb.charts.dominance import dominance
from hcat_nb.charts.histograms import histograms, histograms_chart
from hcat_nb.charts.live_view import live_view
from hcat_nb.charts.picture import picture, vega_lite_version
from hcat_nb.charts.ranking import rank_distribution
from hcat_nb.charts.scatter import scatter
from hcat_nb.charts.stability import stability
from hcat_nb.charts.theme import CLASSES, DECIDED, GROUPS, NONE, OTHER, TRUTH
from hcat_nb.charts.trajectories import trajectories
from hcat_nb.evaluation.comparison import cliques, nemenyi
from hcat_nb.evaluation.consistency import agreement_table
from hcat_nb.evaluation.dominance import who_beats_whom

EPOCHS = 3
METHODS = ("aum", "vog", "loss")
MARKUP = "<b onclick=x>elm</b> & <img src=x onerror=alert(1)>"


@dataclass(frozen=True, eq=False)
class World:
    """What a run of n samples would have: details with scores, dynamics, history."""

    frame: pd.DataFrame
    dynamics: pd.DataFrame
    history: pd.DataFrame

    @property
    def scores(self) -> pd.DataFrame:
        return self.frame[list(METHODS)]


def make_world(
    n: int, classes: int, *, long_names: bool = False, missing: bool = False, markup: bool = False
) -> World:
    rng = np.random.default_rng(0)
    names = [f"class {code}" for code in range(classes)]
    if long_names:
        names = [f"{name}: " + "a rather long name " * 12 for name in names]
    if markup:
        names[0] = MARKUP
    p = rng.random((n, EPOCHS), dtype=np.float32)
    scores = rng.gamma(2.0, size=(n, len(METHODS))).astype(np.float32)
    label = np.array(names, dtype=object)[rng.integers(0, classes, n)]
    if missing:
        label[::3], p[1::3], scores[2::3, 0], scores[:, 2] = None, np.nan, np.nan, np.nan
    group = np.array(["easy", "ambiguous", "hard"], dtype=object)[rng.integers(0, 3, n)]
    frame = pd.DataFrame(
        {
            "label": pd.Categorical(label, categories=names),
            "confidence": p.mean(1),
            "variability": p.std(1) / 2,
            "aleatoric": (p * (1 - p)).mean(1),
            "datamaps_group": pd.Categorical(group),
            "is_hard": rng.random(n) < 0.1,
            **dict(zip(METHODS, scores.T, strict=True)),
        },
        index=pd.RangeIndex(n, name="sample_id"),
    )
    columns = [f"epoch_{epoch}" for epoch in range(1, EPOCHS + 1)]
    steps = 0 if n == 0 else EPOCHS
    history = pd.DataFrame(
        {"loss": np.linspace(1, 0.1, steps), "accuracy": np.linspace(0.5, 0.9, steps)},
        index=pd.RangeIndex(1, steps + 1, name="epoch"),
    )
    if missing:
        history["accuracy"] = np.nan
    return World(frame, pd.DataFrame(p, index=frame.index, columns=columns), history)


WORLDS: dict[str, Callable[[], World]] = {
    "empty": lambda: make_world(0, 2),
    "one sample": lambda: make_world(1, 1),
    "one class": lambda: make_world(50, 1),
    "two classes": lambda: make_world(50, 2),
    "1,000 classes": lambda: make_world(3000, 1000),
    "long names": lambda: make_world(50, 3, long_names=True),
    "missing values": lambda: make_world(50, 3, missing=True),
    "markup": lambda: make_world(50, 3, markup=True),
    "1,000,000 samples": lambda: make_world(1_000_000, 10),
}


@cache
def world(name: str) -> World:
    return WORLDS[name]()


def _costs(w: World) -> pd.DataFrame:
    labels = w.frame["label"].astype(object).dropna().unique()[:40]
    return pd.DataFrame(
        {"hcm": [str(one) for one in labels], "part": "own", "seconds": 1.0, "of_training": 0.1}
    )


def _auroc(w: World) -> pd.DataFrame:
    names = [str(one) for one in w.frame["label"].cat.categories[:20]]
    values = np.full((len(w.history), len(names)), 0.8)
    return pd.DataFrame(values, index=w.history.index, columns=names)


def _pairs(w: World) -> pd.DataFrame:
    names = [f"{name} {w.frame['label'].cat.categories[0]}" for name in METHODS]
    return agreement_table(w.scores.head(10_000).set_axis(names, axis="columns"))


def _figures(w: World) -> pd.DataFrame:
    """Blocks x methods, as results of many runs would be; methods are called as classes are."""
    names = _names(w)
    values = np.random.default_rng(0).random((0 if w.frame.empty else 6, len(names)))
    return pd.DataFrame(values, columns=pd.Index(names, name="hcm"))


def _names(w: World) -> list[str]:
    return ["aum", *(str(one) for one in w.frame["label"].cat.categories[:15])]


def _results(w: World) -> pd.DataFrame:
    """Long form of the figures, with n/a where the world has missing values."""
    rows = _figures(w).rename_axis("run").reset_index().melt("run", value_name="auroc")
    gone = bool(w.frame["label"].isna().any()) & (rows["run"] % 3 == 0)
    kind = _first_class(w)
    return rows.assign(
        auroc=rows["auroc"].mask(gone), p=rows["run"] / 10, hardness=kind, dataset="x", model=None
    )


def _rank_p_values(w: World) -> pd.DataFrame:
    return nemenyi(_figures(w).rank(axis=1).mean(), 6)


def _critical_difference(w: World) -> alt.TopLevelMixin:
    means = _figures(w).rank(axis=1).mean()
    groups = [] if w.frame.empty else cliques(_rank_p_values(w))
    return critical_difference_diagram(means, groups, critical_difference=1.5, caption="blocks")


def _who(w: World) -> pd.DataFrame:
    values = _figures(w) if len(w.frame) else _figures(w)[[]]
    return who_beats_whom(values, _rank_p_values(w), n_resamples=20)


def _choices(w: World) -> pd.DataFrame:
    rows = _results(w).rename(columns={"auroc": "value"})
    return rows.assign(mean_rank=1.0, best_group=rows["run"] == 0, n_blocks=3)


# Each chart on the data of a world; a chart of two faces has several.
INPUTS: dict[Callable[..., Any], list[Callable[[World], alt.TopLevelMixin]]] = {
    agreement: [
        lambda w: agreement(_pairs(w)),
        lambda w: agreement(_pairs(w), measure="top_overlap"),
        lambda w: agreement(_pairs(w).head(0), methods=[str(n) for n in _auroc(w)]),
    ],
    auroc_by_epoch: [lambda w: auroc_by_epoch(_auroc(w))],
    auroc_chart: [
        lambda w: auroc_chart(list(_auroc(w)), 5, title="auroc", caption="live"),
    ],
    by_class: [lambda w: by_class(w.frame["aum"], w.frame["label"])],
    by_p: [
        lambda w: by_p(_results(w)),
        lambda w: by_p(_results(w), facets=["run"], guess=0.3),
    ],
    choice: [lambda w: choice(_choices(w))],
    costs_chart: [lambda w: costs_chart(_costs(w))],
    critical_difference_diagram: [_critical_difference],
    curves: [lambda w: curves(w.history)],
    curves_chart: [lambda _: curves_chart(5, title="curves", caption="live")],
    data_map: [
        lambda w: data_map(w.frame),
        lambda w: data_map(w.frame, color="label"),
        lambda w: data_map(w.frame, color="aum"),
    ],
    dominance: [lambda w: dominance(_who(w)), lambda w: dominance(_who(w), methods=["aum"])],
    histograms: [
        lambda w: histograms(w.scores),
        lambda w: histograms(w.scores, is_hard=w.frame["is_hard"]),
        lambda w: histograms(w.scores, flagged=w.frame[["is_hard"]].set_axis(["aum"], axis=1)),
        lambda w: histograms(w.scores[["aum"]].rename(columns={"aum": _first_class(w)})),
    ],
    histograms_chart: [
        lambda w: histograms_chart([_first_class(w)], TRUTH, title="scores", caption="live")
    ],
    live_view: [lambda w: _live_view(w, truth=True), lambda w: _live_view(w, truth=False)],
    map_chart: [
        lambda w: map_chart(
            X_AXES["variability"],
            by_truth(w.frame["is_hard"].to_numpy()),
            title="map",
            caption="live",
            n_points=10,
        )
    ],
    rank_distribution: [lambda w: rank_distribution(_figures(w).rank(axis=1))],
    scatter: [
        lambda w: scatter(w.frame, "aum", "vog"),
        lambda w: scatter(w.frame, "aum", "loss", scale="rank", color="is_hard"),
        lambda w: scatter(w.frame, "aum", "vog", color="label"),
        lambda w: scatter(w.frame, "vog", "aum", color="confidence"),
    ],
    stability: [lambda w: stability(_results(w).rename(columns={"auroc": "spearman"}))],
    trajectories: [
        lambda w: trajectories(w.dynamics),
        lambda w: trajectories(
            w.dynamics, range(len(w.dynamics)), labels=w.frame["label"].astype(object).tolist()
        ),
    ],
}


def _live_view(w: World, truth: bool) -> alt.TopLevelMixin:
    return live_view(
        X_AXES["variability"],
        by_truth(w.frame["is_hard"].to_numpy()),
        title=_first_class(w),
        caption="live",
        n_points=10,
        n_epochs=5,
        methods=dict.fromkeys([_first_class(w), *METHODS], "epoch"),
        truth=truth,
    )


def _first_class(w: World) -> str:
    return str(w.frame["label"].cat.categories[0])


def _found() -> set[Callable[..., Any]]:
    """Every public function of a module of charts that returns a chart."""
    found = set()
    for module in pkgutil.iter_modules(hcat_nb.charts.__path__):
        if module.name == "theme":  # what all charts are put together by
            continue
        loaded = importlib.import_module(f"hcat_nb.charts.{module.name}")
        for name, member in inspect.getmembers(loaded, inspect.isfunction):
            if member.__module__ == loaded.__name__ and not name.startswith("_"):
                returned = str(inspect.get_annotations(member).get("return"))
                if re.search(r"\b(Offline|Layer|Concat)?(Chart|Concat)\b", returned):
                    found.add(member)
    return found


CASES = [
    pytest.param(make, id=f"{chart.__name__}-{number}")
    for chart, makers in INPUTS.items()
    for number, make in enumerate(makers)
]


def test_no_chart_is_left_out() -> None:
    assert _found() == set(INPUTS)


@pytest.mark.parametrize("make", CASES)
@pytest.mark.parametrize("name", WORLDS)
def test_it_renders_and_keeps_no_rows(make: Callable[[World], Any], name: str) -> None:
    chart = make(world(name))
    assert isinstance(chart, alt.TopLevelMixin)
    text = chart.to_json()
    # 10,000 points of a map are the most that a chart may hold.
    assert len(text) < 2_000_000
    svg = vl_convert.vegalite_to_svg(text, vl_version=vega_lite_version())
    assert svg.startswith("<svg")
    assert "NaN" not in re.sub(r">[^<]*<", "><", svg), "a mark at no place"
    assert "<b onclick" not in svg
    assert "<img" not in svg


@pytest.mark.parametrize("make", CASES)
def test_those_who_do_not_see_it_are_told(make: Callable[[World], Any]) -> None:
    spec = make(world("two classes")).to_dict()
    assert len(spec["description"]) > 5
    # A live view has a title that changes, and tells of it where it stands.
    assert spec.get("title", {}).get("subtitle", "live") in spec["description"]


@pytest.mark.parametrize("make", CASES)
def test_it_follows_the_page_and_keeps_to_the_palette(make: Callable[[World], Any]) -> None:
    spec = make(world("two classes")).to_dict()
    assert spec["config"]["background"] == "transparent"
    assert spec["config"]["axis"]["labelColor"] == {"expr": "ink"}
    assert sum(param["name"] == "ink" for param in spec["params"]) == 1
    allowed = {*CLASSES, *GROUPS.values(), *TRUTH.values(), OTHER, NONE, DECIDED}
    allowed |= {"#8C8C8C", "#333333"}
    greys = {"#88888840", "#888888", "#88888880"}
    for color in re.findall(r"#[0-9A-Fa-f]{6,8}\b", json.dumps({**spec, "datasets": {}})):
        assert color in allowed | greys


@pytest.mark.parametrize("make", CASES)
def test_no_field_becomes_a_picture_or_a_link(make: Callable[[World], Any]) -> None:
    # Vega's tooltip makes <img> of a field named image; a mark may be a link by href or url.
    text = make(world("markup")).to_json()
    assert not re.search(r'"(title|field)": "image"', text)
    assert not re.search(r'"(href|url)":', text)


@pytest.mark.parametrize("make", CASES)
def test_a_user_changes_it(make: Callable[[World], Any]) -> None:
    changed = make(world("two classes")).properties(title="mine")
    assert changed.to_dict()["title"] == "mine"
    assert picture(changed).startswith(b"\x89PNG")


def test_the_users_transformers_stay() -> None:
    before = alt.data_transformers.active, alt.data_transformers.options
    for makers in INPUTS.values():
        makers[0](world("two classes")).to_dict()
    assert (alt.data_transformers.active, alt.data_transformers.options) == before
