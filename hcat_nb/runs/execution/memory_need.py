"""Whether a prepared run fits into the memory that is free, said before it trains.

What a run allocates while it trains is known beforehand: accumulators, the
staged logits, gradients and Adam's moments, tables of results; and what a
batch holds is weighed in a forward of a few samples.  The data themselves stand in memory already.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch

from hcat_nb.data.placement import free_host_memory
from hcat_nb.errors import TooLargeError

if TYPE_CHECKING:
    from hcat_nb.observation.buffered import Buffered
    from hcat_nb.runs.execution.state import PipelineState
    from hcat_nb.training.loop import Trainer

# Bytes of scores, details, flags and truth for a sample: some forty columns.
TABLE_BYTES = 400
# Gradients, two moments of Adam, and the weights of the last finished epoch.
_COPIES_OF_WEIGHTS = 4
# Of what autograd saves for a batch: the way back frees it while it makes gradients.
_ACTIVATIONS = 1.25
# What libraries and allocators hold beside it.
_WORKSPACE = 2**25


def memory_need(trainer: Trainer, accumulators: Mapping[str, Buffered]) -> dict[str, int]:
    """Return the bytes that each part of a run has yet to touch, by name."""
    from hcat_nb.observation.record import Need

    n, shape = len(trainer.features), tuple(trainer.features.shape[1:])
    batch = min(trainer.batch_size, len(trainer.rows))
    passing = int(_ACTIVATIONS * batch * _bytes_per_row(trainer)) + _WORKSPACE
    weights = sum(one.numel() * one.element_size() for one in trainer.model.parameters())
    need = {"training": _COPIES_OF_WEIGHTS * weights + passing, "tables": TABLE_BYTES * n}
    observer = trainer.observer
    if any(Need.INPUT_GRADIENTS in one.needs for one in observer.subscribers):
        # A chunk of them, in parts and joined.
        need["training"] += 2 * 4 * min(n, observer.chunk) * math.prod(shape)
    if observer.from_training or any(
        Need.TRAIN_LOGITS in one.needs for one in observer.subscribers
    ):
        need["training logits"] = 4 * observer.n_classes * n
    on_cpu = trainer.features.device.type == "cpu"
    for name, one in accumulators.items():
        # Zeroed memory counts as free on a CPU until it is written to.
        now = sum(value.nbytes for value in one.state().values()) if on_cpu else 0
        need[name] = now + one.later_bytes(shape)
    return need


def _bytes_per_row(trainer: Trainer) -> int:
    """Return what autograd saves for a sample in a forward of the trainer's model."""
    from hcat_nb.observation._memory import bytes_per_row
    from hcat_nb.training.seed import isolated_rng

    trainer.model.eval()
    with isolated_rng(trainer.seed, trainer.features.device):
        return bytes_per_row(trainer.model, trainer.features[trainer.rows[:1]])


def free_memory(device: torch.device) -> int:
    """Return the bytes that this process may still take on ``device``."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return free_host_memory()


def check_fits(pipeline: PipelineState, need: Mapping[str, int]) -> None:
    """Refuse a pipeline that needs more memory than there is for it; see :func:`check_memory`."""
    names = [method.name for method in pipeline.methods]
    check_memory(need, free_for(pipeline), len(pipeline.dataset), names)


def free_for(pipeline: PipelineState) -> int:
    """Return the bytes that a pipeline may take; of a CPU, when it was first asked.

    What it allocates on a CPU afterwards is in its need still, whether or not the
    system counts zeros that nobody wrote to.
    """
    if pipeline.device.type != "cpu":
        return free_memory(pipeline.device)
    if pipeline.free is None:
        shared_by = 1 if pipeline.ranks is None else pipeline.ranks.local_size
        pipeline.free = free_memory(pipeline.device) // shared_by
    return pipeline.free


def check_memory(need: Mapping[str, int], free: int, n: int, methods: Iterable[str]) -> None:
    """Refuse a run of ``n`` samples that needs more bytes than there are, and say what helps.

    >>> check_memory({"training": 10**9, "vog": 7 * 10**9}, 4 * 10**9, 60_000, ["aum", "vog"])
    Traceback (most recent call last):
        ...
    hcat_nb.errors.TooLargeError: the run would take 8.0 GB more memory, 7.0 GB of it for vog; \
    expected at most the 4.0 GB that are free; to mend it: leave out vog (methods=aum)
    """
    total = sum(need.values())
    if total <= free:
        return
    listed = list(methods)
    largest = max(listed, key=lambda name: need.get(name, 0))
    share = need.get(largest, 0)
    others = [name for name in listed if name != largest]
    if others and total - share <= free:
        remedy = f"leave out {largest} (methods={','.join(others)})"
    else:
        remedy = f"take fewer samples (subset={max(2, int(n * free / total))})"
    raise TooLargeError(
        f"the run would take {total / 1e9:.1f} GB more memory, "
        f"{share / 1e9:.1f} GB of it for {largest}",
        f"at most the {max(free, 0) / 1e9:.1f} GB that are free",
        remedy,
    )
