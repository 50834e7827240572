"""Rules of instance noise: whole, and about classes that exist."""

from __future__ import annotations

import pytest

from hcat_nb.data.sources._medmnist_classes import CLASSES
from hcat_nb.data.sources.kmnist import CLASSES as KANA
from hcat_nb.perturbations._built_in_rules import BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_rules_name_classes_that_exist_and_never_themselves(name: str) -> None:
    n_classes, rule = BUILT_IN[name]
    for code, targets in rule.items():
        assert code not in targets
        assert len(set(targets)) == len(targets) > 0
        assert all(0 <= target < n_classes for target in (code, *targets))


def test_superclasses_of_cifar100_part_its_classes_by_fives() -> None:
    rule = BUILT_IN["cifar100"][1]
    assert sorted(rule) == list(range(100))
    groups = {frozenset({code, *others}) for code, others in rule.items()}
    assert len(groups) == 20
    assert {len(group) for group in groups} == {5}


def test_medical_images_of_three_or_more_classes_have_rules_of_their_number() -> None:
    several = {name: len(classes) for name, classes in CLASSES.items() if len(classes) > 2}
    assert several == {name: BUILT_IN[name][0] for name in several}


def by_name(names: tuple[str, ...], rule: dict[int, tuple[int, ...]]) -> dict[str, set[str]]:
    return {names[code]: {names[one] for one in targets} for code, targets in rule.items()}


def test_what_is_said_of_rules_holds() -> None:
    organs = by_name(CLASSES["organamnist"], BUILT_IN["organamnist"][1])
    for organ in ("femur", "kidney", "lung"):
        assert f"{organ}-right" in organs[f"{organ}-left"]
        assert f"{organ}-left" in organs[f"{organ}-right"]
    assert not {"heart", "bladder"} & set(organs)
    assert "platelet" not in by_name(CLASSES["bloodmnist"], BUILT_IN["bloodmnist"][1])
    assert (
        "melanocytic nevus" in by_name(CLASSES["dermamnist"], BUILT_IN["dermamnist"][1])["melanoma"]
    )
    assert "tsu" not in by_name(KANA, BUILT_IN["kmnist"][1])
    grades = BUILT_IN["retinamnist"][1]
    assert all(abs(code - one) == 1 for code, targets in grades.items() for one in targets)
