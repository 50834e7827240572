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
from hcat_nb.perturbations._labels import class_codes, populated

_FOLDS = 3
_MOST_SAMPLES = 3000  # for the quick model: seconds, where 60,000 images take minutes
# By class code, classes in their usual (for text: alphabetical) order.  A
# class that is not named has no plausible double and never flips.
_HANDWRITTEN: dict[int, tuple[int, ...]] = {
    1: (7,),
    2: (7,),
    3: (8,),
    5: (6,),
    6: (5,),
    7: (1, 2),
    8: (3,),
    9: (7,),
}
# Left and right femur, kidney and lung; liver and spleen; the pancreas for what lies around it.
_ORGANS: dict[int, tuple[int, ...]] = {
    1: (2,),
    2: (1,),
    4: (5, 10),
    5: (4, 6),
    6: (10,),
    7: (8,),
    8: (7,),
    9: (4, 10),
    10: (6, 4),
}
# CIFAR-100's superclasses by the codes of their five classes, in alphabetical order.
_SUPERCLASSES: tuple[tuple[int, ...], ...] = (
    (4, 30, 55, 72, 95),  # aquatic mammals
    (1, 32, 67, 73, 91),  # fish
    (54, 62, 70, 82, 92),  # flowers
    (9, 10, 16, 28, 61),  # food containers
    (0, 51, 53, 57, 83),  # fruit and vegetables
    (22, 39, 40, 86, 87),  # household electrical devices
    (5, 20, 25, 84, 94),  # household furniture
    (6, 7, 14, 18, 24),  # insects
    (3, 42, 43, 88, 97),  # large carnivores
    (12, 17, 37, 68, 76),  # large man-made outdoor things
    (23, 33, 49, 60, 71),  # large natural outdoor scenes
    (15, 19, 21, 31, 38),  # large omnivores and herbivores
    (34, 63, 64, 66, 75),  # medium-sized mammals
    (26, 45, 77, 79, 99),  # non-insect invertebrates
    (2, 11, 35, 46, 98),  # people
    (27, 29, 44, 78, 93),  # reptiles
    (36, 50, 65, 74, 80),  # small mammals
    (47, 52, 56, 59, 96),  # trees
    (8, 13, 48, 58, 90),  # vehicles 1
    (41, 69, 81, 85, 89),  # vehicles 2
)


def built_in(dataset: LabelledDataset) -> np.ndarray:
    """Return the weights of the dataset's own rule, towards classes that have samples."""
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
    """Return the weights of a user's rules: class -> a class, several, or a mapping to weights."""
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

    Predictions are out of fold (3 stratified folds) by a logistic regression on standardised,
    flattened features of at most 3,000 samples, categories as indicators.
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


def _within(groups: tuple[tuple[int, ...], ...]) -> dict[int, tuple[int, ...]]:
    return {
        member: tuple(other for other in group if other != member)
        for group in groups
        for member in group
    }


BUILT_IN: dict[str, tuple[int, dict[int, tuple[int, ...]]]] = {
    # name: (number of classes, rule); H-CAT's rules where it has one
    "mnist": (10, _HANDWRITTEN),
    "digits": (10, _HANDWRITTEN),
    "cifar10": (
        10,
        {
            0: (2,),  # airplane: bird
            1: (9,),  # automobile: truck
            2: (9,),  # bird: truck (H-CAT's; airplane would be likelier)
            3: (5,),  # cat: dog
            4: (5, 7),  # deer: dog, horse
            5: (3, 4),  # dog: cat, deer
            7: (5,),  # horse: dog
            8: (7,),  # ship: horse (H-CAT's)
        },
    ),
    # Ours: garments of one silhouette (tops among each other, a dress and a
    # long coat), and shoes by their height.  Trouser and bag have no double.
    "fashion_mnist": (
        10,
        {
            0: (6,),  # T-shirt/top: shirt
            2: (4, 6),  # pullover: coat, shirt
            3: (4,),  # dress: coat
            4: (2, 6),  # coat: pullover, shirt
            5: (7,),  # sandal: sneaker
            6: (0, 2, 4),  # shirt: T-shirt/top, pullover, coat
            7: (5, 9),  # sneaker: sandal, ankle boot
            9: (7,),  # ankle boot: sneaker
        },
    ),
    # The other four of its superclass (Krizhevsky 2009): what a person would take it for.
    "cifar100": (100, _within(_SUPERCLASSES)),
    # Ours: printed digits that differ by a stroke.
    "svhn": (
        10,
        {
            0: (6, 8),
            1: (7,),
            2: (7,),
            3: (8, 9),
            5: (6, 3),
            6: (8, 5),
            7: (1, 2),
            8: (3, 6),
            9: (3, 8),
        },
    ),
    # Ours: characters of like strokes.  tsu, one stroke, has no double.
    "kmnist": (
        10,
        {
            0: (4, 9),  # o: na, wo
            1: (6,),  # ki: ma
            2: (6,),  # su: ma
            4: (0, 5),  # na: o, ha
            5: (4, 6),  # ha: na, ma
            6: (1, 5),  # ma: ki, ha
            7: (9,),  # ya: wo
            8: (9,),  # re: wo
            9: (0, 8),  # wo: o, re
        },
    ),
    # Ours, of MedMNIST: cells of one lineage, lesions that need a biopsy to
    # tell, tissues that grade into each other, neighbouring grades and organs,
    # left and right.  A platelet, a heart and a bladder have no double.
    "bloodmnist": (
        8,
        {0: (3, 1), 1: (6, 0), 2: (4,), 3: (6, 5), 4: (5, 2), 5: (4, 3), 6: (3, 1)},
    ),
    "dermamnist": (
        7,
        {0: (1, 2), 1: (0, 2), 2: (4, 0), 3: (5, 1), 4: (5, 2), 5: (4, 2), 6: (5,)},
    ),
    "octmnist": (4, {0: (1, 2), 1: (0,), 2: (3, 0), 3: (2,)}),
    **dict.fromkeys(("organamnist", "organcmnist", "organsmnist"), (11, _ORGANS)),
    "pathmnist": (
        9,
        {0: (1,), 1: (0,), 2: (4, 7), 4: (2,), 5: (7,), 6: (8,), 7: (5, 2), 8: (6,)},
    ),
    "retinamnist": (5, {0: (1,), 1: (0, 2), 2: (1, 3), 3: (2, 4), 4: (3,)}),
    "tissuemnist": (
        8,
        {0: (1, 7), 1: (0, 7), 2: (3,), 3: (2, 4), 4: (3,), 5: (2,), 6: (7,), 7: (6, 1)},
    ),
    "cover": (7, {0: (6,), 1: (0,), 2: (3,), 3: (2,), 4: (5,), 5: (2,), 6: (0,)}),
    "diabetes": (3, {0: (1,), 1: (0,), 2: (0,)}),
    "eye": (3, {0: (1,), 1: (0,), 2: (1,)}),
    # Ours: what a logistic regression, and boosted trees, most often take each class for.
    "jannis": (4, {0: (1,), 1: (3,), 2: (1,), 3: (1,)}),
    # Ours: cultivars in the order of their flavanoids, in which Grignolino stands in the middle.
    "wine": (3, {0: (1,), 1: (0, 2), 2: (1,)}),
    # Of two classes each is the other's only double.
    "breast_cancer": (2, {0: (1,), 1: (0,)}),
    "photos": (2, {0: (1,), 1: (0,)}),
}
