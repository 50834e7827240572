"""From what a user kept of a training to checked dynamics, labels and ids."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.data.class_order import check_order, fit_classes
from hcat_nb.errors import DataError, ModelError, SpecError, check_word, some
from hcat_nb.runs.execution.model_outputs import PROBABILITIES
from hcat_nb.runs.recorded.frames import align

if TYPE_CHECKING:
    from torch import Tensor

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.observation.recorded import Content, Moment, Recorded

MOMENTS = ("epoch_end", "train")
_NAMED = 3  # ids that a message names


@dataclass(frozen=True, eq=False)
class RecordedInput:
    """Dynamics and whom they belong to: ``dataset`` has labels and ids, but no features.

    ``counts`` (n,): in how many epochs each sample was recorded, not positive where the last one
    lacks it.
    """

    recorded: Recorded
    dataset: LabelledDataset
    counts: Tensor
    notes: tuple[str, ...]


def read_input(
    probs: Any,
    labels: Any,
    logits: Any,
    log_file: Any,
    *,
    ids: Any,
    classes: Sequence[Any] | None,
    name: str | None,
    recorded: str,
    on_missing: str,
    on_missing_label: str,
    positive: Any = None,
    truth: Any = None,
) -> RecordedInput:
    """Return the user's dynamics, checked; the parameters are those of `characterize_dynamics`."""
    import torch

    from hcat_nb.data.dataset import NO_LABEL
    from hcat_nb.data.reading.any_frame import as_pandas
    from hcat_nb.data.reading.rows import check_policy, settle_missing_labels
    from hcat_nb.data.truth import with_truth
    from hcat_nb.observation.recorded import Selected
    from hcat_nb.observation.recorded_arrays import ArrayDynamics

    check_policy("on_missing", on_missing)
    check_policy("on_missing_label", on_missing_label)
    check_word("recorded", recorded, MOMENTS)
    moment: Moment = recorded  # type: ignore[assignment]
    given = {"probs": probs, "logits": logits, "log_file": log_file}
    there = [key for key, value in given.items() if value is not None]
    if len(there) != 1:
        raise SpecError(
            " and ".join(there) + " are given" if there else "no dynamics are given",
            "one of probs, logits and log_file",
        )
    if isinstance(probs, (str, os.PathLike)):
        raise SpecError(f"probs is the path {os.fspath(probs)!r}", "an array", "log_file=")
    notes: list[str] = []
    if log_file is not None:
        if ids is not None:
            raise SpecError("ids are given beside a log_file, which has its own", "one of them")
        logits, labels, ids, classes, note = _from_log(log_file, labels, classes)
        notes.append(note)
    content: Content = "logits" if probs is None else "probs"
    labels = as_pandas(labels)
    aligned = align(logits if probs is None else probs, labels, ids, classes, content)
    values, note = _by_epoch(aligned.arrays, labels)
    notes += [note] if note else []
    arrays = ArrayDynamics(values, content, moment)
    called = name or ("log" if log_file else "dynamics")
    dataset = _dataset(labels, aligned.ids, aligned.classes, arrays, called)
    if truth is not None:
        if isinstance(truth, pd.Series) and truth.index.is_unique:
            truth = truth.reindex(dataset.sample_ids)  # matched by id, as labels of a log are
        dataset = with_truth(dataset, truth)
    if (code := _positive(positive, dataset, arrays.content)) is not None:
        arrays = ArrayDynamics(values, content, moment, positive=code)
    missing = dataset.labels == NO_LABEL
    about_labels = settle_missing_labels(missing, dataset.sample_ids, on_missing_label)
    survey = arrays.survey()
    if survey.zeros:
        notes.append(
            f"{survey.zeros} probabilities are 0: their logarithm counts as -87.3, "
            "the smallest of float32"
        )
    if survey.probable:
        notes.append(PROBABILITIES.format("the logits") + ": hand them over as probs=")
    if survey.rounded:
        notes.append(
            f"probabilities are rounded to {survey.rounded} decimals, and add up to 1 as far as "
            "that allows"
        )
    if arrays.n_classes is not None and not aligned.named:
        _check_order(arrays, dataset)
    counts = survey.seen.sum(0)
    about_epochs = _settle_missing_epochs(survey.seen, counts, dataset.sample_ids, on_missing)
    dropped = missing & (on_missing_label == "drop")
    if on_missing == "drop":
        dropped |= counts < arrays.n_epochs
    rows = torch.nonzero(~dropped).ravel()
    if not bool((dataset.labels[rows] != NO_LABEL).any()):
        raise DataError("no sample is left that has a label", "one at least")
    counts = torch.where(survey.seen[-1], counts, -counts)
    source: Recorded = arrays
    if len(rows) < len(dataset):
        source, dataset, counts = Selected(arrays, rows), dataset.take(rows), counts[rows]
    notes += [note for note in (about_labels, about_epochs) if note]
    return RecordedInput(source, dataset, counts, (*dataset.notes, *notes))


def _by_epoch(given: Any, labels: Any) -> tuple[Any, str]:
    """Return the arrays with an axis of epochs, and a note if that was not there."""
    shape = tuple(getattr(given, "shape", ()))
    n = len(labels) if hasattr(labels, "__len__") else -1
    if len(shape) in (1, 2) and shape[0] == n and shape[-1] != (n if len(shape) == 2 else -1):
        return given[None], f"the shape {shape} was read as one moment of {n} samples"
    return given, ""


def _positive(positive: Any, dataset: LabelledDataset, content: str) -> int | None:
    """Return the code of the class that (epochs, samples) are of; None: each is the label's."""
    classes = dataset.class_values
    one_column = content == "label_probs"
    if positive is None and not (one_column and len(classes) == 2):
        return None
    known = f"positive={classes[-1]!r} if they are of that class, as predict_proba(X)[:, 1] is"
    if positive is None:
        raise SpecError(
            "probs have one value a sample and epoch, and there are two classes: they may be of "
            "one of the classes, or of each sample's own label",
            "positive=",
            f'{known}; positive="label" if they are of the label',
        )
    if not one_column:
        raise SpecError("positive= is given with values of all classes", "none")
    if positive in classes and len(classes) == 2:
        return classes.index(positive)
    if positive == "label":
        return None
    raise SpecError(f"positive is {positive!r}", '"label", or one of two classes', known)


def _check_order(arrays: Any, dataset: LabelledDataset) -> None:
    """Refuse columns that hit the labels of the last epoch in another order only."""
    import torch

    found = [(rows, values.argmax(1)) for rows, values in arrays.chunks(arrays.n_epochs)]
    if not found:
        return
    rows, predicted = (torch.cat(part) for part in zip(*found, strict=True))
    labels = dataset.labels[rows]
    known = (labels >= 0).numpy()
    check_order(
        np.asarray(predicted)[known],
        labels.numpy()[known],
        dataset.class_values,
        f"the {arrays.name}",
        "classes=[...], all class values in the order of the last axis; if they are in order, hand "
        "over one DataFrame an epoch with the class values as columns",
    )


def _from_log(log_file: Any, labels: Any, classes: Sequence[Any] | None) -> tuple[Any, ...]:
    """Return logits, labels, ids, classes and a note."""
    from hcat_nb.data.files.training_log import read_training_log

    log = read_training_log(log_file)
    epochs = log.epochs
    note = f"epochs {epochs[0]} to {epochs[-1]} of the log are 1 to {len(epochs)} here"
    if labels is not None:
        if not isinstance(labels, pd.Series):
            raise SpecError(
                "labels are given beside a log_file, which has its own",
                "none, or a Series whose index are the log's ids",
            )
        if not labels.index.is_unique:
            raise DataError("the index of the labels names an id twice", "each id once")
        strangers = log.ids.difference(labels.index, sort=False)
        if len(strangers):
            raise DataError(
                f"{len(strangers)} ids of the log have no label, such as {strangers.tolist()[0]!r}",
                "a label for each id",
            )
        return log.logits, labels.loc[log.ids].to_numpy(), log.ids, classes, note
    if all(one is None for one in log.gold):
        what = "a Series of labels whose index are the log's ids"
        raise DataError("the log holds no gold labels", what, "labels=pandas.Series(y, index=ids)")
    if all(type(one) is int for one in log.gold):
        width = log.logits.shape[2]
        outside = [one for one in log.gold if not 0 <= one < width]
        if outside:
            raise DataError(f"the log has the gold label {outside[0]}", f"0 to {width - 1}")
        if classes is not None:
            if len(classes) != width:
                raise DataError(
                    f"{len(classes)} classes are given for {width} logits", f"{width} classes"
                )
            return log.logits, [classes[one] for one in log.gold], log.ids, classes, note
        return log.logits, log.gold.astype("int64"), log.ids, range(width), note
    if classes is None:
        odd = next(one for one in log.gold if type(one) is not int)
        raise DataError(
            f"the gold labels of the log are no positions ({odd!r})",
            "the classes in the order of the logits",
            "classes=[...]",
        )
    return log.logits, log.gold, log.ids, classes, note


def _dataset(
    labels: Any, ids: Any, classes: Sequence[Any] | None, arrays: Any, name: str
) -> LabelledDataset:
    import torch

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.data.reading.ids import sample_ids
    from hcat_nb.data.reading.labels import code_labels

    if labels is None:
        raise DataError("no labels were given", "the label of each sample", "labels=y")
    coded = code_labels(labels, classes)
    if len(coded.codes) != arrays.n:
        swapped = len(coded.codes) == arrays.n_epochs
        raise DataError(
            f"{arrays.name} of {arrays.n_epochs} epochs x {arrays.n} samples, "
            f"but {len(coded.codes)} labels",
            "one label a sample",
            "epochs come first: numpy.swapaxes(array, 0, 1)" if swapped else None,
        )
    index = None if ids is None else ids if isinstance(ids, pd.Index) else pd.Index(ids)
    if index is not None and len(index) != arrays.n:
        raise DataError(f"{len(index)} ids for {arrays.n} samples", "one each")
    index, about_ids = sample_ids(index, labels, arrays.n)
    dataset = LabelledDataset(
        name=name,
        features=torch.empty(arrays.n, 0),
        labels=torch.from_numpy(coded.codes),
        class_values=coded.class_values,
        sample_ids=index,
        notes=(*about_ids, *coded.notes),
    )
    try:
        return dataset if arrays.n_classes is None else fit_classes(dataset, arrays.n_classes)
    except ModelError:
        raise DataError(
            f"{arrays.name} have {arrays.n_classes} classes, the labels {dataset.n_classes}",
            "one number of classes",
            "name all classes in the order of the last axis: classes=[...]",
        ) from None


def _settle_missing_epochs(seen: Tensor, counts: Tensor, ids: pd.Index, policy: str) -> str | None:
    """Return a note about samples that some epochs lack, None if there is none."""
    import torch

    n_epochs, n = seen.shape
    rows = torch.nonzero(counts < n_epochs).ravel()
    if len(rows) == 0:
        return None
    named = some((f"{ids[row]} (in {int(counts[row])})" for row in rows.tolist()), _NAMED)
    sizes = seen.sum(1).tolist()
    fewest, most = min(sizes), max(sizes)
    each = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    verb = "is" if len(rows) == 1 else "are"
    count = (
        f"{len(rows)} of {n} samples {verb} not in all {n_epochs} epochs "
        f"(an epoch has {each} of them): {named}"
    )
    if policy == "error":
        raise DataError(
            count,
            "every sample in every epoch",
            'on_missing="keep" scores each from what exists, with the status '
            f'"{int(counts[rows[0]])}_of_{n_epochs}_epochs"; "drop" leaves such samples out',
        )
    return f"{count}; {'left out' if policy == 'drop' else 'scored from what exists'}"
