"""Which device a run uses."""

from __future__ import annotations

import torch

from hcat_nb.errors import SpecError


def choose_device(name: str) -> torch.device:
    """Return the device that ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` stands for.

    ``auto`` is the first CUDA device, else the CPU.
    """
    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda:0" if available else "cpu")
    device = torch.device("cuda:0" if name == "cuda" else name)
    if device.type == "cuda" and (device.index or 0) >= available:
        raise SpecError(
            f"device is {name!r}, and torch sees {available} CUDA devices",
            remedy="use device cpu or auto",
        )
    return device
