"""A folder of image files, a subfolder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hcat_nb.casts import as_path
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.files.image_files import ImageFiles
from hcat_nb.data.files.pictures import SUFFIXES
from hcat_nb.data.image_options import ImageOptions
from hcat_nb.data.reading.coerce import coerce
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import DataError, MissingDataError, SpecError, some
from hcat_nb.registry import names_file, nearest, split_of

# What macOS, Windows, Synology and Python leave in folders.
_JUNK = ("__MACOSX", "$RECYCLE.BIN", "System Volume Information", "@eaDir", "__pycache__")


@dataclass(frozen=True)
class Folder(ImageOptions, Source):
    """Images in class folders; ``load("photos/")`` is short for it.

    Parameters
    ----------
    path : str
        The folder of class folders.  Images may lie deeper in them.  Hidden
        files, folders that systems leave (``__MACOSX`` and the like) and files
        that are no images are passed over.  A sample's id is its path below
        the folder.
    split : str, optional
        Of a folder of splits (train, val, test, ...), each with the class
        folders, the one to read; where splits lie within the classes, too.
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
    split: str | None = None
    transform: Callable[..., Any] | None = None
    flip_keeps_label: bool = False

    def load(self) -> LabelledDataset:
        """Return all images of the folder."""
        return self.load_as()

    def load_as(self, *, target: Any = None, **reading: Any) -> LabelledDataset:
        """Return all images of the folder, uint8 unless a transform makes floats."""
        if target is not None:
            raise DataError("target was given with a folder: its subfolders are the labels", "none")
        dataset = coerce(self.files(), **reading)
        return dataset.replace(flip_keeps_label=self.flip_keeps_label)

    def files(self) -> ImageFiles:
        """Return the images and their classes, not yet read."""
        if not self.path:
            raise SpecError(
                "the dataset 'folder' was given no path", "a folder of class folders", "path=photos"
            )
        root = as_path(self.path)
        if not root.is_dir():
            raise MissingDataError(f"there is no folder {root}", "a folder of class folders")
        paths, passed, loose = _images(root)
        inside = [path.relative_to(root) for path in paths]
        classes_at = _class_level(root, inside, self.split)
        if self.split is not None:
            kept = [at for at, path in enumerate(inside) if _in_split(path, self.split)]
            paths, inside = [paths[at] for at in kept], [inside[at] for at in kept]
        labels = [path.parts[classes_at] for path in inside]
        if len(set(labels)) < 2:
            tables = sorted({one.parent for one in root.glob("*/*") if names_file(one.name)})
            deeper = _class_folders(root, inside)
            remedy = f"{tables[0]} holds tables: name it" if tables and not paths else None
            raise DataError(
                f"{root} has {len(set(labels))} subfolders with images, and {len(paths)} images "
                "in them",
                "a subfolder for each class, at least two",
                f"the folder {deeper}" if deeper else remedy,
            )
        notes = [f"{passed} files of {root.name} that are no images were passed over"]
        notes = notes if passed else []
        if loose:
            notes.append(f"{loose} images beside the class folders of {root.name} have no class")
        if nested := _nested(inside, classes_at):
            notes.append(
                f"{some(nested)}: has its images in several folders, where other classes have them "
                "at once; all are of the class that the upper folder names"
            )
        return ImageFiles(
            paths,
            labels,
            root.resolve().name,
            pd.Index([path.as_posix() for path in inside]),
            ImageOptions.chosen(self),
            self.transform,
            tuple(notes),
        )


def _class_level(root: Path, inside: Sequence[Path], split: str | None) -> int:
    """Return where in the paths of images their class stands."""
    top = dict.fromkeys(path.parts[0] for path in inside)
    splits = [name for name in top if split_of(name)]
    if split is None:
        if top and len(splits) == len(top):
            first = next((one for one in splits if "train" in one.lower()), splits[0])
            raise DataError(
                f"the subfolders of {root} are splits, not classes: {', '.join(splits)}",
                "one split, with its class folders",
                f"the folder {root / first}, or split={first!r}",
            )
        return 0
    known = dict.fromkeys(part for path in inside for part in path.parts[:2] if split_of(part))
    if not any(_in_split(path, split) for path in inside):
        raise DataError(f"{root} has no split {split!r}", nearest(split, list(known)))
    deep = split in top and all(len(path.parts) > 2 for path in inside if path.parts[0] == split)
    return int(deep)


def _class_folders(root: Path, inside: Sequence[Path]) -> Path | None:
    """Return the folder of class folders that lies below the only folder of ``root``, if any."""
    if not inside:
        return None
    shared = Path(os.path.commonpath([path.parent for path in inside]))
    level = len(shared.parts)
    names = sorted({path.parts[level] for path in inside if len(path.parts) > level + 1})
    if level == 0 or len(names) < 2:
        return None
    if not all(map(split_of, names)):
        return root / shared
    return root / shared / next((one for one in names if "train" in one.lower()), names[0])


def _in_split(path: Path, split: str) -> bool:
    return split in path.parts[:2] and len(path.parts) > 2


def _nested(inside: Sequence[Path], level: int) -> list[str]:
    """Return the classes that look like a folder of classes, beside some that do not."""
    below: dict[str, set[str]] = {}
    for path in inside:
        deeper = path.parts[level + 1] if len(path.parts) > level + 2 else ""
        below.setdefault(path.parts[level], set()).add(deeper)
    odd = [f"{name}/ ({some(sorted(one), 3)})" for name, one in below.items() if _wrapped(one)]
    return odd if len(odd) < len(below) else []


def _wrapped(folders: set[str]) -> bool:
    return len(folders) > 1 and "" not in folders and not any(map(split_of, folders))


def _images(root: Path) -> tuple[list[Path], int, int]:
    """Return the images below the class folders, sorted; how many other files, and images, are."""
    found: list[Path] = []
    passed = loose = 0
    for folder, inner, names in os.walk(root, followlinks=True):
        inner[:] = sorted(one for one in inner if not one.startswith(".") and one not in _JUNK)
        for name in sorted(names):
            path = Path(folder, name)
            is_image = path.suffix.lower() in SUFFIXES and not name.startswith(".")
            if is_image and path.parent != root:
                found.append(path)
            else:
                passed += not is_image
                loose += is_image
    return sorted(found), passed, loose
