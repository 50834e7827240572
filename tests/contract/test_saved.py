"""Folders that earlier versions wrote are read, and runs that they began go on."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hcat_nb as hcat
from hcat_nb.api.rescore import rescore
from hcat_nb.sweeps._plan_file import remembered

SAVED = Path(__file__).parent / "saved"
COMMITS = sorted(path.name for path in SAVED.iterdir())


@pytest.fixture(params=COMMITS)
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of what ``tests/benchmarks/saved_runs.py`` wrote with one version."""
    return Path(shutil.copytree(SAVED / request.param, tmp_path / "saved"))


def test_a_finished_run_is_read_whole(saved: Path) -> None:
    run = hcat.load_run(saved / "whole")
    record = json.loads((saved / "whole" / "run.json").read_text())
    assert run.scores.shape == (60, 13)
    assert run.info["model"] == record["info"]["model"] == "mlp"
    assert run.scores.equals(pd.read_parquet(saved / "whole" / "scores.parquet"))
    then = pd.DataFrame(record["metrics"]).set_index("hcm")["auroc"].dropna()
    now = run.evaluate(n_resamples=0).set_index("hcm")["auroc"]
    # JSON keeps float64 to the bit; ranks of equal scores are those of then
    assert np.allclose(now[then.index], then, rtol=0, atol=1e-12)
    assert len(run.decisions()) == 1
    dataset = run.apply()
    assert len(dataset) == 59


def test_a_run_that_was_killed_goes_on_and_ends_as_the_whole_one_did(saved: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the run goes on under other conditions")
        run = hcat.resume(saved / "interrupted")
    whole = hcat.load_run(saved / "whole")
    assert run.info["resumed"] == [{"seed": 0, "epoch": 2}]
    assert run.info["model"] == "mlp"
    # other releases of torch and other processors round otherwise: scores are of order 1
    pd.testing.assert_frame_equal(run.scores, whole.scores, atol=1e-4, rtol=1e-3)


def test_a_run_with_kept_logits_is_rescored(saved: Path) -> None:
    before = hcat.load_run(saved / "finished")
    more = rescore(saved / "finished", "loss dataiq")
    assert more.methods == ["aum", "dataiq", "grand", "el2n", "loss"]
    again = hcat.load_run(saved / "finished")
    assert again.scores[before.methods].equals(before.scores[before.methods])
    whole = hcat.load_run(saved / "whole").scores
    assert np.allclose(again.scores["loss"], whole["loss"], atol=1e-5)  # of kept float32 logits
    assert (saved / "finished" / "checkpoint" / "checkpoint.json").is_file()


def test_a_sweep_is_collected_and_its_plan_is_known(saved: Path) -> None:
    table = hcat.results(saved / "sweep")
    assert table["run"].nunique() == 2
    assert set(table["model"]) == {"mlp"}
    assert len(remembered(saved / "sweep").cells) == 2
