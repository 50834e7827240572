"""The dynamics that a run kept: to be scored again, and what was predicted in which epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.observation.recorded import Recorded
    from hcat_nb.runs.store.record import Record


def kept_dynamics(run: Record) -> Recorded:
    """Return what the run, of one seed, kept: all logits, else the label's probabilities."""
    from hcat_nb.observation.recorded_arrays import ArrayDynamics

    if run.seed_scores is not None:
        raise StoreError(
            f"the run holds means over {run.spec.seeds} seeds; a method scores each training",
            "a run of one seed",
            "train it again with this method",
        )
    if run.logits is not None:
        if run.logits.n_epochs != len(run.history):
            raise StoreError(
                f"the run has {len(run.history)} epochs and kept the logits of "
                f"{run.logits.n_epochs}",
                "one file an epoch",
            )
        return run.logits
    if run.dynamics is None:
        raise StoreError(
            "the run kept no dynamics to score again",
            "keep_dynamics=probs or logits",
            "score its dynamics again"
            if run.info["model"] == "precomputed"
            else "train it again with that option",
        )
    epochs = [f"epoch_{epoch}" for epoch in range(1, len(run.history) + 1)]
    columns = [run.dynamics[epoch].to_numpy() for epoch in epochs]
    return ArrayDynamics(columns, "probs", "epoch_end")


def label_probabilities(run: Record) -> pd.DataFrame:
    """Return the label's probability, a column for each epoch; StoreError if it was not kept."""
    if run.dynamics is None:
        raise StoreError(
            "the run kept no dynamics", "keep_dynamics=probs or logits", "train it again with that"
        )
    return run.dynamics.drop(columns="position", errors="ignore")


def outcomes(run: Record, dynamics: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    """Return "correct", "incorrect" or "unknown" for k samples and all epochs, (k, n_epochs).

    From the largest logit where logits were kept.  Else from the label's
    probability p among C classes: above 1/2 it is the largest, below
    1 / C another one is; between the two nobody knows.
    """
    p = dynamics.to_numpy()[rows]
    codes = run.details["label"].cat.codes.to_numpy()[rows]
    if run.logits is None:
        n_classes = len(run.info["dataset"]["class_values"])
        correct, incorrect = p > 0.5, p < 1 / n_classes
    else:
        predicted = _predicted(run, rows, dynamics.shape[1])
        correct = (predicted == codes[:, None]) & (predicted >= 0)
        incorrect = (predicted != codes[:, None]) & (predicted >= 0)
    labelled = (codes >= 0)[:, None]
    found = np.full(p.shape, "unknown", dtype=object)
    found[correct & labelled] = "correct"
    found[incorrect & labelled] = "incorrect"
    return found


def _predicted(run: Record, rows: np.ndarray, n_epochs: int) -> np.ndarray:
    """Return the code of the largest logit, -1 where a sample was not observed."""
    assert run.logits is not None
    found = np.full((len(rows), n_epochs), -1, dtype=np.int64)
    for epoch in range(1, min(n_epochs, run.logits.n_epochs) + 1):
        largest = np.full(len(run.scores), -1, dtype=np.int64)
        for places, logits in run.logits.chunks(epoch):
            largest[places.numpy()] = logits.numpy().argmax(1)
        found[:, epoch - 1] = largest[rows]
    return found
