"""The training loop as each of several ranks runs it.

The batches are those of a single process.  Each rank trains on its share of
every batch, and DistributedDataParallel adds up the gradients: the optimizer
sees the gradient of the mean loss over the whole batch, but for the order in
which float32 numbers are added.  A rank without a sample in a (last) batch
looks at one that does not count, for all ranks step together.  What is random
about dropout, and BatchNorm's statistics, are those of the whole batch.

Layers that look at a whole batch do so while each rank holds a part of it.
BatchNorm takes mean and variance over the samples of all ranks, and its way
back goes through all of them, as in Ioffe and Szegedy 2015 (arXiv 1502.03167)
on one device; torch's own SyncBatchNorm refuses tensors of a CPU.  Dropout
draws the mask of the whole batch on every rank and keeps the rows of its own:
with equal random states the masks are those of a single process.  What a
model draws by other means, each rank draws for itself.

Only training is touched, and nothing of a module's class or state.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from hcat_nb.observation.dynamics import MapSnapshot
from hcat_nb.seeds import child_seed
from hcat_nb.training.events import StartEvent
from hcat_nb.training.lean_adam import LeanAdam
from hcat_nb.training.loop import Trainer, Training
from hcat_nb.training.ranks import Ranks
from hcat_nb.training.seed import isolated_rng, random_state, set_random_state

# torch renamed it in 2.14, and warns of the old name.
_OWN_BUFFERS: Any = (
    {"forward_sync_buffers": False}
    if "forward_sync_buffers" in inspect.signature(DistributedDataParallel).parameters
    else {"broadcast_buffers": False}
)
_POLL = 0.1  # seconds between two looks at a pause
_DROPOUTS = (
    *(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d),
    *(nn.AlphaDropout, nn.FeatureAlphaDropout),
)


@dataclass(eq=False)
class RankTrainer(Trainer):
    """A :class:`Trainer` that is one of several; all of them run at the same time."""

    ranks: Ranks = field(kw_only=True)

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
        summed = self._loss(logits, shown, "sum")
        if len(mine) == 0:
            summed = 0.0 * summed
        optimizer.zero_grad()
        # What follows takes the mean over ranks.
        (summed * (self.ranks.size / len(batch))).backward()
        optimizer.step()
        if len(mine):
            self.observer.record_step(mine, logits)
        return summed.detach()

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
        return super()._look(epoch)

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


class BatchWide:
    """What the layers of one model have to know of the batch."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._n = 0
        self._mine = slice(0, 0)

    def batch(self, n: int, mine: slice) -> None:
        """Say which part of a batch of ``n`` samples comes; where it is none, a stand-in comes."""
        self._n, self._mine = n, mine

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Have the layers of the model look at whole batches, for the block."""
        changed = []
        for module in self._model.modules():
            whole: Callable[..., Tensor] | None = None
            if isinstance(module, _BatchNorm):
                whole = self._norm(module)
            elif isinstance(module, _DROPOUTS):
                whole = self._dropout(module)
            if whole is not None:
                module.forward = whole
                changed.append(module)
        try:
            yield
        finally:
            for module in changed:
                del module.forward  # that of the class stands behind it

    @property
    def _idle(self) -> bool:
        return self._mine.stop == self._mine.start

    def _norm(self, module: _BatchNorm) -> Callable[[Tensor], Tensor]:
        alone = module.forward

        def forward(x: Tensor) -> Tensor:
            return self._normalised(module, x) if module.training else alone(x)

        return forward

    def _normalised(self, module: _BatchNorm, x: Tensor) -> Tensor:
        axes = [axis for axis in range(x.dim()) if axis != 1]
        shape = [1, -1] + [1] * (x.dim() - 2)
        weight = 0.0 if self._idle else 1.0  # a stand-in is seen, and does not count
        count = x.new_tensor([weight * x.numel() / x.shape[1]])
        sums = _all_reduce(torch.cat([weight * x.sum(axes), count]))
        n, mean = sums[-1].detach(), sums[:-1] / sums[-1].detach()
        centred = x - mean.reshape(shape)
        variance = _all_reduce(weight * centred.square().sum(axes)) / n
        _remember(module, mean.detach(), variance.detach(), float(n))
        y = centred * (variance + module.eps).rsqrt().reshape(shape)
        if module.affine:
            y = y * module.weight.reshape(shape) + module.bias.reshape(shape)
        return y

    def _dropout(self, module: nn.Module) -> Callable[[Tensor], Tensor]:
        alone = module.forward

        def forward(x: Tensor) -> Tensor:
            mine = slice(0, 1) if self._idle else self._mine
            batch_first = x.dim() > 1 and len(x) == mine.stop - mine.start
            if not (module.training and module.p and batch_first):
                return alone(x)  # type: ignore[no-any-return]
            whole = x.new_zeros((self._n, *x.shape[1:]))
            if x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last):
                # The order of the draws is that of the memory.
                whole = whole.contiguous(memory_format=torch.channels_last)
            whole[mine] = x
            return alone(whole)[mine]  # type: ignore[no-any-return]

        return forward


def _remember(module: _BatchNorm, mean: Tensor, variance: Tensor, n: float) -> None:
    """Update the running statistics as BatchNorm does: with the unbiased variance."""
    if not module.track_running_stats or module.running_mean is None:
        return
    assert module.num_batches_tracked is not None
    assert module.running_var is not None
    with torch.no_grad():
        module.num_batches_tracked.add_(1)
        momentum = module.momentum
        if momentum is None:  # a plain mean over batches
            momentum = 1.0 / float(module.num_batches_tracked)
        module.running_mean.lerp_(mean.to(module.running_mean.dtype), momentum)
        unbiased = variance * (n / max(n - 1, 1))
        module.running_var.lerp_(unbiased.to(module.running_var.dtype), momentum)


class _AllReduce(torch.autograd.Function):
    """The sum over all ranks; on the way back gradients are added up, too."""

    @staticmethod
    def forward(_ctx: Any, tensor: Tensor) -> Tensor:
        total = tensor.contiguous().clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


def _all_reduce(tensor: Tensor) -> Tensor:
    total: Tensor = _AllReduce.apply(tensor)
    return total
