"""13 chemical measurements of wines of three cultivars, bundled with scikit-learn.

Aeberhard and Forina, Wine, UCI 1992.
"""

from __future__ import annotations

from dataclasses import dataclass

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._sklearn import table
from hcat_nb.data.sources.base import Source


@dataclass(frozen=True)
class Wine(Source):
    """13 chemical measurements of wines of three cultivars."""

    name = "wine"
    title = "Wine recognition (scikit-learn)"
    modality = "table"
    n_samples = 178
    bundled = True
    paper = "Aeberhard and Forina 1992, UCI"

    def load(self) -> LabelledDataset:
        """Return the table as float32, with column and class names."""
        from sklearn.datasets import load_wine

        return table(self.name, load_wine())
