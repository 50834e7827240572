"""What each method cost, from seconds that are known."""

from __future__ import annotations

import numpy as np
import pytest

import hcat_nb as hcat
from hcat_nb.errors import StoreError
from hcat_nb.runs.execution.costs import costs_table, described_parts
from hcat_nb.training.events import Control, Listener

PARTS = {"forward": ["aum", "vog", "loss"], "input_gradients": ["vog"]}


def test_a_shared_part_is_borne_in_equal_shares():
    timings = {
        "train": 10.0,
        "observe/forward": 6.0,
        "observe/input_gradients": 3.0,
        "observe/vog": 1.0,
        "observe/MapDynamics": 50.0,
        "score/loss": 0.5,
    }
    table = costs_table(timings, PARTS, ["aum", "vog", "loss"])
    found = {(row.hcm, row.part): row.seconds for row in table.itertuples()}
    assert found == {
        ("aum", "forward"): 2.0,
        ("vog", "forward"): 2.0,
        ("vog", "input_gradients"): 3.0,
        ("vog", "own"): 1.0,
        ("loss", "forward"): 2.0,
        ("loss", "score"): 0.5,
    }
    assert table["of_training"].tolist() == [seconds / 10 for seconds in table["seconds"]]


def test_others_than_methods_do_not_ask():
    asked = {"forward": ["MapDynamics", "aum"], "dropout": ["MapDynamics"]}
    assert described_parts(asked, ["aum"]) == {"forward": ["aum"], "dropout": []}


def test_a_run_accounts_for_its_observation(tmp_path):
    run = hcat.characterize("wine", epochs=3, methods="aum,el2n,vog,conf_agree", seed=0)
    costs = run.costs()
    assert set(costs["hcm"]) == {*run.methods, "linear", "knn_label"}
    parts = {"forward", "dropout", "input_gradients"}
    assert parts <= set(costs["part"])
    assert {"observe/forward", "observe/vog", "score/aum"} <= run.timings.keys()
    clocked = sum(seconds for name, seconds in run.timings.items() if name.startswith("observe/"))
    # what is neither a pass nor a sum: splitting rows, joining chunks
    assert 0 < clocked <= run.timings["observe"]
    run.save(tmp_path / "run")
    assert hcat.load_run(tmp_path / "run").costs().equals(costs)


def test_extra_trainings_are_the_cost_of_who_asked_for_them():
    options = {"cleanlab": {"cv": 2}, "aum": {"threshold_samples": True}}
    run = hcat.characterize(
        "wine", epochs=2, methods="aum,el2n,cleanlab", method_options=options, seed=0
    )
    costs = run.costs().set_index(["hcm", "part"])["seconds"]
    assert costs["cleanlab", "out_of_fold"] == run.timings["extra/out_of_fold"]
    assert costs["aum", "threshold_samples"] == run.timings["extra/threshold_samples"]
    extra = costs["cleanlab", "out_of_fold"] + costs["aum", "threshold_samples"]
    assert extra == pytest.approx(run.timings["extra"])
    # what reads other trainings alone has no share of this one's pass
    assert ("cleanlab", "forward") not in costs.index
    assert costs["el2n", "forward"] == pytest.approx(run.timings["observe/forward"])


def test_a_resumed_run_knows_what_was_spent_before(tmp_path):
    control = Control()

    class Stops(Listener):
        def on_epoch(self, event):
            if event.epoch == 3:
                control.stop.set()

    options = {"methods": "el2n", "control": control, "listeners": [Stops()], "seed": 0}
    stopped = hcat.characterize("wine", epochs=4, out=tmp_path / "r", **options)
    resumed = hcat.resume(tmp_path / "r")
    before, after = stopped.timings, resumed.timings
    for part in ("observe/forward", "observe/el2n"):
        assert before[part] < after[part] < after["observe"]


def test_dynamics_that_were_trained_elsewhere_have_no_costs():
    run = hcat.characterize_dynamics(logits=np.zeros((2, 4, 2)), labels=[0, 1, 0, 1])
    with pytest.raises(StoreError, match="does not know what its methods cost"):
        run.costs_chart()


def test_its_chart():
    run = hcat.characterize("wine", epochs=2, methods="aum,el2n", judges=False, seed=0)
    spec = run.costs_chart(width=200).to_dict()
    assert spec["width"] == 200
    (rows,) = spec["datasets"].values()
    assert {row["hcm"] for row in rows} == {"aum", "el2n"}
