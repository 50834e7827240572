"""30 measurements of cell nuclei, malignant or benign, bundled with scikit-learn.

Wolberg, Mangasarian, Street and Street, Breast Cancer Wisconsin (Diagnostic), UCI 1993.
"""

from __future__ import annotations

from dataclasses import dataclass

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._sklearn import table
from hcat_nb.data.sources.base import Source


@dataclass(frozen=True)
class BreastCancer(Source):
    """30 measurements of cell nuclei, malignant or benign."""

    name = "breast_cancer"
    title = "Breast cancer Wisconsin, diagnostic (scikit-learn)"
    modality = "table"
    n_samples = 569
    bundled = True
    paper = "Wolberg et al. 1993, UCI"

    def load(self) -> LabelledDataset:
        """Return the table as float32, with column and class names."""
        from sklearn.datasets import load_breast_cancer

        return table(self.name, load_breast_cancer())
