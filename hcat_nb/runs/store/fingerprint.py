"""What tells data and models apart, so that no run goes on with others than it began with."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from hcat_nb.casts import plain_values

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.models._backbone import Backbone
    from hcat_nb.spec import RunSpec

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def tensor_digest(tensor: Tensor) -> str:
    """Return a digest of the values, 32 hexadecimal digits."""
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return _digest(flat.view(dtype=torch.uint8).numpy() if flat.numel() else b"")


def data_fingerprint(dataset: LabelledDataset) -> dict[str, Any]:
    """Return plain values that other data would not give."""
    ids = "\n".join(map(repr, dataset.sample_ids.tolist()))
    return {
        "number of samples": len(dataset),
        "shape of a sample": list(dataset.sample_shape),
        "class values": plain_values(dataset.class_values),
        "features": tensor_digest(dataset.features),
        "labels": tensor_digest(dataset.labels),
        "sample ids": _digest(ids.encode()),
        "unreadable rows": int((~dataset.readable).sum()),
        **({} if dataset.weights is None else {"weights": tensor_digest(dataset.weights)}),
    }


def seen_fingerprint(dataset: LabelledDataset, backbone: Backbone | None) -> dict[str, Any]:
    """Return what other data, or other features of the user's own, would not give."""
    own = backbone.digest if backbone else ""
    return data_fingerprint(dataset) | ({"features of your own": own} if own else {})


def model_fingerprint(net: nn.Module) -> dict[str, Any]:
    """Return plain values that a model of another build would not give."""
    build = _ADDRESS.sub("", repr(net))  # an address is another one in each process
    return {
        "class": type(net).__name__,
        "parameters": sum(one.numel() for one in net.parameters()),
        "build": _digest(build.encode()),
    }


def spec_fingerprint(spec: RunSpec) -> str:
    """Return text that another specification would not give."""
    return _ADDRESS.sub("", repr(spec.to_dict()))


def environment(device: torch.device, processes: int = 1) -> dict[str, Any]:
    """Return what the last digits of results depend on, beside specification and data."""
    import torch

    return {
        "torch": version("torch"),
        "numpy": version("numpy"),
        "machine": platform.machine(),
        "device": device.type,
        "threads": torch.get_num_threads(),
        **({"processes": processes} if processes > 1 else {}),
    }


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in words what is not as it was.

    >>> differences({"epochs": 3, "p": 0.1}, {"epochs": 5, "p": 0.1})
    ['epochs was 3 and is 5']
    >>> differences({"labels": "0" * 32}, {"labels": "1" * 32})
    ['labels']
    """
    words = []
    for key in {**then, **now}:
        before, after = then.get(key), now.get(key)
        if before == after:
            continue
        digests = any(isinstance(one, str) and len(one) == 32 for one in (before, after))
        words.append(key if digests else f"{key} was {before!r} and is {after!r}")
    return words


def _digest(content: Any) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
