"""The public ``perturb``: hardness by name."""

from __future__ import annotations

import dataclasses
from typing import Any

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.perturbations.base import Perturbation, Perturbed, untouched
from hcat_nb.registry import PERTURBATIONS, nearest

__all__ = ["make_perturbation", "perturb"]


def perturb(
    dataset: LabelledDataset,
    hardness: str | Perturbation | None,
    p: float,
    seed: int = 0,
    **strength: Any,
) -> Perturbed:
    """Make a stated share of a dataset's samples hard, and keep the truth about it.

    Parameters
    ----------
    dataset : LabelledDataset
        Left as it is.
    hardness : str, Perturbation or None
        Name of a kind of hardness (see ``list_hardness``), or one made by
        hand.  ``None`` or ``"none"``: nothing is changed, whatever ``p``.
    p : float
        Proportion of the trainable samples to change, in ``[0, 1)``.
    seed : int
        Decides which samples change and how.
    **strength
        Options of that kind of hardness.

    Returns
    -------
    Perturbed
        ``.dataset`` and ``.truth`` (index ``sample_id``, one row a sample).

    Raises
    ------
    UnknownNameError
        If the hardness or an option does not exist; names the nearest.
    SpecError
        If ``p`` or an option is out of range.
    DataError
        If this hardness does not apply to the dataset.

    Examples
    --------
    >>> import pandas as pd, torch
    >>> labels = torch.arange(20) % 4
    >>> data = LabelledDataset(
    ...     "toy", torch.zeros(20, 2), labels, ("a", "b", "c", "d"), pd.RangeIndex(20)
    ... )
    >>> result = perturb(data, "adjacent", p=0.1, seed=0)
    >>> int(result.truth.is_hard.sum())
    2
    >>> bool((result.dataset.labels != data.labels).sum() == 2)
    True
    """
    perturbation = make_perturbation(hardness, **strength)
    if perturbation is None:
        return Perturbed(dataset, untouched(dataset))
    return perturbation(dataset, p, seed)


def make_perturbation(hardness: str | Perturbation | None, **strength: Any) -> Perturbation | None:
    """Return the perturbation of that name with these options, None for no hardness.

    Raises
    ------
    UnknownNameError
        If the hardness or an option does not exist; names the nearest.
    SpecError
        If ``hardness`` is neither a name nor a perturbation.
    """
    if hardness is None or hardness == "none":
        _check_options("none", (), strength)
        return None
    if isinstance(hardness, Perturbation):
        _check_options(hardness.name, _option_names(type(hardness)), strength)
        return dataclasses.replace(hardness, **strength)
    if not isinstance(hardness, str):
        raise SpecError(
            f"hardness is {hardness!r}", "a name (see list_hardness()) or a Perturbation"
        )
    plugin: type[Perturbation] = PERTURBATIONS.get(hardness)
    _check_options(plugin.name, _option_names(plugin), strength)
    return plugin(**strength)


def _option_names(plugin: type[Perturbation]) -> tuple[str, ...]:
    return tuple(item.name for item in dataclasses.fields(plugin) if item.init)


def _check_options(hardness: str, known: tuple[str, ...], given: dict[str, Any]) -> None:
    for name in given:
        if name not in known:
            raise UnknownNameError(
                f"unknown option {name!r} of the hardness {hardness!r}",
                nearest(name, known) if known else "no options",
            )
