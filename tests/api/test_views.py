"""A run's views: its samples, and charts of its own tables, offline, that can be changed."""

from __future__ import annotations

import json
from dataclasses import replace

import altair as alt
import numpy as np
import pytest

from hcat_nb.api._views import RunViews
from hcat_nb.api.run import Run
from hcat_nb.errors import DataError, StoreError, UnknownNameError


def _spec(chart):
    return chart.to_dict()


@pytest.mark.parametrize(
    "draw",
    [
        lambda run: run.curves(),
        lambda run: run.histograms(),
        lambda run: run.histograms("aum", overlay="flagged"),
        lambda run: run.agreement(),
        lambda run: run.agreement(measure="top_overlap", top=0.2),
        lambda run: run.trajectories(),
        lambda run: run.auroc_by_epoch(),
        lambda run: run.by_class("vog"),
        lambda run: run.scatter("aum", "vog"),
    ],
)
def test_each_is_an_altair_chart_that_shows_itself_offline(image_run, draw):
    chart = draw(image_run)
    assert isinstance(chart, (alt.LayerChart, alt.ConcatChart))
    data, _ = chart._repr_mimebundle_()
    spec = data["application/vnd.vegalite.v5+json"]
    spec.pop("$schema")  # names the grammar; it is not fetched
    assert "http" not in json.dumps(spec)
    assert data["text/plain"].startswith("<")
    assert _spec(chart.properties(title="mine"))["title"] == "mine"


def test_the_truth_is_laid_over_where_there_is_one(image_run, table_run):
    assert '"made hard"' in image_run.histograms().to_json()
    assert '"made hard"' not in table_run.histograms().to_json()
    assert '"made hard"' in image_run.scatter("aum", "vog").to_json()
    assert '"made hard"' not in image_run.scatter("aum", "vog", color=None).to_json()
    assert '"made hard"' not in table_run.scatter("aum", "el2n").to_json()


def test_a_scatter_draws_scores_not_the_papers_quantity_of_that_name(image_run):
    assert np.array_equal(image_run.details["aum"], -image_run.scores["aum"])
    spec = _spec(image_run.scatter("aum", "vog"))
    low, high = spec["layer"][1]["encoding"]["x"]["scale"]["domain"]
    scores = image_run.scores["aum"]
    room = 0.02 * (scores.max() - scores.min())
    assert [low, high] == pytest.approx([scores.min() - room, scores.max() + room])


def test_agreement_holds_the_correlations_of_the_scores(image_run):
    text = image_run.agreement(["aum", "loss"]).to_json()
    expected = image_run.scores[["aum", "loss"]].corr("spearman").iloc[0, 1]
    assert f"{expected:.2f}" in text


def test_chosen_samples_are_those_of_the_ids(image_run):
    ids = image_run.scores.index[[5, 2]].tolist()
    spec = _spec(image_run.trajectories(ids))
    domain = spec["layer"][2]["encoding"]["color"]["scale"]["domain"]
    assert domain == [str(one) for one in ids]
    hardest = _spec(image_run.trajectories())["layer"][2]["encoding"]["color"]["scale"]["domain"]
    assert hardest == [str(one) for one in image_run.hardest(5).ids]


def test_no_chosen_sample_leaves_the_bands(image_run):
    assert "none chosen" in _spec(image_run.trajectories([]))["title"]["subtitle"]


def test_a_run_without_dynamics_says_so_in_one_line(table_run):
    for draw in (table_run.trajectories, table_run.auroc_by_epoch):
        with pytest.raises(StoreError) as caught:
            draw()
        assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match=r"kept no dynamics.*keep_dynamics"):
        table_run.trajectories()


def test_mistakes_are_told(image_run):
    with pytest.raises(UnknownNameError, match=r"no method 'amu'.*aum"):
        image_run.by_class("amu")
    with pytest.raises(UnknownNameError, match="no method 'amu'"):
        image_run.scatter("amu", "vog")
    with pytest.raises(UnknownNameError, match="no method 'amu'"):
        image_run.compare_methods("amu", "vog")
    with pytest.raises(UnknownNameError, match=r"overlay is 'thruth'.*truth"):
        image_run.histograms(overlay="thruth")
    with pytest.raises(DataError, match=r"no sample 'nobody'; expected ids like \d+"):
        image_run.trajectories(["nobody"])


def test_repeated_ids_are_all_drawn(image_run):
    index = image_run.scores.index.tolist()
    index[1] = index[0]
    twice = {
        name: getattr(image_run, name).set_axis(index, axis=0)
        for name in ("scores", "details", "dynamics")
    }
    spec = _spec(replace(image_run, **twice).trajectories([index[0]]))
    domain = spec["layer"][2]["encoding"]["color"]["scale"]["domain"]
    assert domain == [f"{index[0]} (row 0)", f"{index[0]} (row 1)"]


def test_a_run_inherits_what_names_samples(table_run):
    assert issubclass(Run, RunViews)
    assert len(table_run.hardest(7)) == 7
    assert table_run.duplicates().empty
    assert table_run.first_look is table_run.first_look  # made once
