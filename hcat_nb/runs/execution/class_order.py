"""Whether columns stand in the order of the classes: by their names, else by what they hit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.errors import DataError, ModelError
from hcat_nb.runs.execution.info import GIVEN
from hcat_nb.runs.execution.inputs import fit_classes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.models._adapter import AdaptedModel
    from hcat_nb.models._backbone import Backbone
    from hcat_nb.runs.execution.state import PipelineState

_LEAST = 0.6  # accuracy under another order
_PER_CLASS = 5  # rows; with fewer, the best of all orders hits much by chance
_ROWS = 256  # that a module handed over is shown
_LISTED = 12
_SURE = 0.5  # of the log-loss of frequencies: an untrained module is as unsure as these
PROBABILITIES = "{} are never negative and add up to 1, as probabilities do, and are read as logits"


def check_order(
    predicted: np.ndarray, labels: np.ndarray, classes: Sequence[Any], what: str, remedy: str
) -> None:
    """Raise DataError if columns hit the labels far better in another order.

    That is, if accuracy as given is below half of that under the best
    permutation, or shift, of the columns, and that is at least .6.  Label
    noise does not do that, unless most labels were changed in one direction.

    ``predicted`` (m,) are columns of the largest value, ``labels`` (m,) codes; ``what`` the columns
    are of, and how (``remedy``) to say their order.
    """
    k = len(classes)
    hits = np.zeros((k, k), dtype=np.int64)  # label, column
    np.add.at(hits, (labels, predicted), 1)
    given, order = int(np.trace(hits)), _best(hits, len(labels) >= _PER_CLASS * k)
    best, m = int(hits[np.arange(k), order].sum()), max(1, len(labels))
    # Whoever predicts one class only knows nothing of an order.
    frequent = float(hits.sum(axis=1).max(initial=0)) / m
    enough = max(_LEAST, frequent + (1 - frequent) / 4)
    if 2 * given >= best or best < enough * m:
        return
    place = np.argsort(order)  # the class of each column
    shown = [repr(classes[one]) for one in place[:_LISTED]]
    raise DataError(
        f"{what} hit {given / m:.0%} of the labels as they stand, and {best / m:.0%} if they are "
        f"of the classes {', '.join(shown)}{', ...' if k > _LISTED else ''}, in this order",
        "columns in the order of the classes: " + ", ".join(map(repr, classes[:_LISTED])),
        remedy,
    )


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
    count = max(_ROWS, 2 * _PER_CLASS * dataset.n_classes) if given else 2
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
        best = _best(np.histogram2d(labels, code, bins=[range(dataset.n_classes + 1)] * 2)[0], True)
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
        own = {str(value): value for value in dataset.class_values}
        known = {str(name): name for name in np.asarray(names, dtype=object).tolist()}
        absent = [value for text, value in own.items() if text not in known]
        if len(absent) == len(own):
            continue
        if absent:
            raise ModelError(
                f"the model's outputs are called {', '.join(list(known)[:_LISTED])}, and no output "
                f"{absent[0]!r}",
                "an output for each class",
            )
        kind = type(dataset.class_values[0])
        return tuple(own.get(text, kind(name)) for text, name in known.items())
    return None


def seem_probabilities(values: Tensor) -> bool:
    """Whether rows (m, C) are never negative and all add up to 1.

    >>> import torch
    >>> seem_probabilities(torch.tensor([[0.25, 0.75]])), seem_probabilities(torch.tensor([[2, 0]]))
    (True, False)
    """
    sums = values.double().sum(1)
    return bool(len(values) and (values >= 0).all() and ((sums - 1).abs() < 1e-2).all())


def _best(hits: np.ndarray, any_order: bool) -> np.ndarray:
    """Return the column of each class that hits most: of all orders, or of shifts."""
    from scipy.optimize import linear_sum_assignment

    k = len(hits)
    if any_order:
        found: np.ndarray = linear_sum_assignment(hits, maximize=True)[1]
        return found
    shifts = [(np.arange(k) + by) % k for by in range(k)]
    return max(shifts, key=lambda order: hits[np.arange(k), order].sum())
