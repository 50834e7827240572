"""Adjacent label noise: one class up or down, as an annotator of grades errs.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551.  With
two classes it is the other class.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import SpecError
from hcat_nb.perturbations._labels import LabelNoise, class_codes, cyclic_neighbours, populated


@dataclass(frozen=True)
class Adjacent(LabelNoise):
    """The class before or after, with equal odds; the last is followed by the first.

    Classes without samples are stepped over.

    Parameters
    ----------
    order : list, optional
        All class values in the order that counts, lowest first.  Default: the
        order of the class codes.
    """

    name: ClassVar[str] = "adjacent"
    title: ClassVar[str] = "Mislabelled: adjacent class"

    order: Iterable[Any] | None = None

    def check(self, dataset: LabelledDataset) -> None:
        """Raise SpecError if ``order`` is no ordering of all classes."""
        super().check(dataset)
        self._codes(dataset)

    def transition(self, dataset: LabelledDataset) -> np.ndarray:
        """Return half and half for the two neighbours in the order."""
        present = populated(dataset)
        order = [code for code in self._codes(dataset) if present[code]]
        return cyclic_neighbours(order, dataset.n_classes)

    def _codes(self, dataset: LabelledDataset) -> list[int]:
        if self.order is None:
            return list(range(dataset.n_classes))
        if isinstance(self.order, str) or not isinstance(self.order, Iterable):
            raise SpecError(f"order is {self.order!r}", "a list of all class values")
        codes = class_codes(dataset, list(self.order), "order")
        if sorted(codes) != list(range(dataset.n_classes)):
            raise SpecError(
                f"order holds {len(set(codes))} different classes in {len(codes)} places",
                f"each of the {dataset.n_classes} classes once",
            )
        return codes
