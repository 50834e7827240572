"""One probe a quantity: the place where a need is matched with who measures it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from hcat_nb.errors import HcatError
from hcat_nb.observation.augmented import AugmentedCopies
from hcat_nb.observation.dropout import DropoutEnsemble
from hcat_nb.observation.gradients import GradientNorms
from hcat_nb.observation.input_gradients import InputGradients, TracedForward
from hcat_nb.observation.record import Need, Options
from hcat_nb.observation.traits import InputTraits

__all__ = ["Batch", "Probe", "TracingProbe", "make_probe"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Some samples, and what the shared forward made of them.

    Parameters
    ----------
    rows : Tensor of shape (b,), int64
        Positions in the dataset.
    x : Tensor of shape (b, ...)
        Raw features.
    labels : Tensor of shape (b,), int64
        Observed codes, 0 where missing.
    logits : Tensor of shape (b, C)
    traced : TracedForward, optional
        The forward, where autograd recorded it.
    """

    rows: Tensor
    x: Tensor
    labels: Tensor
    logits: Tensor
    traced: TracedForward | None = None


class Probe(Protocol):
    """What measures one quantity."""

    def __call__(self, batch: Batch, /) -> Tensor:
        """Return the quantity for each sample of the batch, (b, ...)."""


@dataclass(frozen=True, eq=False)
class TracingProbe:
    """Measures input gradients, going back through the shared forward where memory holds it."""

    gradients: InputGradients

    def wants_trace(self, x: Tensor) -> bool:
        """Whether the forward of ``x`` should be recorded for this probe."""
        return len(x) <= self.gradients.affordable(x)

    def __call__(self, batch: Batch, /) -> Tensor:
        """Return the gradients, (b, ...), float32."""
        if batch.traced is None:
            return self.gradients.measure(batch.x, batch.labels)
        return self.gradients.follow(batch.traced, batch.labels)


def make_probe(
    need: Need, options: Options, model: nn.Module, traits: InputTraits, n: int, seed: int
) -> Probe:
    """Return the function that measures ``need`` for a batch.

    Parameters
    ----------
    need : Need
    options : tuple of (str, value)
        As a method's ``options(need)`` gives them.
    model : Module
    traits : InputTraits
    n : int
        Samples of the dataset.
    seed : int
        Parent of whatever the measurement draws.

    Raises
    ------
    HcatError
        If nobody can measure it.
    """
    how = dict(options)
    match need:
        case Need.DROPOUT:
            ensemble = DropoutEnsemble(model, seed, **how)
            return lambda batch: ensemble.measure(batch.x, batch.logits)
        case Need.AUGMENTED:
            copies = AugmentedCopies(model, traits, n, seed, **how)
            return lambda batch: copies.measure(batch.x, batch.rows)
        case Need.GRADIENT_NORM:
            norms = GradientNorms(model, **how)
            return lambda batch: norms.measure(batch.x, batch.labels)
        case Need.INPUT_GRADIENTS:
            gradients = InputGradients(model, **how)
            return TracingProbe(gradients)
    raise HcatError(f"{need.name} cannot be measured in this run")
