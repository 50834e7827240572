"""What a source of a named dataset has to provide."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from hcat_nb.data.dataset import LabelledDataset

__all__ = ["Source"]


@dataclass(frozen=True)
class Source(ABC):
    """A dataset that is known by name.

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
    n_samples: ClassVar[int]
    bundled: ClassVar[bool]

    root: Path | None = None
    download: bool = True

    @abstractmethod
    def load(self) -> LabelledDataset:
        """Return the training set.

        Raises
        ------
        MissingDataError
            If files are absent and may not, or cannot, be downloaded.
        """
