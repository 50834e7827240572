"""Two rankings of the same samples: of two runs, or of two methods of one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.errors import DataError, UnknownNameError
from hcat_nb.evaluation.consistency import AGREEMENT_COLUMNS, Agreement, agree, moved_table
from hcat_nb.registry import nearest

if TYPE_CHECKING:
    from hcat_nb.charts.theme import LayerChart
    from hcat_nb.runs.store.record import Record


@dataclass(eq=False)
class TwoRankings:
    """How far two rankings agree, and on which samples they do not.

    It holds scores and labels of the samples, no dataset and no run.

    Attributes
    ----------
    first, second : str
        What is compared, in words.
    by : str or None
        The method whose samples ``moved`` lists; None where two methods are compared.
    agreement : pandas.DataFrame
        ``first`` and ``second`` (methods), ``n``, ``n_missing``, ``spearman``,
        ``kendall``, ``top_k``, ``top_overlap``, ``top_chance``, ``note``; a row
        for each method that two runs share, or one for two methods.
    moved : pandas.DataFrame
        Index ``sample_id``, the samples that moved most first: ``label`` (or
        ``label_first`` and ``label_second`` where runs differ), ``is_hard``
        where the truth is known, ``rank_first``, ``rank_second`` (1 = hardest,
        ties at their mean), ``moved`` (their difference: below 0 it became
        harder), ``score_first``, ``score_second``.
    n_unmatched : int
        Samples that only one of the runs has.
    """

    first: str
    second: str
    by: str | None
    agreement: pd.DataFrame
    moved: pd.DataFrame
    n_unmatched: int = 0

    def __repr__(self) -> str:
        (row,) = self.agreement[self._of_moved()].to_dict("records")
        if np.isnan(row["spearman"]):
            words = f"n/a ({row['note']})"
        else:
            words = f"Spearman {row['spearman']:.3f}"
        if row["top_k"]:
            words += (
                f", {row['top_overlap']:.0%} of the {row['top_k']:,} hardest in common "
                f"(by chance {row['top_chance']:.0%})"
            )
        by = f", by {self.by}" if self.by else ""
        alone = f"; {self.n_unmatched:,} samples in one only" if self.n_unmatched else ""
        return (
            f"<TwoRankings: {self.first} and {self.second}{by}: {words}; "
            f"{row['n']:,} samples{alone}>"
        )

    def relabelled(self) -> str:
        """Return where samples went whose labels differ, in words; empty if there are none."""
        if "label_first" not in self.moved:
            return ""
        (row,) = self.agreement[self._of_moved()].to_dict("records")
        before, now = self.moved["rank_first"], self.moved["rank_second"]
        first, second = (self.moved[f"label_{one}"].astype(str) for one in ("first", "second"))
        other, k = first != second, int(row["top_k"])
        hard = int((other & (before <= k)).sum())
        left = int((other & (before <= k) & (now > k)).sum())
        new = int((~other & (before > k) & (now <= k)).sum())
        return (
            f"{int(other.sum()):,} relabelled: {left:,} of the {hard:,} among the {k:,} hardest "
            f"are there no longer (now at ranks {now[other].min():,.0f} to "
            f"{now[other].max():,.0f}); {new:,} others came in"
        )

    def chart(self, **options: Any) -> LayerChart:
        """Draw each sample at its place in both rankings.

        Options are those of :func:`hcat_nb.charts.scatter.scatter`; ``color`` names a column of
        ``moved``, by default ``is_hard`` where it is there.
        """
        from hcat_nb.charts.scatter import scatter

        frame = self.moved.rename(
            columns={"score_first": self.first, "score_second": self.second}
        ).rename(columns={"label_first": "label"})
        options.setdefault("color", "is_hard" if "is_hard" in frame else None)
        by = f" by {self.by}" if self.by else ""
        options = {"scale": "rank", "title": f"ranks{by}", **options}
        return scatter(frame, self.first, self.second, **options)

    def _of_moved(self) -> pd.Series[bool]:
        return self.agreement["first"] == (self.first if self.by is None else self.by)


def compare_runs(
    first: Record,
    second: Record | str | os.PathLike[str],
    *,
    by: str | None = None,
    top: float = 0.1,
    kendall: bool = True,
    names: tuple[str, str] = ("first run", "second run"),
) -> TwoRankings:
    """Compare the rankings of two runs, method by method; see :meth:`hcat_nb.Run.compare`.

    Samples are matched by their ids; where ids repeat, by position, for which
    both runs need the same ids in the same order.

    >>> import hcat_nb as hcat
    >>> runs = [hcat.characterize("wine", methods="loss", epochs=1, seed=s) for s in (0, 1)]
    >>> compared = compare_runs(*runs)
    >>> compared.agreement["n"].tolist(), len(compared.moved)
    ([178], 178)
    """
    from hcat_nb.runs.store.record import Record
    from hcat_nb.runs.store.saving import load_record

    if not isinstance(second, (Record, str, os.PathLike)):
        wrong = f"the run is compared with a {type(second).__name__}"  # type: ignore[unreachable]
        raise DataError(wrong, "a run, or the folder of a saved one")
    other = second if isinstance(second, Record) else load_record(Path(second))
    if names[0] == names[1]:
        raise DataError(f"both runs are called {names[0]!r}", "two names")
    shared = [name for name in first.methods if name in other.methods]
    if not shared:
        raise DataError(
            f"the runs share no method: {', '.join(first.methods)} and {', '.join(other.methods)}",
            "one that both have",
        )
    by = shared[0] if by is None else by
    if by not in shared:
        raise UnknownNameError(f"{by!r} is not a method of both runs", nearest(by, shared))
    here, there = _matched(first.scores.index, other.scores.index)
    scores = {
        name: (first.scores[name].to_numpy()[here], other.scores[name].to_numpy()[there])
        for name in shared
    }
    rows = [(name, name, agree(*pair, top=top, kendall=kendall)) for name, pair in scores.items()]
    return TwoRankings(
        first=names[0],
        second=names[1],
        by=by,
        agreement=_table(rows),
        moved=_moved(first, other, by, by, here, there),
        n_unmatched=len(first.scores) + len(other.scores) - 2 * len(here),
    )


def compare_methods(
    run: Record, first: str, second: str, *, top: float = 0.1, kendall: bool = True
) -> TwoRankings:
    """Compare the rankings of two methods of a run; see :meth:`hcat_nb.Run.compare_methods`."""
    if first == second:
        raise DataError(f"{first!r} is compared with itself", "two methods")
    every = np.arange(len(run.scores))
    found = agree(run.scores[first], run.scores[second], top=top, kendall=kendall)
    return TwoRankings(
        first=first,
        second=second,
        by=None,
        agreement=_table([(first, second, found)]),
        moved=_moved(run, run, first, second, every, every),
    )


def _matched(first: pd.Index, second: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions, in each, of the samples that both have."""
    if first.equals(second):
        every = np.arange(len(first))
        return every, every
    if not (first.is_unique and second.is_unique):
        raise DataError(
            "sample ids repeat, and the runs have different ones",
            "unique ids, or the same ids in the same order",
        )
    place = second.get_indexer(first)
    here = np.flatnonzero(place >= 0)
    if not len(here):
        like = [repr(one[:1].tolist()[0]) if len(one) else "none" for one in (first, second)]
        raise DataError(f"the runs share no sample: ids like {' and '.join(like)}", "common ids")
    return here, place[here]


def _table(pairs: list[tuple[str, str, Agreement]]) -> pd.DataFrame:
    rows = [{"first": a, "second": b, **vars(found)} for a, b, found in pairs]
    return pd.DataFrame(rows, columns=["first", "second", *AGREEMENT_COLUMNS])


def _moved(
    first: Record, second: Record, a: str, b: str, here: np.ndarray, there: np.ndarray
) -> pd.DataFrame:
    before, after = first.scores[a].to_numpy()[here], second.scores[b].to_numpy()[there]
    table = moved_table(pd.Series(before), pd.Series(after))
    order = table.index.to_numpy()
    labels = [
        run.details["label"].astype(object).iloc[rows[order]].reset_index(drop=True)
        for run, rows in ((first, here), (second, there))
    ]
    names = ["label"] if labels[0].equals(labels[1]) else ["label_first", "label_second"]
    columns: dict[str, Any] = {
        name: pd.Categorical(one) for name, one in zip(names, labels, strict=False)
    }
    hard = [
        run.truth["is_hard"].to_numpy()[rows[order]]
        for run, rows in ((first, here), (second, there))
        if run.truth["is_hard"].any()
    ]
    if hard:
        columns["is_hard"] = np.logical_or.reduce(hard)
    columns |= {
        name: table[name].to_numpy()
        for name in ("rank_first", "rank_second", "moved", "score_first", "score_second")
    }
    ids = first.scores.index[here[order]].rename("sample_id")
    return pd.DataFrame(columns, index=ids)
