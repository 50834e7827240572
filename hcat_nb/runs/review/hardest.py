"""The samples to look at first: a ranked table, with pictures where there are any."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hcat_nb.errors import SpecError
from hcat_nb.registry import METHODS
from hcat_nb.runs.first_look import FIRST_LOOK, first_look, judges_of, rankings, score_of
from hcat_nb.runs.review.pictures import data_url, png

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.runs.store.record import Record

_SHOWN = 100  # pictures or rows in a notebook; the frame holds all
_TILE = 84  # pixels
_WIDEST = 48  # characters of a column, where it is printed


@dataclass(eq=False)
class HardestSamples:
    """Ranked samples.

    Attributes
    ----------
    frame : pandas.DataFrame
        Index ``sample_id``: ``rank`` (from 1), ``label``, ``suggested``,
        ``suggested_probability``, ``verdict``, ``is_hard`` where the truth is
        known, the judges' and all methods' scores, and of texts the text, in a
        column of its name.
    by : str
        What ranks: a method, a judge or ``first_look``.
    made_of : str
        Of what ``first_look`` is made here, and what it lacks.
    tied_at_cut : int
        Samples, inside and outside, that share the last score shown.
    ties : str or None
        Column that ranked equal scores.
    pictures : list of bytes
        PNG files of the first samples; empty for tables.
    """

    frame: pd.DataFrame
    by: str
    tied_at_cut: int
    ties: str | None
    pictures: list[bytes]
    made_of: str = ""

    @property
    def ids(self) -> list[object]:
        """The sample ids, hardest first."""
        return list(self.frame.index)

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        # Narrow enough for a terminal; what the other methods say is in the frame.
        others = [name for name in METHODS.known() if name != self.by]
        table = self.frame.drop(columns=["position", *others], errors="ignore")
        return f"{self._caption()}\n{table.to_string(max_rows=_SHOWN, max_colwidth=_WIDEST)}"

    def _repr_html_(self) -> str:
        caption = f"<p>{html.escape(self._caption())}</p>"
        if not self.pictures:
            return caption + self.frame.head(_SHOWN).to_html(
                escape=True, float_format=lambda value: f"{value:.4g}"
            )
        tiles = [
            self._tile(row, picture)
            for (_, row), picture in zip(self.frame.iterrows(), self.pictures, strict=False)
        ]
        return f'{caption}<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(tiles)}</div>'

    def _caption(self) -> str:
        text = f"{len(self)} hardest samples by {self.by} (higher = harder)"
        if self.made_of:
            text = f"{len(self)} samples to look at first by {self.by} ({self.made_of})"
        if self.ties and self.tied_at_cut > 1:
            text += f"; {self.tied_at_cut} share the last score, ranked by {self.ties}"
        return text

    def _tile(self, row: pd.Series, picture: bytes) -> str:
        label, other = html.escape(str(row["label"])), html.escape(str(row["suggested"]))
        sample = html.escape(str(row.name))
        doubted = not pd.isna(row["suggested"]) and label != other
        words = f"{label} &rarr; {other}?" if doubted else label
        title = f"sample {sample}: {row['verdict'] or 'no verdict'}, {self.by} {row[self.by]:.4g}"
        return (
            f'<figure style="margin:0;width:{_TILE}px;text-align:center;font-size:11px" '
            f'title="{html.escape(title)}">'
            f'<img alt="sample {sample}, label {label}" width="{_TILE}" '
            f'style="image-rendering:pixelated" src="{data_url(picture)}">'
            f"<figcaption>{words}<br>{sample}</figcaption></figure>"
        )


def hardest_samples(run: Record, k: int | None, by: str | None) -> HardestSamples:
    """Rank the samples of ``run`` by ``by``, else by the first of its :func:`rankings`.

    Samples without a score come last; see :func:`ranking` for equal scores.
    """
    whole = isinstance(k, (int, np.integer)) and not isinstance(k, bool)
    if k is not None and not (whole and k >= 0):
        raise SpecError(f"k is {k!r}", "a whole number of samples, or None for all")
    by = rankings(run)[0] if by is None else by
    scores = score_of(run, by).to_numpy()
    order = ranking(run, by)
    top = order if k is None else order[:k]
    frame = run.details[["label", "suggested", "suggested_probability"]].assign(
        verdict=_verdicts(run, by)
    )
    if run.spec.knows_truth:
        frame["is_hard"] = run.truth["is_hard"].to_numpy()
    more = [name for name in (by, *judges_of(run)) if name not in run.methods]
    beside = {name: score_of(run, name).to_numpy() for name in more}
    frame = pd.concat([frame.assign(**beside), run.scores], axis=1).iloc[top]
    frame.insert(0, "rank", np.arange(1, len(top) + 1))
    if run.dataset is not None and run.dataset.text is not None:
        frame = _with_texts(frame, run.dataset, top)
    tied = int((scores == scores[top[-1]]).sum()) if len(top) else 0
    pictures = []
    if run.dataset is not None and run.dataset.modality == "image":
        pictures = [png(run.dataset, int(row)) for row in top[:_SHOWN]]
    look = first_look(run) if by == FIRST_LOOK else None
    made_of = "" if look is None else look.words
    return HardestSamples(frame, by, tied, ties_of(run, by), pictures, made_of)


def ranking(run: Record, by: str) -> np.ndarray:
    """Return the positions of all samples, hardest by ``by`` first, int64.

    Equal scores are ranked by the column of ``run.details`` that the method's
    card names, then by the order of the dataset; samples without a score come
    last.
    """
    scores = score_of(run, by).to_numpy()
    ties = ties_of(run, by)
    second = np.zeros(len(scores)) if ties is None else run.details[ties].to_numpy()
    return np.lexsort((-np.nan_to_num(second), -scores))  # NaN sorts last


def withheld(run: Record) -> bool:
    """Say whether the learning check found that verdicts would be noise."""
    check = run.info.get("check")
    return check is not None and check["state"] == "not_learned"


def ties_of(run: Record, by: str) -> str | None:
    """Return the column of ``run.details``, higher = harder, that ranks equal scores."""
    ties: str | None = run.info["methods"].get(by, {}).get("ties")
    return ties


def _with_texts(frame: pd.DataFrame, dataset: LabelledDataset, rows: np.ndarray) -> pd.DataFrame:
    """Return the frame with the texts of these rows; the column gives way to one of its name."""
    assert dataset.original is not None, "a dataset of texts keeps them"
    texts = dataset.original[dataset.text].iloc[rows].to_numpy()
    name = str(dataset.text)
    frame.insert(1, name if name not in frame else f"{name} (text)", texts)
    return frame


def _verdicts(run: Record, by: str) -> np.ndarray:
    """Say what stands out: a reason without a score, the paper's threshold, a doubted label."""
    verdict = np.full(len(run.scores), "", dtype=object)
    suggested = run.details["suggested"]
    doubted = (suggested.notna() & (suggested != run.details["label"])).to_numpy()
    verdict[doubted] = "another label is likelier"
    if by in run.flags and not withheld(run):
        flagged = run.flags[by].to_numpy()
        verdict[flagged] = "flagged"
        verdict[flagged & doubted] = "flagged, another label is likelier"
    unscored = score_of(run, by).isna().to_numpy()
    look = first_look(run) if by == FIRST_LOOK else None
    source = by if look is None else (*look.dynamics, *look.judges)[0]
    status = run.details[f"{source}_status"].astype(object).to_numpy()
    stated = (status != "") & (unscored | (source == by))
    reasons = {
        "rare_class": "class too rare to judge",
        "no_label": "no label",
        "no_finite_output": "the model made no finite number of it",
    }
    verdict[stated] = [reasons.get(reason, reason) for reason in status[stated]]
    return verdict
