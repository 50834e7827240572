"""The dynamics that a run kept, to be scored again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcat_nb.errors import StoreError

if TYPE_CHECKING:
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
