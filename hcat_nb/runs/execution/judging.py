"""The judges of a run: which it can afford, what they look at, and when they are asked.

They look at the data as they were trained on, once, after training; what
leads a family of processes asks them, the others do not.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from hcat_nb.errors import ModelError
from hcat_nb.methods.base import Context, Method
from hcat_nb.observation.record import Need, Observation, Options
from hcat_nb.registry import JUDGES
from hcat_nb.runs.execution.inputs import make_methods

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.observation.clock import Clock
    from hcat_nb.runs.execution.state import PipelineState
    from hcat_nb.spec import RunSpec

# What a run judges without being asked to: about a minute on a core at most.
MOST_ROWS, MOST_VALUES = 20_000, 10**8
_BLOCK = 4096  # rows scaled at a time
_TRIAL = 512  # rows judged for a forecast


def settled(methods: Sequence[Method], dataset: LabelledDataset) -> list[Method]:
    """Return the methods, of which judges know in what space they look.

    Images that are neither small nor grey are judged in the embedding: their
    pixels are a poor space (see ``tests/benchmarks/judges.py`` for figures).
    """
    space = "embedding" if dataset.modality == "image" else "input"
    return [_in_space(one, space) if _space(one) == "auto" else one for one in methods]


def make_judges(spec: RunSpec, dataset: LabelledDataset) -> tuple[list[Method], str]:
    """Return the judges of a run beside its methods, and a note if it cannot afford them."""
    names = spec.judge_names()
    n, width = len(dataset), math.prod(dataset.encoded_shape)
    if names and (n > MOST_ROWS or n * width > MOST_VALUES):
        return [], (
            f"{' and '.join(names)} left out: {n:,} rows of {width:,} values are more than "
            f"{MOST_ROWS:,} rows or {MOST_VALUES:,} values; methods=... {' '.join(names)} asks "
            "for them all the same"
        )
    return settled(make_methods(spec, names), dataset), ""


def without_embedding(judges: Sequence[Method], error: ModelError) -> tuple[list[Method], str]:
    """Return judges that look at pixels where the model has no embedding, and a note."""
    note = f"the judges look at the input, for the model has no embedding ({error})"
    return [_in_space(one, "input") if _space(one) == "embedding" else one for one in judges], note


def find_embedding_of(pipeline: PipelineState, trial: nn.Module, features: Tensor) -> None:
    """Find the layer whose input is the embedding; judges do without if there is none."""
    from hcat_nb.models._embedding import find_embedding

    try:
        pipeline.embedding = find_embedding(trial, features, pipeline.spec.embedding)
    except ModelError as error:
        needed = any(Need.EMBEDDINGS in method.needs for method in pipeline.methods)
        if needed or pipeline.spec.embedding is not None:  # a name is right, or a mistake
            raise
        pipeline.judges, note = without_embedding(pipeline.judges, error)
        pipeline.notes.append(note)


def ask(judges: Sequence[Method], dataset: LabelledDataset, epoch: int, clock: Clock) -> None:
    """Show the features to those of ``judges`` that need them, after ``epoch`` epochs."""
    asked = [one for one in judges if Need.FEATURES in one.needs]
    if not asked:
        return
    rows = torch.nonzero(dataset.readable).ravel()
    record = _record(judge_features(dataset, rows), dataset.labels[rows], rows, epoch)
    for one in asked:
        with clock(one.name):
            one.observe(record)


def judged(judges: Sequence[Method]) -> dict[str, np.ndarray]:
    """Return what judges that did not see a row's label say of it, by title: (n, C), float32."""
    from hcat_nb.methods._judge import Judge

    tables = {one.title: one.table for one in judges if isinstance(one, Judge)}
    return {title: table for title, table in tables.items() if table is not None}


def judge_features(dataset: LabelledDataset, rows: Tensor) -> Tensor:
    """Return what judges look at of these rows, (m, d), float32.

    Images as pixels and tables as columns, scaled as for a network, whatever
    ``normalize`` says of that; categories as indicators.
    """
    from hcat_nb.models._adapter import fit_scaling

    scale = fit_scaling(dataset, "auto", 1)
    with torch.no_grad():
        return torch.cat([scale(dataset.features[some]).flatten(1) for some in rows.split(_BLOCK)])


def judge_seconds(
    judges: Sequence[Method], dataset: LabelledDataset, embedding: nn.Module | None
) -> dict[str, float]:
    """Return the seconds that each judge will take, from a trial on some rows; none is changed.

    Of ``embedding``, the layer whose input it is, nothing is known but its width: it is not
    trained yet.
    """
    chosen = [one for one in judges if one.name in JUDGES]
    rows = torch.nonzero(dataset.trainable).ravel()
    some = rows[torch.linspace(0, len(rows) - 1, min(len(rows), _TRIAL)).long()]
    if not chosen or not len(some):
        return {}
    looked = judge_features(dataset, some)
    drawn = np.random.default_rng(0).normal(size=(len(some), getattr(embedding, "in_features", 64)))
    found = {}
    for one in chosen:
        space = getattr(one, "space", None)
        if isinstance(space, str):
            trial = _in_space(one, "input")
            features = torch.from_numpy(drawn).float() if space == "embedding" else looked
        else:
            trial, features = _in_space(one, np.asarray(space)[some.numpy()]), looked
        trial.begin(Context(dataset.labels[some], dataset.n_classes, 1))
        began = time.perf_counter()
        trial.observe(_record(features, dataset.labels[some], torch.arange(len(some)), 1))
        seconds = time.perf_counter() - began
        growth = len(rows) / len(some)
        found[one.name] = seconds * growth ** (2 if one.name == "knn_label" else 1)
    return found


def _record(features: Tensor, labels: Tensor, rows: Tensor, epoch: int) -> Observation:
    """Return the record that shows judges the features of ``rows``."""
    logits = torch.zeros(len(rows), 0)
    measured: dict[tuple[Need, Options], Tensor] = {(Need.FEATURES, ()): features}
    return Observation("data", epoch, rows, labels.clamp(min=0), logits, measured)


def _space(method: Method) -> str | None:
    """Return the name of the space that a judge looks in, None for an array or another method."""
    space = getattr(method, "space", None) if method.name in JUDGES else None
    return space if isinstance(space, str) else None


def _in_space(method: Method, space: str) -> Method:
    return dataclasses.replace(method, space=space)  # type: ignore[type-var]
