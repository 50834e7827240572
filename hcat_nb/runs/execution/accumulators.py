"""What remembers, of each sample, what a training showed: allocated before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcat_nb.registry import JUDGES
from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    from torch import Tensor

    from hcat_nb.observation.observer import Subscriber
    from hcat_nb.runs.execution.pipeline import Pipeline

__all__ = ["OUTPUTS", "begin"]

OUTPUTS = "run.outputs"  # among accumulators: states of before do not have it


def begin(pipeline: Pipeline, labels: Tensor) -> list[Subscriber]:
    """Let methods, judges, the map and keepers allocate; return those that are no methods.

    Parameters
    ----------
    pipeline : Pipeline
        Whose data are perturbed; gets ``outputs``, ``dynamics`` and the keepers.
    labels : Tensor of shape (n,), int64
        On the device.
    """
    from hcat_nb.methods.base import Context
    from hcat_nb.observation.dynamics import MapDynamics
    from hcat_nb.observation.finite import FiniteOutputs
    from hcat_nb.observation.keeper import DynamicsKeeper
    from hcat_nb.observation.stored_logits import LogitsKeeper

    spec, dataset, device = pipeline.spec, pipeline.dataset, labels.device
    unreadable = None if dataset.unreadable is None else dataset.unreadable.to(device)
    outputs = pipeline.outputs = FiniteOutputs(len(labels), device)
    data_seed, model_seed = spec.effective_data_seed, spec.effective_model_seed
    for method in (*pipeline.methods, *pipeline.judges):
        parent = data_seed if method.name in JUDGES else model_seed
        seed = child_seed(parent, f"method/{method.name}")
        method.begin(Context(labels, dataset.n_classes, pipeline.epochs, seed, unreadable, outputs))
    pipeline.dynamics = MapDynamics(labels, dataset.n_classes)
    own: list[Subscriber] = [pipeline.dynamics, outputs]
    if spec.keep_dynamics != "none":
        pipeline.keeper = DynamicsKeeper(labels, pipeline.epochs)
        own.append(pipeline.keeper)
    if spec.keep_dynamics == "logits":
        pipeline.logits_keeper = LogitsKeeper.in_temporary_folder(dataset)
        own.append(pipeline.logits_keeper)
    return own
