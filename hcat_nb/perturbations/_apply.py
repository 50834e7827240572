"""The public ``perturb``: hardness by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError, SpecError, UnknownNameError
from hcat_nb.perturbations.base import Perturbation, Perturbed, untouched
from hcat_nb.registry import PERTURBATIONS

MIXTURE = "mixture"


def perturb(
    dataset: LabelledDataset,
    hardness: str | Perturbation | Mapping[Any, Any] | None,
    p: float | None = None,
    seed: int = 0,
    **strength: Any,
) -> Perturbed:
    """Make a stated share of a dataset's samples hard, and keep the truth about it.

    Parameters
    ----------
    dataset : LabelledDataset
        Left as it is.
    hardness : str, Perturbation, mapping or None
        Name of a kind of hardness (see ``list_hardness``), or one made by
        hand; or several kinds with the proportion of each, on disjoint
        samples (see ``Mixture``).  ``None`` or ``"none"``: nothing is
        changed, whatever ``p``.
    p : float
        Proportion of the trainable samples to change, in ``[0, 1)``.  A
        mixture has its own proportions and needs none.
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
    >>> mixed = perturb(data, {"adjacent": 0.1, "ood_covariate": 0.2})
    Traceback (most recent call last):
    hcat_nb.errors.DataError: 'ood_covariate' needs a numeric column, and 'toy' has none; \
expected a column with more than two values
    """
    if not isinstance(dataset, LabelledDataset):
        raise DataError(
            f"the dataset is a {type(dataset).__name__}", "a LabelledDataset", "hcat.load(...)"
        )
    perturbation = make_perturbation(hardness, **strength)
    if perturbation is None:
        return Perturbed(dataset, untouched(dataset))
    # None is refused by all but a mixture, with the text that any other wrong p gets.
    return perturbation(dataset, cast(float, p), seed)


def make_perturbation(
    hardness: str | Perturbation | Mapping[Any, Any] | None, **strength: Any
) -> Perturbation | None:
    """Return the perturbation of that name with these options, None for no hardness."""
    if hardness is None or hardness == "none":
        for name in strength:
            raise UnknownNameError(f"unknown option {name!r} of the hardness 'none'", "no options")
        return None
    if isinstance(hardness, Perturbation):
        now = {
            item.name: getattr(hardness, item.name)
            for item in dataclasses.fields(hardness)
            if item.init
        }
        return type(hardness).from_options(**now | strength)
    if isinstance(hardness, Mapping):
        hardness, strength = MIXTURE, {**strength, "parts": hardness}
    if not isinstance(hardness, str):
        raise SpecError(
            f"hardness is {hardness!r}",
            "a name (see list_hardness()), a Perturbation, or a mixture {name: proportion}",
        )
    plugin: type[Perturbation] = PERTURBATIONS.get(hardness)
    return plugin.from_options(**strength)
