"""A dataset as decisions make it: a new one, the old is not touched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import torch

from hcat_nb.commands.table import MISLABELED
from hcat_nb.errors import DataError, check_word
from hcat_nb.runs.review.rebuilding import data_given
from hcat_nb.runs.review.samples import quoted

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.runs.review.decisions import Decisions
    from hcat_nb.runs.store.record import Record

Mislabeled = Literal["unlabel", "drop", "keep"]


def apply_to(
    run: Record,
    decisions: Decisions | pd.DataFrame | str | Path | None,
    given: Any,
    mislabeled: Mislabeled,
) -> LabelledDataset:
    """Apply decisions to the data of a run; see :meth:`Run.apply`."""
    from hcat_nb.runs.review.decisions import Decisions, decisions_of
    from hcat_nb.runs.review.export import mended

    dataset = data_given(run, given)
    table = decisions_of(run)
    if decisions is not None and decisions is not table:
        if isinstance(decisions, Decisions):
            decisions = decisions.frame()
        table = Decisions(table.samples)
        table.add(decisions)
    now = Decisions(table.samples)  # later ones are not applied
    if len(table):
        now.add(table.frame())
    made = applied(dataset, now, mislabeled)
    return made.replace(mended=mended(run, now, given, mislabeled))


def applied(
    dataset: LabelledDataset, decisions: Decisions, mislabeled: Mislabeled = "unlabel"
) -> LabelledDataset:
    """Return ``dataset``, which holds the samples with their labels, with decisions carried out.

    ``mislabeled``: what becomes of samples whose label is wrong, the right one unknown.
    """
    from hcat_nb.data.dataset import NO_LABEL

    check_word("mislabeled", mislabeled, MISLABELED)
    samples = decisions.samples
    labels = dataset.labels.clone()
    kept = torch.ones(len(dataset), dtype=torch.bool)
    counts = {"relabelled": 0, "unlabelled": 0, "dropped": 0}
    for row, decision in decisions.items():
        if int(labels[row]) != int(samples.labels.codes[row]):
            has = dataset.class_values[int(labels[row])] if int(labels[row]) >= 0 else None
            raise DataError(
                f"sample {quoted(samples.ids[row])} has the label {has!r} in these data, and was "
                f"decided on with the label {samples.label(row)!r}",
                "the labels that the run was trained with",
            )
        wrong = decision.action == "mislabeled"
        if decision.action == "relabel":
            labels[row] = decision.code
            counts["relabelled"] += 1
        elif decision.action == "drop" or (wrong and mislabeled == "drop"):
            kept[row] = False
            counts["dropped"] += 1
        elif wrong and mislabeled == "unlabel":
            labels[row] = NO_LABEL
            counts["unlabelled"] += 1
    words = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    note = f"decisions applied: {words or 'nothing changed'}"
    changed = dataset.replace(labels=labels, notes=(*dataset.notes, note))
    if bool(kept.all()):
        return changed
    return changed.take(torch.nonzero(kept).ravel())
