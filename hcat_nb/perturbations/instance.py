"""Instance-specific label noise: labels that a person could plausibly confuse.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551, which
gives the rules of mnist, cifar10, cover, diabetes and eye; those of the other
datasets are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import SpecError
from hcat_nb.perturbations._labels import LabelNoise, off_diagonal
from hcat_nb.perturbations._rules import built_in, confused, given, spelled_out
from hcat_nb.perturbations._strength import check_variant
from hcat_nb.seeds import child_seed

CONFUSION = "confusion"


@dataclass(frozen=True)
class Instance(LabelNoise):
    """A plausible wrong class, by rules.

    A class without a rule never flips: samples are drawn only from classes
    that can, so ``p`` is limited by their share.

    Parameters
    ----------
    rule_matrix : mapping or "confusion", optional
        Class -> a class, a list of classes (equal odds), or a mapping of
        classes to weights.  Classes are named by their values, or all by
        their codes.  ``"confusion"``: what a cross-validated logistic
        regression confuses, as often as it does, by the seed.  Default: the
        built-in rule of the dataset; of two classes, the other one.
        ``settle(dataset, seed).rule_matrix`` shows the rules in use.
    variant : {"paper", "hcat"}
        ``"hcat"`` draws from all classes: a flagged sample of a class without
        a rule keeps its label (of MNIST 0 and 4, one flag in five).
    """

    name: ClassVar[str] = "instance"
    title: ClassVar[str] = "Mislabelled: plausible class"
    cost: ClassVar[str] = "a copy of the labels; estimated rules, a cross-validated quick model"

    rule_matrix: Mapping[Any, Any] | str | None = None
    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        check_variant(self.variant)
        rules: Any = self.rule_matrix
        if rules is not None and not isinstance(rules, (str, Mapping)):
            shown = " ".join(repr(rules).split())[:60]  # of an array, not all lines
            raise SpecError(
                f"rule_matrix is {shown}", "'confusion' or {class: [plausible classes]}"
            )

    @property
    def always_changes(self) -> bool:
        """False for H-CAT's, which flags classes that have no rule, too."""
        return self.variant != "hcat"

    def check(self, dataset: LabelledDataset) -> None:
        """Raise DataError if the dataset has no rules, SpecError if given ones do not fit it."""
        super().check(dataset)
        if self.rule_matrix != CONFUSION:
            self._weights(dataset)

    def settle(self, dataset: LabelledDataset, seed: int) -> Self:
        """Return this with its rules looked up or estimated."""
        if self.rule_matrix == CONFUSION:
            weights = confused(dataset, child_seed(seed, CONFUSION))
        else:
            weights = self._weights(dataset)
        return replace(self, rule_matrix=spelled_out(dataset, weights))

    def transition(self, dataset: LabelledDataset) -> np.ndarray:
        """Return the rules as a matrix with a zero diagonal and rows that sum to 1 (or 0).

        H-CAT's: a class without a rule stays what it is.
        """
        matrix = off_diagonal(self._weights(dataset))
        if self.variant == "hcat":
            without = matrix.sum(axis=1) == 0
            matrix[without, without] = 1.0
        return matrix

    def _weights(self, dataset: LabelledDataset) -> np.ndarray:
        if self.rule_matrix is None:
            return built_in(dataset)
        if isinstance(self.rule_matrix, Mapping):
            return given(dataset, self.rule_matrix)
        if self.rule_matrix == CONFUSION:
            raise SpecError("the rules are not estimated yet", remedy="call settle(dataset, seed)")
        raise SpecError(
            f"rule_matrix is {self.rule_matrix!r}", "'confusion' or {class: [plausible classes]}"
        )
