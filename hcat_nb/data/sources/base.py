"""What a source of a named dataset has to provide."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.truth import with_groups, with_truth, with_weights
from hcat_nb.errors import DataError
from hcat_nb.registry import refuse_unknown

_COMMON = ("root", "download")  # of every source; options of a run, not of a dataset


@dataclass(frozen=True)
class Source(ABC):
    """A dataset that is known by name.

    A subclass is a frozen dataclass; fields that it adds are its options.

    Parameters
    ----------
    root : Path, optional
        Folder of downloaded datasets; sources that are bundled ignore it.
    download : bool
        Whether an absent dataset may be downloaded.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    modality: ClassVar[Literal["image", "table"]]
    n_samples: ClassVar[int | None]  # None: it depends on what is read
    bundled: ClassVar[bool]
    paper: ClassVar[str] = "not stated"
    cost: ClassVar[str] = ""  # of getting it; empty: what `bundled` says

    root: Path | None = None
    download: bool = True

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """Return the names of its own options."""
        names = (item.name for item in dataclasses.fields(cls) if item.init)
        return tuple(name for name in names if name not in _COMMON)

    @classmethod
    def from_options(cls, root: Path | None, download: bool, **options: Any) -> Self:
        """Return the source with these options, as they come from keywords or a shell."""
        wrong = f"unknown option {{!r}} of the dataset {cls.name!r}"
        refuse_unknown(options, cls.options(), wrong)
        return cls(root=root, download=download, **options)

    def load_as(
        self,
        *,
        target: Any = None,
        classes: Sequence[Any] | None = None,
        on_missing_label: str = "error",
        on_bad_row: str = "error",
        seed: int = 0,
        truth: Any = None,
        groups: Any = None,
        weights: Any = None,
    ) -> LabelledDataset:
        """Return the training set, read in the way that ``hcat_nb.load`` was asked for.

        Here, of a dataset that brings its labels along and has no faulty rows: a subclass that
        reads a user's table overrides it.
        """
        for option, value in (("target", target), ("classes", classes)):
            if value is not None:
                raise DataError(
                    f"{option} was given with {self.name!r}, which has its own labels", "none"
                )
        dataset = self.load()
        dataset = dataset if truth is None else with_truth(dataset, truth)
        dataset = dataset if groups is None else with_groups(dataset, groups)
        return dataset if weights is None else with_weights(dataset, weights)

    @abstractmethod
    def load(self) -> LabelledDataset:
        """Return the training set."""
