"""What is measured about a model, and the record that carries it to the methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

__all__ = ["Kind", "Need", "Observation", "Options"]

Kind = Literal["train", "epoch", "final", "extra", "data"]
Options = tuple[tuple[str, Any], ...]


class Need(Enum):
    """A quantity that a method asks the observer for.

    The value is the kind of record that brings it: ``train`` once an epoch
    with what the training forward made, ``epoch`` at the end of each epoch
    with the model in evaluation mode, ``final`` once, of the final model.
    ``extra`` records come from extra trainings after the run's own, which no
    observer measures: whoever wires a run plans them.  Nor does it measure
    ``data``, one record after training of all readable rows at once, whose
    features are what a network is shown, or what it is told to look at instead;
    its logits have no columns.
    Who asks for ``LABEL_PROB`` alone reads only ``label_prob``,
    ``label_log_prob`` and ``error_prob``, and so can be served from dynamics
    that were kept of the label and of no other class.
    """

    TRAIN_LOGITS = ("train", "logits")
    LOGITS = ("epoch", "logits")
    LABEL_PROB = ("epoch", "label_prob")
    GRADIENT_NORM = ("epoch", "gradient_norm")
    INPUT_GRADIENTS = ("epoch", "input_gradients")
    FINAL_LOGITS = ("final", "logits")
    EMBEDDINGS = ("final", "embeddings")
    DROPOUT = ("final", "dropout")
    AUGMENTED = ("final", "augmented")
    OUT_OF_FOLD = ("extra", "out_of_fold")
    THRESHOLD_SAMPLES = ("extra", "threshold_samples")
    FEATURES = ("data", "features")

    @property
    def kind(self) -> Kind:
        """The kind of record that brings this quantity."""
        return self.value[0]

    @property
    def is_logits(self) -> bool:
        """Whether the quantity is the logits, which every record has, or follows from them."""
        return self.value[1] in ("logits", "label_prob")

    @property
    def is_gradient(self) -> bool:
        """Whether measuring it differentiates the model."""
        return self in (Need.GRADIENT_NORM, Need.INPUT_GRADIENTS)


@dataclass(eq=False)
class Observation:
    """Measurements of some rows at one moment.

    Rows come in any order and in chunks of any size; within one epoch and
    kind (and, for ``final``, one ``sweep``) a row occurs at most once.

    Parameters
    ----------
    kind : {"train", "epoch", "final", "extra", "data"}
        Which moment; see :class:`Need`.
    epoch : int
        Epochs finished, the current one included; from 1.
    rows : Tensor of shape (b,), int64
        Positions in the dataset.
    labels : Tensor of shape (b,), int64
        Observed class codes; 0 where a label is missing (the base class of
        methods discards what is computed from it).
    logits : Tensor of shape (b, C), float32
    measured : mapping
        Further quantities by (need, options); the batch axis comes first.
    sweep : int
        Which pass over the final model, from 0; methods with ``sweeps = 2``
        see every row twice.  Of an ``extra`` record: which extra training.
    """

    kind: Kind
    epoch: int
    rows: Tensor
    labels: Tensor
    logits: Tensor
    measured: Mapping[tuple[Need, Options], Tensor] = field(default_factory=dict)
    sweep: int = 0

    @cached_property
    def log_probs(self) -> Tensor:
        """Log-softmax of the logits, (b, C), float32."""
        return torch.log_softmax(self.logits.float(), dim=1)

    @cached_property
    def probs(self) -> Tensor:
        """Softmax of the logits, (b, C), float32; rows sum to 1."""
        return self.log_probs.exp()

    @cached_property
    def label_log_prob(self) -> Tensor:
        """Log-probability of the observed label, (b,), float32, <= 0."""
        return self.log_probs.gather(1, self.labels[:, None]).squeeze(1)

    @cached_property
    def label_prob(self) -> Tensor:
        """Probability of the observed label, (b,), float32, in [0, 1]."""
        return self.label_log_prob.exp()

    @cached_property
    def error_prob(self) -> Tensor:
        """Probability of all classes but the observed label, (b,), float32: 1 - p_y.

        A sum, not a difference: it keeps the digits that float32 loses next to 1.
        """
        return self.probs.scatter(1, self.labels[:, None], 0.0).sum(1)

    @cached_property
    def correct(self) -> Tensor:
        """Whether the argmax is the observed label, (b,), bool."""
        return self.logits.argmax(1) == self.labels

    def take(self, need: Need, options: Options = ()) -> Tensor:
        """Return a measured quantity; its first axis is that of ``rows``."""
        return self.measured[need, options]
