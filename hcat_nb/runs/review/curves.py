"""How probable the given and the proposed label of a sample were, after each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
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
