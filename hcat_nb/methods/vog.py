"""VoG: how much a sample's input gradient changes over training.

Agarwal et al. 2022 (arXiv 2008.11600), equations 1 to 3: the gradient of the
label's logit with respect to the input, at several checkpoints; its standard
deviation over the checkpoints, element by element; the mean over elements;
standardised within the class.  Mean and squared deviations are streamed
(Welford 1962), so no checkpoint is kept.

``variant="hcat"`` is what H-CAT's benchmark computes: the softmax output
instead of the logit, epochs 1, 3 and 5, no standardisation, and low = hard.

Cost: one forward and backward pass at each of five epochs; 8 d + 2 bytes a
sample of d input elements.
Caveat: high means visually hard, in the paper's words.  The gradient of a
wrong label is small and steady, so on label noise expect AUROC well *below*
one half; and where few strokes are left, by a shift or a blur, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods._epochs import PerEpoch
from hcat_nb.methods.base import Context
from hcat_nb.observation.record import Need, Observation, Options

_HCAT_EPOCHS = (1, 3, 5)
_ROWS = 256  # at a time: half a dozen temporaries of their size would add up


def evenly_spaced(n_epochs: int, k: int = 5) -> tuple[int, ...]:
    """Return up to ``k`` evenly spaced epochs, from 1; the last is the last epoch.

    >>> evenly_spaced(10), evenly_spaced(12), evenly_spaced(3)
    ((2, 4, 6, 8, 10), (3, 5, 8, 10, 12), (1, 2, 3))
    """
    return tuple(sorted({-(-n_epochs * i // k) for i in range(1, k + 1)}))


def standardised_within_class(values: Tensor, labels: Tensor, n_classes: int) -> Tensor:
    """Return values with mean 0 and population standard deviation 1 in each class, float64.

    NaN stays and does not count; 0 in a class without spread (one sample, or equal values), and
    for the label -1.

    >>> values = torch.tensor([1.0, 3.0, 7.0])
    >>> standardised_within_class(values, torch.tensor([0, 0, 1]), 2)
    tensor([-1.,  1.,  0.], dtype=torch.float64)
    """
    made = torch.where(~values.isfinite(), torch.nan, torch.zeros_like(values, dtype=torch.float64))
    for code in range(n_classes):
        here = (labels == code) & values.isfinite()
        own = values[here].double()
        if len(own) == 0:
            continue
        spread, mean = torch.std_mean(own, correction=0)
        # Equal values: rounding must not be blown up to one standard deviation.
        if spread > 1e-12 * mean.abs():
            made[here] = (own - mean) / spread
    return made


@dataclass(eq=False)
class VoG(PerEpoch):
    """Mean over input elements of the gradient's standard deviation over checkpoints.

    Parameters
    ----------
    checkpoints : {"five", "all"} or sequence of int
        Epochs, from 1, whose gradients count: five evenly spaced ones, every
        one, or those listed, at least two.  ``variant="hcat"`` reads "five"
        as epochs 1, 3 and 5.
    target : {"label", "predicted"}
        Which class's output is differentiated.
    variant : {"paper", "hcat"}

    Raises
    ------
    SpecError
        If an option is out of range, or the run has fewer than two of the
        checkpoints.
    """

    name = "vog"
    title = "Variance of gradients"
    paper = "Agarwal et al. 2022, arXiv 2008.11600"
    family = "learning: gradient"
    needs = frozenset({Need.INPUT_GRADIENTS})
    hard_when = "high"
    detects = frozenset({"boundary"})
    looks_at_labels = True
    buffers = (*PerEpoch.buffers, "mean", "m2")
    variants = ("paper", "hcat")
    cost = "a forward and backward pass at five epochs; 8 bytes an input element of each sample"
    misleads = (
        "label noise ranks low, by design, for the gradient of a wrong label is small and steady; "
        "shifted and zoomed images rank low too"
    )

    checkpoints: str | Sequence[int] = "five"
    target: Literal["label", "predicted"] = "label"
    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        self._one_of("target", ("label", "predicted"))
        super().__post_init__()
        if self.variant == "hcat":
            self.hard_when = "low"  # type: ignore[assignment]  # narrowed by the class's "high"
        if isinstance(self.checkpoints, str):
            self._one_of("checkpoints", ("five", "all"))
            return
        listed: tuple[Any, ...] = (
            tuple(self.checkpoints) if isinstance(self.checkpoints, Sequence) else ()
        )
        if len(set(listed)) < 2 or any(type(epoch) is not int or epoch < 1 for epoch in listed):
            raise SpecError(
                f"vog.checkpoints is {self.checkpoints!r}",
                '"five", "all" or a list of at least two epochs, from 1',
            )
        self.checkpoints = listed

    def options(self, need: Need) -> Options:
        """Return which output is differentiated."""
        return (("target", self.target), ("of", "softmax" if self.variant == "hcat" else "logit"))

    def planned(self, n_epochs: int) -> tuple[int, ...]:
        """Return the checkpoints of a run of ``n_epochs``, ascending."""
        if self.checkpoints == "all":
            return tuple(range(1, n_epochs + 1))
        if self.checkpoints == "five":
            if self.variant == "hcat":
                return tuple(epoch for epoch in _HCAT_EPOCHS if epoch <= n_epochs)
            return evenly_spaced(n_epochs)
        return tuple(sorted({int(epoch) for epoch in self.checkpoints}))

    def allocate(self, context: Context) -> None:
        """Nothing is known yet; the first record tells the number of input elements."""
        planned = self.planned(context.n_epochs)
        if planned and planned[-1] > context.n_epochs:
            raise SpecError(
                f"vog.checkpoints names epoch {planned[-1]}", f"at most {context.n_epochs}"
            )
        if len(planned) < 2:
            least = _HCAT_EPOCHS[1] if self.variant == "hcat" else 2
            raise SpecError(
                f"vog compares the gradients of at least two epochs, and epochs={context.n_epochs} "
                f"gives it {len(planned)}",
                f"epochs={least} or more",
                "train longer, or name the methods without vog (--methods aum,el2n,...)",
            )
        super().allocate(context)
        self.mean = torch.zeros(context.n, 0, device=context.device)
        self.m2 = torch.zeros(context.n, 0, device=context.device)

    def later_bytes(self, sample_shape: tuple[int, ...]) -> int:
        """Return the bytes of mean and squared deviation of every input element."""
        return 2 * 4 * self.context.n * math.prod(sample_shape)

    def due(self, epoch: int) -> bool:
        """Whether this epoch is a checkpoint."""
        return epoch in self.planned(self.context.n_epochs)

    def observe(self, record: Observation) -> None:
        """Add the gradients of this checkpoint."""
        rows = record.rows
        gradients = record.take(Need.INPUT_GRADIENTS, self.options(Need.INPUT_GRADIENTS))
        gradients = gradients.flatten(1).float()
        if self.mean.shape[1] == 0:
            self.mean = self.mean.new_zeros(len(self.mean), gradients.shape[1])
            self.m2 = torch.zeros_like(self.mean)
        self.attend(record, gradients)
        for some, own in zip(gradients.split(_ROWS), rows.split(_ROWS), strict=True):
            delta = some - self.mean[own]
            self.mean[own] += delta / self.count[own, None]
            self.m2[own] += delta * (some - self.mean[own])

    def variation(self) -> Tensor:
        """Return the mean over input elements of the standard deviation, (n,), float64.

        NaN where fewer than two checkpoints were measured.
        """
        parts = zip(self.m2.split(_ROWS), self.count.split(_ROWS), strict=True)
        deviations = [
            (m2.clamp(min=0) / count[:, None]).sqrt().mean(1, dtype=torch.float64)
            for m2, count in parts
        ]
        return torch.where(self.count >= 2, torch.cat(deviations), torch.nan)

    def raw(self) -> Tensor:
        """Return the variation, standardised within the class but for H-CAT, (n,)."""
        if self.variant == "hcat":
            return self.variation()
        context = self.context
        labels = torch.where(context.trainable, context.labels, -1)
        return standardised_within_class(self.variation(), labels, context.n_classes)

    def missing(self) -> Mapping[str, Tensor]:
        """Return the rows with fewer than two checkpoints, which have no variation."""
        heard = self.n_heard
        of = heard if heard >= 2 else len(self.planned(self.context.n_epochs))
        return {f"{k}_of_{of}_epochs": self.count == k for k in (0, 1)}
