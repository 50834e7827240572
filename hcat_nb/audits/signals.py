"""What is known of each sample after a run: its ranks by every score, and its trajectory.

Ranks are taken among rows in which nothing was planted, so that a run on the
data as they are and one on a copy with probes have one scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from hcat_nb.methods._judge import compact
from hcat_nb.runs.first_look import judges_of

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.runs.store.record import Record

_EDGE = 1e-3
MOMENTS = 8  # epochs, spread evenly, at which the trajectory is looked at


@dataclass(frozen=True, eq=False)
class Signals:
    """What a run says of its n samples.

    ``scores`` by method or judge, NaN where there is none; ``labels`` -1 where missing;
    ``probabilities`` (n, C), mean over epochs, or out of fold where the run has that, NaN where
    never observed; ``trajectory`` (n, 16): p of the label at 8 epochs, then the largest p of
    another class.
    """

    scores: dict[str, np.ndarray]
    labels: np.ndarray
    probabilities: np.ndarray
    trajectory: np.ndarray
    out_of_fold: bool

    def features(self, unplanted: np.ndarray) -> np.ndarray:
        """Return the features that rankings and causes are fitted to: (n, 4 S + 32), float64.

        Each value beside its log odds: what tells the hardest from the hard lies near 1, where
        ranks hardly differ.  Ranks are taken among the ``unplanted`` rows.
        """
        columns = []
        for score in self.scores.values():
            columns += [ranks(score, unplanted), self._ranks_in_class(score, unplanted)]
        plain = np.column_stack([*columns, np.nan_to_num(self.trajectory, nan=0.5)])
        odds = plain.clip(_EDGE, 1 - _EDGE)
        return np.column_stack([plain, np.log(odds / (1 - odds))])

    def _ranks_in_class(self, score: np.ndarray, unplanted: np.ndarray) -> np.ndarray:
        found = np.full(len(score), 0.5)
        for code in np.unique(self.labels):
            own = self.labels == code
            found[own] = ranks(score[own], unplanted[own])
        return found


def ranks(score: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return the share of the rows ``among`` that are not harder, in [0, 1]; ties half, NaN as 0.5.

    >>> ranks(np.array([1.0, 2.0, 3.0, 2.5]), np.array([True, True, True, False])).round(2).tolist()
    [0.17, 0.5, 0.83, 0.67]
    """
    known = np.isfinite(score)
    order = np.sort(score[known & among])
    found = np.full(len(score), 0.5)
    if len(order):
        left = np.searchsorted(order, score[known], "left")
        right = np.searchsorted(order, score[known], "right")
        found[known] = (left + right) / (2 * len(order))
    return found


def signals_of(run: Record, dataset: LabelledDataset) -> Signals:
    """Return the signals of a run that kept its logits, on the data that it was trained on."""
    from scipy.special import softmax

    labels = run.details["label"].cat.codes.to_numpy().astype(np.int64)
    names = [*run.methods, *(one for one in judges_of(run) if one not in run.methods)]
    scores = {
        name: (run.scores if name in run.methods else run.details)[name].to_numpy(np.float64)
        for name in names
    }
    if (twins := _twins(dataset, labels)) is not None:
        scores["input_twin"] = twins
    assert run.logits is not None
    epochs = run.logits.n_epochs
    moments = np.linspace(1, epochs, MOMENTS).round().astype(int)
    n, n_classes = len(labels), run.logits.n_classes
    total = np.zeros((n, n_classes))
    seen = np.zeros(n, dtype=bool)
    of_epoch: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for epoch in range(1, epochs + 1):
        frame = run.logits.epoch(epoch)
        rows = frame["position"].to_numpy()
        probs = softmax(frame.drop(columns="position").to_numpy(np.float64), axis=1)
        total[rows] += probs
        seen[rows] = True
        if epoch in moments:
            own = np.full(n, np.nan)
            other = np.full(n, np.nan)
            label = labels[rows].clip(min=0)
            each = np.arange(len(rows))
            own[rows] = probs[each, label]
            probs[each, label] = 0.0
            other[rows] = probs.max(axis=1)
            of_epoch[epoch] = own, other
    mean = np.where(seen[:, None], total / epochs, np.nan)
    out_of_fold = run.held_out is not None
    if run.held_out is not None:
        columns = [str(code) for code in range(n_classes)]
        mean = run.held_out[columns].to_numpy(np.float64)
    path = [of_epoch[epoch][which] for which in (0, 1) for epoch in moments]
    return Signals(
        scores,
        labels,
        mean.astype(np.float32),
        np.column_stack(path).astype(np.float32),
        out_of_fold,
    )


def _twins(dataset: LabelledDataset, labels: np.ndarray) -> np.ndarray | None:
    """Return ``nearest_twin`` of the samples as they are given: near copies are nearest there.

    An embedding draws all samples of a class together, and so every wrong label near others.
    None where the samples are too many or too large for a pass of their own.
    """
    from hcat_nb.methods.nearest_twin import signed_similarity
    from hcat_nb.runs.execution.judging import MOST_ROWS, MOST_VALUES, judge_features

    values = len(dataset) * int(np.prod(dataset.encoded_shape))
    if len(dataset) > MOST_ROWS or values > MOST_VALUES:
        return None
    rows = torch.nonzero(dataset.trainable).ravel()
    found = np.full(len(dataset), np.nan)
    features = compact(judge_features(dataset, rows).numpy())
    found[rows.numpy()] = signed_similarity(features, labels[rows.numpy()])
    return found
