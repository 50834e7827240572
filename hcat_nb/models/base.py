"""What a model that is known by name has to provide."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, Literal

from torch import nn


class NamedModel(nn.Module, ABC):
    """A network with a name; takes scaled float32 samples, returns logits.

    A subclass is constructed with ``(sample_shape, n_classes, **options)``:
    the shape of one sample, (channels, height, width) or (columns,), the
    number of logits, and options of its own.  Weights come from torch's
    global generator.  It raises ModelError if the shape does not suit it.

    Attributes
    ----------
    name, title, paper : str
        Key (the module's stem), printed name, and source.
    modality : frozenset of {"image", "table"}
        Data that it takes.
    channels_last : bool
        Whether images reach it with their channels last in memory, which
        convolutions on a CPU like; its forward must not ``view`` them.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    modality: ClassVar[frozenset[Literal["image", "table"]]]
    channels_last: ClassVar[bool] = False
