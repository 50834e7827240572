"""The one way into a dataset: by name, or from the user's own objects."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.files.array_file import names_array_file, read_arrays
from hcat_nb.data.placement import copied
from hcat_nb.data.reading.coerce import check_learnable, coerce
from hcat_nb.data.reading.rows import check_policy
from hcat_nb.data.reading.spellings import joined
from hcat_nb.data.truth import with_groups, with_truth, with_weights
from hcat_nb.errors import DataError, check_word
from hcat_nb.registry import SOURCES, name_of_path, names_file, names_folder
from hcat_nb.seeds import child_seed
from hcat_nb.spec import DATA_ON


def load(
    data: Any,
    labels: Any = None,
    *,
    target: Any = None,
    name: str | None = None,
    root: str | os.PathLike[str] | None = None,
    download: bool = True,
    subset: int | None = None,
    classes: Sequence[Any] | None = None,
    on_missing_label: str = "error",
    on_bad_row: str = "error",
    seed: int = 0,
    data_on: str = "auto",
    truth: Any = None,
    groups: Any = None,
    weights: Any = None,
    join_spellings: bool = False,
    **options: Any,
) -> LabelledDataset:
    """Return a dataset: features, class codes, class values and sample ids.

    Parameters
    ----------
    data : object
        One of:

        - the name of a dataset (``list_datasets()``);
        - with ``target``, a table: its path (.csv, .tsv, .data, .txt, .parquet, .json, .jsonl,
          .xlsx, .arff), that of a folder of such files, a pattern (``"data/*.parquet"``), a
          DataFrame (of pandas, polars, pyarrow, duckdb, ...), a dict of columns, a list of dicts;
        - a Path of a folder of images, or its path with a slash (``"./photos"``), where each
          subfolder is a class;
        - features or texts with ``labels`` beside them, or a pair ``(features, labels)``; the path
          of an array (.npy), with ``labels`` or with the path of an array of these as ``target``;
        - a map-style torch Dataset of pairs, or of dicts; a DataLoader over one, of which the
          dataset is read in dataset order; a Dataset of Hugging Face's ``datasets``, of images or
          a table; a LabelledDataset.

        Features are images, uint8 or float of shape (n, c, h, w), (n, h, w, c) or (n, h, w), or a
        numeric table of shape (n, columns).  A table may name image files, or hold images as
        bytes: ``image=`` is its column of them.
    labels : array, tensor, sequence, Series, Categorical or one-hot matrix, optional
        One label a row.
    target : hashable, optional
        Column of the table that holds the labels; of a file without a header
        its number, from 0, or ``"last"``.
    name : str, optional
        What the dataset is called in tables and on charts.
    root : path, optional
        Folder of downloaded datasets; default ``$HCAT_DATA``, else
        ``hcat_nb`` in the user's cache.
    download : bool
        Whether a named dataset that is absent may be downloaded.
    subset : int, optional
        Use this many rows, drawn without replacement, in their old order.
    classes : sequence, optional
        All class values in the order of their codes.  Classes that no row has
        are allowed; a label that is not among them is an error.
    on_missing_label : {"error", "drop", "keep"}
        What to do with rows whose label is missing: stop, leave them out, or keep them without a
        label (code -1).  Missing are None, NaN and NA; the text "nan" is, too, among numbers; among
        words it is a class (a note says so).
    on_bad_row : {"error", "drop", "keep"}
        What to do with rows that hold NaN, infinity, or a number beyond
        float32: stop, leave them out, or keep them as ``unreadable``.
    seed : int
        Decides which rows ``subset`` takes, and what a dataset or transform
        of yours draws from ``random``, NumPy's or torch's global streams: each
        row is drawn once, whatever the order of reading.
    data_on : {"auto", "device", "host", "disk"}
        Whether features lie in memory or, with ``"disk"``, in a memory-mapped file: that of the
        user, if ``data`` is a float32 (of images, also uint8) array in a .npy file or a
        ``numpy.memmap``; else a temporary one, in the folder that ``TMPDIR`` names.  ``"auto"``: on
        disk, if they would take more than half of the memory that is free.
    truth : hashable or array-like of length n, optional
        What you know of the labels: the true ones, or whether each is wrong
        (yes or no); a column of a table, which is then no feature, or the
        values.  Kept beside the samples, to measure with.
    groups : hashable or array-like of length n, optional
        Column, or values beside the data, equal for rows that belong together
        (a patient's, an author's): no feature, and never parted by folds.
    weights : hashable or array-like of length n, optional
        Column, or values beside the data, of what each row's loss counts in
        the training of the network: above 0, only ratios matter.  No feature.
    join_spellings : bool
        Whether classes whose names differ in case, spaces, joints (``-``,
        ``_``) or a closing stop only are one, called by the commonest; notes
        tell which.
    **options
        Of a named dataset, its own (``list_datasets()`` names them); of a table, those of
        :class:`~hcat_nb.data.table_options.TableOptions`: how a file is written, and categories,
        missing numbers and texts are read; ``split=`` of a folder of images; of a table of image
        paths ``image=`` (their column), ``image_root=`` (the folder that they start from; default:
        that of the table's file, else the current one), ``transform=`` (a callable that takes a PIL
        image) and those of :class:`~hcat_nb.data.image_options.ImageOptions`.

    Returns
    -------
    LabelledDataset
        A copy: the user's object is never changed, and later changes to it do not arrive here (of a
        file that stays mapped they may).  The index of a DataFrame becomes the sample ids, else
        that of labels beside the data, else positions (of a ``Subset``, those in its parent);
        ``notes`` tell how the data were read.

    Raises
    ------
    DataError
        If the data cannot be used as they are; says which rows or columns.
    MissingDataError
        If a named dataset is absent and may not, or cannot, be downloaded.
    UnknownNameError
        If there is no such dataset, or it has no such option or column.
    SpecError
        If ``on_missing_label``, ``on_bad_row`` or ``data_on`` is not one of
        its choices.
    TooLargeError
        If there is not enough memory, or disk.

    Notes
    -----
    Labels become codes ``0 .. n_classes - 1`` by these rules:

    - The classes are the distinct values, in ascending order, texts that are
      all numbers in the order of these ("2" before "10"); of a Categorical
      the categories that occur, in their order; of a one-hot matrix all
      columns, in their order; with ``classes`` exactly those.
    - A class keeps the value that the user gave it: 10, "oak", True and 1.0
      stay what they are in every table.
    - Numbers and text, or numbers and booleans, in one column are refused: 1
      and "1" would be two classes.
    - Numbers that are not whole, or mostly different from one another, are
      refused as a regression target.

    Examples
    --------
    >>> dataset = load([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]], ["oak", "elm", "oak"])
    >>> dataset.class_values, dataset.labels.tolist()
    (('elm', 'oak'), [1, 0, 1])
    """
    check_policy("on_missing_label", on_missing_label)
    check_policy("on_bad_row", on_bad_row)
    check_word("data_on", data_on, DATA_ON)
    reading: dict[str, Any] = {
        "target": target,
        "classes": classes,
        "on_missing_label": on_missing_label,
        "on_bad_row": on_bad_row,
        "options": options,
        "seed": seed,
        "truth": truth,
        "groups": groups,
        "weights": weights,
    }
    if isinstance(data, LabelledDataset):
        dataset = _complete(data, labels=labels, target=target, classes=classes, **options)
        dataset = dataset if truth is None else with_truth(dataset, truth)
        dataset = dataset if groups is None else with_groups(dataset, groups)
        dataset = dataset if weights is None else with_weights(dataset, weights)
    elif isinstance(data, (str, os.PathLike)) and names_array_file(data):
        features, labels = read_arrays(data, labels, target)
        reading["target"] = None
        dataset = coerce(features, labels, name=Path(data).stem, data_on=data_on, **reading)
    elif isinstance(data, (str, os.PathLike)):
        dataset = _named(name_of_path(data), labels, root, download, **reading)
    else:
        dataset = coerce(data, labels, name=name, data_on=data_on, **reading)
    if name is not None:
        dataset = dataset.replace(name=name)
    if join_spellings:
        dataset = joined(dataset)
        check_learnable(dataset)
    if subset is not None:
        dataset = _subset(dataset, subset, seed)
    if data_on != "auto" and dataset.mapped != (data_on == "disk"):
        dataset = dataset.replace(
            features=copied(dataset.features, data_on), mapped=data_on == "disk"
        )
    return dataset


def _named(
    name: str, labels: Any, root: str | os.PathLike[str] | None, download: bool, **reading: Any
) -> LabelledDataset:
    """Return a dataset that is known by name, the table in a file, or the images in a folder."""
    if labels is not None:
        raise DataError(f"labels was given with {name!r}, which has its own labels", "none")
    options = reading.pop("options")
    if names_file(name):
        name, options = "file", {"path": name, **options}
    elif names_folder(name):
        name, options = "folder", {"path": name, **options}
    folder = None if root is None else Path(root)
    source = SOURCES.get(name).from_options(folder, download, **options)
    dataset: LabelledDataset = source.load_as(**reading)
    if name != "folder" and Path(name).is_dir():
        note = f"{name!r} is the dataset of that name, not the folder beside: that is './{name}'"
        dataset = dataset.replace(notes=(*dataset.notes, note))
    return dataset


def _complete(dataset: LabelledDataset, **given: Any) -> LabelledDataset:
    """Return a dataset as it is, if nothing was given that it has already."""
    for option, value in given.items():
        if value is not None and value != {}:
            raise DataError(
                f"{option} was given with the dataset {dataset.name!r}, which has its own labels",
                "none",
            )
    return dataset


def _subset(dataset: LabelledDataset, size: int, seed: int) -> LabelledDataset:
    n = len(dataset)
    if not isinstance(size, (int, np.integer)) or not 2 <= size <= n:
        raise DataError(
            f"subset is {size!r}", f"a whole number from 2 to the {n} samples of {dataset.name!r}"
        )
    if size == n:
        return dataset
    rng = np.random.default_rng(child_seed(seed, "subset"))
    rows = np.sort(rng.choice(n, size=size, replace=False))
    part = dataset.take(torch.from_numpy(rows))
    note = f"{size} of {n} samples, drawn at random (seed {seed})"
    part = part.replace(notes=(*dataset.notes, note))
    check_learnable(part)
    return part
