"""Rules of instance noise: which classes a class is plausibly taken for.

Rules become a matrix of weights, ``W[original, observed]``, of shape
(n_classes, n_classes); what stands on the diagonal never counts.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Set
from numbers import Real
from typing import Any

import numpy as np
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.indicators import Indicators, one_hot
from hcat_nb.errors import DataError, SpecError
from hcat_nb.perturbations._built_in_rules import BUILT_IN
from hcat_nb.perturbations._labels import class_codes, populated

__all__ = ["built_in", "confused", "given", "spelled_out"]

_FOLDS = 3
_MOST_SAMPLES = 3000  # for the quick model: seconds, where 60,000 images take minutes


def built_in(dataset: LabelledDataset) -> np.ndarray:
    """Return the weights of the dataset's own rule, towards classes that have samples.

    Raises
    ------
    DataError
        If there is no rule for this dataset.
    """
    n_classes, rule = BUILT_IN.get(dataset.name, (0, {}))
    if dataset.n_classes == 2:  # of two classes, each can only be taken for the other
        n_classes, rule = 2, {0: (1,), 1: (0,)}
    if n_classes != dataset.n_classes:
        raise DataError(
            f"there are no instance rules for {dataset.name!r} with {dataset.n_classes} classes",
            "one of " + ", ".join(BUILT_IN),
            "give rule_matrix={class: [plausible classes]}, or 'confusion' to have it estimated",
        )
    weights = np.zeros((n_classes, n_classes))
    for code, targets in rule.items():
        weights[code, targets] = 1.0
    weights[:, ~populated(dataset)] = 0.0
    return weights


def given(dataset: LabelledDataset, rules: Mapping[Any, Any]) -> np.ndarray:
    """Return the weights of a user's own rules.

    Parameters
    ----------
    dataset : LabelledDataset
    rules : mapping
        Class -> a class, several classes, or a mapping of classes to weights;
        classes as in :func:`~hcat_nb.perturbations._labels.class_codes`.

    Raises
    ------
    SpecError
        If a class does not exist, or a weight is no finite number >= 0.
    """
    entries = [
        (source, target, weight)
        for source, targets in rules.items()
        for target, weight in _weighted(targets)
    ]
    named = [*rules, *(target for _, target, _ in entries)]
    codes = dict(zip(named, class_codes(dataset, named, "rules"), strict=True))
    weights = np.zeros((dataset.n_classes, dataset.n_classes))
    for source, target, weight in entries:
        if not isinstance(weight, Real) or not 0 <= float(weight) < math.inf:
            raise SpecError(
                f"rules give {source!r} -> {target!r} the weight {weight!r}",
                "a finite number, 0 or larger",
            )
        weights[codes[source], codes[target]] += float(weight)
    return weights


def confused(dataset: LabelledDataset, seed: int) -> np.ndarray:
    """Return how often a quick model takes each class for each other: counts.

    Predictions are out of fold (3 stratified folds) by a logistic regression
    on standardised, flattened features of at most 3,000 samples, categories
    as indicators.

    Raises
    ------
    DataError
        If fewer than two classes have three samples.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(seed)
    rows = rng.permutation(np.flatnonzero(dataset.trainable.numpy()))[:_MOST_SAMPLES]
    labels = dataset.labels.numpy()[rows]
    counts = np.bincount(labels, minlength=dataset.n_classes)
    common = counts[labels] >= _FOLDS  # a rarer class cannot be in every fold: it never flips
    rows, labels = rows[common], labels[common]
    if len(np.unique(labels)) < 2:
        raise DataError(
            f"rule_matrix='confusion' cannot be estimated from {dataset.name!r}",
            f"two classes with at least {_FOLDS} samples",
            "give rule_matrix={class: [plausible classes]}",
        )
    features = _as_numbers(dataset, rows)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=100))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        # Its confusions are wanted, not its optimum.
        warnings.simplefilter("ignore", ConvergenceWarning)
        predicted = cross_val_predict(model, features, labels, cv=folds)
    matrix = np.zeros((dataset.n_classes, dataset.n_classes))
    np.add.at(matrix, (labels, predicted), 1.0)
    return matrix


def _as_numbers(dataset: LabelledDataset, rows: np.ndarray) -> np.ndarray:
    """Return rows as a model takes them, (len(rows), k), float64."""
    x = dataset.features[rows].flatten(1).double()
    if dataset.levels:
        made = Indicators.of(dataset)
        x = torch.cat([x[:, made.numbers], one_hot(x, made.source, made.code)], dim=1)
    numbers: np.ndarray = x.numpy()
    return numbers


def spelled_out(dataset: LabelledDataset, weights: np.ndarray) -> dict[Any, dict[Any, float]]:
    """Return weights as rules by class value, the form in which a user reads them."""
    values = dataset.class_values
    return {
        values[source]: {
            values[target]: float(weights[source, target])
            for target in np.flatnonzero(weights[source])
        }
        for source in range(dataset.n_classes)
    }


def _weighted(targets: Any) -> list[tuple[Any, Any]]:
    """Return (class, weight) pairs of what a rule says about one class."""
    if isinstance(targets, Mapping):
        return list(targets.items())
    if isinstance(targets, (list, tuple, Set, np.ndarray)):
        return [(target, 1.0) for target in targets]
    return [(targets, 1.0)]
