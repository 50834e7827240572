"""The training loop as each of several ranks runs it.

The batches are those of a single process.  Each rank trains on its share of
every batch, and DistributedDataParallel adds up the gradients: the optimizer
sees the gradient of the mean loss over the whole batch, but for the order in
which float32 numbers are added.  A rank without a sample in a (last) batch
looks at one that does not count, for all ranks step together.  What is random
about dropout, and BatchNorm's statistics, are those of the whole batch.
"""

from __future__ import annotations

import inspect
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from hcat_nb.methods.base import Method
from hcat_nb.observation.buffered import Sharing
from hcat_nb.observation.dynamics import MapSnapshot
from hcat_nb.seeds import child_seed
from hcat_nb.training.batch_wide import BatchWide
from hcat_nb.training.events import StartEvent
from hcat_nb.training.lean_adam import LeanAdam
from hcat_nb.training.loop import Trainer, Training
from hcat_nb.training.ranks import Ranks
from hcat_nb.training.seed import isolated_rng, random_state, set_random_state
from hcat_nb.training.shares import Replicated

__all__ = ["RankTrainer"]

# torch renamed it in 2.14, and warns of the old name.
_OWN_BUFFERS: Any = (
    {"forward_sync_buffers": False}
    if "forward_sync_buffers" in inspect.signature(DistributedDataParallel).parameters
    else {"broadcast_buffers": False}
)
_POLL = 0.1  # seconds between two looks at a pause


@dataclass(eq=False)
class RankTrainer(Trainer):
    """A :class:`Trainer` that is one of several; all of them run at the same time."""

    ranks: Ranks = field(kw_only=True)

    @property
    def leads(self) -> bool:
        """Whether this is rank 0."""
        return self.ranks.leads

    def sharing_all(self) -> Sharing:
        """Return how an observer shares samples that each process observes."""
        return Replicated(self.ranks)

    def fit(self, start: StartEvent) -> Training:
        """Train all epochs, or until some rank is told to stop; see :meth:`Trainer.fit`."""
        self._wide = BatchWide(self.model)
        self._joint = DistributedDataParallel(
            self.model,
            device_ids=[self.features.device] if self.features.device.type == "cuda" else None,
            **_OWN_BUFFERS,  # see _summed
            find_unused_parameters=self._leaves_some_out(),
        )
        try:
            return super().fit(start)
        finally:
            del self._joint  # and with it what hangs at the parameters

    def _shown(self, batch: Tensor) -> Tensor:
        mine = batch[self.ranks.share(len(batch))]
        return mine if len(mine) else batch[:1]

    def _step(self, batch: Tensor, x: Tensor, optimizer: LeanAdam) -> Tensor:
        share = self.ranks.share(len(batch))
        mine, shown = batch[share], self._shown(batch)
        self._wide.batch(len(batch), share)
        with self._wide.installed():
            logits = self._joint(x)
        summed = nn.functional.cross_entropy(logits.float(), self.labels[shown], reduction="sum")
        if len(mine) == 0:
            summed = 0.0 * summed
        optimizer.zero_grad()
        # What follows takes the mean over ranks.
        (summed * (self.ranks.size / len(batch))).backward()
        optimizer.step()
        if len(mine):
            self.observer.record_step(mine, logits)
        return summed.detach()

    def _scored_meanwhile(self) -> list[Method]:
        return []  # each process knows its own samples only, until the end

    def _stop_requested(self) -> bool:
        while True:
            control = self.control
            stop, pause = self.ranks.any(control.stop.is_set(), not control.resume.is_set())
            if stop or not pause:
                return stop
            time.sleep(_POLL)

    def _summed(self, losses: Tensor) -> float:
        # Weights are equal; what a module of the user's counts by itself need not be.
        self.ranks.broadcast_tensors(list(self.model.buffers()))
        return self.ranks.total(float(losses))[0]

    def _is_broken(self, epoch: int, shuffled: Tensor) -> bool:
        return self.ranks.any(super()._is_broken(epoch, shuffled))[0]

    def _look(self, epoch: int) -> tuple[float, MapSnapshot]:
        # A checkpoint holds the random state of rank 0; whoever resumes goes on from it.
        device = self.features.device
        set_random_state(self.ranks.broadcast(random_state(device)), device)
        sharing = self.observer.sharing
        assert isinstance(sharing, Replicated)
        return sharing.look(self.dynamics, epoch)

    def _leaves_some_out(self) -> bool:
        """Whether a parameter has no part in the logits, and so no gradient to wait for."""
        was_training = self.model.training
        self.model.eval()
        device = self.features.device
        trained = [one for one in self.model.parameters() if one.requires_grad]
        with torch.enable_grad(), isolated_rng(child_seed(self.seed, "trial"), device):
            logits = self.model(self.features[self.rows[:2]])
            gradients = torch.autograd.grad(logits.sum(), trained, allow_unused=True)
        self.model.train(was_training)
        return any(one is None for one in gradients)
