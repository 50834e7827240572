"""Uniform label noise: any other class, each as likely as the next.

Source: METHODS.md, "Hardness types"; Zhang et al. 2017, arXiv 1611.03530
(random labels).  There, as in H-CAT, the new label may be the old one, which
makes 1 in C flags no change at all; here it never is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.perturbations._labels import LabelNoise, off_diagonal, populated

__all__ = ["Uniform"]


@dataclass(frozen=True)
class Uniform(LabelNoise):
    """Another class, drawn uniformly from those that have samples."""

    name: ClassVar[str] = "uniform"
    title: ClassVar[str] = "Mislabelled: uniform"

    def transition(self, dataset: LabelledDataset) -> np.ndarray:
        """Return equal odds for all other populated classes."""
        present = populated(dataset)
        return off_diagonal(np.outer(present, present))
