"""One probe a quantity: the place where a need is matched with who measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from hcat_nb.errors import HcatError
from hcat_nb.observation.augmented import AugmentedCopies
from hcat_nb.observation.dropout import DropoutEnsemble
from hcat_nb.observation.gradients import GradientNorms
from hcat_nb.observation.input_gradients import InputGradients
from hcat_nb.observation.record import Need, Options
from hcat_nb.observation.traits import InputTraits

__all__ = ["Batch", "Probe", "make_probe"]


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
    """

    rows: Tensor
    x: Tensor
    labels: Tensor
    logits: Tensor


Probe = Callable[[Batch], Tensor]


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
            return lambda batch: gradients.measure(batch.x, batch.labels)
    raise HcatError(f"{need.name} cannot be measured in this run")
