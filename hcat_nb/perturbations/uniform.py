"""Uniform label noise: any other class, each as likely as the next.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551; Zhang et al. 2017, arXiv 1611.03530
(random labels).  There, as in H-CAT, the new label may be the old one, which
makes 1 in C flags no change at all, so that even a perfect score gets an
AUROC of .95 at C = 10; here it never is, unless ``variant="hcat"`` asks for it.
Which rows flip is drawn for all kinds alike: :mod:`hcat_nb.perturbations._chosen_rows`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.perturbations._labels import LabelNoise, off_diagonal, populated
from hcat_nb.perturbations._strength import check_variant


@dataclass(frozen=True)
class Uniform(LabelNoise):
    """Another class, drawn uniformly from those that have samples.

    Parameters
    ----------
    variant : {"paper", "hcat"}
        ``"hcat"`` draws from all classes that have samples, the sample's own
        included: 1 in C flagged samples then keeps its label.
    """

    name: ClassVar[str] = "uniform"
    title: ClassVar[str] = "Mislabelled: uniform"

    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        check_variant(self.variant)

    @property
    def always_changes(self) -> bool:
        """False for H-CAT's redraw, which may draw the label that stood there."""
        return self.variant != "hcat"

    def transition(self, dataset: LabelledDataset) -> np.ndarray:
        """Return equal odds for all other populated classes (H-CAT: for all)."""
        present = populated(dataset)
        if self.variant == "hcat":
            odds: np.ndarray = np.outer(present, present) / present.sum()
            return odds
        return off_diagonal(np.outer(present, present))
