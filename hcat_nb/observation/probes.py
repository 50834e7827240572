"""One probe a quantity: the place where a need is matched with who measures it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor, nn

from hcat_nb.errors import HcatError
from hcat_nb.observation.augmented import AugmentedCopies
from hcat_nb.observation.dropout import DropoutEnsemble
from hcat_nb.observation.gradients import GradientNorms
from hcat_nb.observation.input_gradients import InputGradients
from hcat_nb.observation.record import Need, Options
from hcat_nb.observation.traced import TracedForward
from hcat_nb.observation.traits import InputTraits


@dataclass(frozen=True, eq=False)
class Batch:
    """Some samples, and what the shared forward made of them."""

    rows: Tensor  # (b,), int64: positions in the dataset
    x: Tensor  # (b, ...): raw features
    labels: Tensor  # (b,), int64: observed codes, 0 where missing
    logits: Tensor  # (b, C)
    traced: TracedForward | None = None  # the forward, where autograd recorded it


class Probe(Protocol):
    """What measures one quantity."""

    def __call__(self, batch: Batch, /) -> Tensor:
        """Return the quantity for each sample of the batch, (b, ...)."""


class TracingProbe(ABC):
    """Goes back through the shared forward, where memory holds what that records."""

    leaf: ClassVar[bool]  # whether it needs the samples as a leaf of the graph

    @property
    def layers(self) -> Sequence[nn.Module]:
        """Layers whose calls it needs."""
        return ()

    @abstractmethod
    def wants_trace(self, x: Tensor) -> bool:
        """Whether the forward of ``x`` should be recorded for this probe."""

    @abstractmethod
    def __call__(self, batch: Batch, /) -> Tensor:
        """Return the quantity for each sample of the batch, (b, ...)."""


@dataclass(frozen=True, eq=False)
class InputGradientProbe(TracingProbe):
    """Measures input gradients, (b, ...), float32."""

    gradients: InputGradients
    leaf = True

    def wants_trace(self, x: Tensor) -> bool:
        """Whether the batch is small enough."""
        return len(x) <= self.gradients.affordable(x)

    def __call__(self, batch: Batch, /) -> Tensor:
        """Return the gradients."""
        if batch.traced is None or batch.traced.leaf is None:
            return self.gradients.measure(batch.x, batch.labels)
        return self.gradients.follow(batch.traced, batch.labels)


@dataclass(frozen=True, eq=False)
class GradientNormProbe(TracingProbe):
    """Measures gradient norms, (b,), float32."""

    norms: GradientNorms
    leaf = False

    @property
    def layers(self) -> Sequence[nn.Module]:
        """The layers that are measured in closed form."""
        return self.norms.layers

    def wants_trace(self, x: Tensor) -> bool:
        """Whether the batch is small enough, and every parameter has a closed form."""
        return len(x) <= self.norms.traceable(x)

    def __call__(self, batch: Batch, /) -> Tensor:
        """Return the norms."""
        if batch.traced is None or not self.layers or not self.wants_trace(batch.x):
            return self.norms.measure(batch.x, batch.labels)
        return self.norms.follow(batch.traced, batch.labels)


def make_probe(
    need: Need,
    options: Options,
    model: nn.Module,
    traits: InputTraits,
    n: int,
    seed: int,
    tokens: nn.Embedding | None = None,
) -> Probe:
    """Return what measures ``need`` for a batch; ``n``: samples of the dataset."""
    how = dict(options)
    if (measure := need.measure) is not None:
        return lambda batch: measure(model, batch, **how)
    match need:
        case Need.DROPOUT:
            ensemble = DropoutEnsemble(model, seed, **how)
            return lambda batch: ensemble.measure(batch.x, batch.logits)
        case Need.AUGMENTED:
            copies = AugmentedCopies(model, traits, n, seed, **how)
            return lambda batch: copies.measure(batch.x, batch.rows)
        case Need.GRADIENT_NORM:
            return GradientNormProbe(GradientNorms(model, **how))
        case Need.INPUT_GRADIENTS:
            return InputGradientProbe(InputGradients(model, **how, tokens=tokens))
    raise HcatError(f"{need.name} cannot be measured in this run")
