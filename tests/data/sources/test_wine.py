"""The bundled wines."""

from __future__ import annotations

from hcat_nb.data.sources.wine import Wine


def test_wine_has_the_published_counts() -> None:
    dataset = Wine().load()
    assert tuple(dataset.features.shape) == (178, 13)
    # Aeberhard and Forina, UCI: 59, 71 and 48 wines of the three cultivars
    assert dataset.class_counts.tolist() == [59, 71, 48]
    assert dataset.class_values == ("class_0", "class_1", "class_2")
    assert dataset.feature_names is not None
    assert dataset.feature_names[0] == "alcohol"
