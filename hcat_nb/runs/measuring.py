"""How well the methods of a run find the samples that are known to be hard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hcat_nb.errors import DataError
from hcat_nb.runs.first_look import rankings, score_of

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.runs.store.record import Record


def measured(
    record: Record,
    *,
    baselines: bool = True,
    variant: Literal["paper", "hcat"] = "paper",
    n_resamples: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure a run; see :meth:`hcat_nb.Run.evaluate`."""
    import pandas as pd

    from hcat_nb.evaluation.baselines import baselines as baseline_scores
    from hcat_nb.evaluation.hcat import low_is_hard
    from hcat_nb.evaluation.seed_means import with_seed_spread
    from hcat_nb.evaluation.table import evaluate

    if not record.spec.knows_truth:
        raise DataError(
            "nothing was injected into this run, and no truth is given, so nobody knows "
            "which samples are hard",
            "hardness= or truth= (true labels, or which are wrong), when it is trained",
            "hcat.evaluate(run.scores, truth) measures a run that is there",
        )
    details = record.details
    beside = None
    if baselines:
        beside = baseline_scores(details["label"], last_loss=details.get("last_loss"), seed=seed)
        names = [name for name in rankings(record) if name not in record.methods]
        beside = pd.concat([*(score_of(record, name) for name in names), beside], axis=1)
        beside = beside.drop(columns=record.methods, errors="ignore")  # a user's of that name
    low = low_is_hard(
        [
            name
            for name, card in record.info["methods"].items()
            if card["options"].get("variant") == "hcat"
        ]
    )
    more = {} if n_resamples is None else {"n_resamples": n_resamples}
    table = evaluate(
        record.scores[record.methods],
        record.truth,
        flagged=record.flags.drop(columns="position", errors="ignore"),
        baselines=beside,
        variant=variant,
        low_is_hard=low,
        seed=seed,
        **more,
    )
    if record.seed_scores is None:
        return table

    def measure(scores: pd.DataFrame) -> pd.DataFrame:
        return evaluate(scores, record.truth, variant=variant, low_is_hard=low, n_resamples=0)

    return with_seed_spread(table, record.by_seed(), measure)


def metrics_to_keep(record: Record, n_resamples: int | None = None) -> pd.DataFrame | None:
    """Return the metrics that a run's folder keeps; None where no truth is known."""
    return measured(record, n_resamples=n_resamples) if record.spec.knows_truth else None
