"""Whether a module's outputs are those of the classes, in their order, and logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.data.class_order import ROWS_A_CLASS, best_order, by_names, check_order, fit_classes
from hcat_nb.errors import DataError, ModelError
from hcat_nb.runs.execution.info import GIVEN

if TYPE_CHECKING:
    from torch import Tensor, nn

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.models._adapter import AdaptedModel
    from hcat_nb.models._backbone import Backbone
    from hcat_nb.runs.execution.state import PipelineState

_ROWS = 256  # that a module handed over is shown
_LISTED = 12
_SURE = 0.5  # of the log-loss of frequencies: an untrained module is as unsure as these
PROBABILITIES = "{} are never negative and add up to 1, as probabilities do, and are read as logits"


def fit_outputs(
    pipeline: PipelineState, clean: LabelledDataset, width: int, own: Backbone | None
) -> LabelledDataset:
    """Return the data with a class for each output of a pipeline's network, in their order."""
    from hcat_nb.models._adapter import AdaptedModel, fit_scaling

    net = pipeline.net
    if not any(one.requires_grad for one in net.parameters()):
        some = next(net.parameters(), None) is not None
        raise ModelError(
            "the model has no trainable parameter",
            "at least one",
            "parameter.requires_grad_(True)" if some else "a module that was not frozen",
        )
    names = output_names(net, clean)
    if names is None or len(names) != width:
        clean = fit_classes(clean, width)
    elif names != clean.class_values:
        clean = clean.with_classes(names)
        pipeline.notes.append("classes stand in the order of the model's own names of them")
    if own is not None:
        seen = own.seen(clean)
        trial = AdaptedModel(fit_scaling(seen, pipeline.spec.normalize), net).cpu()
        given = pipeline.initial_weights == GIVEN
        pipeline.notes += check_outputs(net, trial, seen, given=given, named=names is not None)
    return clean


def check_outputs(
    net: nn.Module, trial: AdaptedModel, dataset: LabelledDataset, *, given: bool, named: bool
) -> list[str]:
    """Look at what a module makes of some samples; return notes.

    DataError if its weights were ``given``, and its outputs, if not ``named``, hit the labels in
    another order only.  ``trial`` is ``net`` behind its scaling.
    """
    import torch

    from hcat_nb.models._embedding import some_outputs

    rows = torch.nonzero(dataset.trainable).ravel()
    count = max(_ROWS, 2 * ROWS_A_CLASS * dataset.n_classes) if given else 2
    rows = rows[torch.linspace(0, len(rows) - 1, min(count, len(rows))).long().unique()]
    logits = some_outputs(trial, dataset.features[rows]).double().cpu()
    notes = []
    if trial.returns in ("tuple", "list"):
        notes.append(f"of the {trial.returns} that the model returns, the first matrix is logits")
    if seem_probabilities(logits):
        last = f"{type(net).__name__}'s outputs"
        return [
            *notes,
            PROBABILITIES.format(last) + ": take the softmax off the end of the module (the loss "
            "holds one), or return their logarithms",
        ]
    if not given or named:
        return notes
    labels = dataset.labels[rows].numpy()
    shares = np.bincount(labels, minlength=dataset.n_classes) / len(labels)
    doubt = -float(np.sum(shares[shares > 0] * np.log(shares[shares > 0])))
    try:
        check_order(
            logits.argmax(1).numpy(),
            labels,
            dataset.class_values,
            "the model's outputs",
            "classes=[...], or load(...).with_classes([...]): all class values in the order of the "
            "outputs",
        )
    except DataError:
        code = logits.argmax(1)
        # Of an untrained module the order is chance, and so is what the best order hits.
        best = best_order(
            np.histogram2d(labels, code, bins=[range(dataset.n_classes + 1)] * 2)[0], True
        )
        loss = torch.nn.functional.cross_entropy(
            logits[:, torch.from_numpy(best)], dataset.labels[rows]
        )
        if float(loss) < _SURE * doubt:
            raise
    return notes


def output_names(net: nn.Module, dataset: LabelledDataset) -> tuple[Any, ...] | None:
    """Return the class values in the order of a model's own names, None if it names none."""
    for module in net.modules():
        names = getattr(getattr(module, "config", None), "id2label", None)
        names = [names[key] for key in sorted(names)] if isinstance(names, dict) else None
        names = getattr(module, "classes_", None) if names is None else names
        if names is None:
            continue
        known = list(dict.fromkeys(map(str, np.asarray(names, dtype=object).tolist())))
        absent = [value for value in dataset.class_values if str(value) not in known]
        if len(absent) == dataset.n_classes:
            continue
        if absent:
            raise ModelError(
                f"the model's outputs are called {', '.join(known[:_LISTED])}, and no output "
                f"{absent[0]!r}",
                "an output for each class",
            )
        return by_names(dataset.class_values, known)
    return None


def seem_probabilities(values: Tensor) -> bool:
    """Whether rows (m, C) are never negative and all add up to 1.

    >>> import torch
    >>> seem_probabilities(torch.tensor([[0.25, 0.75]])), seem_probabilities(torch.tensor([[2, 0]]))
    (True, False)
    """
    sums = values.double().sum(1)
    return bool(len(values) and (values >= 0).all() and ((sums - 1).abs() < 1e-2).all())
