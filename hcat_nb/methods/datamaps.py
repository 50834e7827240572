"""Data maps: hard to learn is what stays improbable.

Swayamdipta et al. 2020 (arXiv 2009.10795), section 2: confidence and
variability are mean and population standard deviation over epochs of the
observed label's probability p_y.  The paper names regions of that map; as a
scalar we take 1 - confidence, and the regions are :func:`datamaps_groups`.
``variant="hcat"`` ranks alike (the confidence, low = hard); its regions have
fixed bounds.

Cost: nothing beside the shared pass at the end of each epoch; 18 bytes a sample.
Caveat: confidence alone does not tell a mislabelled sample from one that is
merely learned late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods._epochs import Epochs, MeanOverEpochs
from hcat_nb.methods._groups import AMBIGUOUS, EASY, HARD, HCAT, UNPLACED, by_thresholds
from hcat_nb.observation.record import Need, Observation


def datamaps_groups(
    confidence: np.ndarray,
    variability: np.ndarray,
    *,
    ambiguous: float = 1 / 3,
    hard: float = 1 / 2,
) -> np.ndarray:
    """Return the region of each sample, a code of ``GROUPS``; -1 where the input is NaN.

    Ambiguous is a share of the samples, of the largest variability; hard a share of the others, of
    the lowest confidence. Equal samples share a group, so the shares are met only up to ties.

    >>> datamaps_groups(np.array([0.9, 0.5, 0.1]), np.array([0.0, 0.4, 0.1])).tolist()
    [0, 1, 2]
    """
    for name, share in (("ambiguous", ambiguous), ("hard", hard)):
        if not 0 <= share <= 1:
            raise SpecError(f"the share {name!r} is {share}", "a share in [0, 1]")
    placed = ~(np.isnan(confidence) | np.isnan(variability))
    groups = np.where(placed, np.int8(EASY), np.int8(UNPLACED))
    if placed.any():
        steady = placed & (variability <= np.quantile(variability[placed], 1 - ambiguous))
        groups[placed & ~steady] = AMBIGUOUS
        # The least variability is never above its quantile: `steady` has a member.
        groups[steady & (confidence < np.quantile(confidence[steady], hard))] = HARD
    return groups


@dataclass(eq=False)
class DataMaps(MeanOverEpochs):
    """Mean over epochs of 1 - p_y.

    The paper's regions are shares of any data whatever: groups, and no flags.
    H-CAT's have thresholds, and its hard group is flagged.

    Parameters
    ----------
    variant : {"paper", "hcat"}
    epochs : {"all", "second_half"}
        Which epochs the mean is over.
    """

    name = "datamaps"
    title = "Data maps"
    paper = "Swayamdipta et al. 2020, arXiv 2009.10795"
    family = "learning: output"
    needs = frozenset({Need.LABEL_PROB})
    hard_when = "high"
    detects = frozenset({"mislabel", "boundary"})
    looks_at_labels = True
    cost = "one pass an epoch, shared; 18 bytes a sample"
    misleads = "a correct sample that is learned late looks like a mislabelled one"
    columns = 2
    variants = ("paper", "hcat")

    variant: Literal["paper", "hcat"] = "paper"
    epochs: Epochs = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.variant == "hcat":
            self.hard_when = "low"  # type: ignore[assignment]  # narrowed by the class's "high"

    def values(self, record: Observation) -> Tensor:
        """Return 1 - p_y and its square, (b, 2)."""
        doubt = record.error_prob
        return torch.stack([doubt, doubt.square()], dim=1)

    def raw(self) -> Tensor:
        """Return 1 - confidence, (n,); H-CAT's: the confidence."""
        doubt = self.means()[:, 0]
        return 1 - doubt if self.variant == "hcat" else doubt

    def groups(self, confidence: np.ndarray, variability: np.ndarray) -> np.ndarray:
        """Return the region of each sample, a code of ``GROUPS``."""
        if self.variant == "hcat":
            return by_thresholds(confidence, variability, **HCAT)
        return datamaps_groups(confidence, variability)

    def flagged(self) -> Tensor | None:
        """Return the samples of H-CAT's hard group; None for the paper's, a third of any data."""
        if self.variant == "paper":
            return None
        doubt, square = self.means().unbind(1)
        variability = (square - doubt.square()).clamp(min=0).sqrt()
        variability[~self.context.trainable] = torch.nan
        groups = self.groups(1 - doubt.cpu().numpy(), variability.cpu().numpy())
        return torch.from_numpy(groups == HARD)
