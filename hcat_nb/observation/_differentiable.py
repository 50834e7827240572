"""Gradients of a model in evaluation mode, whatever mode the caller's code is in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["differentiable"]


@contextmanager
def differentiable(model: nn.Module) -> Iterator[None]:
    """Record gradients inside the block; nothing outside of it changes.

    cuDNN's recurrent layers refuse a backward pass in evaluation mode, so
    those run without cuDNN here.

    Parameters
    ----------
    model : Module
        What will be differentiated.
    """
    recurrent = any(isinstance(one, nn.RNNBase) for one in model.modules())
    allowed = torch.backends.cudnn.enabled and not recurrent
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.backends.cudnn.flags(enabled=allowed),
    ):
        yield
