"""From accumulators to the tables of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.methods.base import Method, Scored
    from hcat_nb.observation.clock import Clock
    from hcat_nb.observation.dynamics import MapDynamics
    from hcat_nb.observation.finite import FiniteOutputs
    from hcat_nb.runs.execution.answers import Answers


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a method says of the samples; nothing of its state is wanted beside it."""

    scores: np.ndarray
    status: pd.Categorical[str]
    details: Mapping[str, np.ndarray]
    flagged: np.ndarray | None


def outcome(method: Method, scored: Scored) -> Outcome:
    """Return what ``method`` says, its scores being ``scored``."""
    from hcat_nb.methods.base import NO_OUTPUT

    flags = method.flagged()
    details = {key: value.cpu().numpy() for key, value in method.details().items()}
    flagged = None if flags is None else flags.cpu().numpy()
    if NO_OUTPUT in scored.status:
        none = np.array(scored.status) == NO_OUTPUT
        details = {key: np.where(none, np.float32(np.nan), one) for key, one in details.items()}
        flagged = None if flagged is None else flagged & ~none
    return Outcome(scored.scores.numpy(), _status(scored.status), details, flagged)


def output_notes(outputs: FiniteOutputs, outcomes: Mapping[str, Outcome]) -> list[str]:
    """Return what a run notes of samples that have no score for want of finite numbers."""
    from hcat_nb.methods.base import NO_OUTPUT

    everywhere = int(outputs.none.sum())
    notes = [outputs.note()] if everywhere else []
    for name, one in outcomes.items():
        if alone := int((one.status == NO_OUTPUT).sum()) - everywhere:
            more = "more samples" if everywhere else "samples"
            notes.append(f"{name} has no score for {alone:,} {more}: it measured no finite number")
    return notes


def id_frame(dataset: LabelledDataset, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return a frame with the sample ids as index.

    Where ids repeat, a column ``position`` comes first, which tells the rows
    apart.
    """
    import pandas as pd

    index = dataset.sample_ids.rename("sample_id")
    first = {} if index.is_unique else {"position": np.arange(len(index))}
    # Nobody else holds the columns; copies of them would double the memory of a table.
    frame = pd.DataFrame({**first, **columns}, index=index, copy=False)
    frame.columns = frame.columns.astype("str")  # also where there is none
    return frame


def scores_table(dataset: LabelledDataset, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Return ``run.scores``: a float32 column a method, higher = harder."""
    return id_frame(dataset, {name: one.scores for name, one in outcomes.items()})


def flags_table(dataset: LabelledDataset, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Return, for methods whose paper gives a threshold, the samples beyond it (bool)."""
    flags = {name: one.flagged for name, one in outcomes.items() if one.flagged is not None}
    return id_frame(dataset, flags)


def details_table(
    dataset: LabelledDataset, on_map: Mapping[str, Any], outcomes: Mapping[str, Outcome]
) -> pd.DataFrame:
    """Return ``run.details``: the papers' own quantities, in their own units."""
    columns = dict(on_map)
    for one in outcomes.values():
        columns |= one.details
    for name, one in outcomes.items():
        columns[f"{name}_status"] = one.status
    return id_frame(dataset, columns)


def map_columns(
    dataset: LabelledDataset,
    dynamics: MapDynamics,
    epoch: int,
    methods: Sequence[Method],
    answers: Answers,
) -> dict[str, Any]:
    """Return the columns of ``run.details`` that every run has, whatever its methods.

    Options of ``methods`` may move the groups' bounds.
    """
    from hcat_nb.methods._groups import DOUBTS, GROUPS, by_doubt
    from hcat_nb.methods.dataiq import DataIQ
    from hcat_nb.methods.datamaps import DataMaps

    here = dynamics.snapshot(epoch)
    other, doubted = dynamics.best_other(), answers.proposals.codes >= 0
    known = {type(method): method for method in methods}
    dataiq, datamaps = known.get(DataIQ, DataIQ()), known.get(DataMaps, DataMaps())
    assert isinstance(dataiq, DataIQ)
    assert isinstance(datamaps, DataMaps)
    return {
        "label": dataset.label_values(),
        "predicted": dataset.label_values(dynamics.predicted.cpu()),
        **answers.columns(dataset),
        "confidence": here.confidence,
        "variability": here.variability,
        "aleatoric": here.aleatoric,
        "correctness": here.correctness,
        "mean_loss": here.mean_loss,
        "last_loss": dynamics.last_losses(),
        "group": _named(by_doubt(here.confidence, here.variability, other, doubted), DOUBTS),
        "dataiq_group": _named(dataiq.groups(here.confidence, here.aleatoric), GROUPS),
        "datamaps_group": _named(datamaps.groups(here.confidence, here.variability), GROUPS),
    }


def held_out_table(dataset: LabelledDataset, probs: Tensor | None) -> pd.DataFrame | None:
    """Return out-of-fold probabilities as a float32 column a class, named by its code."""
    if probs is None:
        return None
    values = probs.numpy()
    return id_frame(dataset, {str(code): values[:, code] for code in range(values.shape[1])})


def _status(reasons: Sequence[str]) -> pd.Categorical[str]:
    import pandas as pd

    said = set(reasons)
    if said == {""}:  # the rule, made without a table of n texts
        nothing = np.zeros(len(reasons), dtype=np.int8)
        return pd.Categorical.from_codes(nothing, categories=pd.Index([""]))
    return pd.Categorical(list(reasons), categories=pd.Index(sorted(said)))


def _named(codes: np.ndarray, names: tuple[str, ...]) -> pd.Categorical[str]:
    """Return a column of groups; without coordinates (-1) there is none."""
    import pandas as pd

    return pd.Categorical.from_codes(codes, categories=pd.Index(names))


def score_and_release(methods: Sequence[Method], clock: Clock) -> dict[str, Outcome]:
    """Return what each method says, by name; their states are gone afterwards.

    Those that hold least come first: what the others take to score finds the
    room of the first.
    """
    said: dict[str, Outcome] = {}
    for method in sorted(methods, key=_held):
        with clock(method.name):
            said[method.name] = outcome(method, method.scores())
        method.release()
    return {method.name: said[method.name] for method in methods}


def _held(method: Method) -> int:
    return sum(value.nbytes for value in method.state().values())
