"""Which values of a table's row are oddest for the class that it is said to be of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset


def oddest(dataset: LabelledDataset, row: int, most: int = 5) -> list[tuple[int, str]]:
    """Return the columns whose values are rarest among rows of the same label.

    A number is as odd as the share of rows that are at least as far out on its
    side is small; a category, as the share that has it is small.  A row without
    a label is compared with all.  Returned are positions among the features,
    oddest first, and how odd, in words; terms of a text are no columns.
    """
    label = int(dataset.labels[row])
    same = dataset.readable & ((dataset.labels == label) if label >= 0 else dataset.readable)
    name = "these rows" if label < 0 else str(dataset.class_values[label])
    values = dataset.features[same].numpy()
    own = dataset.features[row].numpy()
    found: list[tuple[float, float, int, str]] = []
    for at in range(len(own)):
        if at in dataset.words:
            continue
        column, value = values[:, at], own[at]
        if at in dataset.levels:
            share = float(np.mean(column == value))
            found.append((share, 0.0, at, f"{100 * share:.2g} % of {name} have it"))
            continue
        below, above = float(np.mean(column < value)), float(np.mean(column > value))
        share = min(float(np.mean(column >= value)), float(np.mean(column <= value)))
        low, middle, high = np.quantile(column, [0.25, 0.5, 0.75])
        far = float(abs(value - middle) / (high - low or np.inf))
        side, more = ("larger", below) if below >= above else ("smaller", above)
        found.append((share, -far, at, f"{side} than {100 * more:.0f} % of {name}"))
    return [(at, words) for _, _, at, words in sorted(found)[:most]]
