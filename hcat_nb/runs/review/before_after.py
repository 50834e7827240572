"""Samples that were made hard, each beside what it was before."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hcat_nb.errors import DataError, SpecError
from hcat_nb.runs.review.pictures import figure, png, side_by_side

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.perturbations.base import Perturbed

_TILE = 72  # pixels a picture
_FEATURES = 40  # features of a table that are shown
_MARK = "background:rgba(213,94,0,.25)"  # the charts' colour of what was made hard, thinned


@dataclass(eq=False)
class BeforeAfter:
    """Some of the samples that were made hard, ``n_hard`` in all, before and after.

    ``truth`` has their rows of the truth table, kind by kind; ``pictures`` are PNG files before and
    after; ``features`` of a table have columns ``before`` and ``after`` for each of them.
    """

    truth: pd.DataFrame
    n_hard: int
    pictures: list[tuple[bytes, bytes]]
    features: pd.DataFrame | None

    def __len__(self) -> int:
        return len(self.truth)

    def __repr__(self) -> str:
        return f"{self._caption()}\n{self.truth.drop(columns='is_hard')}"

    def _repr_html_(self) -> str:
        body = self._table() if self.features is not None else self._tiles()
        return f"<p>{html.escape(self._caption())}</p>{body}"

    def _caption(self) -> str:
        kinds = ", ".join(self.truth["hardness"].unique())
        made = f" by {kinds}" if kinds else ""
        return f"{len(self)} of {self.n_hard} samples made hard{made}: before and after"

    def _words(self) -> list[tuple[str, str, str]]:
        """Return each sample's heading, label before and label after, safe for a page.

        The heading is its id, and its kind where there are several.
        """
        several = len(set(self.truth["hardness"])) > 1
        columns = (
            self.truth.index,
            self.truth["hardness"],
            self.truth["original_label"],
            self.truth["observed_label"],
        )
        words = [
            (f"{kind}: {sample}" if several else f"sample {sample}", str(old), str(new))
            for sample, kind, old, new in zip(*columns, strict=True)
        ]
        return [(html.escape(a), html.escape(b), html.escape(c)) for a, b, c in words]

    def _tiles(self) -> str:
        tiles = []
        for (sample, old, new), (before, after) in zip(self._words(), self.pictures, strict=True):
            label = old if old == new else f'{old} &rarr; <b style="{_MARK}">{new}</b>'
            pictures = {f"{sample}, before": before}
            if before != after:
                pictures[f"{sample}, after"] = after
            tiles.append(figure(pictures, f"{label}<br>{sample}", _TILE))
        return side_by_side(tiles)

    def _table(self) -> str:
        assert self.features is not None
        words = self._words()
        ids = "".join(
            f'<th colspan="2" style="text-align:center">{sample}</th>' for sample, _, _ in words
        )
        rows = [_row("label", [(old, new, old != new) for _, old, new in words])]
        pairs = self.features.to_numpy().reshape(len(self.features), -1, 2)
        shown = _FEATURES if (pairs[..., 0] != pairs[..., 1]).any() else 0
        for name, samples in zip(self.features.index[:shown], pairs[:shown], strict=True):
            cells = [(*_told_apart(old, new), old != new) for old, new in samples]
            rows.append(_row(html.escape(str(name)), cells))
        more = ""
        if shown == 0:
            more = f"<p>All {len(pairs)} features stay as they were.</p>"
        elif len(pairs) > shown:
            more = f"<p>and {len(pairs) - shown} further features</p>"
        when = "<th>before</th><th>after</th>" * len(words)
        return (
            f"<table><thead><tr><th></th>{ids}</tr><tr><th></th>{when}</tr></thead>"
            f"<tbody>{''.join(rows)}</tbody></table>{more}"
        )


def before_and_after(original: LabelledDataset, perturbed: Perturbed, k: int = 6) -> BeforeAfter:
    """Show samples that ``perturb`` made hard beside what they were.

    Parameters
    ----------
    original, perturbed : LabelledDataset, Perturbed
        What ``perturb`` was given, and what it returned.
    k : int
        How many samples, spread evenly over the dataset; of a mixture so many
        for each kind.

    Examples
    --------
    >>> from hcat_nb.data.loading import load
    >>> from hcat_nb.perturbations._apply import perturb
    >>> wine = load("wine")
    >>> pairs = before_and_after(wine, perturb(wine, "uniform", p=0.1, seed=0), k=3)
    >>> pairs.truth["original_label"].tolist()
    ['class_0', 'class_1', 'class_2']
    """
    if type(k) is not int or k < 1:
        raise SpecError(f"k is {k!r}", "a whole number of samples, at least 1")
    after = perturbed.dataset
    same_form = original.features.shape == after.features.shape
    if not (same_form and original.sample_ids.equals(after.sample_ids)):
        raise DataError(
            f"{original.name!r} and the perturbed {after.name!r} do not hold the same samples",
            "the dataset that `perturb` was given, and what it returned",
        )
    truth = perturbed.truth
    kinds = truth.loc[truth["is_hard"], "hardness"].unique()
    chosen = [_spread((truth["hardness"] == kind).to_numpy(), k) for kind in sorted(kinds)]
    rows = np.concatenate([np.zeros(0, dtype=np.int64), *chosen])
    pictures: list[tuple[bytes, bytes]] = []
    features = None
    if original.modality == "image":
        pictures = [(png(original, row), png(after, row)) for row in rows.tolist()]
    else:
        names = original.feature_names or [f"column {i}" for i in range(original.sample_shape[0])]
        columns = {
            (place, when): dataset.numbers([row])[0]
            for place, row in enumerate(rows.tolist())
            for when, dataset in (("before", original), ("after", after))
        }
        features = pd.DataFrame(columns, index=pd.Index(names, name="feature"))
    return BeforeAfter(truth.iloc[rows], int(truth["is_hard"].sum()), pictures, features)


def _spread(among: np.ndarray, k: int) -> np.ndarray:
    """Return up to ``k`` positions at which ``among`` is True, evenly spread."""
    rows = np.flatnonzero(among)
    places = np.linspace(0, len(rows) - 1, min(k, len(rows))).round().astype(int)
    spread: np.ndarray = rows[places]
    return spread


def _told_apart(old: float, new: float) -> tuple[str, str]:
    """Return both in as few digits, from six on, as show that they differ."""
    for digits in (6, 9, 12):
        before, after = f"{old:.{digits}g}", f"{new:.{digits}g}"
        if before != after or old == new:
            break
    return before, after


def _row(name: str, cells: list[tuple[str, str, bool]]) -> str:
    """Return a row of the table: before and after of each sample, marked where they differ."""
    pairs = "".join(
        f"<td>{old}</td>" + (f'<td style="{_MARK}">{new}</td>' if changed else f"<td>{new}</td>")
        for old, new, changed in cells
    )
    return f"<tr><th>{name}</th>{pairs}</tr>"
