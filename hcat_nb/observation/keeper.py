"""Keeps each sample's label probability of every epoch; 4 E bytes a sample."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from hcat_nb.observation.buffered import Buffered
from hcat_nb.observation.record import EachEpoch, Need, Observation


class DynamicsKeeper(EachEpoch, Buffered):
    """A subscriber that remembers p_y at the end of every epoch."""

    needs = frozenset({Need.LOGITS})
    buffers = ("probs", "heard")
    across = MappingProxyType({"heard": "any"})

    def __init__(self, labels: Tensor, n_epochs: int) -> None:
        self.labelled = labels >= 0
        self.probs = torch.full((len(labels), n_epochs), torch.nan, device=labels.device)
        self.heard = torch.zeros(n_epochs, dtype=torch.bool, device=labels.device)

    def observe(self, record: Observation) -> None:
        """Take in an ``epoch`` record."""
        self.probs[record.rows, record.epoch - 1] = record.label_prob
        self.heard[record.epoch - 1] = True

    def narrow(self, rows: Tensor) -> None:
        """Keep these rows only."""
        super().narrow(rows)
        self.labelled = self.labelled[rows]

    def columns(self) -> dict[str, np.ndarray]:
        """Return ``epoch_1 ...``: arrays of shape (n,), float32; NaN without a label."""
        probs = torch.where(self.labelled[:, None], self.probs, torch.nan).cpu().numpy()
        return {f"epoch_{epoch + 1}": probs[:, epoch] for epoch in range(int(self.heard.sum()))}
