"""Detector: a small recurrent network reads a sample's training and says "mislabelled".

Jia et al. 2022 (arXiv 2212.09321), section 3: an LSTM takes the sequence of
the observed label's probabilities p_y, one an epoch, and tells mislabelled
from clean samples; it is trained on runs whose wrong labels were injected, and
then reads runs on other data.  Ours returns the probability, not the decision,
for a sequence of any length.  Sequences are kept and read in the end, in
chunks; where they would take more memory than the state of the LSTM, it is
advanced epoch by epoch instead, and no sequence is kept.

The weights that ship are ours; ``detector.md`` beside them says how they were
made and how well they do on data and noise they never saw.
:func:`hcat_nb.study.train_detector.train_detector` makes others.

Cost: nothing beside the shared pass at the end of each epoch; of H hidden
units, 4 H (H + 2) multiplications a sample and epoch; 4 E + 2 bytes a sample,
or 8 H + 2 where that is less.
Caveat: it has learned what wrong labels look like in runs of up to 50 epochs at
a steady learning rate.  One or two epochs give a probability too, though there
is little to read; beyond 50 it reads on, but nothing was asked of it there in
training (the card shows 1 and 100 epochs).  On the images of its model card
plain data maps rank better more often than not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from hcat_nb.assets import asset
from hcat_nb.errors import SpecError
from hcat_nb.methods._epochs import PerEpoch
from hcat_nb.methods.base import Context
from hcat_nb.observation.record import Need, Observation

Weights = Mapping[str, Tensor]

_CHUNK = 4096  # sequences that are read at a time
_NOT_MEASURED = -1.0  # no probability


def weight_shapes(hidden: int) -> dict[str, tuple[int, ...]]:
    """Return name and shape of each weight of a detector of ``hidden`` units."""
    return {
        "weight_ih": (4 * hidden, 1),
        "weight_hh": (4 * hidden, hidden),
        "bias_ih": (4 * hidden,),
        "bias_hh": (4 * hidden,),
        "head_weight": (1, hidden),
        "head_bias": (1,),
    }


def advance(p: Tensor, hidden: Tensor, cell: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
    """Let the LSTM read one more epoch, p of shape (b,), from a state (b, H), zeros at first.

    With 2 p - 1 as x and gates i, f, g, o stacked in this order, as in :class:`torch.nn.LSTMCell`:
    c' = f c + i g and h' = o tanh(c').
    """
    gates = [weights[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    hidden, cell = torch.lstm_cell((2 * p - 1)[:, None], (hidden, cell), *gates)
    return hidden, cell


def log_odds(hidden: Tensor, weights: Weights) -> Tensor:
    """Return the log odds of "mislabelled", (b,), from the state, (b, H)."""
    odds: Tensor = torch.nn.functional.linear(hidden, weights["head_weight"], weights["head_bias"])
    return odds.squeeze(1)


def read_sequences(sequences: Tensor, weights: Weights) -> Tensor:
    """Return the log odds of "mislabelled" after each epoch of p, (b, E).

    >>> weights = load_weights(asset("detector.safetensors"))
    >>> learned, resisted = [0.4, 0.8, 0.9, 0.95], [0.2, 0.1, 0.05, 0.1]
    >>> (read_sequences(torch.tensor([learned, resisted]), weights)[:, -1] > 0).tolist()
    [False, True]
    """
    hidden = sequences.new_zeros(len(sequences), weights["head_weight"].shape[1])
    cell = torch.zeros_like(hidden)
    odds = []
    for p in sequences.unbind(1):
        hidden, cell = advance(p, hidden, cell, weights)
        odds.append(log_odds(hidden, weights))
    return torch.stack(odds, dim=1)


def load_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read the weights of a detector from a safetensors file that ``train_detector`` wrote."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    remedy = "make one with hcat_nb.study.train_detector.train_detector"
    if not Path(path).is_file():
        raise SpecError(f"detector.weights is {str(path)!r}, which is no file", remedy=remedy)
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise SpecError(
            f"detector.weights, {str(path)!r}, cannot be read ({error})",
            "a safetensors file",
            remedy,
        ) from error
    shapes = {name: tuple(value.shape) for name, value in weights.items()}
    hidden = shapes.get("head_weight", (1, 0))[-1]
    if shapes != weight_shapes(hidden):
        raise SpecError(
            f"detector.weights, {str(path)!r}, holds {shapes}", str(weight_shapes(hidden)), remedy
        )
    return {name: value.float() for name, value in weights.items()}


@dataclass(eq=False)
class Detector(PerEpoch):
    """Probability that the label is wrong, from the sequence of its probabilities.

    An epoch in which a sample was not measured is passed over.

    Parameters
    ----------
    weights : str or path, optional
        Safetensors file of a detector of one's own (default: the one that
        ships); read when the method is made.
    variant : {"paper", "hcat"}
        ``"hcat"``: the verdict, 0 or 1, as H-CAT scores it; by these weights,
        for its own serve five numbers of epochs only.

    Raises
    ------
    SpecError
        If the file holds no detector, or there is no such variant.
    """

    name = "detector"
    title = "Detector"
    paper = "Jia et al. 2022, arXiv 2212.09321"
    family = "learning: statistic"
    needs = frozenset({Need.LABEL_PROB})
    hard_when = "high"
    detects = frozenset({"mislabel"})
    looks_at_labels = True
    buffers = (*PerEpoch.buffers, "sequences")  # or "hidden" and "cell"
    cost = "one pass an epoch, shared; a small LSTM, 4 bytes a sample and epoch, at most 130"
    misleads = "it learned on tables: on images data maps are often better (see its model card)"

    variants = ("paper", "hcat")

    weights: str | os.PathLike[str] | None = None
    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        super().__post_init__()
        path = asset("detector.safetensors") if self.weights is None else self.weights
        if not isinstance(path, (str, os.PathLike)):
            raise SpecError(f"detector.weights is {path!r}", "the path of a safetensors file")
        self.network: Weights = load_weights(path)

    def allocate(self, context: Context) -> None:
        """Make room for the sequences, or set the state of the LSTM to zero."""
        super().allocate(context)
        self.network = {name: value.to(context.device) for name, value in self.network.items()}
        self._keep(sequences=context.n_epochs <= 2 * self._size)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over a state; one of a version that kept no sequences is gone on from, too."""
        self._keep(sequences="sequences" in state)
        super().load_state(state)

    @torch.no_grad()
    def observe(self, record: Observation) -> None:
        """Keep this epoch, or let the LSTM read it."""
        rows, p = record.rows, record.label_prob
        if "sequences" in self.buffers:
            self.sequences[rows, record.epoch - 1] = p
        else:
            state = advance(p, self.hidden[rows], self.cell[rows], self.network)
            self.hidden[rows], self.cell[rows] = state
        self.attend(record, p)

    @torch.no_grad()
    def raw(self) -> Tensor:
        """Return the probability of "mislabelled" so far, (n,), in [0, 1]; H-CAT's is rounded."""
        if "sequences" in self.buffers:
            parts = self.sequences.split(_CHUNK)
            odds = torch.cat([self._last_odds(part[:, self.heard]) for part in parts])
        else:
            odds = log_odds(self.hidden, self.network)
        probability = odds.sigmoid()
        if self.variant == "hcat":
            # A probability that is not finite stays so: the base class reports it.
            return torch.where(probability.isnan(), probability, (probability > 0.5).float())
        return probability

    def flagged(self) -> Tensor:
        """Return the samples that are more probably mislabelled than not."""
        known = self.context.trainable & (self.count > 0)
        return known & (self.raw() > 0.5)

    @property
    def _size(self) -> int:
        """Hidden units."""
        return self.network["head_weight"].shape[1]

    def _keep(self, *, sequences: bool) -> None:
        """Allocate one state or the other."""
        n, device = self.context.n, self.context.device
        own = ("sequences",) if sequences else ("hidden", "cell")
        self.buffers = (*PerEpoch.buffers, *own)
        if sequences:
            shape = (n, self.context.n_epochs)
            self.sequences = torch.full(shape, _NOT_MEASURED, device=device)
        else:
            self.hidden = torch.zeros(n, self._size, device=device)
            self.cell = torch.zeros_like(self.hidden)

    def _last_odds(self, sequences: Tensor) -> Tensor:
        """Return the log odds after the last epoch, (b,), from probabilities (b, epochs)."""
        hidden = sequences.new_zeros(len(sequences), self._size)
        cell = torch.zeros_like(hidden)
        for p in sequences.unbind(1):
            read = (p != _NOT_MEASURED)[:, None]
            later = advance(p, hidden, cell, self.network)
            hidden, cell = (
                torch.where(read, new, old) for new, old in zip(later, (hidden, cell), strict=True)
            )
        return log_odds(hidden, self.network)
