"""Which methods beat which over many runs: mean ranks, Friedman, post-hoc tests.

Demsar 2006 (JMLR 7, "Statistical comparisons of classifiers over multiple data
sets"): methods are ranked within each block, a dataset and what was done to
it; the Friedman test asks whether mean ranks differ at all, a post-hoc test
which do.  Results of one block that differ by their seeds alone are averaged
first: they are repetitions, not independent blocks.

Written on SciPy, not on scikit-posthocs: what is needed of it is the closed
form of Nemenyi's test, SciPy's own Wilcoxon test and Holm's five lines, and it
would bring statsmodels, seaborn and matplotlib along.  A test compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hcat_nb.errors import DataError, SpecError, check_word
from hcat_nb.evaluation.seed_means import seed_means
from hcat_nb.registry import nearest

BLOCKS = ("hardness", "dataset", "model", "p")
POSTHOC = ("nemenyi", "wilcoxon")


@dataclass(frozen=True, eq=False)
class MethodComparison:
    """Methods side by side over blocks; best mean rank first.

    ``figures`` (mean metric) and ``ranks`` (1 = best, ties at their mean) are complete blocks x
    methods; ``n_results`` and ``n_missing`` count, by method, results with a figure and n/a ones.
    ``left_out`` are methods without a figure in any block, ``n_dropped`` the blocks in which a
    method has none, ``n_incomplete`` the cells with fewer seeds than another method's.
    ``statistic`` and ``p_value`` are Friedman's, corrected for ties, NaN below three methods or
    two blocks; ``concordance`` is Kendall's W in [0, 1]; ``p_values`` of the post-hoc test,
    methods x methods, are corrected for the number of pairs; ``critical_difference`` of mean
    ranks is Nemenyi's, whatever ``posthoc`` is.
    """

    metric: str
    posthoc: str
    alpha: float
    figures: pd.DataFrame
    ranks: pd.DataFrame
    mean_ranks: pd.Series[float]
    n_results: pd.Series[int]
    n_missing: pd.Series[int]
    left_out: tuple[Any, ...]
    n_dropped: int
    statistic: float
    p_value: float
    concordance: float
    p_values: pd.DataFrame
    critical_difference: float
    n_incomplete: int = 0

    @property
    def methods(self) -> list[Any]:
        """Those that were ranked, best mean rank first."""
        return list(self.mean_ranks.index)

    @property
    def n_blocks(self) -> int:
        """Complete blocks."""
        return len(self.ranks)

    @property
    def cliques(self) -> list[tuple[Any, ...]]:
        """Largest groups of which no two methods differ significantly; see :func:`cliques`."""
        return cliques(self.p_values, self.alpha)

    def __repr__(self) -> str:
        missing = int(self.n_missing.sum())
        seeds = f", {self.n_incomplete} means of fewer seeds left out" if self.n_incomplete else ""
        friedman = f"p = {self.p_value:.3g}" if self.p_value == self.p_value else "n/a"
        return (
            f"<MethodComparison: {len(self.methods)} methods by {self.metric} over {self.n_blocks} "
            f"blocks; Friedman {friedman}; {missing} results n/a, "
            f"{self.n_dropped} blocks incomplete{seeds}>"
        )

    def table(self) -> pd.DataFrame:
        """Return a row a method, best mean rank first, those without a figure last.

        ``rank_std`` is over blocks; ``best_group``: not significantly worse than the first.
        """
        best = best_group(self.p_values, self.alpha)
        made = pd.DataFrame(
            {
                "mean_rank": self.mean_ranks,
                "rank_std": self.ranks.std(ddof=1),
                self.metric: self.figures.mean(),
                "n_results": self.n_results,
                "n_missing": self.n_missing,
                "best_group": pd.Series({name: name in best for name in self.n_results.index}),
            },
            index=pd.Index([*self.methods, *self.left_out], name=self.figures.columns.name),
        )
        return made


def compare(
    results: pd.DataFrame,
    *,
    metric: str = "auroc",
    method: str = "hcm",
    blocks: Sequence[str] = BLOCKS,
    methods: Collection[Any] | None = None,
    higher_is_better: bool = True,
    posthoc: str = "nemenyi",
    alpha: float = 0.05,
) -> MethodComparison:
    """Rank methods within blocks and test which differ.

    Parameters
    ----------
    results : pandas.DataFrame
        A row for each run and method, as a sweep's ``results()`` gives them.
        Figures that are NaN are n/a: left out and counted, never 0.
    metric, method : str
        Columns: the figure and the name of the method.
    blocks : sequence of str
        Columns that make a block; rows of one block and method are averaged.
    methods : collection, optional
        Only these (default: all).
    higher_is_better : bool
        Of the metric.
    posthoc : {"nemenyi", "wilcoxon"}
        On mean ranks (Nemenyi), or Wilcoxon's signed ranks pair by pair with
        Holm's correction.
    alpha : float
        Level of significance, in (0, 1).

    Raises
    ------
    DataError
        If a column is absent, no block has a figure of two methods, or none
        is complete.
    SpecError
        If ``posthoc`` is not one of these, or ``alpha`` is out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [(b, m, v) for b in range(6) for m, v in (("a", 0.9), ("b", 0.8), ("c", 0.7))]
    >>> found = compare(pd.DataFrame(rows, columns=["run", "who", "f1"]),
    ...                 metric="f1", method="who", blocks=["run"])
    >>> found.mean_ranks.to_dict(), round(found.p_value, 4)
    ({'a': 1.0, 'b': 2.0, 'c': 3.0}, 0.0025)
    """
    _check(results, [metric, method, *blocks], posthoc, alpha, blocks)
    rows = results if methods is None else results[results[method].isin(list(methods))]
    counted = rows.groupby(method, sort=False, observed=True)[metric]
    n_results, n_rows = counted.count(), counted.size()
    wide, n_incomplete = _by_block(rows, metric, method, blocks)
    wide = wide.reindex(columns=n_results.index)
    left_out = tuple(wide.columns[wide.isna().all()])
    wide = wide.dropna(how="all").drop(columns=list(left_out))
    if wide.shape[1] < 2:
        raise DataError(
            f"{wide.shape[1]} methods have a figure in {metric!r}", "two or more to compare"
        )
    complete = wide.dropna()
    if complete.empty:
        worst = wide.isna().sum().idxmax()
        raise DataError(
            f"in none of {len(wide)} blocks has every method a figure in {metric!r}",
            "one complete block at least",
            f"leave out {worst!r}, which lacks most (methods=)",
        )
    ranks = complete.rank(axis=1, ascending=not higher_is_better)
    mean_ranks = ranks.mean().sort_values(kind="stable").rename("mean_rank")
    order = list(mean_ranks.index)
    ranks, complete = ranks[order], complete[order]
    statistic, p_value, concordance = _friedman(ranks.to_numpy())
    n, k = ranks.shape
    p_values = _wilcoxon(complete) if posthoc == "wilcoxon" else nemenyi(mean_ranks, n)
    return MethodComparison(
        metric=metric,
        posthoc=posthoc,
        alpha=alpha,
        figures=complete,
        ranks=ranks,
        mean_ranks=mean_ranks,
        n_results=n_results,
        n_missing=n_rows - n_results,
        left_out=left_out,
        n_dropped=len(wide) - n,
        statistic=statistic,
        p_value=p_value,
        concordance=concordance,
        p_values=p_values,
        critical_difference=critical_difference(k, n, alpha),
        n_incomplete=n_incomplete,
    )


def critical_difference(n_methods: int, n_blocks: int, alpha: float = 0.05) -> float:
    """Return by how much two mean ranks must differ to differ significantly (Nemenyi).

    ``q / sqrt(2) * sqrt(k (k + 1) / (6 n))``, q of the studentized range of k groups.

    >>> round(critical_difference(4, 14), 2)  # Demsar 2006, section 3.2.4
    1.25
    """
    from scipy.stats import studentized_range

    q = float(studentized_range.isf(alpha, n_methods, np.inf))
    return q * _rank_error(n_methods, n_blocks) / math.sqrt(2)


def nemenyi(mean_ranks: pd.Series[float], n_blocks: int) -> pd.DataFrame:
    """Return Nemenyi's p-values of all pairs of methods."""
    from scipy.stats import studentized_range

    values = mean_ranks.to_numpy(dtype=np.float64)
    k = len(values)
    gaps = np.abs(values[:, None] - values[None, :]) / _rank_error(k, n_blocks)
    p = np.clip(studentized_range.sf(gaps * np.sqrt(2), k, np.inf), 0, 1)
    np.fill_diagonal(p, 1.0)
    return pd.DataFrame(p, index=mean_ranks.index, columns=mean_ranks.index)


def holm(p_values: ArrayLike) -> np.ndarray:
    """Return p-values corrected for their number (Holm 1979), in the order given.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    made = np.empty_like(raw)
    made[order] = np.minimum(stepped, 1)
    return made


def cliques(p_values: pd.DataFrame, alpha: float = 0.05) -> list[tuple[Any, ...]]:
    """Return the largest groups, of two or more, of which no two methods differ significantly.

    Sorted by first member, then last.  A group need not be adjacent in rank, but for Nemenyi's.
    """
    import networkx

    n = len(p_values)
    alike = p_values.to_numpy() >= alpha
    graph = networkx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from((a, b) for a in range(n) for b in range(a) if alike[a, b])
    found = [sorted(one) for one in networkx.find_cliques(graph) if len(one) > 1]
    names = list(p_values.index)
    return [
        tuple(names[place] for place in one)
        for one in sorted(found, key=lambda one: (one[0], one[-1], one))
    ]


def best_group(p_values: pd.DataFrame, alpha: float = 0.05) -> list[Any]:
    """Return the first method and all that do not differ significantly from it."""
    return list(p_values.index[p_values.iloc[0].to_numpy() >= alpha])


def _by_block(
    rows: pd.DataFrame, metric: str, method: str, blocks: Sequence[str]
) -> tuple[pd.DataFrame, int]:
    """Return the mean metric, blocks x methods, and how many cells lack seeds."""
    keys = list(blocks)
    rows = rows.reset_index(drop=True)  # tables that were put together repeat their index
    number = rows.groupby(keys, sort=False, dropna=False, observed=True).ngroup()
    cells = seed_means(rows.assign(_block=number), metric, ["_block"], method)
    means = cells.set_index(["_block", method])["mean"]
    wide = means.unstack(method)  # noqa: PD010 - pivot_table loses blocks with a missing key
    heads = rows[keys][~number.duplicated()].set_axis(number.unique()).loc[wide.index]
    names = pd.MultiIndex.from_frame(heads) if len(keys) > 1 else pd.Index(heads[keys[0]])
    return wide.set_axis(names), int(cells["incomplete"].sum())


def _rank_error(k: int, n: int) -> float:
    """Return the standard error of the difference of two mean ranks."""
    return math.sqrt(k * (k + 1) / (6 * n))


def _friedman(ranks: np.ndarray) -> tuple[float, float, float]:
    from scipy.stats import friedmanchisquare

    n, k = ranks.shape
    if k < 3 or n < 2:
        return float("nan"), float("nan"), float("nan")
    if (ranks == ranks[:, :1]).all():  # all tied everywhere: SciPy divides 0 by 0
        return 0.0, 1.0, 0.0
    found = friedmanchisquare(*ranks.T)
    return float(found.statistic), float(found.pvalue), float(found.statistic / (n * (k - 1)))


def _wilcoxon(values: pd.DataFrame) -> pd.DataFrame:
    """Return the p-values of all pairs by Wilcoxon's signed ranks, corrected by Holm."""
    from scipy.stats import wilcoxon

    table = values.to_numpy(dtype=np.float64)
    k = table.shape[1]
    first, second = np.triu_indices(k, 1)
    raw = []
    for a, b in zip(first, second, strict=True):
        gaps = table[:, a] - table[:, b]
        raw.append(float(wilcoxon(gaps).pvalue) if gaps.any() else 1.0)
    p = np.ones((k, k))
    p[first, second] = p[second, first] = holm(raw)
    return pd.DataFrame(p, index=values.columns, columns=values.columns)


def _check(
    results: pd.DataFrame, needed: Sequence[str], posthoc: str, alpha: float, blocks: Sequence[str]
) -> None:
    check_word("posthoc", posthoc, POSTHOC)
    if not 0 < alpha < 1:
        raise SpecError(f"alpha is {alpha!r}", "a level of significance in (0, 1)", "0.05 is usual")
    if not blocks:
        raise SpecError("blocks is empty", "the columns that make a block")
    for name in needed:
        if name not in results:
            known = [str(one) for one in results.columns]
            raise DataError(f"the results have no column {name!r}", nearest(name, known))
