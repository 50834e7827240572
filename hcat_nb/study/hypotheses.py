"""H1 to H5: where H-CAT's findings come from, tested on a table of results.

``notebooks/takeaways.ipynb`` states each of them, and what came out.

H-CAT's evaluator takes untouched samples as positives and does not turn scores
round, its never-learned samples count as easiest, its perturbations leave a
trace in the range of values, and its uniform noise may redraw the same label.
Each hypothesis is a figure and a threshold; the thresholds are arguments, so
that they are written down before the figures are seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import DataError, SpecError
from hcat_nb.evaluation.comparison import BLOCKS, compare
from hcat_nb.evaluation.hcat import LOW_IS_HARD
from hcat_nb.evaluation.stability import stability_table
from hcat_nb.study.findings import ends_of_p, method_results

if TYPE_CHECKING:
    import pandas as pd

THRESHOLDS = {
    "h1": ("rank_gain", "fall", "share"),
    "h2": ("chance", "good"),
    "h3": ("shortcut", "gap"),
    "h4": ("errors",),
    "h5": ("order",),
}
_LABEL_NOISE = ("uniform", "asymmetric", "adjacent", "instance")
_COLUMNS = ("hypothesis", "claim", "threshold", "measured", "verdict")


def check_hypotheses(
    results: pd.DataFrame,
    stability: pd.DataFrame,
    shortcuts: pd.DataFrame,
    *,
    h1: Mapping[str, float],
    h2: Mapping[str, float],
    h3: Mapping[str, float],
    h4: Mapping[str, float],
    h5: Mapping[str, float],
) -> pd.DataFrame:
    """Return the hypotheses beside what the tables of a study say.

    Results are rows of runs and methods, with ``auprc_hcat`` for H1 and rows of ``variant="hcat"``
    for H2; stability (``varied`` "both seeds" or "model seed") serves H5, shortcuts H3 and H4. The
    thresholds:

    h1: ``rank_gain``, ranks that GraNd gains at the highest p by the right orientation; H-CAT's
    AUPRC of the methods that it does not turn round falls by ``fall`` or more with p, their AUROC
    by at most ``share`` of that. h2: Forgetting's AUROC on label noise is at most ``chance`` as
    H-CAT scores it, at least ``good`` as the paper does. h3: the AUROC of the best trivial probe
    is at least ``shortcut`` on one of H-CAT's kinds, and ``gap`` less on ours. h4: ``errors``,
    standard errors by which the share of truly changed labels may differ from 1 - 1/C. h5:
    ``order``, the Spearman correlation, at most, of the methods' order of stability under both
    seeds with that under the model seed alone.

    The verdict is "holds", "does not hold", or "n/a" where the tables cannot tell.
    """
    import pandas as pd

    given = {"h1": h1, "h2": h2, "h3": h3, "h4": h4, "h5": h5}
    for name, thresholds in given.items():
        if set(thresholds) != set(THRESHOLDS[name]):
            raise SpecError(
                f"{name} has the thresholds {', '.join(thresholds) or 'none'}",
                " and ".join(THRESHOLDS[name]),
            )
    rows = [
        _h1_efficient(results, h1["rank_gain"]),
        _h1_falls(results, h1["fall"], h1["share"]),
        _h2(results, h2["chance"], h2["good"]),
        _h3(shortcuts, h3["shortcut"], h3["gap"]),
        _h4(shortcuts, h4["errors"]),
        _h5(stability, h5["order"]),
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _row(name: str, claim: str, threshold: str, measured: str, holds: Any) -> tuple[str, ...]:
    verdict = "n/a" if holds is None else "holds" if holds else "does not hold"
    return (name, claim, threshold, measured, verdict)


def _h1_efficient(results: pd.DataFrame, gain: float) -> tuple[str, ...]:
    claim = "GraNd's weakness at high proportions (A4) comes from the orientation"
    threshold = f"at the highest p it gains {gain:g} mean ranks or more by AUROC over H-CAT's AUPRC"
    name = "H1 (A4)"
    if "auprc_hcat" not in results:
        return _row(name, claim, threshold, "no column auprc_hcat", None)
    rows = method_results(results)
    if rows["p"].nunique() < 2:
        return _row(name, claim, threshold, "one proportion only", None)
    rows = rows[rows["p"] == rows["p"].max()]
    try:
        theirs, ours = (compare(rows, metric=one).mean_ranks for one in ("auprc_hcat", "auroc"))
    except DataError as error:
        return _row(name, claim, threshold, str(error), None)
    if "grand" not in ours or "grand" not in theirs:
        return _row(name, claim, threshold, "grand is not ranked", None)
    measured = (
        f"mean rank {theirs['grand']:.1f} of {len(theirs)} by H-CAT's AUPRC, "
        f"{ours['grand']:.1f} by AUROC"
    )
    return _row(name, claim, threshold, measured, theirs["grand"] - ours["grand"] >= gain)


def _h1_falls(results: pd.DataFrame, fall: float, share: float) -> tuple[str, ...]:
    claim = "the loss with higher proportions (A1) comes from the orientation"
    threshold = (
        f"H-CAT's AUPRC of methods it does not turn round falls by {fall:g} or more with p, "
        f"their AUROC by {share:g} of that or less"
    )
    name = "H1 (A1)"
    if "auprc_hcat" not in results:
        return _row(name, claim, threshold, "no column auprc_hcat", None)
    rows = method_results(results)
    rows = rows[~rows["hcm"].isin(LOW_IS_HARD)]
    falls = []
    for metric in ("auprc_hcat", "auroc"):
        ends = ends_of_p(rows, metric)
        if ends.empty:
            return _row(name, claim, threshold, "one proportion only", None)
        falls.append(float((ends["low"] - ends["high"]).mean()))
    measured = f"H-CAT's AUPRC falls by {falls[0]:.3f}, AUROC by {falls[1]:.3f}"
    return _row(name, claim, threshold, measured, falls[0] >= fall and falls[1] <= share * falls[0])


def _h2(results: pd.DataFrame, chance: float, good: float) -> tuple[str, ...]:
    claim = "forgetting goes from chance to good where never learned counts as hardest"
    threshold = f"AUROC on label noise: H-CAT's {chance:g} or less, the paper's {good:g} or more"
    rows = results[(results["hcm"] == "forgetting") & results["hardness"].isin(_LABEL_NOISE)]
    if "variant" not in rows or not (rows["variant"] == "hcat").any():
        return _row("H2", claim, threshold, "no run of variant=hcat", None)
    keys = [*BLOCKS, *(one for one in ("data_seed", "model_seed") if one in rows)]
    wide = rows.pivot_table(index=keys, columns="variant", values="auroc").dropna()
    if wide.empty or not {"paper", "hcat"} <= set(wide.columns):
        return _row("H2", claim, threshold, "no pair of runs", None)
    theirs, ours = float(wide["hcat"].mean()), float(wide["paper"].mean())
    measured = f"H-CAT's {theirs:.3f}, the paper's {ours:.3f}, over {len(wide)} pairs of runs"
    return _row("H2", claim, threshold, measured, theirs <= chance and ours >= good)


def _h3(shortcuts: pd.DataFrame, at_least: float, gap: float) -> tuple[str, ...]:
    claim = "H-CAT's shifts are partly found by their range of values or fill"
    threshold = (
        f"the best trivial probe has AUROC {at_least:g} or more on one of its kinds, "
        f"and {gap:g} less on ours"
    )
    rows = shortcuts[shortcuts["auroc"].notna()] if len(shortcuts) else shortcuts
    if not len(rows):
        return _row("H3", claim, threshold, "no table of shortcuts", None)
    # The best probe is chosen by its mean over data seeds, then compared with itself.
    keys = ["dataset", "hardness", "probe"]
    seeds = [one for one in ("data_seed",) if one in rows]  # those that both variants have
    pairs = rows.pivot_table("auroc", [*keys, *seeds], "variant", observed=True).dropna()
    means = pairs.groupby(keys, observed=True).mean()
    if not {"paper", "hcat"} <= set(means.columns):
        return _row("H3", claim, threshold, "one variant only", None)
    means = means.dropna()
    best = means.loc[means.groupby(["dataset", "hardness"])["hcat"].idxmax()]
    found = best[(best["hcat"] >= at_least) & (best["hcat"] - best["paper"] >= gap)]
    words = [
        f"{hardness} on {dataset} by {probe} {theirs:.3f} (ours {ours:.3f})"
        for dataset, hardness, probe, theirs, ours in best.reset_index()[
            [*keys, "hcat", "paper"]
        ].itertuples(index=False)
    ]
    return _row("H3", claim, threshold, "; ".join(words), len(found) > 0)


def _h4(shortcuts: pd.DataFrame, errors: float) -> tuple[str, ...]:
    claim = "H-CAT's uniform p is smaller than stated: 1 in C redraws keeps the label"
    threshold = f"truly changed labels: 1 - 1/C within {errors:g} standard errors; ours all"
    needed = {"hardness", "variant", "n_changed", "n_hard", "n_classes"}
    if not len(shortcuts) or not needed <= set(shortcuts.columns):
        return _row("H4", claim, threshold, "no table of shortcuts", None)
    rows = shortcuts[shortcuts["hardness"] == "uniform"].drop_duplicates(
        ["dataset", "p", "data_seed", "variant"]
    )
    sums = rows.groupby(["variant", "n_classes"])[["n_changed", "n_hard"]].sum()
    if not {"paper", "hcat"} <= set(sums.index.get_level_values(0)):
        return _row("H4", claim, threshold, "no uniform noise of both variants", None)
    share = sums["n_changed"] / sums["n_hard"]
    theirs = share["hcat"]
    expected = 1 - 1 / theirs.index.to_numpy(dtype=np.float64)
    error = np.sqrt(expected * (1 - expected) / sums["n_hard"]["hcat"].to_numpy())
    words = [
        f"C = {c}: {value:.3f} (expected {right:.3f} ± {one:.3f})"
        for (c, value), right, one in zip(theirs.items(), expected, error, strict=True)
    ]
    holds = (np.abs(theirs.to_numpy() - expected) <= errors * error).all()
    measured = "; ".join(words) + f"; ours {share['paper'].min():.3f}"
    return _row("H4", claim, threshold, measured, bool(holds and (share["paper"] == 1).all()))


def _h5(stability: pd.DataFrame, order: float) -> tuple[str, ...]:
    claim = "the order of stability changes where the model seed alone is varied"
    threshold = f"the two orders have a Spearman correlation of {order:g} or less"
    if not len(stability) or not {"both seeds", "model seed"} <= set(stability["varied"]):
        return _row("H5", claim, threshold, "not both kinds of pairs", None)
    means = stability_table(stability, ["varied"]).pivot_table("mean", "hcm", "varied").dropna()
    if len(means) < 3:
        return _row("H5", claim, threshold, "fewer than three methods", None)
    rho = float(means["both seeds"].corr(means["model seed"], method="spearman"))
    firsts = [f"{one}: {means[one].idxmax()} first" for one in ("both seeds", "model seed")]
    measured = f"{rho:.3f} over {len(means)} methods; {', '.join(firsts)}"
    return _row("H5", claim, threshold, measured, rho <= order)
