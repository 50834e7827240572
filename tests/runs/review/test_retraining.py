"""A run trained again, on the data as decisions make them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.api.characterize_dynamics import characterize_dynamics
from hcat_nb.api.run import load_run
from hcat_nb.errors import SpecError

OPTIONS = {"epochs": 2, "methods": "aum,el2n", "seed": 3, "judges": False}


def _frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(90, 3)), columns=list("abc"))
    frame["kind"] = np.where(frame.a > 0, "elm", "oak")
    return frame


def test_it_is_the_run_that_the_mended_data_would_give() -> None:
    frame = _frame()
    run = characterize(frame, target="kind", **OPTIONS)
    other = {"elm": "oak", "oak": "elm"}
    for one in (4, 7):
        run.decisions().relabel(one, other[frame.kind[one]])
    run.decisions().drop([11])
    again = run.retrain()
    mended = frame.drop(index=11)
    mended.loc[[4, 7], "kind"] = mended.loc[[4, 7], "kind"].map(other)
    pd.testing.assert_frame_equal(
        again.scores, characterize(mended, target="kind", **OPTIONS).scores, check_names=False
    )
    assert again.spec.methods == run.spec.methods
    assert again.spec.epochs == 2
    assert "2 relabelled" in run.compare(again).relabelled()


def test_what_was_made_hard_stays_so_and_nothing_is_injected_again(tmp_path) -> None:
    run = characterize("wine", hardness="uniform", p=0.2, subset=120, **OPTIONS)
    wrong = run.truth.index[run.truth["is_hard"]]
    for one in wrong:
        run.decisions().relabel(one, run.truth.loc[one, "original_label"])
    before = run.details["label"].astype(str)
    again = run.retrain()
    assert not again.truth["is_hard"].any()
    now = again.details["label"].astype(str)
    assert (now[wrong] == run.truth.loc[wrong, "original_label"].astype(str)).all()
    assert (now.drop(wrong) == before.drop(wrong)).all()
    # A loaded run has its data made again.
    loaded = load_run(run.save(tmp_path / "run"))
    pd.testing.assert_frame_equal(loaded.retrain().scores, again.scores)


def test_a_model_of_ones_own_is_asked_for_and_rows_marked_wrong_keep_no_label() -> None:
    def net() -> torch.nn.Module:
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))

    run = characterize(_frame(), target="kind", model=net(), **OPTIONS)
    run.decisions().mislabeled([3])
    with pytest.raises(SpecError, match=r"the model of this specification came as an object"):
        run.retrain()
    again = run.retrain(model=net())
    assert again.details["label"].isna().sum() == 1
    assert len(again.retrain(model=net(), mislabeled="keep").scores) == 90


def test_what_other_code_trained_is_refused() -> None:
    probs = np.random.default_rng(0).dirichlet([1, 1], size=(3, 20))
    run = characterize_dynamics(probs, [0, 1] * 10)
    with pytest.raises(SpecError, match=r"not trained by hcat\.characterize"):
        run.retrain()
