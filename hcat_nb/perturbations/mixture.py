"""Several kinds of hardness at once, on disjoint samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import SpecError
from hcat_nb.perturbations._apply import make_perturbation
from hcat_nb.perturbations.base import Perturbation, Perturbed, _check_p, _check_seed, untouched
from hcat_nb.seeds import child_seed


@dataclass(frozen=True)
class Part:
    """One kind of hardness and its share of the trainable samples."""

    kind: Perturbation
    p: float


@dataclass(frozen=True)
class Mixture(Perturbation):
    """Makes samples hard in several ways, each sample in one.

    Each part is what it would be alone: ``floor(p n + .5)`` samples for its
    own ``p``, changed as in the untouched dataset; the truth names its kind.
    Parts choose in order of how few samples they can change, so that one
    which needs certain classes is not crowded out.

    Parameters
    ----------
    parts : mapping
        Kind of hardness (a name, or a Perturbation) -> its proportion, or a
        mapping of ``p`` and that kind's options.

    Examples
    --------
    >>> from hcat_nb.data.loading import load
    >>> mixture = Mixture({"uniform": 0.05, "zoom_shift": {"p": 0.1, "strength": 2.0}})
    >>> mixture(load("digits"), None, seed=0).truth.hardness.value_counts().to_dict()
    {'none': 1527, 'zoom_shift': 180, 'uniform': 90}
    """

    name: ClassVar[str] = "mixture"
    title: ClassVar[str] = "Several kinds, on disjoint samples"
    family: ClassVar[Literal["mixed"]] = "mixed"
    modality: ClassVar[frozenset[Literal["image", "table"]]] = frozenset({"image", "table"})
    paper: ClassVar[str] = "none: ours"
    cost: ClassVar[str] = "that of each part"

    parts: Mapping[Any, Any]

    def __post_init__(self) -> None:
        self.made()

    @classmethod
    def from_options(cls, **options: Any) -> Self:
        """Return a mixture of ``parts``, or of the options themselves: ``uniform=0.05``."""
        if "parts" in options and len(options) > 1:
            raise SpecError(
                f"a mixture got parts and {next(key for key in options if key != 'parts')!r}",
                "parts, or the kinds themselves",
            )
        return cls(options.get("parts", options))

    def __call__(self, dataset: LabelledDataset, p: float | None, seed: int) -> Perturbed:
        """Return a dataset with each part's proportion made hard; ``p``: None, 0, or their sum."""
        _check_seed(seed)
        if p is not None:
            _check_p(p)
            if p == 0:
                return Perturbed(dataset, untouched(dataset))
            if not math.isclose(p, self.total, abs_tol=1e-9):
                raise SpecError(
                    f"p is {p:.10g}, and the parts of the mixture add up to {self.total:.10g}",
                    "the same",
                    f"give p={self.total:.10g}, or leave it out",
                )
        self.check(dataset)
        return self._mixed(dataset, seed)

    @property
    def total(self) -> float:
        """The proportion of samples that become hard."""
        return math.fsum(part.p for part in self.made())

    def made(self) -> list[Part]:
        """Return the parts."""
        if not isinstance(self.parts, Mapping) or not self.parts:
            raise SpecError(
                f"the parts of the mixture are {self.parts!r}",
                "{kind of hardness: proportion}, one at least",
            )
        made = [_part(kind, value) for kind, value in self.parts.items()]
        names = [part.kind.name for part in made]
        for name in names:
            if names.count(name) > 1:
                raise SpecError(
                    f"the mixture names {name!r} twice",
                    "each kind once",
                    "give its strength as a list",
                )
        if math.fsum(part.p for part in made) >= 1:
            raise SpecError("the parts of the mixture add up to 1 or more", "less than 1")
        return made

    def check(self, dataset: LabelledDataset) -> None:
        """Raise DataError if a part does not apply to ``dataset``."""
        for part in self.made():
            part.kind.check(dataset)

    def change(
        self, dataset: LabelledDataset, chosen: Tensor, rng: np.random.Generator
    ) -> tuple[LabelledDataset, float]:
        """Not used: the parts change their own rows."""
        raise SpecError("a mixture changes rows part by part", remedy="call it")

    def _mixed(self, dataset: LabelledDataset, seed: int) -> Perturbed:
        kinds = [(part.kind.settle(dataset, seed), part.p) for part in self.made()]
        chances = [(kind, p, kind.eligible(dataset) & dataset.trainable) for kind, p in kinds]
        chances.sort(key=lambda item: (int(item[2].sum()), item[0].name))
        free = torch.ones(len(dataset), dtype=torch.bool)
        features, labels, notes = dataset.features, dataset.labels.clone(), dataset.notes
        truth = untouched(dataset)
        for kind, p, eligible in chances:
            rng = np.random.default_rng(child_seed(seed, f"mixture/{kind.name}"))
            chosen = kind._choose(dataset, p, rng, eligible & free)
            free[chosen] = False
            changed, strength = kind.change(dataset, chosen, rng)
            kind._verify(dataset, changed, chosen)
            labels[chosen] = changed.labels[chosen]
            if changed.features is not dataset.features:
                if features is dataset.features:
                    features = changed.features  # of no one else: it may be written to
                else:
                    features[chosen] = changed.features[chosen]
            notes += changed.notes[len(dataset.notes) :]
            own, rows = kind._truth(dataset, changed, chosen, strength), chosen.numpy()
            for column in ("is_hard", "hardness", "family", "strength"):
                values = truth[column].to_numpy(copy=True)
                values[rows] = own[column].to_numpy()[rows]
                truth[column] = values
            del changed  # a whole copy, which must not stand beside the next part's
        mixed = dataset.replace(features=features, labels=labels, notes=notes)
        return Perturbed(mixed, truth.assign(observed_label=mixed.label_values()))


def _part(kind: Any, value: Any) -> Part:
    options = dict(value) if isinstance(value, Mapping) else {"p": value}
    p = options.pop("p", None)
    made = make_perturbation(kind, **options)
    if made is None or isinstance(made, Mixture):
        raise SpecError(f"a part of the mixture is {kind!r}", "a kind of hardness")
    _check_p(p)
    return Part(made, float(p))
