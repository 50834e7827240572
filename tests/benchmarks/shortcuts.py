"""What trivial probes find: the table of shortcuts that a study's hypotheses are checked on.

Trivial probes of the pixels tell what gives hard samples away without any training.
A perturbation should be found by what it means.  Where a shifted image differs
in its least or greatest value, or holds a grey that no other holds, a single
look tells, and every method's figure on it is in doubt (hypothesis H3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.evaluation.ranking import auroc
from hcat_nb.perturbations._apply import perturb
from hcat_nb.perturbations.base import Perturbed
from hcat_nb.registry import PERTURBATIONS
from hcat_nb.study.tables import SHORTCUT_COLUMNS

_GREY = 0.01  # of the value range: what counts as its very middle


def shortcut_table(
    datasets: Iterable[LabelledDataset],
    kinds: Sequence[str],
    *,
    p: Sequence[float] = (0.1,),
    seeds: Sequence[int] = (0, 1, 2),
) -> pd.DataFrame:
    """Return how well trivial probes find hard samples, in our form of a hardness and in H-CAT's.

    A row for each dataset, kind, p, seed, variant and probe: ``n_hard`` samples flagged,
    ``n_changed`` of them whose label truly changed; ``probe`` ("minimum", "maximum", "mid-grey":
    the share of values in the middle of the range) and its ``auroc``, the better of its two
    directions. Tables, label noise, and a p so small that no sample is hard, have one row, without
    a probe. Kinds that a dataset's modality does not take are left out.
    """
    rows: list[tuple[Any, ...]] = []
    for dataset in datasets:
        for kind in kinds:
            if dataset.modality not in PERTURBATIONS.get(kind).modality:
                continue
            for share in p:
                for seed in seeds:
                    for variant in ("paper", "hcat"):
                        made = perturb(dataset, kind, share, seed=seed, variant=variant)
                        rows += _rows(made, dataset, (kind, share, seed, variant))
    return pd.DataFrame(rows, columns=list(SHORTCUT_COLUMNS)).astype({"auroc": "float64"})


def _rows(made: Perturbed, before: LabelledDataset, what: tuple[Any, ...]) -> list[Any]:
    hard = made.truth["is_hard"].to_numpy(dtype=bool)
    changed = (made.truth["original_label"] != made.truth["observed_label"]).to_numpy()
    head = (before.name, *what, before.n_classes, int(hard.sum()), int((changed & hard).sum()))
    families = set(made.truth.loc[hard, "family"])
    if before.modality != "image" or "mislabel" in families or not families:
        return [(*head, None, float("nan"))]
    found = []
    for probe, values in _probes(made.dataset, before).items():
        area = auroc(values, hard)
        found.append((*head, probe, max(area, 1 - area)))
    return found


def _probes(made: LabelledDataset, before: LabelledDataset) -> dict[str, np.ndarray]:
    pixels = np.asarray(made.features, dtype=np.float64).reshape(len(made), -1)
    known = before.value_range
    low, high = known or (float(before.features.min()), float(before.features.max()))
    middle = np.abs(pixels - (low + high) / 2) <= _GREY * (high - low)
    return {"minimum": pixels.min(1), "maximum": pixels.max(1), "mid-grey": middle.mean(1)}
