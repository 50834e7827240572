"""What stands beside the live map: learning curves, AUROC by epoch, histograms of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from hcat_nb.charts.curves import thinned
from hcat_nb.charts.histograms import bin_counts
from hcat_nb.charts.live_view import PLAIN
from hcat_nb.charts.theme import TRUTH
from hcat_nb.evaluation.ranking import auroc
from hcat_nb.jupyter.frames import Column, codes, counts, floats

_Row = TypeVar("_Row")

_MOST = 200  # epochs drawn of a longer run


class LivePanels:
    """Gathers the datasets "curves", "auroc" and "histograms" of a live view."""

    def __init__(self, methods: Sequence[str], is_hard: np.ndarray | None = None) -> None:
        self._methods = list(methods)
        self._is_hard = is_hard
        self._curves: list[tuple[int, float, float]] = []
        self._auroc: list[tuple[int, list[float]]] = []
        self._histograms = self._counted({})

    def add_epoch(self, epoch: int, loss: float, accuracy: float) -> None:
        """Add a point to the learning curves."""
        self._curves.append((epoch, loss, accuracy))

    def add_scores(self, epoch: int, scores: Mapping[str, np.ndarray]) -> None:
        """Count the scores of an epoch (NaN: none), and rank the hard samples by them.

        Scores of an epoch that were added already are replaced.
        """
        known = {name: values for name, values in scores.items() if np.isfinite(values).any()}
        self._histograms = self._counted(known)
        if self._is_hard is not None:
            row = [self._area(known[name]) if name in known else np.nan for name in self._methods]
            if self._auroc and self._auroc[-1][0] == epoch:
                self._auroc.pop()
            self._auroc.append((epoch, row))

    def datasets(self) -> dict[str, dict[str, Column]]:
        """Return the columns as they are now."""
        curves = np.array(_thinned(self._curves), dtype=np.float64).reshape(-1, 3)
        rows = _thinned(self._auroc)
        areas = np.array([row for _, row in rows], dtype=np.float64)
        areas = areas.reshape(len(rows), len(self._methods))
        when, which = np.nonzero(np.isfinite(areas))
        epochs = np.array([epoch for epoch, _ in rows], dtype=np.int64)
        return {
            "curves": {
                "epoch": counts(curves[:, 0]),
                "loss": floats(curves[:, 1]),
                "accuracy": floats(curves[:, 2]),
            },
            "auroc": {
                "epoch": counts(epochs[when]),
                "hcm": codes(which, self._methods),
                "auroc": floats(areas[when, which]),
            },
            "histograms": self._histograms,
        }

    def _area(self, scores: np.ndarray) -> float:
        assert self._is_hard is not None
        known = np.isfinite(scores)
        return auroc(scores[known], self._is_hard[known])

    def _counted(self, scores: Mapping[str, np.ndarray]) -> dict[str, Column]:
        levels = list(PLAIN if self._is_hard is None else TRUTH)
        table: dict[str, list[float]] = {"hcm": [], "mark": [], "low": [], "high": [], "n": []}
        for place, name in enumerate(self._methods):
            if name not in scores:
                continue
            values = scores[name]
            marks = (
                np.zeros(len(values), dtype=np.int64)
                if self._is_hard is None
                else self._is_hard.astype(np.int64)
            )
            counted = bin_counts(values, marks, levels)
            table["hcm"] += [place] * len(counted["n"])
            table["mark"] += [levels.index(mark) for mark in counted["mark"]]
            for key in ("low", "high", "n"):
                table[key] += counted[key]
        return {
            "hcm": codes(np.array(table["hcm"]), self._methods),
            "mark": codes(np.array(table["mark"]), levels),
            "low": floats(np.array(table["low"])),
            "high": floats(np.array(table["high"])),
            "n": counts(np.array(table["n"])),
        }


def _thinned(rows: Sequence[_Row]) -> list[_Row]:
    return [rows[place] for place in thinned(len(rows), _MOST).tolist()]
