"""Image files with labels, as the parts of a dataset."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.data.files.pictures import bits_of, open_picture
from hcat_nb.data.image_options import ImageOptions
from hcat_nb.data.reading.arrays import Parts, stack
from hcat_nb.data.reading.frozen import drawn_for
from hcat_nb.errors import DataError, some

if TYPE_CHECKING:
    from PIL.Image import Image

_NAMED = 5  # files that a message names


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Image files that are read when the dataset is made, each once.

    ``paths``: one file a sample: paths, or whatever ``opens`` opens and ``str`` names; ``labels``:
    one label a file; ``ids``: names of the samples; default their positions; ``options``: size and
    colours; ``transform``: takes a PIL image in the chosen colours, upright and in its own size,
    and returns an image, array or tensor; takes the place of ``size`` and ``fit``. What it draws at
    random is drawn once a sample; ``opens``: returns the upright picture of one of ``paths``.
    """

    paths: Sequence[Any]
    labels: Any
    name: str
    ids: pd.Index | None = None
    options: ImageOptions = field(default_factory=ImageOptions)
    transform: Callable[[Image], Any] | None = None
    notes: tuple[str, ...] = ()
    opens: Callable[[Any], Image] = open_picture

    def __post_init__(self) -> None:
        if self.transform is not None and not callable(self.transform):
            raise DataError(
                f"transform is a {type(self.transform).__name__}",
                "a callable that takes a PIL image",
            )


class ImageRow(int):
    """A row's number that is named as such, where images lie in a table."""

    def __str__(self) -> str:
        return f"row {int(self)}"


def missing_files(paths: Sequence[str | os.PathLike[str]]) -> None:
    """Raise DataError if files do not exist; names the first of them."""
    absent = [path for path in paths if not os.path.isfile(path)]
    if absent:
        raise DataError(
            f"{len(absent)} of {len(paths)} image files do not exist: {some(absent, _NAMED)}",
            "paths of files",
            "image_root= names the folder that the paths start from",
        )


def from_files(files: ImageFiles, seed: int) -> Parts:
    """Read every file once, in order."""
    named = (path for path in files.paths if isinstance(path, (str, os.PathLike)))
    paths = tuple(os.path.abspath(path) for path in named)
    bits = bits_of(paths)
    unread: dict[int, str] = {}
    array, _ = stack(_samples(files, bits, seed, unread), len(files.paths))
    if len(unread) == len(files.paths) > 0:
        raise DataError(
            f"none of {len(unread)} image files can be read ({unread[0]})", "JPEG, PNG and the like"
        )
    if unread:
        read = np.delete(np.arange(len(files.paths)), list(unread))
        whole = np.zeros((len(files.paths), *array.shape[1:]), array.dtype)
        whole[read] = array[: len(read)]
        array = whole
    notes = [*files.notes, _how(files, array)]
    if files.transform is not None and _is_random(files, bits, seed, unread):
        notes.append("the transform draws at random: once for each sample, from the seed")
    return Parts(
        array,
        files.labels,
        files.name,
        files.ids,
        channels_first=True,
        owned=True,
        notes=tuple(notes),
        unread=unread,
        files=paths if len(paths) == len(files.paths) else None,
    )


def _samples(files: ImageFiles, bits: int, seed: int, unread: dict[int, str]) -> Iterator[Any]:
    for row, path in enumerate(files.paths):
        try:
            image = files.options.plain(files.opens(path), bits)
        except Exception as error:  # decoders raise whatever they like; it is reported by name
            reason = " ".join(str(error).split()) or type(error).__name__
            unread[row] = f"{path}: {reason}"
            continue
        yield _sample(files, row, image, seed)


def _sample(files: ImageFiles, row: int, image: Image, seed: int) -> Any:
    if files.transform is None:
        return files.options.pixels(image)
    with drawn_for(row, seed):
        try:
            made = files.transform(image)
        except Exception as error:
            raise DataError(
                f"transform fails on {files.paths[row]}: {type(error).__name__}: {error}",
                "a callable that takes a PIL image",
            ) from error
    # arrays made from PIL images have channels last; a batch of samples has them first
    if isinstance(made, np.ndarray) and made.ndim == 3 and made.shape[2] in (1, 3, 4):
        return made.transpose(2, 0, 1)
    return made


def _is_random(files: ImageFiles, bits: int, seed: int, unread: dict[int, str]) -> bool:
    """Whether the transform makes another sample of the first file under another seed."""
    row = next(row for row in range(len(files.paths)) if row not in unread)
    image = files.options.plain(files.opens(files.paths[row]), bits)
    pair = [stack([_sample(files, row, image.copy(), child)], 1)[0] for child in (seed, seed + 1)]
    return pair[0].shape != pair[1].shape or not np.array_equal(pair[0], pair[1])


def _how(files: ImageFiles, array: np.ndarray) -> str:
    shape = " x ".join(map(str, array.shape[1:]))
    if files.transform is not None:
        return f"{len(array)} image files made {shape} by your transform"
    fit = {"crop": "their middle", "pad": "framed", "stretch": "stretched"}[files.options.fit]
    return f"{len(array)} image files made {shape}, {fit}"
