"""Rules of instance noise of the datasets that are known by name."""

from __future__ import annotations

__all__ = ["BUILT_IN"]

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


def _within(groups: tuple[tuple[int, ...], ...]) -> dict[int, tuple[int, ...]]:
    return {
        member: tuple(other for other in group if other != member)
        for group in groups
        for member in group
    }


BUILT_IN: dict[str, tuple[int, dict[int, tuple[int, ...]]]] = {
    # name: (number of classes, rule); H-CAT's rules where METHODS.md gives one
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
