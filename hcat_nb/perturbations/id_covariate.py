"""Mild Gaussian noise: a control that stays in distribution.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551:
id_covariate, .1 of the value range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hcat_nb.perturbations._noise import GaussianNoise
from hcat_nb.perturbations._strength import Strength


@dataclass(frozen=True)
class IdCovariate(GaussianNoise):
    """Gaussian noise of a tenth of the value range, or of a tenth of each column's deviation."""

    name: ClassVar[str] = "id_covariate"
    title: ClassVar[str] = "Covariate noise, in distribution"
    family: ClassVar[Literal["covariate"]] = "covariate"

    strength: Strength = 0.1
