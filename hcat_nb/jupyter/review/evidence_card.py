"""What speaks for and against a sample's label, as ``sample_detail.js`` draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.jupyter.review.gallery_page import number_words
from hcat_nb.runs.first_look import rankings, score_of
from hcat_nb.runs.review.evidence import LabelCurves, oddest
from hcat_nb.runs.review.neighbours import NearestOfLabel

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.jupyter.review.exploration import Exploration
    from hcat_nb.jupyter.review.gallery_page import SampleViews
    from hcat_nb.runs.review.queue import ReviewQueue
    from hcat_nb.runs.store.record import Record

_NEAR = 5  # neighbours of a label
_NEAR_PIXELS = 40


class EvidenceCards:
    """Makes the cards of a run's samples."""

    def __init__(
        self,
        run: Record,
        dataset: LabelledDataset | None,
        views: SampleViews,
        queue: ReviewQueue,
    ) -> None:
        self._run, self._dataset, self._views, self._queue = run, dataset, views, queue
        self._curves = LabelCurves(run, queue.codes)
        self._nearest = None if dataset is None else NearestOfLabel(run, dataset)

    def card(
        self, row: int, exploration: Exploration, *, reveal: bool = True
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return the card of a sample, and its pictures by trait.

        ``exploration`` ranks the samples; ``reveal``: whether an injected truth is told.
        """
        views = self._views
        label, proposed = int(views.labels[row]), int(self._queue.codes[row])
        names = [views.name(label), views.name(proposed)]
        near, nearest, strip = self._near(row, [label, proposed])
        picture, small, unread = views.picture(row)
        curves, note = self._curves.of(row)
        roles = ["given", "proposed"]
        card = {
            "heading": f"sample {exploration.ids[row]}",
            "sharp": bool(small),
            "label": names[0],
            "proposal": names[1],
            "sentence": self._sentence(row, names),
            "text": views.text(row),
            "facts": self._facts(row, exploration, nearest, reveal)
            + ([("file", unread)] if unread else []),
            "odd": self._odd(row),
            "values": views.values(row),
            "curves": [
                {"name": name or "the label", "role": role, "values": values}
                for name, role, values in zip(names, roles, curves, strict=False)
            ],
            "note": note,
            "near": near,
            "nearNote": self._near_note(),
            "scores": [
                (name, number_words(value), exploration.share_easier(row, name))
                for name in rankings(self._run)
                for value in [score_of(self._run, name).iloc[row]]
            ],
        }
        return card, {"picture": picture, "small": small, "near": strip}

    def _sentence(self, row: int, names: list[str]) -> str:
        said = self._queue.evidence.get(row, "").rstrip(".")
        lead = f"{said[:1].upper()}{said[1:]}. " if said else ""
        details = self._run.details.iloc[row]
        chance, mean = self._queue.probabilities[row], details["confidence"]
        known = (
            [f"{names[1]} has a probability of {100 * chance:.0f} %"] if chance == chance else []
        )
        if names[1] and mean == mean and names[0]:
            known.append(f"{names[0]} had {100 * mean:.0f} % on average over the epochs")
        if names[1]:
            return lead + ("; ".join(known) + "." if known else "")
        if lead:
            return lead.strip()
        why = self._run.info.get("proposals", {}).get("reason", "")
        return "No other label is proposed" + (f": {why}." if why else ".")

    def _facts(
        self, row: int, exploration: Exploration, nearest: np.ndarray, reveal: bool
    ) -> list[tuple[str, str]]:
        facts = [("sample", str(exploration.ids[row]))]
        facts.append(("rank", f"{exploration.rank(row):,} of {len(exploration):,}"))
        if len(nearest):
            codes, counts = np.unique(self._views.labels[nearest], return_counts=True)
            most = int(counts.argmax())
            name = self._views.name(int(codes[most]))
            facts.append(("neighbours", f"{counts[most]} of the {len(nearest)} nearest: {name}"))
        truth = self._run.truth.iloc[row]
        if reveal and self._run.truth["is_hard"].any():
            words = "made hard" if truth["is_hard"] else "untouched"
            before = truth.get("original_label")
            if truth["is_hard"] and before is not None and before == before:
                words += f", was {before}"
            facts.append(("ground truth", words))
        return facts

    def _odd(self, row: int) -> list[tuple[str, str, str]]:
        dataset = self._dataset
        if dataset is None or self._views.kind != "table" or not bool(dataset.readable[row]):
            return []
        shown = dict(self._views.values(row))
        names = dataset.feature_names or [f"column {at}" for at in range(dataset.sample_shape[0])]
        return [
            (str(names[at]), shown.get(str(names[at]), ""), words)
            for at, words in oddest(dataset, row)
            if shown.get(str(names[at])) != "missing"
        ]

    def _near_note(self) -> str:
        """Say why there are no neighbours, or what of them is told."""
        return "" if self._nearest is None else self._nearest.why_not or self._views.strip_columns

    def _near(self, row: int, labels: list[int]) -> tuple[list[dict[str, Any]], np.ndarray, bytes]:
        parts: list[tuple[int, np.ndarray]] = []
        nearest = np.empty(0, np.int64)
        if self._nearest is not None:
            nearest = self._nearest.of(row, _NEAR)
            for code in labels:
                rows = self._nearest.of(row, _NEAR, code) if code >= 0 else nearest[:0]
                if len(rows):
                    parts.append((code, rows))
        picture, texts = self._views.strip(
            np.concatenate([nearest[:0], *(rows for _, rows in parts)]), _NEAR_PIXELS
        )
        ids = self._run.details.index
        near = []
        for code, rows in parts:
            said, texts = texts[: len(rows)], texts[len(rows) :]
            title = f"nearest labelled {self._views.name(code)}"
            near.append({"title": title, "names": [str(one) for one in ids[rows]], "texts": said})
        return near, nearest, picture
