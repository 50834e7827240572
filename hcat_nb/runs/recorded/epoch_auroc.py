"""AUROC by epoch, from the dynamics that a run kept: as if training had ended earlier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hcat_nb.errors import SpecError, StoreError
from hcat_nb.observation.recorded import Recorded
from hcat_nb.runs.execution.inputs import make_methods
from hcat_nb.runs.recorded.kept import kept_dynamics
from hcat_nb.runs.recorded.replaying import plan_methods, score

if TYPE_CHECKING:
    from hcat_nb.methods.base import Method
    from hcat_nb.runs.store.record import Record


class _FirstEpochs(Recorded):
    """The first epochs of other dynamics."""

    def __init__(self, whole: Recorded, n_epochs: int) -> None:
        self.whole = whole
        self.content, self.moment = whole.content, whole.moment
        self.n, self.n_epochs = whole.n, n_epochs

    def chunks(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        return self.whole.chunks(epoch)


def epoch_auroc(run: Record, methods: Sequence[str]) -> pd.DataFrame:
    """Return how well each method (a column) would find the hard samples after each epoch.

    The scores of a row are those of a training of so many epochs.  Samples
    without a score are left out.  NaN: the kept dynamics do not serve the method,
    or it needs more epochs.
    """
    is_hard = run.truth["is_hard"].to_numpy()
    if not is_hard.any():
        raise StoreError(
            "nothing was made hard in this run, so that no ranking is right or wrong",
            "a run with hardness",
        )
    recorded = kept_dynamics(run)
    rows = []
    for epoch in range(1, recorded.n_epochs + 1):
        first = _FirstEpochs(recorded, epoch)
        fresh = [method for method in make_methods(run.spec) if method.name in methods]
        served = plan_methods(fresh, first, stand_in=False).methods
        rows.append(_measure(run, first, served, is_hard))
    index = pd.RangeIndex(1, recorded.n_epochs + 1, name="epoch")
    return pd.DataFrame(rows, index=index, columns=list(methods), dtype="float64")


def _measure(
    run: Record, recorded: Recorded, methods: Sequence[Method], is_hard: np.ndarray
) -> dict[str, float]:
    from hcat_nb.evaluation.ranking import auroc
    from hcat_nb.methods.base import UNREADABLE, Context

    labels = torch.from_numpy(run.details["label"].cat.codes.to_numpy().astype(np.int64))
    n_classes = len(run.info["dataset"]["class_values"])
    blind = torch.from_numpy(
        run.details[f"{run.methods[0]}_status"].eq(UNREADABLE).to_numpy(copy=True)
    )
    unreadable = blind if bool(blind.any()) else None
    seed = run.spec.effective_model_seed
    able = []
    for method in methods:
        try:
            method.begin(Context(labels, n_classes, recorded.n_epochs, seed, unreadable))
        except SpecError:  # it needs more epochs than these: no figure yet
            continue
        able.append(method)
    scored = score(
        able,
        recorded,
        labels,
        n_classes=n_classes,
        n_epochs=recorded.n_epochs,
        seed=seed,
        unreadable=unreadable,
    )
    found = {}
    for name, one in scored.items():
        values = one.scores.numpy()
        known = ~np.isnan(values)
        found[name] = auroc(values[known], is_hard[known])
    return found
