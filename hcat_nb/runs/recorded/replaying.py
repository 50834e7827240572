"""From recorded dynamics to scores: which methods they serve, and why not the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from hcat_nb.observation.record import EachEpoch, Need, Observation
from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    from hcat_nb.methods.base import Method, Scored
    from hcat_nb.observation.dynamics import MapDynamics
    from hcat_nb.observation.recorded import Recorded

_REASONS = {
    Need.GRADIENT_NORM: "the gradients of the model's parameters",
    Need.INPUT_GRADIENTS: "the model's gradients with respect to the inputs",
    Need.EMBEDDINGS: "the model's embeddings",
    Need.DROPOUT: "the model, to draw dropout sub-networks of it",
    Need.AUGMENTED: "the model and the inputs, to look at augmented copies",
    Need.LOGITS: "logits or probabilities of all classes",
    Need.FINAL_LOGITS: "logits or probabilities of all classes, of the last epoch",
    Need.TRAIN_LOGITS: "the logits of the training forward",
    Need.LABEL_PROB: "the label's probability at the end of each epoch",
    Need.OUT_OF_FOLD: "networks trained without the samples that they judge",
    Need.THRESHOLD_SAMPLES: "two trainings with threshold samples",
    Need.FEATURES: "the samples themselves",
}
_LOGITS = frozenset({Need.TRAIN_LOGITS, Need.LOGITS, Need.FINAL_LOGITS, Need.LABEL_PROB})


@dataclass
class ReplayPlan:
    """Which methods recorded dynamics can serve.

    ``stand_ins`` among ``methods`` read logits of another moment than their own; the ``refused``
    need what is not there.
    """

    methods: list[Method] = field(default_factory=list)
    stand_ins: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def plan_methods(
    methods: Sequence[Method], recorded: Recorded, *, stand_in: bool, chosen: Sequence[str] = ()
) -> ReplayPlan:
    """Return which of ``methods`` can be scored from ``recorded``.

    ``stand_in``: a method may read logits of another moment than its own (the end of an epoch, the
    training forward): its own option ``when`` is set to ``"epoch_end"`` where it has one and the
    user has not ``chosen`` another, else it is named in the plan.
    """
    plan = ReplayPlan()
    for method in methods:
        if stand_in and method.name not in chosen:
            method = _at_epoch_end(method, recorded)
        unmet = method.needs - recorded.provides
        similar = {Need.LABEL_PROB} if recorded.content == "label_probs" else _LOGITS
        if not unmet:
            plan.methods.append(method)
        elif stand_in and unmet <= similar:
            plan.methods.append(method)
            plan.stand_ins.append(method.name)
        else:
            plan.refused[method.name] = needs(unmet)
    return plan


def needs(unmet: Collection[Need]) -> str:
    """Return in words what a method needs that is not there."""
    known = [reason for need, reason in _REASONS.items() if need in unmet]
    others = [need.name for need in unmet if need not in _REASONS]
    return "needs " + " and ".join([*known, *others])


def _at_epoch_end(method: Method, recorded: Recorded) -> Method:
    """Return the method as it reads the end of epochs, if it offers that and it is what we have."""
    options = {item.name for item in dataclasses.fields(method)}  # type: ignore[arg-type]
    if "when" not in options or Need.LOGITS not in recorded.provides:
        return method
    return dataclasses.replace(method, when="epoch_end")  # type: ignore[type-var]


def score(
    methods: Sequence[Method],
    recorded: Recorded,
    labels: Tensor,
    *,
    n_classes: int,
    n_epochs: int,
    seed: int,
    unreadable: Tensor | None = None,
    no_output: Tensor | None = None,
    counts: Tensor | None = None,
    dynamics: MapDynamics | None = None,
    tally: EpochTally | None = None,
) -> dict[str, Scored]:
    """Replay the dynamics to fresh ``methods``, which keep what they saw; return scores, by name.

    ``n_epochs`` were planned.  ``unreadable`` (n,): no epoch observes the sample; ``no_output``
    (n,): the run that is replayed has no score of it for want of numbers.  ``counts`` (n,): in how
    many epochs each was recorded, not positive where the last one lacks it: what reads the last
    epoch alone cannot score it.
    """
    from hcat_nb.methods.base import UNREADABLE, Context
    from hcat_nb.observation.finite import FiniteOutputs
    from hcat_nb.observation.recorded import replay

    outputs = FiniteOutputs(len(labels), labels.device)
    if no_output is not None:
        outputs.since[no_output] = 1
    absent = None if counts is None else counts <= 0
    for method in methods:
        blind = unreadable
        if absent is not None and reads_the_end_only(method):
            blind = absent
        context = Context(
            labels, n_classes, n_epochs, child_seed(seed, f"method/{method.name}"), blind, outputs
        )
        method.begin(context)
    others = [one for one in (outputs, dynamics, tally) if one is not None]
    with torch.no_grad():
        replay(recorded, labels, [*others, *methods], None if tally is None else tally.close)
    scored = {method.name: method.scores() for method in methods}
    if absent is not None and counts is not None:
        for method in methods:
            status = scored[method.name].status
            for row in torch.nonzero(absent).ravel().tolist():
                if status[row] == UNREADABLE:
                    status[row] = f"{-int(counts[row])}_of_{recorded.n_epochs}_epochs"
    return scored


def reads_the_end_only(method: Method) -> bool:
    """Whether all that a method reads is the final model's."""
    return all(need.kind == "final" for need in method.needs)


class EpochTally(EachEpoch):
    """A subscriber that writes the history: mean loss and accuracy of each epoch.

    ``label_only``: records tell no class but the label, so accuracy is NaN.
    """

    needs = frozenset({Need.LABEL_PROB})

    def __init__(self, labels: Tensor, *, label_only: bool) -> None:
        self.labelled = labels >= 0
        self.label_only = label_only
        self.rows: list[dict[str, float]] = []
        self._start()

    def observe(self, record: Observation) -> None:
        """Add the losses of an ``epoch`` record."""
        labelled = self.labelled[record.rows]
        self._loss -= float(record.label_log_prob[labelled].double().sum())
        self._correct += int(record.correct[labelled].sum())
        self._count += int(labelled.sum())

    def close(self, epoch: int) -> None:
        """End an epoch."""
        count = self._count or float("nan")
        accuracy = float("nan") if self.label_only else self._correct / count
        self.rows.append({"epoch": epoch, "loss": self._loss / count, "accuracy": accuracy})
        self._start()

    def _start(self) -> None:
        self._loss, self._correct, self._count = 0.0, 0, 0
