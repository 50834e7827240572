"""What is measured about a model, and the record that carries it to the methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from hcat_nb.errors import HcatError

Kind = Literal["train", "epoch", "final", "extra", "data"]
Options = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Need:
    """A quantity that a method asks the observer for.

    Those that the observer knows stand here by name: ``Need.LOGITS``.  A
    method of yours may bring one of its own, with the function that measures
    it; what several methods need is measured once.

    Parameters
    ----------
    name : str
        In capitals; as small letters what the quantity is called in timings.
    kind : {"train", "epoch", "final", "extra", "data"}
        The kind of record that brings it: ``train`` once an epoch with what
        the training forward made, ``epoch`` at the end of each epoch with the
        model in evaluation mode, ``final`` once, of the final model.
        ``extra`` records come from extra trainings after the run's own, which
        no observer measures: whoever wires a run plans them.  Nor does it
        measure ``data``, one record after training of all readable rows at
        once, whose features are what a network is shown, or what it is told
        to look at instead; its logits have no columns.
    measure : callable, optional
        Of a need of your own, whose kind is ``epoch`` or ``final``:
        ``measure(model, batch, **options)`` returns the quantity of each
        sample of a :class:`hcat_nb.observation.Batch`, (b, ...), on its device.
        ``options`` are the method's ``options(need)``.  The model is in
        evaluation mode, and no gradient is recorded unless you ask for it.

    Raises
    ------
    HcatError
        If the kind does not fit, or the name is one of the observer's.

    Notes
    -----
    Who asks for ``LABEL_PROB`` alone reads only ``label_prob``,
    ``label_log_prob`` and ``error_prob``, and so can be served from dynamics
    that were kept of the label and of no other class.
    """

    name: str
    kind: Kind
    measure: Callable[..., Tensor] | None = None

    TRAIN_LOGITS: ClassVar[Need]
    LOGITS: ClassVar[Need]
    LABEL_PROB: ClassVar[Need]
    GRADIENT_NORM: ClassVar[Need]
    INPUT_GRADIENTS: ClassVar[Need]
    FINAL_LOGITS: ClassVar[Need]
    EMBEDDINGS: ClassVar[Need]
    DROPOUT: ClassVar[Need]
    AUGMENTED: ClassVar[Need]
    OUT_OF_FOLD: ClassVar[Need]
    THRESHOLD_SAMPLES: ClassVar[Need]
    FEATURES: ClassVar[Need]

    def __post_init__(self) -> None:
        if self.measure is None:
            return
        if self.kind not in ("epoch", "final"):
            raise HcatError(f"the need {self.name} is of the kind {self.kind!r}", "epoch or final")
        if self.name in _BUILT_IN:
            raise HcatError(f"the observer measures {self.name} itself", "another name")

    @property
    def is_logits(self) -> bool:
        """Whether the quantity is the logits, which every record has, or follows from them."""
        return self in (Need.TRAIN_LOGITS, Need.LOGITS, Need.LABEL_PROB, Need.FINAL_LOGITS)

    @property
    def is_gradient(self) -> bool:
        """Whether measuring it differentiates the model."""
        return self in (Need.GRADIENT_NORM, Need.INPUT_GRADIENTS)


_BUILT_IN: dict[str, Kind] = {
    "TRAIN_LOGITS": "train",
    "LOGITS": "epoch",
    "LABEL_PROB": "epoch",
    "GRADIENT_NORM": "epoch",
    "INPUT_GRADIENTS": "epoch",
    "FINAL_LOGITS": "final",
    "EMBEDDINGS": "final",
    "DROPOUT": "final",
    "AUGMENTED": "final",
    "OUT_OF_FOLD": "extra",
    "THRESHOLD_SAMPLES": "extra",
    "FEATURES": "data",
}
for _name, _kind in _BUILT_IN.items():
    setattr(Need, _name, Need(_name, _kind))


@dataclass(eq=False)
class Observation:
    """Measurements of some rows at one moment.

    Rows come in any order and in chunks of any size; within one epoch and
    kind (and, for ``final``, one ``sweep``) a row occurs at most once.

    ``kind`` is the moment, see :class:`Need`; ``epoch`` counts finished epochs with the current
    one, from 1. ``rows`` (b,), int64, are positions in the dataset; ``labels`` (b,), int64, are
    observed codes, 0 where a label is missing (the base class of methods discards what is computed
    from it); ``logits`` (b, C), float32; ``measured`` further quantities by (need, options), the
    batch axis first. ``sweep`` is which pass over the final model, from 0: methods with
    ``sweeps = 2`` see every row twice; of an ``extra`` record, which extra training.
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


class EachEpoch:
    """A subscriber's plain way: the records of each epoch, one sweep, nothing to choose."""

    sweeps = 1

    def options(self, need: Need) -> Options:
        """Return how to measure ``need``: the plain way."""
        return ()

    def due(self, epoch: int) -> bool:
        """Whether this epoch's records are wanted: always."""
        return True
