"""Data-IQ: confidence, and the uncertainty that lies in the data.

Seedat et al. 2022 (arXiv 2210.13043), section 3: aleatoric uncertainty is the
mean over epochs of p_y (1 - p_y), p_y the probability of the observed label.
The paper defines groups and no scalar (:func:`dataiq_groups`); the scalar here
is ours, (1 - confidence) - aleatoric = mean over epochs of (1 - p_y)^2, which
is largest in the corner where the paper's hard group lies.

``variant="hcat"`` is the confidence, low = hard: H-CAT scores Data-IQ and data
maps alike (that their common ranking is the confidence, low for hard samples, is our
reading of its code).  Its groups have fixed bounds.

Cost: nothing beside the shared pass at the end of each epoch; 18 bytes a sample.
Caveat: ranks much as data maps do; do not count the two as independent votes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods._epochs import Epochs, MeanOverEpochs
from hcat_nb.methods._groups import HARD, HCAT, by_thresholds
from hcat_nb.observation.record import Need, Observation


def dataiq_groups(
    confidence: np.ndarray,
    aleatoric: np.ndarray,
    *,
    upper: float = 0.75,
    lower: float = 0.25,
    percentile: float = 50.0,
    threshold: float | None = None,
) -> np.ndarray:
    """Return the Data-IQ group of each sample, a code of ``GROUPS``; -1 where the input is NaN.

    A sample is easy from the confidence ``upper`` on, and hard up to ``lower``, if its aleatoric
    uncertainty is low: up to ``percentile`` of all, or to the value ``threshold``.

    >>> dataiq_groups(np.array([0.9, 0.5, 0.1]), np.array([0.05, 0.25, 0.05])).tolist()
    [0, 1, 2]
    """
    if not lower < upper:
        raise SpecError(f"lower is {lower} and upper is {upper}", "lower < upper")
    if not 0 <= percentile <= 100:
        raise SpecError(f"percentile is {percentile}", "a percentile in [0, 100]")
    if threshold is None:
        placed = aleatoric[~(np.isnan(confidence) | np.isnan(aleatoric))]
        threshold = float(np.percentile(placed, percentile)) if len(placed) else 0.0
    return by_thresholds(confidence, aleatoric, upper=upper, lower=lower, limit=threshold)


@dataclass(eq=False)
class DataIQ(MeanOverEpochs):
    """Mean over epochs of (1 - p_y)^2; flagged is the paper's hard group.

    Parameters
    ----------
    variant : {"paper", "hcat"}
    epochs : {"all", "second_half"}
        Which epochs the mean is over.
    """

    name = "dataiq"
    title = "Data-IQ"
    paper = "Seedat et al. 2022, arXiv 2210.13043"
    family = "learning: output"
    needs = frozenset({Need.LABEL_PROB})
    hard_when = "high"
    detects = frozenset({"mislabel"})
    looks_at_labels = True
    cost = "one pass an epoch, shared; 18 bytes a sample"
    misleads = "ranks nearly as data maps do: two votes that are one"
    columns = 2
    variants = ("paper", "hcat")

    variant: Literal["paper", "hcat"] = "paper"
    epochs: Epochs = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.variant == "hcat":
            self.hard_when = "low"  # type: ignore[assignment]  # narrowed by the class's "high"

    def values(self, record: Observation) -> Tensor:
        """Return (1 - p_y)^2 and 1 - p_y, (b, 2)."""
        doubt = record.error_prob
        return torch.stack([doubt.square(), doubt], dim=1)

    def raw(self) -> Tensor:
        """Return the mean of (1 - p_y)^2, (n,); H-CAT's: the confidence."""
        square, doubt = self.means().unbind(1)
        return 1 - doubt if self.variant == "hcat" else square

    def groups(self, confidence: np.ndarray, aleatoric: np.ndarray) -> np.ndarray:
        """Return the group of each sample, a code of ``GROUPS``."""
        if self.variant == "hcat":
            return by_thresholds(confidence, aleatoric, **HCAT)
        return dataiq_groups(confidence, aleatoric)

    def flagged(self) -> Tensor:
        """Return the samples of the hard group."""
        square, doubt = self.means().unbind(1)
        aleatoric = torch.where(self.context.trainable, doubt - square, torch.nan)
        groups = self.groups(1 - doubt.cpu().numpy(), aleatoric.cpu().numpy())
        return torch.from_numpy(groups == HARD)
