"""What a table of results says: which method for which hardness, and the paper's findings.

Each finding of H-CAT's paper (Seedat et al. 2024, arXiv 2403.04551)
is turned into a figure of the results that are given, and compared with a
threshold that is part of the call.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import DataError
from hcat_nb.evaluation.comparison import BLOCKS, MethodComparison, best_group, compare
from hcat_nb.evaluation.dominance import who_beats_whom
from hcat_nb.evaluation.seed_means import seed_means
from hcat_nb.evaluation.stability import stability_table

if TYPE_CHECKING:
    import pandas as pd

CHOICE_COLUMNS = (
    *("hardness", "hcm", "kind", "value", "mean_rank", "best_group", "n_blocks"),
    *("effect", "effect_low", "effect_high", "p_value"),
)
_OUTPUT = "learning: output"
_LEAST_P = 1e-12
# Fields of RunSpec that change figures and are no key of a block.
DECISIVE = (
    *("dataset_options", "target", "truth", "groups", "subset", "on_missing_label", "on_bad_row"),
    *("exclude", "join_spellings", "weights"),
    *("hardness_options", "model_options", "features", "embedding", "normalize"),
    *("epochs", "epoch_mean", "observe", "defaults", "batch_size", "lr", "seeds", "folds"),
)


def method_results(
    results: pd.DataFrame, *, baselines: bool = False, options: bool = False
) -> pd.DataFrame:
    """Return the rows of methods in their default form, on hardness in its default form.

    Left out are rows of ``variant="hcat"``, of runs or of hardness, and runs without hardness;
    unless they are asked for, baselines, and methods with options beside the same without
    (``kind`` "baseline" and "option"), which are often at home in a few blocks only. Results of
    one block that differ in more than their seeds are averaged, with a warning.
    """
    keep = results["hardness"].notna()
    if "kind" in results:
        kinds = ["method"] + ["baseline"] * baselines + ["option"] * options
        keep &= results["kind"].fillna("method").isin(kinds)
    for column in ("variant", "hardness_variant"):
        if column in results:
            keep &= results[column].fillna("paper") == "paper"
    kept = results[keep]
    if mixed := mixed_options(kept):
        words = "; ".join(f"{name}: {', '.join(map(str, them))}" for name, them in mixed.items())
        name, values = next(iter(mixed.items()))
        warnings.warn(
            f"results of the same hardness, dataset, model and p differ in more than seeds "
            f"({words}) and are averaged; choose some: only={{{name!r}: {values[0]!r}}}",
            stacklevel=2,
        )
    return kept


def ends_of_p(results: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the mean metric at the lowest (``low``) and at the highest proportion (``high``).

    Kinds of hardness are injected at proportions of their own, so each hardness, dataset, model
    and method has ends of its own; those of one proportion are left out.
    """
    keys = [*(name for name in BLOCKS if name != "p"), "hcm"]
    cells = seed_means(results, metric, BLOCKS, "hcm").dropna(subset="mean")
    means = cells.sort_values([*keys, "p"], kind="stable")
    ends = means.groupby(keys, sort=False, dropna=False, observed=True).agg(
        low=("mean", "first"), high=("mean", "last"), n=("p", "size")
    )
    return ends.loc[ends["n"] > 1, ["low", "high"]]


def choice_table(
    results: pd.DataFrame,
    *,
    metric: str = "auroc",
    posthoc: str = "nemenyi",
    alpha: float = 0.05,
    n_resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return each method's standing on each kind of hardness, the best first.

    Blocks are datasets, models and proportions; see :func:`hcat_nb.evaluation.comparison.compare`.
    Columns: ``hardness``, ``hcm``, ``kind``, ``value`` (the mean metric), ``mean_rank``,
    ``best_group`` (not significantly behind the best), ``n_blocks``; ``effect`` of the best against
    the method (rank-biserial) with its 95 % interval over blocks, and its ``p_value``. Where no
    comparison can be made only ``value`` is known.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    named = results.drop_duplicates("hcm").set_index("hcm")
    kinds = named["kind"] if "kind" in named else dict.fromkeys(named.index, "method")
    for kind, part in results.groupby("hardness", sort=False):
        means = seed_means(part, metric, BLOCKS, "hcm").groupby("hcm", sort=False)["mean"].mean()
        try:
            found = compare(part, metric=metric, posthoc=posthoc, alpha=alpha)
        except DataError:  # fewer than two methods, or no complete block: nothing to rank
            rows += [
                {"hardness": kind, "hcm": name, "value": value, "best_group": False, "n_blocks": 0}
                for name, value in means.items()
            ]
            continue
        best = best_group(found.p_values, alpha)
        pairs = who_beats_whom(
            found.figures, found.p_values, n_resamples=n_resamples, seed=seed
        ).set_index(["first", "second"])
        for name in [*found.methods, *found.left_out]:
            row: dict[str, Any] = {
                "hardness": kind,
                "hcm": name,
                "value": means[name],
                "mean_rank": found.mean_ranks.get(name, np.nan),
                "best_group": name in best,
                "n_blocks": found.n_blocks,
            }
            if (found.methods[0], name) in pairs.index:
                against = pairs.loc[(found.methods[0], name)]
                row |= against[["effect", "effect_low", "effect_high", "p_value"]].to_dict()
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(CHOICE_COLUMNS))
    return table.assign(kind=table["hcm"].map(kinds))


def answer(table: pd.DataFrame, metric: str = "auroc") -> str:
    """Return :func:`choice_table` in two sentences, as Markdown: who leads for which kind.

    >>> import pandas as pd
    >>> row = {"hardness": "uniform", "hcm": "aum", "kind": "method", "value": 0.9, "n_blocks": 9}
    >>> rows = [{**row, "best_group": True}, {**row, "hcm": "vog", "best_group": False}]
    >>> answer(pd.DataFrame(rows)).partition(": ")[2]
    '**aum** for uniform (.90). Significantly ahead of all others there.'
    """
    ranked = table[table["n_blocks"] > 0]
    leads: dict[str, list[str]] = {}
    ahead = []
    for kind, part in ranked.groupby("hardness", sort=False):
        best, methods = part.iloc[0], part[part["kind"] == "method"]
        name, figure = f"**{best['hcm']}**", _figure(best["value"])
        if best["kind"] == "baseline" and len(methods):
            name, other = f"{name}, a baseline,", methods.iloc[0]
            figure += f"; best method: {other['hcm']}, {_figure(other['value'])}"
        leads.setdefault(name, []).append(f"{kind} ({figure})")
        ahead += [str(kind)] if part["best_group"].sum() == 1 else []
    if not leads:
        return "These results cannot be ranked: in no block have two methods a figure."
    words = "; ".join(f"{name} for {', '.join(kinds)}" for name, kinds in leads.items())
    all_of_them = len(ahead) == ranked["hardness"].nunique()
    where = "there" if all_of_them else f"on {', '.join(ahead)} only"
    tail = (
        f"Significantly ahead of all others {where}." if ahead else "None is significantly ahead."
    )
    return f"On these data, by mean rank (mean {metric.upper()} in brackets): {words}. {tail}"


def _figure(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def paper_findings(
    results: pd.DataFrame,
    stability: pd.DataFrame,
    families: Mapping[str, str],
    *,
    metric: str = "auroc",
    alpha: float = 0.05,
    drop: float = 0.05,
    spread: float = 0.1,
) -> pd.DataFrame:
    """Return the paper's findings beside what these results of :func:`method_results` say.

    ``stability`` holds pairs of runs with columns ``varied`` and those of ``seed_pairs``, or
    nothing. For A1 the mean metric must fall by ``drop`` from the lowest to the highest
    proportion, and kinds of hardness differ by ``spread``. Columns: ``finding``, ``claim``,
    ``threshold``, ``measured``, ``agrees`` ("yes", "no", or "n/a" where the results cannot tell).
    """
    import pandas as pd

    rows = [
        _falls_with_p(results, metric, drop),
        _kinds_differ(results, metric, spread),
        _output_is_general(results, metric, families),
        _grand_at_high_p(results, metric),
        _families_are_alike(results, metric, families, alpha),
        _output_is_most_stable(stability, families),
        _choice_by_hardness(results, metric),
    ]
    return pd.DataFrame(rows, columns=["finding", "claim", "threshold", "measured", "agrees"])


def _row(finding: str, claim: str, threshold: str, measured: str, agrees: bool | None) -> Any:
    verdict = "n/a" if agrees is None else "yes" if agrees else "no"
    return (finding, claim, threshold, measured, verdict)


def _try_compare(results: pd.DataFrame, metric: str) -> MethodComparison | None:
    try:
        return compare(results, metric=metric)
    except DataError:
        return None


def _falls_with_p(results: pd.DataFrame, metric: str, drop: float) -> Any:
    claim = "use them only where the proportion of hard samples is low"
    threshold = f"mean {metric} falls by {drop:g} or more from the lowest p to the highest"
    ends = ends_of_p(results, metric)
    if ends.empty:
        return _row("A1", claim, threshold, "one proportion only", None)
    low, high = float(ends["low"].mean()), float(ends["high"].mean())
    measured = f"{low:.3f} at the lowest p of each kind, {high:.3f} at the highest"
    return _row("A1", claim, threshold, measured, low - high >= drop)


def _kinds_differ(results: pd.DataFrame, metric: str, spread: float) -> Any:
    claim = "kinds of hardness differ in how well they are found"
    threshold = f"mean {metric} differs by {spread:g} or more between kinds"
    cells = seed_means(results, metric, BLOCKS, "hcm")
    means = cells.groupby("hardness")["mean"].mean().dropna().sort_values()
    if len(means) < 2:
        return _row("A1, kinds", claim, threshold, "one kind only", None)
    measured = f"{means.index[-1]} {means.iloc[-1]:.3f}, {means.index[0]} {means.iloc[0]:.3f}"
    return _row("A1, kinds", claim, threshold, measured, means.iloc[-1] - means.iloc[0] >= spread)


def _output_is_general(results: pd.DataFrame, metric: str, families: Mapping[str, str]) -> Any:
    claim = "dynamics of the output's confidence are effective for all purposes"
    threshold = "each in the better half by mean rank on every kind of hardness"
    places = []
    for kind, part in results.groupby("hardness", sort=False):
        found = _try_compare(part, metric)
        if found is None:
            continue
        half = (len(found.methods) + 1) / 2
        for name, rank in found.mean_ranks.items():
            if families.get(str(name)) == _OUTPUT:
                places.append((rank < half, f"{name} on {kind}: {rank:.1f}"))
    if not places:
        return _row("A3", claim, threshold, "none of them is ranked", None)
    behind = [words for good, words in places if not good]
    measured = f"{len(places) - len(behind)} of {len(places)}"
    measured += f"; not {', '.join(behind[:3])}" + (" ..." if len(behind) > 3 else "")
    return _row("A3", claim, threshold, measured if behind else f"all {len(places)}", not behind)


def _grand_at_high_p(results: pd.DataFrame, metric: str) -> Any:
    claim = "what is made to be cheap (grand) cannot compete at high proportions"
    threshold = "grand in the worse half by mean rank at the highest p"
    high = results["p"].max()
    if results["p"].nunique() < 2:
        return _row("A4", claim, threshold, "one proportion only", None)
    found = _try_compare(results[results["p"] == high], metric)
    if found is None or "grand" not in found.mean_ranks:
        return _row("A4", claim, threshold, "grand is not ranked", None)
    rank, k = float(found.mean_ranks["grand"]), len(found.methods)
    measured = f"mean rank {rank:.1f} of {k} at p = {high:g}"
    return _row("A4", claim, threshold, measured, rank > (k + 1) / 2)


def _families_are_alike(
    results: pd.DataFrame, metric: str, families: Mapping[str, str], alpha: float
) -> Any:
    claim = "methods of one broad class do not differ significantly"
    threshold = f"no pair within a family has p < {alpha:g}"
    found = _try_compare(results, metric)
    pairs = []
    if found is not None:
        names = found.methods
        pairs = [
            (float(found.p_values.loc[a, b]), f"{a} and {b}")
            for place, a in enumerate(names)
            for b in names[place + 1 :]
            if families.get(a, a) == families.get(b, b)
        ]
    if found is None or not pairs:
        return _row("B", claim, threshold, "no two methods of a family", None)
    if found.critical_difference > len(found.methods) - 1:
        measured = f"{found.n_blocks} blocks are too few for any two to differ"
        return _row("B", claim, threshold, measured, None)
    differ = [f"{words} ({_p_words(p)})" for p, words in sorted(pairs) if p < alpha]
    measured = f"{len(differ)} of {len(pairs)} pairs differ"
    measured += f": {', '.join(differ[:3])}" if differ else ""
    return _row("B", claim, threshold, measured, not differ)


def _p_words(p: float) -> str:
    # SciPy's studentized range is not exact further out.
    return f"p = {p:.2g}" if p >= _LEAST_P else f"p < {_LEAST_P:g}"


def _output_is_most_stable(stability: pd.DataFrame, families: Mapping[str, str]) -> Any:
    claim = "dynamics of the output's confidence are the most stable over seeds"
    threshold = "the family of the highest mean Spearman correlation"
    if stability.empty or not stability["spearman"].notna().any():
        return _row("C", claim, threshold, "no pairs of seeds", None)
    both = stability[stability["varied"] == "both seeds"]
    table = stability_table(both if len(both) else stability).dropna(subset="mean")
    family = table["hcm"].map(lambda name: families.get(name, name))
    means = table.groupby(family)["mean"].mean().sort_values(ascending=False)
    if _OUTPUT not in means or len(means) < 2:
        return _row("C", claim, threshold, "no two families", None)
    others = means.drop(_OUTPUT)
    measured = f"{_OUTPUT} {means[_OUTPUT]:.3f}, best other: {others.index[0]} {others.iloc[0]:.3f}"
    return _row("C", claim, threshold, measured, bool(means[_OUTPUT] > others.iloc[0]))


def _choice_by_hardness(results: pd.DataFrame, metric: str) -> Any:
    claim = "methods disagree: choose by the kind of hardness"
    threshold = "the best by mean rank is not the same on all kinds"
    best = {}
    for kind, part in results.groupby("hardness", sort=False):
        found = _try_compare(part, metric)
        if found is not None:
            best[kind] = found.methods[0]
    if len(best) < 2:
        return _row("choice", claim, threshold, "one kind only", None)
    measured = ", ".join(f"{kind}: {name}" for kind, name in best.items())
    return _row("choice", claim, threshold, measured, len(set(best.values())) > 1)


def mixed_options(results: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the options, and their values, that differ between results of one method in one block.

    Seeds, which are repetitions, are no such option.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"hcm": "aum", "hardness": "uniform", "dataset": "wine", "p": 0.1,
    ...                       "model": "mlp", "epochs": [1, 3], "lr": 0.01})
    >>> mixed_options(table)
    {'epochs': [1, 3]}
    """
    varying = [name for name in DECISIVE if name in results and len(results[name].unique()) > 1]
    if not varying:
        return {}
    blocks = results.groupby([*BLOCKS, "hcm"], sort=False, dropna=False, observed=True)
    several = blocks[varying].nunique(dropna=False).max() > 1
    return {name: results[name].drop_duplicates().tolist() for name in varying if several[name]}
