"""What a perturbation is, and the rules that hold for all of them."""

from __future__ import annotations

import dataclasses
import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError, HcatError, SpecError
from hcat_nb.perturbations._chosen_rows import chosen_rows
from hcat_nb.registry import refuse_unknown
from hcat_nb.seeds import child_seed

H_CAT = "H-CAT, arXiv 2403.04551"  # published most kinds

Family = Literal["mislabel", "near_ood", "far_ood", "atypical", "covariate", "mixed"]
Modality = Literal["image", "table"]

TRUTH_COLUMNS = ("is_hard", "hardness", "family", "strength", "original_label", "observed_label")

_COMPARED = 2**22  # values compared at a time, so that no mask as large as the data arises


@dataclass(frozen=True)
class Perturbed:
    """A dataset made harder, with the original's ids and order, and the truth about it.

    ``truth`` has the index ``sample_id`` and the columns ``is_hard`` (bool), ``hardness``,
    ``family``, ``strength``, ``original_label``, ``observed_label``.
    """

    dataset: LabelledDataset
    truth: pd.DataFrame

    def __repr__(self) -> str:
        hard = self.truth.loc[self.truth["is_hard"], "hardness"]
        kinds = f" ({', '.join(sorted(hard.unique()))})" if len(hard) else ""
        return (
            f"<Perturbed: {self.dataset.name}, {len(self.dataset):,} samples, "
            f"{len(hard):,} made hard{kinds}>"
        )


@dataclass(frozen=True)
class Perturbation(ABC):
    """Makes a stated share of samples hard in one stated way.

    A subclass is a frozen dataclass whose fields are its strengths; it names
    its card in class variables and says what to change in :meth:`change`.
    The rules of all are kept here, once: the input stays untouched,
    exactly ``floor(p * n + .5)`` samples are changed, each of them truly, ids
    and all other samples stay bit-identical, and the same seed gives the same
    result on any device.

    Raises
    ------
    HcatError
        When a class is made whose card is incomplete.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[Family]
    modality: ClassVar[frozenset[Modality]]
    paper: ClassVar[str] = "not stated"
    cost: ClassVar[str] = "not stated"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" in vars(cls):  # a kind of hardness, not a base that several share
            _check_card(cls)

    @classmethod
    def from_options(cls, **options: Any) -> Self:
        """Return a perturbation with these options, as they come from keywords or a shell.

        UnknownNameError, with the nearest, of an option that does not exist.
        """
        known = [item.name for item in dataclasses.fields(cls) if item.init]
        refuse_unknown(options, known, f"unknown option {{!r}} of the hardness {cls.name!r}")
        return cls(**options)

    def __call__(self, dataset: LabelledDataset, p: float, seed: int) -> Perturbed:
        """Return a new dataset with a proportion ``p``, in [0, 1), of trainable samples made hard.

        The given one is left as it is; ``seed`` decides which samples change and how. A ``p`` that
        would change no sample, every sample, or more than can be changed is a SpecError, which
        names the least and the largest ``p``; a dataset that this hardness does not apply to a
        DataError.
        """
        _check_p(p)
        _check_seed(seed)
        self.check(dataset)
        if p == 0:
            return Perturbed(dataset, untouched(dataset))
        settled = self.settle(dataset, seed)
        rng = np.random.default_rng(child_seed(seed, "flags"))
        chosen = settled._choose(dataset, float(p), rng)
        changed, strength = settled.change(dataset, chosen, rng)
        settled._verify(dataset, changed, chosen)
        return Perturbed(changed, settled._truth(dataset, changed, chosen, strength))

    @abstractmethod
    def change(
        self, dataset: LabelledDataset, chosen: Tensor, rng: np.random.Generator
    ) -> tuple[LabelledDataset, np.ndarray | float]:
        """Return the dataset with the ``chosen`` rows changed, and the strength used.

        Parameters
        ----------
        dataset : LabelledDataset
            Must not be written to.
        chosen : Tensor of shape (k,), int64
            Positions of the rows to change, ascending.
        rng : numpy.random.Generator
            The only source of randomness.

        Returns
        -------
        dataset : LabelledDataset
        strength : float or array of shape (k,)
            NaN where the kind of hardness has no strength.
        """

    def settle(self, dataset: LabelledDataset, seed: int) -> Self:
        """Return this perturbation with all that is drawn or estimated once per call decided.

        A transition matrix drawn by the seed, say, or rules estimated from
        the data: they depend on dataset and seed alone, so that every ``p``
        shares them and a user can look at them.  Default: itself.
        """
        return self

    def eligible(self, dataset: LabelledDataset) -> Tensor:
        """Return which rows can be changed: Tensor of shape (n,), bool.

        Default: all.  Rows that are not trainable are never chosen, whatever
        stands here.
        """
        return dataset.trainable

    @property
    def always_changes(self) -> bool:
        """Whether each chosen sample has to change: True, but for faults that others published."""
        return True

    def check(self, dataset: LabelledDataset) -> None:
        """Raise DataError if this hardness does not apply to ``dataset``."""
        self.check_modality(dataset.modality)

    @classmethod
    def check_modality(cls, modality: str) -> None:
        """Raise DataError if this hardness does not apply to data of a modality."""
        if modality not in cls.modality:
            raise DataError(
                f"the hardness {cls.name!r} does not apply to {modality} data",
                " or ".join(sorted(cls.modality)) + " data",
            )

    def _truth(
        self,
        before: LabelledDataset,
        after: LabelledDataset,
        chosen: Tensor,
        strength: np.ndarray | float,
    ) -> pd.DataFrame:
        is_hard = np.zeros(len(before), dtype=bool)
        is_hard[chosen.numpy()] = True
        strengths = np.full(len(before), np.nan)
        strengths[chosen.numpy()] = strength
        return untouched(before).assign(
            is_hard=is_hard,
            hardness=np.where(is_hard, self.name, "none"),
            family=np.where(is_hard, self.family, "none"),
            strength=strengths,
            observed_label=after.label_values(),
        )

    def _choose(
        self,
        dataset: LabelledDataset,
        p: float,
        rng: np.random.Generator,
        candidates: Tensor | None = None,
    ) -> Tensor:
        """Draw the rows to change, of ``candidates`` (n,) bool, or of all that are eligible."""
        if candidates is None:
            candidates = self.eligible(dataset) & dataset.trainable
        return chosen_rows(self.name, dataset, p, rng, candidates)

    def _verify(self, before: LabelledDataset, after: LabelledDataset, chosen: Tensor) -> None:
        """Hold every perturbation, a user's own included, to the rules."""
        same_form = (
            after.features.shape == before.features.shape
            and after.features.dtype == before.features.dtype
            and after.sample_ids.equals(before.sample_ids)
        )
        touched = torch.nonzero(_differing(before, after)).ravel() if same_form else chosen
        right = (
            torch.equal(touched, chosen)
            if self.always_changes
            else bool(torch.isin(touched, chosen).all())
        )
        if not same_form:
            raise DataError(
                f"the perturbation {self.name!r} changed the form of the data",
                "shape, type and ids kept",
            )
        if not right:
            raise DataError(
                f"the perturbation {self.name!r} changed {len(touched)} samples",
                f"exactly the {len(chosen)} chosen ones",
            )


def untouched(dataset: LabelledDataset) -> pd.DataFrame:
    """Return the truth table of a dataset in which no sample was made hard."""
    n = len(dataset)
    labels = dataset.label_values()
    return pd.DataFrame(
        {
            "is_hard": np.zeros(n, dtype=bool),
            "hardness": np.full(n, "none"),
            "family": np.full(n, "none"),
            "strength": np.full(n, np.nan),
            "original_label": labels,
            "observed_label": labels,
        },
        index=dataset.sample_ids.rename("sample_id"),
    )


def _check_card(cls: type[Perturbation]) -> None:
    """Raise HcatError if an entry of the card is absent or makes no sense."""
    families, modalities = get_args(Family), get_args(Modality)
    rules: dict[str, tuple[Callable[[Any], bool], str]] = {
        "title": (lambda value: isinstance(value, str) and bool(value), "text"),
        "family": (lambda value: value in families, "one of " + ", ".join(families)),
        "modality": (
            lambda value: isinstance(value, frozenset) and bool(value) and value <= {*modalities},
            "a frozenset of " + ", ".join(modalities),
        ),
    }
    for item, (holds, expected) in rules.items():
        if not hasattr(cls, item):
            raise HcatError(f"{cls.__name__} has no `{item}`", expected)
        if not holds(getattr(cls, item)):
            raise HcatError(f"{cls.__name__}.{item} is {getattr(cls, item)!r}", expected)


def _differing(before: LabelledDataset, after: LabelledDataset) -> Tensor:
    """Return which rows differ in label or features: (n,) bool."""
    differs = before.labels != after.labels
    if after.features is before.features:
        return differs
    size = max(1, _COMPARED // max(1, math.prod(before.sample_shape)))
    for start in range(0, len(before), size):
        block = slice(start, start + size)
        unequal = before.features[block] != after.features[block]
        differs[block] |= unequal.flatten(1).any(1)
    return differs


def _check_p(p: Any) -> None:
    if not isinstance(p, numbers.Real) or not 0 <= float(p) < 1:
        raise SpecError(f"p is {p!r}", "a proportion in [0, 1)")


def _check_seed(seed: Any) -> None:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise SpecError(f"seed is {seed!r}", "a whole number, 0 or larger")
