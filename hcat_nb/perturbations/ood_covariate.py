"""Strong Gaussian noise: near, but out of distribution.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551:
ood_covariate, .5 of the value range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hcat_nb.perturbations._noise import GaussianNoise
from hcat_nb.perturbations._strength import Strength


@dataclass(frozen=True)
class OodCovariate(GaussianNoise):
    """Gaussian noise of half the value range, or of half of each column's deviation."""

    name: ClassVar[str] = "ood_covariate"
    title: ClassVar[str] = "Near OOD: covariate noise"
    family: ClassVar[Literal["near_ood"]] = "near_ood"

    strength: Strength = 0.5
