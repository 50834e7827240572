"""Where a run's features lie, so that batches of them reach the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcat_nb.errors import TooLargeError
from hcat_nb.runs.execution.state import PipelineState, Placement

if TYPE_CHECKING:
    import torch

    from hcat_nb.data.dataset import LabelledDataset

# Left free on a GPU: activations of a batch, workspaces of its libraries, fragments.
_SPARE = 2**30


def placed(pipeline: PipelineState) -> Placement:
    """Put what the model of a pipeline sees where batches reach its device."""
    from hcat_nb.runs.execution.memory_need import free_memory

    seen = pipeline.seen
    reserved = 4 * seen.n_classes * len(seen) + sum(
        one.later_bytes(seen.sample_shape) for one in pipeline.accumulators().values()
    )
    free = free_memory(pipeline.device)
    return place_features(seen, pipeline.device, pipeline.spec.data_on, reserved, free)


def place_features(
    dataset: LabelledDataset, device: torch.device, data_on: str, reserved: int, free: int
) -> Placement:
    """Put features where they were asked for, or on the first of device, host and disk.

    Whether they lie in memory or in a mapped file was decided when they were
    loaded; here, whether they move to the device.

    Parameters
    ----------
    dataset : LabelledDataset
    device : device
        That of the model.
    data_on : {"auto", "device", "host", "disk"}
    reserved, free : int
        Bytes on the device that the run will still take for other things, and
        that there are.

    Raises
    ------
    TooLargeError
        If they shall be on the device, which has no room for them.
    """
    from hcat_nb.data.feature_stream import FeatureStream

    size = dataset.features.nbytes
    on_cpu = device.type == "cpu"
    if on_cpu and not dataset.mapped:
        return Placement(dataset.features, "host" if data_on == "host" else "device")
    left = free - reserved
    if data_on == "device" and size > left and not on_cpu:
        raise TooLargeError(
            f"the features take {size / 1e9:.1f} GB",
            f"at most the {max(0, left) / 1e9:.1f} GB that the run leaves on {device}",
            "data_on=host",
        )
    if not on_cpu and (data_on == "device" or (data_on == "auto" and size + _SPARE <= left)):
        return Placement(dataset.features.to(device), "device")
    where = "disk" if dataset.mapped else "host"
    place = "a memory-mapped file" if dataset.mapped else "host memory"
    how = "read" if on_cpu else f"read and copied to {device}"
    note = f"the features ({size / 1e6:,.1f} MB) stay in {place}: batches are {how} ahead of time"
    return Placement(FeatureStream(dataset.features, device), where, note)
