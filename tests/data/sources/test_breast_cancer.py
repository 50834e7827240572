"""The bundled breast cancer table."""

from __future__ import annotations

from hcat_nb.data.sources.breast_cancer import BreastCancer


def test_breast_cancer_has_the_published_counts() -> None:
    dataset = BreastCancer().load()
    assert tuple(dataset.features.shape) == (569, 30)
    # Wolberg et al., UCI: 212 malignant, 357 benign
    counts = dict(zip(dataset.class_values, dataset.class_counts.tolist(), strict=True))
    assert counts == {"malignant": 212, "benign": 357}
