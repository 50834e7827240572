"""A folder of image files, a subfolder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hcat_nb.data._image_files import ImageFiles
from hcat_nb.data._pictures import SUFFIXES
from hcat_nb.data.coerce import coerce
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.image_options import ImageOptions
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import DataError, MissingDataError, SpecError

__all__ = ["Folder"]


@dataclass(frozen=True)
class Folder(ImageOptions, Source):
    """Images in class folders; ``load("photos/")`` is short for it.

    Parameters
    ----------
    path : str
        The folder of class folders.  Images may lie deeper in them.  Hidden
        files and files that are no images are passed over.  A sample's id is
        its path below the folder.
    transform : callable, optional
        Takes a PIL image and returns an image, array or tensor; takes the
        place of ``size`` and ``fit``.  What it draws at random is drawn once
        a sample.
    flip_keeps_label : bool
        Whether a mirrored image is of the same class.
    """

    name = "folder"
    title = "Images of yours in class folders"
    modality = "image"
    n_samples = None
    bundled = False
    paper = "your own"
    cost = "a folder of yours"

    path: str = ""
    transform: Callable[..., Any] | None = None
    flip_keeps_label: bool = False

    def load(self) -> LabelledDataset:
        """Return all images of the folder."""
        return self.load_as()

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
    ) -> LabelledDataset:
        """Return all images of the folder, uint8 unless a transform makes floats.

        Raises
        ------
        SpecError
            If no path was given.
        MissingDataError
            If there is no such folder.
        DataError
            If it has not two class folders with images, or, unless
            ``on_bad_row`` says otherwise, a file cannot be read.
        """
        import pandas as pd

        if target is not None:
            raise DataError("target was given with a folder: its subfolders are the labels", "none")
        if not self.path:
            raise SpecError(
                "the dataset 'folder' was given no path", "a folder of class folders", "path=photos"
            )
        root = Path(self.path).expanduser()
        if not root.is_dir():
            raise MissingDataError(f"there is no folder {root}", "a folder of class folders")
        paths, passed = _images(root)
        inside = [path.relative_to(root) for path in paths]
        labels = [path.parts[0] for path in inside]
        if len(set(labels)) < 2:
            raise DataError(
                f"{root} has {len(set(labels))} subfolders with images, and {len(paths)} images "
                "in them",
                "a subfolder for each class, at least two",
            )
        notes = (f"{passed} files of {root.name} that are no images were passed over",)
        files = ImageFiles(
            paths,
            labels,
            root.resolve().name,
            pd.Index([path.as_posix() for path in inside]),
            ImageOptions.chosen(self),
            self.transform,
            notes if passed else (),
        )
        dataset = coerce(
            files, classes=classes, on_bad_row=on_bad_row, seed=seed, truth=truth, groups=groups
        )
        return dataset.replace(flip_keeps_label=self.flip_keeps_label)


def _images(root: Path) -> tuple[list[Path], int]:
    """Return the images below the class folders, sorted, and the number of other files."""
    found: list[Path] = []
    passed = 0
    for folder, inner, names in os.walk(root, followlinks=True):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            is_image = path.suffix.lower() in SUFFIXES and not name.startswith(".")
            if is_image and path.parent != root:
                found.append(path)
            else:
                passed += 1
    return sorted(found), passed
