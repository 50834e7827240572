"""The coordinates of the data map, accumulated over epochs.

Always on, whatever methods a run has: the live map and ``run.details`` show
them.  Swayamdipta et al. 2020 (arXiv 2009.10795), section 2: confidence and
variability are mean and population standard deviation over epochs of the
label's probability p_y, correctness is the share of epochs in which the
argmax is the label.  Seedat et al. 2022 (arXiv 2210.13043), section 3:
aleatoric uncertainty is the mean of p_y (1 - p_y).  Memory: 4 (C + 7) + 2
bytes a sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hcat_nb.observation.buffered import Buffered
from hcat_nb.observation.record import EachEpoch, Need, Observation

ONE_EPOCH = (
    "one epoch was observed: variability is 0 for all rows, and what rests on it (the groups of "
    "the data map, 'ambiguous' rows, forgetting) means nothing; two epochs are the least"
)


@dataclass(frozen=True, eq=False)
class MapSnapshot:
    """Where every sample stands after some epochs; arrays of shape (n,), float32.

    NaN where a sample was never observed, has no label, or its probabilities
    were NaN in some epoch; ``variability`` also
    where it was observed in one of several epochs, ``correctness`` where only
    the label's probability is known.
    """

    epoch: int
    confidence: np.ndarray
    variability: np.ndarray
    aleatoric: np.ndarray
    correctness: np.ndarray
    mean_loss: np.ndarray


class MapDynamics(EachEpoch, Buffered):
    """Accumulates what :class:`MapSnapshot` shows, and each sample's mean probabilities.

    ``labels`` (n,) int64: observed codes, -1 where missing; ``label_only``: whether records tell
    the label's probability and no other class's: there is then no correctness, no predicted and no
    suggested class.
    """

    needs = frozenset({Need.LOGITS})
    buffers = (
        *("count", "mean", "m2", "aleatoric", "correct", "loss", "last_loss"),
        *("probs", "predicted"),
    )

    def __init__(self, labels: Tensor, n_classes: int, *, label_only: bool = False) -> None:
        n, device = len(labels), labels.device
        self.labels = labels
        self.label_only = label_only
        self.count = torch.zeros(n, dtype=torch.int32, device=device)
        self.mean = torch.zeros(n, device=device)
        self.m2 = torch.zeros(n, device=device)
        self.aleatoric = torch.zeros(n, device=device)
        self.correct = torch.zeros(n, device=device)
        self.loss = torch.zeros(n, device=device)
        self.last_loss = torch.zeros(n, device=device)
        self.probs = torch.zeros(n, 1 if label_only else n_classes, device=device)
        narrow = torch.int16 if n_classes <= torch.iinfo(torch.int16).max else torch.int32
        self.predicted = torch.full((n,), -1, dtype=narrow, device=device)

    def observe(self, record: Observation) -> None:
        """Take in an ``epoch`` record."""
        rows, p = record.rows, record.label_prob
        self.count[rows] += 1
        count = self.count[rows].float()
        delta = p - self.mean[rows]
        self.mean[rows] += delta / count
        self.m2[rows] += delta * (p - self.mean[rows])
        # 1 - p from the log keeps what float32 loses next to 1.
        self.aleatoric[rows] += p * -torch.expm1(record.label_log_prob)
        self.loss[rows] -= record.label_log_prob
        self.last_loss[rows] = -record.label_log_prob
        if self.label_only:
            return
        self.correct[rows] += record.correct.float()
        self.probs[rows] += record.probs
        predicted = record.logits.argmax(1).to(self.predicted.dtype)
        # The argmax of NaN is no prediction.
        self.predicted[rows] = predicted.masked_fill(p.isnan(), -1)

    def snapshot(self, epoch: int) -> MapSnapshot:
        """Return copies of the coordinates as they are now."""
        seen = self._seen
        count = self.count.clamp(min=1).float()
        # One look of several epochs says nothing about change: n/a, not 0.
        spread = self.m2.clone()
        if epoch > 1:
            spread[self.count == 1] = torch.nan
        correct = torch.full_like(self.correct, torch.nan) if self.label_only else self.correct

        def column(values: Tensor) -> np.ndarray:
            return torch.where(seen, values, torch.nan).cpu().numpy()

        return MapSnapshot(
            epoch=epoch,
            confidence=column(self.mean.clamp(0, 1)),
            variability=column((spread.clamp(min=0) / count).sqrt()),
            aleatoric=column(self.aleatoric / count),
            correctness=column(correct / count),
            mean_loss=column(self.loss / count),
        )

    def last_losses(self) -> np.ndarray:
        """Return each sample's cross-entropy when it was last observed, (n,), float32.

        NaN where a sample was never observed or has no label.
        """
        seen = self._seen
        return torch.where(seen, self.last_loss, torch.nan).cpu().numpy()

    def best_other(self) -> np.ndarray | None:
        """Return the largest mean probability of a class that is not the label, (n,), float32.

        None where only the label's probability is known.
        """
        if self.label_only:
            return None
        values, codes = self.probs.topk(2, dim=1)
        of_label = codes[:, 0] == self.labels
        other = torch.where(of_label, values[:, 1], values[:, 0]) / self.count.clamp(min=1)
        return other.cpu().numpy()

    def accuracy(self) -> float:
        """Return the share of labelled, observed samples that the last epoch predicts."""
        right, known = self.right()
        return right / known if known else float("nan")

    def right(self) -> tuple[int, int]:
        """Return how many samples the last epoch predicts, of how many labelled, observed ones."""
        known = (self.labels >= 0) & (self.predicted >= 0)
        return int((known & (self.predicted == self.labels)).sum()), int(known.sum())

    @property
    def _seen(self) -> Tensor:
        return (self.count > 0) & (self.labels >= 0) & ~self.mean.isnan()

    def narrow(self, rows: Tensor) -> None:
        """Keep these rows only."""
        super().narrow(rows)
        self.labels = self.labels[rows]
