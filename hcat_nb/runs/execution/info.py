"""What a run writes down about itself."""

from __future__ import annotations

import dataclasses
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.casts import plain_values
from hcat_nb.runs.execution.costs import described_parts

if TYPE_CHECKING:
    from torch import nn

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.methods.base import Method
    from hcat_nb.models._backbone import Backbone
    from hcat_nb.runs.execution.state import PipelineState
    from hcat_nb.training.events import StartEvent

DRAWN, GIVEN = "drawn by the model seed", "those of the module that was handed over"

_PACKAGES = ("hcat-nb", "torch", "numpy", "pandas", "cleanlab", "scikit-learn")


def describe_dataset(dataset: LabelledDataset) -> dict[str, Any]:
    """Return plain values about the data as they were trained on."""
    return {
        "name": dataset.name,
        "n_samples": len(dataset),
        "n_trainable": int(dataset.trainable.sum()),
        "modality": dataset.modality,
        "sample_shape": list(dataset.sample_shape),
        "value_range": None if dataset.value_range is None else list(dataset.value_range),
        "class_values": list(dataset.class_values),
        "class_counts": dataset.class_counts.tolist(),
        "notes": list(dataset.notes),
        **_describe_columns(dataset),
    }


def _describe_columns(dataset: LabelledDataset) -> dict[str, Any]:
    """Return, of a table with categories or texts, what its columns and codes stand for."""
    if not (dataset.levels or dataset.words):
        return {}
    names = dataset.feature_names or tuple(map(str, range(dataset.sample_shape[0])))
    return {
        "encoded_shape": list(dataset.encoded_shape),
        "columns": list(names),
        "levels": plain_values(
            {names[column]: levels for column, levels in dataset.levels.items()}
        ),
        "words": [dataset.words.start, dataset.words.stop],
    }


def describe_methods(methods: Sequence[Method]) -> dict[str, dict[str, Any]]:
    """Return, by name, each method's title, second ranking key and options."""
    return {
        method.name: {
            "title": method.title,
            "ties": method.ties,
            "options": plain_values(dataclasses.asdict(method)),  # type: ignore[call-overload]
        }
        for method in methods
    }


def describe_model(net: nn.Module, embedding: nn.Module | None) -> dict[str, Any]:
    """Return the number of trained parameters and the name of the embedding layer."""
    names = {module: name for name, module in net.named_modules()}
    trained = sum(one.numel() for one in net.parameters() if one.requires_grad)
    return {
        "model_parameters": trained,
        "embedding": None if embedding is None else names[embedding],
    }


def pipeline_info(pipeline: PipelineState, outcome: str) -> dict[str, Any]:
    """Return ``run.info`` of a pipeline that was trained."""
    names = [method.name for method in pipeline.methods]
    notes = [*pipeline.notes, *_seen_notes(pipeline.backbone, names)]
    if len(pipeline.trainer.rows) % pipeline.spec.batch_size == 1 and pipeline.trainer.steps > 0:
        notes.append("the last batch, of one sample, joined the batch before")
    if pipeline.spec.observe == "training":
        notes.append(
            "what is said of epochs (confidence, variability, accuracy, loss and others) is of the "
            "logits that the optimizer saw, sample by sample as it came (observe=training)"
        )
    if pipeline.placement.note:
        notes.append(pipeline.placement.note)
    if pipeline.extra.jobs and pipeline.initial_weights == GIVEN:
        notes.append(
            "every extra training started from the weights of the module that was handed "
            "over; if they were trained on these data, its judgement is not out of fold"
        )
    if pipeline.ranks is not None:
        notes.append(f"trained and observed by {pipeline.ranks.size} processes together")
    return {
        "outcome": outcome,
        "dataset": describe_dataset(pipeline.dataset),
        "model": pipeline.model_name,
        "initial_weights": pipeline.initial_weights,
        **describe_model(pipeline.net, pipeline.embedding),
        "methods": describe_methods(pipeline.methods),
        "features": list(pipeline.seen.sample_shape),
        "judges": describe_methods(pipeline.judges),
        "parts": described_parts(pipeline.trainer.observer.askers(), names),
        "device": str(pipeline.device),
        "data_on": pipeline.placement.data_on,
        "notes": [*notes, *pipeline.answers.notes()],
        **pipeline.answers.info(),
        "versions": versions(),
    }


def start_event(pipeline: PipelineState) -> StartEvent:
    """Return what listeners are told first of a pipeline that is prepared."""
    from hcat_nb.training.events import StartEvent

    dataset = pipeline.dataset
    return StartEvent(
        n_epochs=pipeline.epochs,
        n_steps=pipeline.trainer.steps,
        dataset=dataset.name,
        model=pipeline.model_name,
        device=str(pipeline.device),
        sample_ids=dataset.sample_ids,
        labels=dataset.labels.numpy(),
        class_names=dataset.class_names,
        is_hard=pipeline.perturbed.truth["is_hard"].to_numpy()
        if pipeline.spec.knows_truth
        else None,
        methods={method.name: method.scored_from for method in pipeline.methods},
    )


def _seen_notes(backbone: Backbone | None, methods: Sequence[str]) -> list[str]:
    """Return what the model was shown in place of the samples, and what that means for methods."""
    if backbone is None or not backbone.width:
        return []
    notes = [f"the model saw {backbone.width:,} features of each sample ({backbone.name})"]
    if looking := [name for name in ("vog", "allsh") if name in methods]:
        verb = "look" if len(looking) > 1 else "looks"
        notes.append(f"{' and '.join(looking)} {verb} at these features, not at pixels")
    return notes


def versions() -> dict[str, str]:
    """Return the versions that decide numbers."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{package: version(package) for package in _PACKAGES},
    }


def peak_memory_mb() -> float | None:
    """Return the largest resident memory of this process so far, in MB; None on Windows."""
    if sys.platform == "win32":
        return None
    status = Path("/proc/self/status")
    if status.is_file():
        # getrusage would count the process that started this one: it shares memory until exec.
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 2**10
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
