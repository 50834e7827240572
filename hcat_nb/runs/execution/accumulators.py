"""What remembers, of each sample, what a training showed: allocated before it begins.

Its size is known from shapes, and is compared with the memory that is free before any is
taken: a system that lends more than it has ends a process without a word.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hcat_nb.registry import JUDGES
from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    from torch import Tensor

    from hcat_nb.methods.base import Method
    from hcat_nb.observation.dynamics import MapDynamics
    from hcat_nb.observation.finite import FiniteOutputs
    from hcat_nb.observation.keeper import DynamicsKeeper
    from hcat_nb.observation.observer import Subscriber
    from hcat_nb.runs.execution.state import PipelineState


def begin(pipeline: PipelineState, labels: Tensor) -> list[Subscriber]:
    """Let methods, judges, the map and keepers allocate; return those that are no methods.

    The pipeline's data are perturbed; it gets ``outputs``, ``dynamics`` and the keepers.  Nothing
    is allocated if they would take more memory than is free.
    """
    from hcat_nb.observation.stored_logits import LogitsKeeper
    from hcat_nb.runs.execution.memory_need import check_fits

    check_fits(pipeline, planned_need(pipeline, labels))
    outputs, dynamics, keeper = _own(pipeline, labels)
    pipeline.outputs, pipeline.dynamics, pipeline.keeper = outputs, dynamics, keeper
    _begin(pipeline, (*pipeline.methods, *pipeline.judges), labels, outputs)
    own: list[Subscriber] = [dynamics, outputs]
    if keeper is not None:
        own.append(keeper)
    if pipeline.spec.keep_dynamics == "logits":
        pipeline.logits_keeper = LogitsKeeper.in_temporary_folder(pipeline.dataset)
        own.append(pipeline.logits_keeper)
    return own


def planned_need(pipeline: PipelineState, labels: Tensor) -> dict[str, int]:
    """Return the bytes that accumulators and tables will take, by name, allocating none."""
    from hcat_nb.observation.record import Need
    from hcat_nb.observation.shapes_only import ShapesOnly
    from hcat_nb.runs.execution.memory_need import TABLE_BYTES

    n, n_classes, shape = len(labels), pipeline.dataset.n_classes, pipeline.seen.sample_shape
    need = {"tables": TABLE_BYTES * n}
    methods = [*pipeline.methods, *pipeline.judges]
    training = pipeline.spec.observe == "training"
    if training or any(Need.TRAIN_LOGITS in one.needs for one in methods):
        need["training logits"] = 4 * n_classes * n
    with ShapesOnly():
        own = _own(pipeline, labels)
        need["run.map"] = sum(
            value.nbytes for one in own if one is not None for value in one.state().values()
        )
        for method in map(copy.copy, methods):
            try:
                _begin(pipeline, [method], labels, own[0])
            except (RuntimeError, NotImplementedError):
                # A method of the user's that computes with what it allocates: there is
                # nothing to compute with yet.  It is counted once it is there.
                continue
            held = sum(value.nbytes for value in method.state().values())
            need[method.name] = held + method.later_bytes(shape)
    return need


def _own(
    pipeline: PipelineState, labels: Tensor
) -> tuple[FiniteOutputs, MapDynamics, DynamicsKeeper | None]:
    """Allocate what every run has, whatever its methods."""
    from hcat_nb.observation.dynamics import MapDynamics
    from hcat_nb.observation.finite import FiniteOutputs
    from hcat_nb.observation.keeper import DynamicsKeeper

    kept = pipeline.spec.keep_dynamics != "none"
    return (
        FiniteOutputs(len(labels), labels.device),
        MapDynamics(labels, pipeline.dataset.n_classes),
        DynamicsKeeper(labels, pipeline.epochs) if kept else None,
    )


def _begin(
    pipeline: PipelineState, methods: Iterable[Method], labels: Tensor, outputs: FiniteOutputs
) -> None:
    """Let ``methods`` allocate."""
    from hcat_nb.methods.base import Context

    spec, dataset = pipeline.spec, pipeline.dataset
    unreadable = None if dataset.unreadable is None else dataset.unreadable.to(labels.device)
    for method in methods:
        of_data = method.name in JUDGES
        parent = spec.effective_data_seed if of_data else spec.effective_model_seed
        seed = child_seed(parent, f"method/{method.name}")
        known = (unreadable, outputs, dataset.groups)
        method.begin(Context(labels, dataset.n_classes, pipeline.epochs, seed, *known))
