from __future__ import annotations

import json
import re

import numpy as np

from hcat_nb.charts.coloring import by_truth
from hcat_nb.charts.data_map import X_AXES
from hcat_nb.charts.live_view import DATASETS, live_view

METHODS = {"aum": "epoch", "cleanlab": "final", "forgetting": "epoch"}


def spec(truth: bool = True) -> dict[str, object]:
    made: dict[str, object] = live_view(
        X_AXES["variability"],
        by_truth(np.zeros(3, dtype=bool)),
        title="t",
        caption="c",
        n_points=3,
        n_epochs=8,
        methods=METHODS,
        truth=truth,
    ).to_dict()
    return made


def test_it_names_the_datasets_that_its_page_promises() -> None:
    text = json.dumps(spec())
    assert set(re.findall(r'"data": {"name": "(\w+)"}', text)) >= set(DATASETS)
    without = json.dumps(spec(truth=False))
    assert '"auroc"' not in without


def test_a_gesture_belongs_to_one_view_only() -> None:
    params = {param["name"]: param for param in spec()["params"]}  # type: ignore[attr-defined]
    assert len(params["brush"]["views"]) == len(params["zoom"]["views"]) == 1
    assert {"heading", "caption", "ink"} <= params.keys()


def test_late_scores_are_announced() -> None:
    text = json.dumps(spec())
    assert text.count("from the last epoch on") == 1


def test_it_holds_no_sample() -> None:
    assert len(json.dumps(spec())) < 40_000
