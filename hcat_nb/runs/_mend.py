"""Writes what is safe to mend of a table into a new file, and a plan of the rest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import DataError, StoreError
from hcat_nb.runs._atomic import written_whole

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.checks.finding import Finding
    from hcat_nb.runs._raw import Raw

__all__ = ["mend"]

Step = list[str]
_HEAD = "# Write yes for no where you agree, and check with the same --fix FILE again.\n"
_NOTHING = {"", "?", "-", "--", "."}  # signs, not words, that stand for a missing value
_FORMATS = (".csv", ".tsv", ".parquet")


def mend(
    raw: Raw,
    names: Sequence[Any],
    counts: Sequence[int],
    found: Sequence[Finding],
    file: Path,
    encoding: str = "utf-8",
) -> tuple[pd.DataFrame, list[str]]:
    """Write the table without its faults; return it, and what was done and is left to decide.

    Constant columns and cells of signs that stand for nothing ("?", "-", "")
    are mended at once; what takes a decision (columns left out, spellings
    joined, words made missing) stands in ``<file>.plan``, and is done where
    its line says ``yes``.  No label becomes another class.

    Parameters
    ----------
    raw : Raw
    names, counts : sequences
        Classes and their rows.
    found : sequence of Finding
        In the features.
    file : Path
        .csv, .tsv or .parquet; replaced only if its plan lies beside it.
    encoding : str
        Of a CSV.

    Raises
    ------
    DataError
        If the suffix is another, or a line of the plan cannot be read.
    StoreError
        If the file is there already, and no plan beside it.
    """
    plan = file.with_name(f"{file.name}.plan")
    if file.suffix.lower() not in _FORMATS:
        raise DataError(f"{file} ends in {file.suffix!r}", "one of " + ", ".join(_FORMATS))
    if file.exists() and not plan.exists():
        raise StoreError(f"{file} is there already", "a new file")
    agreed = _agreed(plan)
    safe, others = _steps(raw, names, counts, found)
    mended = raw.whole.copy()
    for step in [*safe, *(one for one in others if one in agreed)]:
        mended = _done(mended, step)
    if file.suffix.lower() == ".parquet":
        written_whole(file, mended.to_parquet)
    else:
        sep, index = "\t" if file.suffix.lower() == ".tsv" else ",", not _counts(mended.index)
        written_whole(
            file, lambda draft: mended.to_csv(draft, sep=sep, index=index, encoding=encoding)
        )
    lines = [f"{'yes' if one in agreed else 'no'} {json.dumps(one)}\n" for one in others]
    written_whole(plan, lambda draft: draft.write_text(_HEAD + "".join(lines), encoding="utf-8"))
    told = [f"mended in {file}: {' '.join(one)}" for one in safe]
    told += [
        f"mended in {file}, as the plan says: {' '.join(one)}" for one in others if one in agreed
    ]
    return mended, told + [
        f"to decide in {plan}: {' '.join(one)}" for one in others if one not in agreed
    ]


def _steps(
    raw: Raw, names: Sequence[Any], counts: Sequence[int], found: Sequence[Finding]
) -> tuple[list[Step], list[Step]]:
    from hcat_nb.checks.columns import missing_words
    from hcat_nb.checks.profile import profiles
    from hcat_nb.data._spellings import spellings

    kinds = {name: one.kind for one in reversed(found) for name in one.columns}
    safe = [["drop", name] for name, kind in kinds.items() if kind == "constant"]
    others = [["drop", name] for name, kind in kinds.items() if kind in ("leak", "identifier")]
    if raw.target is not None:
        for group in spellings(names, counts):
            others += [["spell", raw.target, word, group[0]] for word in group[1:]]
    for one in profiles(raw.frame.drop(columns=[] if raw.text is None else [raw.text])):
        for word in missing_words(one):
            (safe if word.strip() in _NOTHING else others).append(["missing", one.name, word])
        if one.kind == "words":
            for group in spellings(one.levels.tolist(), one.counts.tolist()):
                others += [["spell", one.name, word, group[0]] for word in group[1:]]
    return safe, others


def _done(frame: pd.DataFrame, step: Step) -> pd.DataFrame:
    what, name, *rest = step
    if what == "drop":
        return frame.drop(columns=name)
    column = frame[name].astype(object)
    return frame.assign(
        **{name: column.where(column != rest[0], rest[1] if what == "spell" else None)}
    )


def _agreed(plan: Path) -> list[Step]:
    if not plan.exists():
        return []
    agreed = []
    for number, line in enumerate(plan.read_text(encoding="utf-8").splitlines(), 1):
        word, _, rest = line.partition(" ")
        if line.startswith("#") or not line.strip() or word == "no":
            continue
        try:
            step = json.loads(rest)
        except json.JSONDecodeError:
            step = None
        if word != "yes" or not isinstance(step, list):
            raise DataError(
                f"line {number} of {plan} is {line!r}", 'yes or no, then ["drop", "id"]'
            )
        agreed.append(step)
    return agreed


def _counts(index: pd.Index) -> bool:
    return bool(np.array_equal(index, np.arange(len(index))))
