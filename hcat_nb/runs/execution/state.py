"""What one training in the making consists of."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hcat_nb.observation.clock import Clock
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    import torch
    from torch import nn

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.data.placement import Placement
    from hcat_nb.methods.base import Method
    from hcat_nb.models._backbone import Backbone
    from hcat_nb.observation.buffered import Buffered
    from hcat_nb.observation.dynamics import MapDynamics
    from hcat_nb.observation.finite import FiniteOutputs
    from hcat_nb.observation.keeper import DynamicsKeeper
    from hcat_nb.observation.stored_logits import LogitsKeeper
    from hcat_nb.perturbations.base import Perturbed
    from hcat_nb.runs.execution.answers import Answers
    from hcat_nb.runs.execution.extra_trainings import ExtraTrainings
    from hcat_nb.training.loop import Trainer
    from hcat_nb.training.ranks import Ranks
    from hcat_nb.training.shares import Shares

OUTPUTS = "run.outputs"  # among accumulators: states of before do not have it


@dataclass(eq=False)
class PipelineState:
    """One training in the making, of a specification with one seed.

    ``given`` are the data of an earlier pipeline of the same run, to train on again, ``backbone``
    what made their features; ``ranks`` train together, if this process is not alone;
    ``class_order`` holds class values in the order of a run that goes on.
    """

    spec: RunSpec
    given: Perturbed | None = None
    backbone: Backbone | None = None
    ranks: Ranks | None = None
    class_order: Sequence[Any] = ()
    checks_data: bool = True  # cheaply, before training
    began: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)

    methods: list[Method] = field(init=False)
    judges: list[Method] = field(init=False, default_factory=list)
    judging: Clock = field(init=False, default_factory=Clock)
    notes: list[str] = field(init=False, default_factory=list)
    perturbed: Perturbed = field(init=False)
    seen: LabelledDataset = field(init=False)
    net: nn.Module = field(init=False)
    embedding: nn.Module | None = field(init=False, default=None)
    tokens: nn.Embedding | None = field(init=False, default=None)
    device: torch.device = field(init=False)
    model_name: str = field(init=False)
    initial_weights: str = field(init=False)
    dynamics: MapDynamics = field(init=False)
    outputs: FiniteOutputs = field(init=False)
    keeper: DynamicsKeeper | None = field(init=False, default=None)
    logits_keeper: LogitsKeeper | None = field(init=False, default=None)
    placement: Placement = field(init=False)
    free: int | None = field(init=False, default=None)
    epochs: int = field(init=False)
    trainer: Trainer = field(init=False)
    make_network: Callable[..., nn.Module] = field(init=False)
    extra: ExtraTrainings = field(init=False)
    shares: Shares | None = field(init=False, default=None)
    answers: Answers = field(init=False)

    @property
    def dataset(self) -> LabelledDataset:
        """The data with what was made hard in them; the model sees :attr:`seen`."""
        return self.perturbed.dataset

    def accumulators(self) -> dict[str, Buffered]:
        """Return everything that remembers what was observed; a method by its name."""
        from hcat_nb.observation.record import Need

        own: dict[str, Buffered] = {"run.map": self.dynamics, OUTPUTS: self.outputs}
        if self.keeper is not None:
            own["run.dynamics"] = self.keeper
        # Judges that look at features remember nothing before the end.
        watching = [one for one in self.judges if Need.EMBEDDINGS in one.needs]
        return own | {method.name: method for method in (*self.methods, *watching)}
