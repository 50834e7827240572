"""The truth of the user's own about their labels, as the table that injection would leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.data.reading.label_kinds import kind_of, plain_value
from hcat_nb.errors import DataError
from hcat_nb.evaluation._truth import GIVEN, UNKNOWN
from hcat_nb.perturbations._apply import perturb
from hcat_nb.perturbations.base import Perturbed, untouched

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.spec import RunSpec

_WORDS = {"yes": True, "no": False, "true": True, "false": False, "y": True, "n": False}
_NAMED = 5  # values that a message lists


def given_truth(dataset: LabelledDataset) -> tuple[Perturbed, str]:
    """Return the dataset with the truth table that its ``truth`` makes, and a note.

    A truth of classes is the true label of each sample; of True and False,
    yes and no, or 1 and 0 that are no classes, whether its label is wrong.
    Samples of which nothing is known, or without a label, have the hardness
    ``"unknown"``, and take no part in an evaluation.
    """
    assert dataset.truth is not None
    known = np.array([value is not None for value in dataset.truth]) & (dataset.labels.numpy() >= 0)
    values = [plain_value(value) for value in dataset.truth[known]]
    if not values:
        raise DataError("the truth is known of no sample with a label", "some at least")
    classes = [plain_value(value) for value in dataset.class_values]
    flags = _as_flags(values, classes)
    wrong = np.zeros(len(dataset), dtype=bool)
    original = dataset.labels.numpy().copy()
    original[~known] = -1
    if flags is None:
        codes = _as_codes(values, classes)
        wrong[known] = codes != dataset.labels.numpy()[known]
        original[known] = codes
        read = "as true labels"
    else:
        wrong[known] = flags
        original[wrong] = -1  # which one is right nobody said
        read = "as whether a label is wrong"
    hardness = np.where(wrong, GIVEN, np.where(known, "none", UNKNOWN))
    truth = untouched(dataset).assign(
        is_hard=wrong,
        hardness=hardness,
        family=np.where(wrong, "mislabel", "none"),
        original_label=dataset.label_values(original),
    )
    note = f"the truth was read {read}: {int(wrong.sum()):,} of {int(known.sum()):,} are wrong"
    if left := int((~known).sum()):
        note += f"; of {left:,} samples it is not known, and they are left out of evaluations"
    return Perturbed(dataset, truth), note


def with_hardness(
    clean: LabelledDataset, spec: RunSpec, given: Perturbed | None = None
) -> tuple[Perturbed, str]:
    """Return the data with what ``spec`` says is hard: injected now, or as their truth has it.

    And a note on how a truth was read, empty where there is none.
    """
    if spec.truth is not None:
        return given_truth(clean)
    made = given or perturb(
        clean, spec.hardness, spec.p, seed=spec.effective_data_seed, **spec.hardness_options
    )
    return made, ""


def _as_flags(values: list[object], classes: list[object]) -> np.ndarray | None:
    """Return the values as flags, None if they are labels; refuse what may be both."""
    kinds = {kind_of(type(value)) for value in values}
    own = {kind_of(type(value)) for value in classes}
    if kinds == {"bool"}:
        if own == {"bool"}:
            raise _both("True and False")
        return np.array(values, dtype=bool)
    if kinds == {"text"} and {str(value).strip().lower() for value in values} <= _WORDS.keys():
        if any(str(one).strip().lower() in _WORDS for one in classes):
            raise _both("yes and no")
        return np.array([_WORDS[str(value).strip().lower()] for value in values])
    if kinds == {"number"} and set(values) <= {0, 1} and not {0, 1} & set(map(_number, classes)):
        return np.array(values, dtype=bool)
    return None


def _as_codes(values: list[object], classes: list[object]) -> np.ndarray:
    """Return the class codes of true labels, -1 of those that are no class of the data."""
    place = {_key(value): code for code, value in enumerate(classes)}
    codes = np.array([place.get(_key(value), -1) for value in values], dtype=np.int64)
    if (codes < 0).all():
        named = ", ".join(sorted({repr(value) for value in values})[:_NAMED])
        raise DataError(
            f"no value of the truth is a class of the data: {named}",
            "true labels, such as " + ", ".join(map(repr, classes[:_NAMED])) + ", or yes and no",
        )
    return codes


def _key(value: object) -> tuple[str, object]:
    return kind_of(type(value)), value


def _number(value: object) -> object:
    return value if kind_of(type(value)) == "number" else None


def _both(values: str) -> DataError:
    return DataError(
        f"the truth holds {values}, and so do the labels: it may be the true labels or say "
        "which are wrong",
        "one of them",
        "compare them first, truth = (true_labels != labels), and give that with labels as text, "
        "labels.map({True: 'positive', False: 'negative'})",
    )
