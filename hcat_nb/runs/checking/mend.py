"""Writes what is safe to mend of a table into a new file, and a plan of the rest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.checks.columns import missing_words
from hcat_nb.checks.finding import EXCLUDABLE
from hcat_nb.checks.profile import profiles
from hcat_nb.checks.raw import Raw, coded
from hcat_nb.checks.table import about_columns
from hcat_nb.data.reading.spellings import spellings
from hcat_nb.errors import DataError, StoreError
from hcat_nb.runs.store.atomic import delivered

if TYPE_CHECKING:
    import pandas as pd

Step = list[str]  # ["drop", column], ["missing", column, word] or ["spell", column, from, to]
_HEAD = "# Write yes for no where you agree, and check again with the same file to write.\n"
_NOTHING = {"", "?", "-", "--", "."}  # signs, not words, that stand for a missing value
_FORMATS = (".csv", ".tsv", ".parquet")


def mend(
    raw: Raw, classes: Sequence[Any] | None, file: Path, encoding: str = "utf-8"
) -> tuple[pd.DataFrame, list[str]]:
    """Write the table without its faults; return it, and what was done and is left to decide.

    Constant columns and cells of signs that stand for nothing ("?", "-", "")
    are mended at once; what takes a decision (columns left out, spellings
    joined, words made missing) stands in ``<file>.plan``, and is done where
    its line says ``yes``.  No label becomes another class.  ``file`` is .csv,
    .tsv or .parquet, and replaced only if its plan lies beside it.
    """
    plan, kind = file.with_name(f"{file.name}.plan"), file.suffix.lower()
    if kind not in _FORMATS:
        raise DataError(f"{file} ends in {file.suffix!r}", "one of " + ", ".join(_FORMATS))
    if file.exists() and not plan.exists():
        raise StoreError(f"{file} is there already", "a new file")
    agreed = _agreed(plan)
    safe, others = _steps(raw, classes)
    mended, told = raw.whole.copy(), []
    for step in [*safe, *others]:
        words = " ".join(map(repr, step[1:]))
        if step in safe or step in agreed:
            mended = _done(mended, step)
            told.append(f"mended in {file}: {step[0]} {words}")
        else:
            told.append(f"to decide in {plan}: {step[0]} {words}")
    if kind == ".parquet":
        delivered(file, mended.to_parquet)
    else:
        form: dict[str, Any] = {"sep": "\t" if kind == ".tsv" else ",", "encoding": encoding}
        texts = mended.select_dtypes(exclude="number")
        if texts.map(lambda cell: "\r" in str(cell)).any(axis=None):
            form["lineterminator"] = "\r\n"  # else such a text would not be quoted
        form["index"] = not np.array_equal(mended.index, np.arange(len(mended)))
        delivered(file, lambda draft: mended.to_csv(draft, **form))
    lines = [f"{'yes' if one in agreed else 'no'} {json.dumps(one)}\n" for one in others]
    delivered(plan, lambda draft: draft.write_text(_HEAD + "".join(lines), encoding="utf-8"))
    return mended, told


def _steps(raw: Raw, classes: Sequence[Any] | None) -> tuple[list[Step], list[Step]]:
    """Return what is safe, and what takes a decision."""
    codes, names = coded(raw.labels, classes)
    columns = profiles(raw.frame.drop(columns=[] if raw.text is None else [raw.text]))
    found = {
        name: one.kind
        for one in about_columns(columns, codes, names)
        for name in (one.columns if one.kind in EXCLUDABLE else ())
    }
    safe = [["drop", name] for name, kind in found.items() if kind == "constant"]
    others = [["drop", name] for name, kind in found.items() if kind != "constant"]
    groups = []
    if raw.target is not None:
        counts = np.bincount(codes[codes >= 0], minlength=len(names))
        groups += [(raw.target, group) for group in spellings(names, counts.tolist())]
    for one in columns:
        for word in missing_words(one):
            (safe if word.strip() in _NOTHING else others).append(["missing", one.name, word])
        if one.kind == "words":
            each = spellings(list(one.levels), one.counts.tolist())
            groups += [(one.name, group) for group in each]
    others += [["spell", name, word, group[0]] for name, group in groups for word in group[1:]]
    return safe, others


def _done(frame: pd.DataFrame, step: Step) -> pd.DataFrame:
    what, name, *rest = step
    if what == "drop":
        return frame.drop(columns=name)
    becomes = rest[1] if what == "spell" else None
    column = frame[name].astype(object)
    return frame.assign(**{name: column.where(column != rest[0], becomes)})


def _agreed(plan: Path) -> list[Step]:
    """Return the steps of a plan that say yes."""
    agreed = []
    lines = plan.read_text(encoding="utf-8").splitlines() if plan.exists() else []
    for number, line in enumerate(lines, 1):
        word, _, rest = line.partition(" ")
        if line.startswith("#") or not line.strip() or word == "no":
            continue
        try:
            step = json.loads(rest) if word == "yes" else None
        except json.JSONDecodeError:
            step = None
        if not isinstance(step, list):
            raise DataError(f"line {number} of {plan} is {line!r}", 'as no ["drop", "id"], or yes')
        agreed.append(step)
    return agreed
