"""What each method cost, from seconds that are known."""

from __future__ import annotations

import hcat_nb as hcat
from hcat_nb.observation.clock import Clock
from hcat_nb.runs._costs import costs_table, described_parts, part_timings

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


def test_clocks_become_timings():
    observing, scoring = Clock(), Clock()
    observing.seconds["forward"], scoring.seconds["aum"] = 2.0, 1.0
    assert part_timings(observing, scoring) == {"observe/forward": 2.0, "score/aum": 1.0}


def test_a_run_accounts_for_its_observation(tmp_path):
    run = hcat.characterize("wine", epochs=3, methods="aum,el2n,vog,conf_agree", seed=0)
    costs = run.costs()
    assert set(costs["hcm"]) == set(run.methods)
    parts = {"forward", "dropout", "input_gradients"}
    assert parts <= set(costs["part"])
    clocked = sum(seconds for name, seconds in run.timings.items() if name.startswith("observe/"))
    # what is neither a pass nor a sum: splitting rows, joining chunks
    assert 0 < clocked <= run.timings["observe"]
    run.save(tmp_path / "run")
    assert hcat.load_run(tmp_path / "run").costs().equals(costs)


def test_its_chart():
    run = hcat.characterize("wine", epochs=2, methods="aum,el2n", seed=0)
    spec = run.costs_chart(width=200).to_dict()
    assert spec["width"] == 200
    (rows,) = spec["datasets"].values()
    assert {row["hcm"] for row in rows} == {"aum", "el2n"}
