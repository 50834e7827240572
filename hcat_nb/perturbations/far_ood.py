"""Far out of distribution: an image of something else, or a row beyond the table's ranges.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551 (MNIST and CIFAR-10 take
images of each other; in tables two zeros and two ones are flipped).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, MissingDataError, SpecError
from hcat_nb.perturbations._images import grey, redrawn, value_range, with_extremes
from hcat_nb.perturbations._strength import check_variant
from hcat_nb.perturbations._tables import Column, column_index, layout, numeric_columns
from hcat_nb.perturbations.base import H_CAT, Perturbation
from hcat_nb.registry import SOURCES

_ROWS = 2**16  # looked at together
_PUBLISHED = {"mnist": "cifar10", "cifar10": "mnist"}
_FLIPS = 2


@dataclass(frozen=True)
class FarOod(Perturbation):
    """Images of another dataset; rows of a table whose values lie beyond those of all others.

    An image is replaced by one of the source, brought to the same channels,
    size, type and value range.  Each source image serves once, as long as
    there are enough.

    In a table every column changes: a numeric value becomes ``max + u r`` or
    ``min - u r``, ``u`` ~ U(.25, 1) and ``r`` the range of the column, with
    the column's own number of decimals; a category becomes another of its
    column, a one-hot block gets another member, a two-valued column its other
    value.  Constant columns stay, and words of texts do.

    Parameters
    ----------
    source : str or LabelledDataset, optional
        Images: where they come from.  Default: CIFAR-10 for MNIST and MNIST
        for CIFAR-10, as published; for any other dataset what is bundled,
        ``photos`` where images are grey and ``digits`` where they are not.
    root : str, optional
        Folder of downloaded datasets, as in ``load``.
    download : bool
        Whether the source may be downloaded.
    categorical : sequence of str or int
        Tables: columns of numbers that are codes of categories; they change to
        another code, as columns do that were read as categorical.
    keep_extremes : bool
        Images: whether the new image takes over the darkest and brightest
        value of each channel of the one it replaces, so that what gives it away is what it
        shows.
    variant : {"paper", "hcat"}
        ``"hcat"``: tables: two zeros and two ones of each row are flipped;
        images: the new one is squeezed into the upper half of the valid
        range (H-CAT does not normalise it as it does all others), so that its
        minimum alone gives it away.
    """

    name: ClassVar[str] = "far_ood"
    title: ClassVar[str] = "Far OOD: from another dataset, or beyond all ranges"
    family: ClassVar[Literal["far_ood"]] = "far_ood"
    modality: ClassVar[frozenset[Literal["image", "table"]]] = frozenset({"image", "table"})
    paper: ClassVar[str] = H_CAT
    cost: ClassVar[str] = "a copy of the features; of images, the other dataset"

    source: str | LabelledDataset | None = None
    root: str | None = None
    download: bool = True
    categorical: tuple[str | int, ...] = ()
    keep_extremes: bool = True
    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        one = isinstance(self.categorical, (str, int))
        several = (self.categorical,) if one else tuple(self.categorical)
        object.__setattr__(self, "categorical", several)
        check_variant(self.variant)

    def check(self, dataset: LabelledDataset) -> None:
        """Raise if the source is unknown or no images, or a table has nothing to change."""
        super().check(dataset)
        if dataset.modality == "image":
            self._check_source(dataset)
            return
        for column in self.categorical:
            column_index(dataset, column, "categorical")
        found = layout(dataset)
        changes = found.numeric or found.binary or found.blocks or found.categorical
        if self.variant == "paper" and not changes and dataset.words:
            numeric_columns(dataset, self.name)  # says why texts are left alone
        if self.variant == "paper" and not changes:
            raise DataError(
                f"every column of {dataset.name!r} is constant", "a column with two values"
            )

    def settle(self, dataset: LabelledDataset, seed: int) -> Self:
        """Return this with its source loaded."""
        if dataset.modality == "table" or isinstance(self.source, LabelledDataset):
            return self
        name = default_source(dataset) if self.source is None else self.source
        try:
            return replace(self, source=load(name, root=self.root, download=self.download))
        except MissingDataError as error:
            raise MissingDataError(
                error.wrong,
                error.expected,
                f"{error.remedy}; or give far_ood a source that is bundled: photos, digits",
            ) from error

    def eligible(self, dataset: LabelledDataset) -> Tensor:
        """Return all samples; in H-CAT's tables those with two zeros and two ones."""
        if dataset.modality == "table" and self.variant == "hcat":
            bits = _uncoded(dataset)
            parts = [flippable(block[:, bits]) for block in dataset.features.split(_ROWS)]
            return dataset.trainable & torch.cat(parts)
        return dataset.trainable

    def change(
        self, dataset: LabelledDataset, chosen: Tensor, rng: np.random.Generator
    ) -> tuple[LabelledDataset, float]:
        """Replace the chosen samples; this kind has no strength (NaN)."""
        if dataset.modality == "image":
            return self._change_images(dataset, chosen, rng), float("nan")
        if self.variant == "hcat":
            bits = _uncoded(dataset)
            features = dataset.copied_features()
            flipped = flip_bits(dataset.features[chosen][:, bits], rng)
            features[chosen[:, None], torch.tensor(bits)] = flipped
        else:
            codes = {column_index(dataset, name, "categorical") for name in self.categorical}
            features = beyond(dataset, chosen, codes, rng)
        return dataset.replace(features=features), float("nan")

    def _change_images(
        self, dataset: LabelledDataset, chosen: Tensor, rng: np.random.Generator
    ) -> LabelledDataset:
        source = self.source
        assert isinstance(source, LabelledDataset)  # settled
        usable = torch.nonzero(source.readable).ravel().numpy()
        order = rng.choice(usable, size=len(chosen), replace=len(chosen) > len(usable))
        first = np.ones(len(chosen), dtype=bool)

        def foreign(images: Tensor, places: np.ndarray) -> Tensor:
            again = ~first[places]  # it looked like the image it was to replace
            order[places[again]] = rng.choice(usable, size=int(again.sum()))
            first[places] = False
            taken = source.features[torch.from_numpy(order[places])].float()
            new = like_images(taken, value_range(source), dataset)
            if self.variant == "hcat":
                new = (new + value_range(dataset)[1]) / 2
            elif self.keep_extremes:
                # Whole pictures: a pale one has its contrast raised, not its grain.
                span = value_range(dataset)
                new = with_extremes(new, images, span, most_stretch=math.inf)
            return new

        note = f"far_ood: images of {source.name!r}"
        features = redrawn(dataset, chosen, foreign, self.name)
        return dataset.replace(features=features, notes=(*dataset.notes, note))

    def _check_source(self, dataset: LabelledDataset) -> None:
        name = default_source(dataset) if self.source is None else self.source
        modality, known = "image", ""
        if isinstance(name, LabelledDataset):
            modality, known = name.modality, name.name
            if not len(name) or not bool(name.readable.any()):
                raise DataError(f"the source {name.name!r} has no image", "one at least")
        elif isinstance(name, str):
            plugin = SOURCES.get(name)
            modality, known = plugin.modality, plugin.name
            if known == dataset.name:
                raise SpecError(f"far_ood's source is {known!r}, the dataset itself", "another")
        else:
            raise SpecError(f"source is {name!r}", "the name of a dataset, or a LabelledDataset")
        if modality != "image":
            raise DataError(f"far_ood's source {known!r} is a table", "images")


def _uncoded(dataset: LabelledDataset) -> list[int]:
    """Return the columns that are neither codes of categories nor weights of words."""
    coded = {*dataset.levels, *dataset.words}
    return [i for i in range(dataset.sample_shape[0]) if i not in coded]


def default_source(dataset: LabelledDataset) -> str:
    """Return the name of the dataset that images come from where none is named."""
    grey_images = dataset.sample_shape[0] < 3
    return _PUBLISHED.get(dataset.name, "photos" if grey_images else "digits")


def like_images(images: Tensor, valid: tuple[float, float], dataset: LabelledDataset) -> Tensor:
    """Return images in the channels, size and value range of a dataset.

    Colour becomes grey by luma, grey is repeated; a transparency that the source lacks is opaque.
    Sizes change bilinearly, with antialiasing.

    ``images`` (b, channels, height, width) float32; ``valid``: their value range. Returns (b,
    channels, height, width) float32: channels, height and width as in the dataset.
    """
    channels, height, width = dataset.sample_shape
    low, high = value_range(dataset)
    share = (images - valid[0]) / (valid[1] - valid[0])
    if share.shape[1] != channels:
        share = _recoloured(share, channels)
    if share.shape[-2:] != (height, width):
        share = functional.interpolate(
            share, (height, width), mode="bilinear", align_corners=False, antialias=True
        )
    return low + share.clamp(0, 1) * (high - low)


def _recoloured(share: Tensor, channels: int) -> Tensor:
    if channels in (3, 4):
        colour = share[:, :3] if share.shape[1] in (3, 4) else grey(share).expand(-1, 3, -1, -1)
        opaque = torch.ones_like(colour[:, :1])
        return colour if channels == 3 else torch.cat([colour, opaque], dim=1)
    return grey(share).expand(-1, channels, -1, -1)


_LEAST, _MOST = 0.25, 1.0  # how far beyond a range, in ranges


def beyond(
    dataset: LabelledDataset, chosen: Tensor, categorical: Collection[int], rng: np.random.Generator
) -> Tensor:
    """Return the features with every value of the chosen rows out of the ordinary.

    ``dataset``: a table; left as it is; ``chosen`` (k,) int64; ``categorical``: columns of codes
    beside those that the dataset knows as categorical; they take another code. Returns (n, columns)
    float32: numeric columns lie outside the range of all readable rows.
    """
    found = layout(dataset)
    before = dataset.features
    features = dataset.copied_features()
    readable = dataset.readable
    for column in found.numeric:
        if column.index not in categorical:
            outside = _outside(column, len(chosen), rng)
            features[chosen, column.index] = torch.from_numpy(outside).float()
    codes_of = [column.index for column in found.numeric if column.index in categorical]
    for index in (*codes_of, *found.categorical):
        levels = torch.unique(before[readable, index])
        features[chosen, index] = other_level(before[chosen, index], levels, rng)
    for index, low, high in found.binary:
        features[chosen, index] = low + high - before[chosen, index]
    for block in found.blocks:
        members = [index for index in block if bool(before[readable, index].any())]
        codes = torch.arange(len(members))
        now = before[chosen][:, members].argmax(dim=1)
        other = other_level(now, codes, rng)
        features[chosen[:, None], torch.tensor(members)] = (codes == other[:, None]).float()
    return features


def other_level(now: Tensor, levels: Tensor, rng: np.random.Generator) -> Tensor:
    """Return for each value another one of ``levels``, each as likely.

    ``now`` (k,): values, all of them among the levels; ``levels`` (m,): distinct, ascending.

    >>> other_level(torch.tensor([0, 1]), torch.tensor([0, 1]), np.random.default_rng(0)).tolist()
    [1, 0]
    """
    place = torch.searchsorted(levels, now)
    step = torch.from_numpy(rng.integers(1, len(levels), size=len(now)))
    return levels[(place + step) % len(levels)]


def flippable(features: Tensor) -> Tensor:
    """Return which rows hold two zeros and two ones at least: (n,) bool.

    Categories and words are no bits; hand over the other columns.
    """
    return ((features == 0).sum(dim=1) >= _FLIPS) & ((features == 1).sum(dim=1) >= _FLIPS)


def flip_bits(rows: Tensor, rng: np.random.Generator) -> Tensor:
    """Return rows (k, bits) in which two zeros and two ones of each are flipped (H-CAT)."""
    result = rows.clone()
    for value in (0.0, 1.0):
        # The largest of random numbers among the entries of that value: drawn without replacement.
        lots = torch.from_numpy(rng.random(rows.shape))
        lots[rows != value] = -1.0
        places = lots.topk(_FLIPS, dim=1).indices
        result.scatter_(1, places, 1.0 - value)
    return result


def _outside(column: Column, k: int, rng: np.random.Generator) -> np.ndarray:
    reach = rng.uniform(_LEAST, _MOST, size=k) * (column.high - column.low)
    if column.decimals is not None:
        # Away from the column: rounding then neither leaves U(.25, 1) nor reaches the range.
        unit = 10.0**-column.decimals
        reach = np.ceil(reach / unit) * unit
    above = rng.random(k) < 0.5
    return column.rounded(np.where(above, column.high + reach, column.low - reach))
