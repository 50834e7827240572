"""Which of several processes this one is, and what all of them agree on.

``torchrun`` starts the same program several times; torch calls such a process
a rank.  Rank 0 leads: it scores, shows and writes.  A process that is alone
has no :class:`Ranks`, and takes no step of this module but to find that out.

An error ends all processes.  The first that fails says so in the store that
they share.  The others fail with it, or when its connections close; one that
still waits for it then is ended by a thread that looks into the store.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from hcat_nb.errors import DataError, HcatError, RankError, SpecError
from hcat_nb.training.device import choose_device

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import ProcessGroup, Store

T = TypeVar("T")

# Rank 0 scores while the others wait.  A process that died is noticed by its
# closed connection, and by torchrun, long before this.
_PATIENCE = timedelta(days=1)
# torchrun kills all others when one has ended: whoever has nothing to tell ends later.
_GRACE = 5.0  # seconds, at most
_POLL = 1.0  # seconds between two looks for the failure of another
# Observation batches for a rank from which on ranks share whole batches: less than
# an eighth of the time is lost by it, and each batch is that of a single process.
_WHOLE_BATCHES = 8


@dataclass(frozen=True, eq=False)
class Ranks:
    """The place of this process among those that train together, on all machines and on its own.

    ``group`` carries what lies in the memory of the host; ``store`` holds a few words that all can
    read.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int
    group: ProcessGroup
    store: Store

    @property
    def leads(self) -> bool:
        """Whether this is rank 0."""
        return self.rank == 0

    # -- who does what -----------------------------------------------------

    def share(self, n: int) -> slice:
        """Return which of the ``n`` samples of a batch this rank trains on; perhaps none.

        Shares are neighbours, in the order of the ranks, and differ by one at most.
        """
        size, more = divmod(n, self.size)
        first = self.rank * size + min(self.rank, more)
        return slice(first, first + size + (self.rank < more))

    def portions(self, rows: Tensor, batch_size: int) -> list[Tensor]:
        """Return which ``rows`` each rank observes; whole batches where there are many."""
        if len(rows) < self.size:
            raise SpecError(
                f"{self.size} processes share {len(rows)} samples", "at least one for each"
            )
        batches = rows.split(batch_size)
        if len(batches) < _WHOLE_BATCHES * self.size:
            return list(rows.tensor_split(self.size))
        numbers = torch.arange(len(batches)).tensor_split(self.size)
        return [torch.cat([batches[number] for number in some.tolist()]) for some in numbers]

    def device(self, name: str) -> torch.device:
        """Return the device of this rank: a GPU for each rank of a machine, or its CPU."""
        device = choose_device(name)
        if device.type != "cuda":
            return device
        if ":" in name and self.local_size > 1:
            raise SpecError(f"device is {name!r} for {self.size} processes", "cuda, auto or cpu")
        if ":" not in name:
            device = torch.device("cuda", self.local_rank)
        if (count := torch.cuda.device_count()) < self.local_size:
            raise SpecError(
                f"{self.local_size} processes share {count} CUDA devices",
                "a device for each",
                "start fewer (torchrun --nproc-per-node), or use device=cpu",
            )
        torch.cuda.set_device(device)
        return device

    # -- what all know ------------------------------------------------------

    def any(self, *flags: bool) -> list[bool]:
        """Return of each flag whether some rank raised it."""
        told = torch.tensor(flags, dtype=torch.uint8)
        dist.all_reduce(told, dist.ReduceOp.MAX, group=self.group)
        return [bool(flag) for flag in told]

    def total(self, *values: float) -> list[float]:
        """Return the sum of each value over all ranks."""
        told = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(told, group=self.group)
        return [float(value) for value in told]

    def all_reduce(self, tensor: Tensor) -> None:
        """Replace a tensor, on this rank's device, by its sum over all ranks."""
        dist.all_reduce(tensor)

    def either(self, flags: Tensor) -> Tensor:
        """Return where a flag is set on some rank; bool of the same shape."""
        return self.first(flags) < self.size

    def first(self, flags: Tensor) -> Tensor:
        """Return the lowest rank that set each flag, int32 of the same shape; ``size``: none."""
        told = torch.where(flags.cpu(), self.rank, self.size).int()
        dist.all_reduce(told, dist.ReduceOp.MIN, group=self.group)
        return told.to(flags.device)

    def to_leader(self, mine: Tensor, lengths: Sequence[int]) -> list[Tensor] | None:
        """Return on rank 0 what each rank hands over, (lengths[rank], ...), on the CPU."""
        whole = mine.detach().cpu().contiguous()
        if not self.leads:
            # As bytes: not every dtype can be sent.
            dist.send(whole.reshape(-1).view(torch.uint8), 0, group=self.group)
            return None
        parts = [whole]
        for rank in range(1, self.size):
            part = torch.empty((lengths[rank], *whole.shape[1:]), dtype=whole.dtype)
            dist.recv(part.reshape(-1).view(torch.uint8), rank, group=self.group)
            parts.append(part)
        return parts

    def broadcast(self, value: T) -> T:
        """Return, on all ranks, what rank 0 hands over."""
        told: list[Any] = [value]
        dist.broadcast_object_list(told, group=self.group, group_src=0)
        return told[0]  # type: ignore[no-any-return]

    def broadcast_tensors(self, tensors: Sequence[Tensor]) -> None:
        """Fill tensors, on this rank's device, with those of rank 0."""
        for tensor in tensors:
            dist.broadcast(tensor, 0)

    def start_alike(self, model: nn.Module) -> None:
        """Give a model the weights that it has on rank 0."""
        with torch.no_grad():
            self.broadcast_tensors([*model.parameters(), *model.buffers()])

    def check_same(self, facts: Mapping[str, Any]) -> None:
        """Refuse, on all ranks, to train where ranks were given different things."""
        told: list[Any] = [None] * self.size
        dist.all_gather_object(told, dict(facts), group=self.group)
        for rank, theirs in enumerate(told):
            if names := [name for name in facts if theirs[name] != told[0][name]]:
                raise DataError(
                    f"process {rank} was given another {' and another '.join(names)} than process "
                    "0",
                    "the same in all processes",
                    "seed whatever the script draws",
                )

    @contextmanager
    def one_before_the_others(self) -> Iterator[None]:
        """Let one process of each machine go first, which may download what the others read."""
        if self.local_rank:
            dist.barrier(group=self.group)
        try:
            yield
        finally:  # what fails here fails there, too
            if not self.local_rank:
                dist.barrier(group=self.group)


@contextmanager
def together() -> Iterator[Ranks | None]:
    """Join the other processes of this program, if there are any, for the block.

    All of them enter it equally often. Where all fail alike they stay in step; where one fails
    alone, the others are ended. The RankError of another process is marked, as every error that
    another process tells, by ``told``: Python does not show it again.
    """
    global _entered
    ranks = _join()
    if ranks is None:
        yield None
        return
    _entered += 1
    alarm = _Alarm(ranks, _entered)
    alarm.start()
    try:
        yield ranks
    except BaseException as error:
        if alarm.raised_first(error):
            raise
        if not isinstance(error, HcatError):  # a connection broke
            lost = RankError(alarm.message())
            _hush(lost)
            raise lost from error
        _hush(error)
        raise
    finally:
        alarm.over.set()
        alarm.join(_GRACE)  # Python aborts if it ends while a thread is inside a store's call


class _Alarm(threading.Thread):
    """Ends this process if another one failed, and this one waits for it in vain."""

    def __init__(self, ranks: Ranks, number: int) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self._ranks = ranks
        self._failed, self._message = f"hcat/failed/{number}", f"hcat/message/{number}"

    def run(self) -> None:
        """Look into the store until the block is left."""
        while not self.over.wait(_POLL):
            if self._ranks.store.check([self._failed]) and not self.over.wait(_GRACE):
                os._exit(1)  # nothing else ends a thread that waits in a collective

    def raised_first(self, error: BaseException) -> bool:
        """Whether this process is the first that fails; if so, say why to the others."""
        self.over.set()
        words = f"process {self._ranks.rank} failed: {type(error).__name__}: {error}"
        if self._ranks.store.add(self._failed, 1) > 1:
            return False
        self._ranks.store.set(self._message, words)
        return True

    def message(self) -> str:
        """Return what the process that failed first said."""
        return str(self._ranks.store.get(self._message).decode())


def joined() -> Ranks | None:
    """Return this process's place in the group that the script made; None if it is alone."""
    if not dist.is_available() or dist.is_initialized():
        return _join()
    if dist.is_torchelastic_launched() and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise SpecError(
            "several processes were started that do not know each other yet",
            "torch.distributed.init_process_group() before hcat.watch",
        )
    return None


def speaks() -> bool:
    """Whether this process is alone, or the first of those that torchrun started."""
    return not (dist.is_torchelastic_launched() and os.environ.get("RANK", "0") != "0")


def yield_to_the_teller() -> None:
    """Wait, where another process tells the error, until torchrun ends this one."""
    time.sleep(_GRACE)


_joined: tuple[object, Ranks] | None = None
_entered = 0  # blocks of together()


def _join() -> Ranks | None:
    global _joined
    if not dist.is_available():
        return None
    if not dist.is_initialized():
        if not (dist.is_torchelastic_launched() and int(os.environ.get("WORLD_SIZE", "1")) > 1):
            return None
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=_PATIENCE
        )
        atexit.register(_disconnect)
    elif dist.get_world_size() == 1:
        return None
    world = dist.group.WORLD
    if _joined is None or _joined[0] is not world:
        rank, size = dist.get_rank(), dist.get_world_size()
        # The host's memory has a group of its own: the default one may know GPUs only.
        group = cast("ProcessGroup", dist.new_group(backend="gloo", timeout=_PATIENCE))
        ranks = Ranks(
            rank,
            size,
            int(os.environ.get("LOCAL_RANK", rank)),
            int(os.environ.get("LOCAL_WORLD_SIZE", size)),
            group,
            # No public function gives the store of a group that the user's script made.
            dist.distributed_c10d._get_default_store(),
        )
        _joined = world, ranks
        atexit.register(_let_go, ranks)
    return _joined[1]


def _let_go(ranks: Ranks) -> None:
    """Close a group while its threads can still take Python's lock, and wait for them.

    One that drops the last tensor it carried takes it; where Python ends
    meanwhile, that aborts the process.
    """
    global _joined
    _joined = None
    if dist.is_initialized():
        with contextlib.suppress(ValueError):  # the script closed it
            dist.destroy_process_group(ranks.group)
    del vars(ranks)["group"]  # the script may hold this object until the end


def _disconnect() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def _hush(error: HcatError) -> None:
    """Let Python end this process without showing ``error``, should nobody catch it."""
    error.told = True
    before = sys.excepthook

    def hook(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        if value is error:
            yield_to_the_teller()
        else:
            before(kind, value, trace)

    sys.excepthook = hook
