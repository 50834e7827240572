"""Where all samples were after each epoch, in little memory.

Coordinates are kept as uint16, 4 bytes a sample and epoch, and beside them
what curves and histograms showed, which outweighs those of a small dataset.
When the budget is used up every other epoch is dropped, and from then on
every other one is kept; the first and the newest always are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hcat_nb.charts.layers import MapAxis
from hcat_nb.jupyter.frames import Column

BUDGET = 64_000_000  # bytes: some 230 epochs of 60,000 samples, 15 of a million
_STEPS = 65534
_NOWHERE = 65535


@dataclass(frozen=True, eq=False)
class Kept:
    """One epoch: its places are steps along x and y, uint16 of shape (2, n)."""

    epoch: int
    heading: str
    places: np.ndarray
    extras: Mapping[str, Mapping[str, Column]]


class Replay:
    """Keeps epochs for a slider; safe in any thread, for what is kept never changes.

    All of them take ``budget`` bytes at most, but two epochs are kept in any case.
    """

    def __init__(self, x: MapAxis, y: MapAxis, budget: int = BUDGET) -> None:
        self._axes = (x, y)
        self._budget = budget
        self._stride = 1
        self._seen = 0
        self._kept: tuple[tuple[int, Kept], ...] = ()  # with their place among all

    def keep(
        self,
        epoch: int,
        heading: str,
        x: np.ndarray,
        y: np.ndarray,
        extras: Mapping[str, Mapping[str, Column]],
    ) -> None:
        """Keep an epoch, and drop others if there are too many."""
        places = np.stack(
            [_steps(axis, values) for axis, values in zip(self._axes, (x, y), strict=True)]
        )
        most = max(2, self._budget // max(places.nbytes + _bytes(extras), 1))
        # The newest so far stays only if it is one of the evenly spaced.
        kept = [one for one in self._kept if one[0] % self._stride == 0]
        kept.append((self._seen, Kept(epoch, heading, places, extras)))
        self._seen += 1
        while len(kept) > most:
            self._stride *= 2
            kept = [one for one in kept[:-1] if one[0] % self._stride == 0] + kept[-1:]
        self._kept = tuple(kept)

    def amend(self, extras: Mapping[str, Mapping[str, Column]]) -> None:
        """Give the newest epoch other further datasets."""
        place, newest = self._kept[-1]
        self._kept = (*self._kept[:-1], (place, replace(newest, extras=extras)))

    @property
    def epochs(self) -> list[int]:
        """Epochs that are kept, ascending."""
        return [one.epoch for _, one in self._kept]

    def note(self) -> str:
        """Return which epochs are kept, in words; nothing if all are."""
        if self._stride == 1:
            return ""
        return (
            f"every {self._stride}{'nd' if self._stride == 2 else 'th'} epoch is kept, and the "
            f"last ({self._budget / 1e6:,.0f} MB)"
        )

    def at(self, epoch: int) -> tuple[str, np.ndarray, np.ndarray, Mapping[str, Any]]:
        """Return heading, x, y and further datasets of an epoch that is kept, else KeyError.

        Coordinates are off by up to 1/131068 of their axis.
        """
        kept = {one.epoch: one for _, one in self._kept}[epoch]
        x, y = (_values(axis, steps) for axis, steps in zip(self._axes, kept.places, strict=True))
        return kept.heading, x, y, kept.extras

    def trail(self, row: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return where a sample was: epochs, x, y; without those where it had no place."""
        kept = self._kept
        places = np.array([one.places[:, row] for _, one in kept], dtype=np.uint16).reshape(-1, 2)
        epochs = np.array([one.epoch for _, one in kept], dtype=np.int64)
        there = (places != _NOWHERE).all(1)
        x, y = (_values(axis, places[there, k]) for k, axis in enumerate(self._axes))
        return epochs[there], x, y


def _bytes(extras: Mapping[str, Mapping[str, Column]]) -> int:
    """Return the size of further datasets, which grow with the epochs: the newest are largest."""
    return sum(len(column.data) for table in extras.values() for column in table.values())


def _steps(axis: MapAxis, values: np.ndarray) -> np.ndarray:
    share = np.clip(axis.share(values.astype(np.float32, copy=False)), 0, 1)
    nowhere = np.isnan(share)
    steps: np.ndarray = np.where(nowhere, _NOWHERE, np.round(share * _STEPS)).astype(np.uint16)
    return steps


def _values(axis: MapAxis, steps: np.ndarray) -> np.ndarray:
    values = axis.low + steps.astype(np.float32) * np.float32((axis.high - axis.low) / _STEPS)
    values[steps == _NOWHERE] = np.nan
    return values
