"""Strengths: a number, or a list from which each sample gets its own (H-CAT's severity buckets)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

from hcat_nb.errors import SpecError, check_word

Strength = float | tuple[float, ...]


def checked(
    value: Any, option: str, low: float, high: float = math.inf, *, low_allowed: bool = False
) -> Strength:
    """Return a strength as a float, or several as a tuple of floats.

    ``option``: what the error calls it; ``low``, ``high``: bounds of each number, both excluded;
    ``low_allowed``: whether ``low`` itself is allowed.

    >>> checked([1, 2.5], "strength", 0)
    (1.0, 2.5)
    """
    several = isinstance(value, Iterable) and not isinstance(value, str)
    numbers = tuple(value) if several else (value,)
    for number in numbers:
        real = isinstance(number, Real) and not isinstance(number, bool)
        if not (
            real
            and math.isfinite(float(number))
            and (low < float(number) < high or (low_allowed and float(number) == low))
        ):
            bound = f"of at least {low:g}" if low_allowed else f"above {low:g}"
            bound += f" and below {high:g}" if high < math.inf else ""
            raise SpecError(f"{option} is {value!r}", f"a number {bound}, or a list of such")
    if not numbers:
        raise SpecError(f"{option} is {value!r}", "a number, or a list of numbers")
    return tuple(map(float, numbers)) if several else float(numbers[0])


def levels(strength: Strength) -> tuple[float, ...]:
    """Return the numbers that a strength can take."""
    return strength if isinstance(strength, tuple) else (strength,)


def drawn(strength: Strength, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return one number per sample, float64 of shape (k,); a list is drawn from evenly.

    A single number uses no randomness.

    >>> drawn(0.5, 3, np.random.default_rng(0)).tolist()
    [0.5, 0.5, 0.5]
    """
    if isinstance(strength, tuple):
        chosen: np.ndarray = rng.choice(np.array(strength), size=k)
        return chosen
    return np.full(k, strength)


def check_variant(variant: Any) -> None:
    """Raise SpecError if ``variant`` is neither ``"paper"`` nor ``"hcat"``."""
    check_word("variant", variant, ("paper", "hcat"))
