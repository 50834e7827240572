"""From accumulators to the tables of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.methods.base import Method, Scored
    from hcat_nb.observation.dynamics import MapDynamics

__all__ = ["details_table", "flags_table", "id_frame", "scores_table"]


def id_frame(dataset: LabelledDataset, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return a frame with the sample ids as index.

    Where ids repeat, a column ``position`` comes first, which tells the rows
    apart.
    """
    import pandas as pd

    index = dataset.sample_ids.rename("sample_id")
    first = {} if index.is_unique else {"position": np.arange(len(index))}
    frame = pd.DataFrame({**first, **columns}, index=index)
    frame.columns = frame.columns.astype("str")  # also where there is none
    return frame


def scores_table(dataset: LabelledDataset, scored: Mapping[str, Scored]) -> pd.DataFrame:
    """Return ``run.scores``: a float32 column a method, higher = harder."""
    return id_frame(dataset, {name: one.scores.numpy() for name, one in scored.items()})


def flags_table(dataset: LabelledDataset, methods: Sequence[Method]) -> pd.DataFrame:
    """Return, for methods whose paper gives a threshold, the samples beyond it (bool)."""
    flags = {}
    for method in methods:
        flagged = method.flagged()
        if flagged is not None:
            flags[method.name] = flagged.cpu().numpy()
    return id_frame(dataset, flags)


def details_table(
    dataset: LabelledDataset,
    dynamics: MapDynamics,
    epoch: int,
    methods: Sequence[Method],
    scored: Mapping[str, Scored],
) -> pd.DataFrame:
    """Return ``run.details``: the papers' own quantities, in their own units.

    Parameters
    ----------
    dataset : LabelledDataset
        As it was trained on.
    dynamics : MapDynamics
    epoch : int
        Epochs finished.
    methods : sequence of Method
    scored : mapping of str to Scored
    """
    import pandas as pd

    from hcat_nb.methods.dataiq import DataIQ
    from hcat_nb.methods.datamaps import DataMaps

    here = dynamics.snapshot(epoch)
    suggested, probability = dynamics.suggested()
    # Groups by the run's own methods, whose options may move the bounds.
    known = {type(method): method for method in methods}
    dataiq, datamaps = known.get(DataIQ, DataIQ()), known.get(DataMaps, DataMaps())
    assert isinstance(dataiq, DataIQ)
    assert isinstance(datamaps, DataMaps)
    columns: dict[str, Any] = {
        "label": dataset.label_values(),
        "predicted": dataset.label_values(dynamics.predicted.cpu()),
        "suggested": dataset.label_values(suggested.cpu()),
        "suggested_probability": probability.cpu().numpy(),
        "confidence": here.confidence,
        "variability": here.variability,
        "aleatoric": here.aleatoric,
        "correctness": here.correctness,
        "mean_loss": here.mean_loss,
        "last_loss": dynamics.last_losses(),
        "dataiq_group": _groups(dataiq.groups(here.confidence, here.aleatoric)),
        "datamaps_group": _groups(datamaps.groups(here.confidence, here.variability)),
    }
    for method in methods:
        columns |= {key: value.cpu().numpy() for key, value in method.details().items()}
    for name, one in scored.items():
        columns[f"{name}_status"] = pd.Categorical(one.status)
    return id_frame(dataset, columns)


def _groups(groups: np.ndarray) -> pd.Categorical:
    import pandas as pd

    known = groups.astype(object)
    known[known == ""] = None  # without coordinates there is no group
    return pd.Categorical(known, categories=["easy", "ambiguous", "hard"])
