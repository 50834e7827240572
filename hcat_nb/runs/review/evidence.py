"""What speaks for a doubt: how probable labels were by epoch, and which values are odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.runs.store.record import Record

_KEEP = "keep_dynamics={!r} in Python, --keep-dynamics {} in %hcat_train, keeps {}"


class LabelCurves:
    """Curves of any sample of a run; those of proposals are read from its logits once.

    ``proposals`` are class codes, -1 where there is none, int64 of shape (n,).
    """

    def __init__(self, run: Record, proposals: np.ndarray) -> None:
        self._run = run
        self._codes = [run.details["label"].cat.codes.to_numpy().astype(np.int64), proposals]
        self._read: np.ndarray | None = None

    def of(self, row: int) -> tuple[list[list[float | None]], str]:
        """Return the curves of the given label and the proposed one, and why one is missing.

        A probability is None where the sample was not seen.
        """
        proposed = self._codes[1][row] >= 0
        if self._run.logits is not None:
            values = self._all()[row, : 1 + proposed]
            return [_plain(one) for one in values], ""
        if self._run.dynamics is None:
            return [], f"no curves: {_KEEP.format('logits', 'logits', 'them')}"
        # Of one sample first: an arrow key must not copy the table.
        kept = self._run.dynamics.iloc[row]
        own = kept[kept.index.str.fullmatch(r"epoch_\d+")].to_numpy(dtype=np.float64)
        note = f"{_KEEP.format('logits', 'logits', 'the curve of the proposed label, too')}"
        return [_plain(own)], note if proposed else ""

    def _all(self) -> np.ndarray:
        """Return probabilities, (n, 2, epochs), float32."""
        if self._read is None:
            import torch

            logits = self._run.logits
            assert logits is not None
            n = len(self._codes[0])
            self._read = np.full((n, 2, logits.n_epochs), np.nan, dtype=np.float32)
            for epoch in range(logits.n_epochs):
                for rows, values in logits.chunks(epoch + 1):
                    at = rows.numpy()
                    probabilities = torch.softmax(values, dim=1).numpy()
                    for which, codes in enumerate(self._codes):
                        found = probabilities[np.arange(len(at)), codes[at]]
                        found[codes[at] < 0] = np.nan
                        self._read[at, which, epoch] = found
        return self._read


def _plain(values: np.ndarray) -> list[float | None]:
    return [None if value != value else round(float(value), 4) for value in values]


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
