"""AUROC after each epoch equals that of runs which ended there."""

from __future__ import annotations

import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.errors import StoreError
from hcat_nb.runs.recorded.epoch_auroc import epoch_auroc

METHODS = ["cleanlab", "dataiq", "el2n", "forgetting", "loss", "vog", "detector"]


def _run(epochs: int, keep: str):
    return characterize(
        "digits",
        subset=150,
        hardness="uniform",
        p=0.1,
        epochs=epochs,
        batch_size=16,
        seed=0,
        methods=METHODS,
        keep_dynamics=keep,
        method_options={"forgetting": {"when": "epoch_end"}},
    )


@pytest.fixture(scope="module")
def long_run():
    return _run(4, "logits")


def test_each_row_is_a_training_that_ended_there(long_run):
    table = epoch_auroc(long_run, METHODS)
    assert table.index.tolist() == [1, 2, 3, 4]
    assert list(table.columns) == METHODS
    assert table["vog"].isna().all()  # needs gradients, which nobody kept
    for epoch in (3, 4):
        ended = _run(epoch, "none") if epoch < 4 else long_run
        measured = ended.evaluate(baselines=False, n_resamples=0).set_index("hcm")["auroc"]
        for name in METHODS:
            if name != "vog":
                # Kept float32 logits give the scores to their digits; ranks may swap at a tie.
                assert table.loc[epoch, name] == pytest.approx(measured[name], abs=1e-3), name


def test_too_few_epochs_for_a_method_are_gaps(long_run):
    table = epoch_auroc(long_run, ["loss", "detector"])
    assert table["loss"].notna().all()
    least = table["detector"].first_valid_index()
    assert table.loc[least:, "detector"].notna().all()


def test_probabilities_of_the_label_serve_what_reads_no_more(image_run):
    table = epoch_auroc(image_run, ["datamaps", "cleanlab"])
    assert table["datamaps"].notna().all()
    assert table["cleanlab"].isna().all()
    final = image_run.evaluate(baselines=False, n_resamples=0).set_index("hcm")["auroc"]
    assert table["datamaps"].iloc[-1] == pytest.approx(final["datamaps"], abs=1e-3)


def test_without_truth_or_dynamics_the_reason_is_told(table_run):
    with pytest.raises(StoreError, match="nothing was made hard"):
        epoch_auroc(table_run, ["aum"])
