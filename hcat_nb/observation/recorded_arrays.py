"""Recorded dynamics in arrays: NumPy, torch, memory-mapped, or one array an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hcat_nb.errors import DataError
from hcat_nb.observation.recorded import Content, Moment, Recorded, chunk_rows

# Sums of a row of half-precision probabilities stray by less than this.
_SUM_TOLERANCE = 0.01
_DECIMALS = (1, 2, 3)
_MOST_ROUNDED = 0.25  # beyond, sums are no longer those of probabilities
_AXES = {"logits": "(epochs, samples, classes)", "label_probs": "(epochs, samples)"}


@dataclass(frozen=True, eq=False)
class Survey:
    """What one look at all values found.

    ``seen`` (n_epochs, n) bool: which samples were recorded in which epoch; ``zeros``:
    probabilities that are exactly 0; ``rounded``: decimals of probabilities whose sums stray from 1
    by rounding, 0 if none do; ``probable``: whether logits are never negative and add up to 1.
    """

    seen: Tensor
    zeros: int
    rounded: int = 0
    probable: bool = False


class ArrayDynamics(Recorded):
    """Dynamics in an array, or in a sequence of one array an epoch; never copied whole.

    A sample whose values of an epoch are all NaN was not recorded in it.

    ``arrays`` (n_epochs, n, C) or (n_epochs, n) or sequence of n_epochs arrays: NumPy, torch,
    memory-mapped, or whatever has a shape and is sliced as they are; any floating type or integers;
    ``content`` {"logits", "probs"}: with two axes, probabilities are the label's; ``positive``:
    with two axes: the one of two classes that they are the probability of; ``chunk``: rows read at
    a time; results do not depend on it.
    """

    def __init__(
        self,
        arrays: Any,
        content: Content,
        moment: Moment,
        *,
        chunk: int | None = None,
        positive: int | None = None,
    ) -> None:
        name = content
        self._by_epoch = isinstance(arrays, (list, tuple))
        shape = _shape(arrays, name)
        self._positive = positive
        if positive is not None:
            shape = (*shape, 2)
        if content == "probs" and len(shape) == 2:
            content = "label_probs"
        if len(shape) != (2 if content == "label_probs" else 3):
            expected = _AXES["logits"]
            if name == "probs":
                expected += f", or {_AXES['label_probs']} for the probability of the label alone"
            raise DataError(f"{name} have the shape {shape}", expected)
        if 0 in shape:
            raise DataError(f"{name} have the shape {shape}: they are empty", "one epoch at least")
        if content != "label_probs" and shape[2] < 2:
            raise DataError(
                f"{name} have the shape {shape}",
                "two classes at least",
                "probs[..., 0], with positive= the class that they are of, as "
                'predict_proba(X)[:, 1] is; positive="label" if they are of the label'
                if name == "probs"
                else None,
            )
        self.name: str = name
        self.content, self.moment = content, moment
        self.n_epochs, self.n = shape[:2]
        self.n_classes = None if content == "label_probs" else shape[2]
        self._arrays = arrays
        self._chunk = chunk or chunk_rows(self.n_classes or 1)

    def chunks(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield positions and values of the samples that were recorded."""
        for start, values in self._blocks(epoch):
            seen = ~_unseen(values)
            rows = torch.nonzero(seen).ravel()
            if len(rows):
                yield rows + start, values if len(rows) == len(values) else values[rows]

    def survey(self) -> Survey:
        """Look at every value once."""
        seen = torch.zeros(self.n_epochs, self.n, dtype=torch.bool)
        zeros, rounded, probable = 0, 0, self.content == "logits"
        for epoch in range(1, self.n_epochs + 1):
            for start, values in self._blocks(epoch):
                unseen = _unseen(values)
                seen[epoch - 1, start : start + len(values)] = ~unseen
                bad = ~torch.isfinite(values) & ~_like(unseen, values)
                self._refuse(bad, values, epoch, start, "a finite number (all NaN: not recorded)")
                if self.content != "logits":
                    zeros += int((values == 0).sum())
                    rounded |= self._refuse_no_probability(values, unseen, epoch, start)
                elif probable:
                    sums = values[~unseen].sum(1)
                    near = bool(((sums - 1).abs() < _SUM_TOLERANCE).all())
                    probable = near and bool((values[~unseen] >= 0).all())
            if not seen[epoch - 1].any():
                raise DataError(f"{self.name} hold nothing but NaN in epoch {epoch}", "numbers")
        return Survey(seen, zeros, rounded, probable)

    def _refuse_no_probability(self, values: Tensor, unseen: Tensor, epoch: int, start: int) -> int:
        """Return the decimals to which a block is rounded, if its sums show that."""
        outside = ((values < 0) | (values > 1 + _SUM_TOLERANCE)) & ~_like(unseen, values)
        self._refuse(outside, values, epoch, start, "a probability in [0, 1]")
        if self.content == "probs":
            sums = values.sum(1)
            off = (sums - 1).abs()
            stray = (off > _SUM_TOLERANCE) & ~unseen
            # Each of C rounded values is off by half a unit of its last decimal at most.
            decimals = next((d for d in _DECIMALS if _has_decimals(values[~unseen], d)), None)
            most = 0.0 if decimals is None else 0.5 * values.shape[1] * 10**-decimals
            if stray.any() and bool((off[stray] <= min(most, _MOST_ROUNDED) + 1e-4).all()):
                return decimals or 0
            if stray.any():
                first = int(torch.nonzero(stray)[0])
                raise DataError(
                    f"the probabilities of epoch {epoch}, sample {start + first}, add up to "
                    f"{sums[first]:.4g}",
                    "1, as those of classes that exclude each other do",
                )
        return 0

    def _refuse(self, bad: Tensor, values: Tensor, epoch: int, start: int, expected: str) -> None:
        if bad.any():
            first = torch.nonzero(bad)[0].tolist()
            place = f"epoch {epoch}, sample {start + first[0]}"
            place += f", class {first[1]}" if len(first) > 1 else ""
            hint = self.content == "probs" and bool(torch.isfinite(values[tuple(first)]))
            raise DataError(
                f"{self.name} hold {values[tuple(first)]:g} ({place})",
                expected,
                "logits go in as logits=" if hint else None,
            )

    def _blocks(self, epoch: int) -> Iterator[tuple[int, Tensor]]:
        for start in range(0, self.n, self._chunk):
            part = slice(start, start + self._chunk)
            if self._by_epoch:
                values = _as_float(self._arrays[epoch - 1][part])
            else:
                values = _as_float(self._arrays[epoch - 1, part])
            if self._positive is not None:
                pair = (1 - values, values) if self._positive else (values, 1 - values)
                values = torch.stack(pair, dim=1)
            yield start, values


def _shape(arrays: Any, name: str) -> tuple[int, ...]:
    if isinstance(arrays, (list, tuple)):
        shapes = [_shape(one, name) for one in arrays]
        if not shapes:
            raise DataError(f"{name} are an empty {type(arrays).__name__}", "one array an epoch")
        for epoch, shape in enumerate(shapes, start=1):
            if shape != shapes[0]:
                raise DataError(
                    f"{name} of epochs 1 and {epoch} have the shapes {shapes[0]} and {shape}",
                    "one shape",
                )
        return (len(shapes), *shapes[0])
    dtype = getattr(arrays, "dtype", None)
    if not hasattr(arrays, "shape") or dtype is None:
        raise DataError(
            f"{name} hold a {type(arrays).__name__} where an array is expected",
            "an array or a DataFrame, or a list of one for each epoch",
            f"numpy.asarray({name})" if isinstance(arrays, (int, float)) else None,
        )
    real = (
        not dtype.is_complex and dtype is not torch.bool
        if isinstance(dtype, torch.dtype)
        else np.dtype(dtype).kind in "fiu"
    )
    if not real:
        raise DataError(f"{name} have the type {dtype}", "real numbers")
    return tuple(int(size) for size in arrays.shape)


def _as_float(values: Any) -> Tensor:
    """Return float32 values on the CPU, in memory of their own."""
    if isinstance(values, Tensor):
        return values.detach().to("cpu", torch.float32)
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and reported with its place
        return torch.from_numpy(np.array(values, dtype=np.float32))


def _has_decimals(values: Tensor, decimals: int) -> bool:
    # float32 holds .29 as .28999999; 1e-5 is far above that and far below a fourth decimal
    return bool(((values * 10**decimals).round() / 10**decimals - values).abs().max() < 1e-5)


def _unseen(values: Tensor) -> Tensor:
    missing = torch.isnan(values)
    return missing if values.dim() == 1 else missing.all(1)


def _like(rows: Tensor, values: Tensor) -> Tensor:
    return rows if values.dim() == 1 else rows[:, None]
