from __future__ import annotations

import pandas as pd
import pytest

from hcat_nb.magics.controls import looks
from hcat_nb.magics.dataset_choice import NameOrVariable
from hcat_nb.magics.parser import looks_like_data

FRAME = pd.DataFrame({"a": [1.0]})


def make(value: str = "digits") -> NameOrVariable:
    return NameOrVariable(
        "dataset",
        ["digits", "wine"],
        looks_like_data,
        value,
        "a file ...",
        looks("dataset", "help"),
    )


def words(choice: NameOrVariable) -> list[str]:
    return [value for _, value in choice.choice.options]


def test_variables_are_offered_as_they_come_and_go_and_the_choice_stays() -> None:
    choice = make()
    heard: list[str] = []
    choice.on_change(lambda: heard.append(choice.word))
    choice.refresh({"mine": FRAME, "_hidden": FRAME, "text": "no data"})
    assert words(choice)[:3] == ["mine", "digits", "wine"]
    assert choice.word == "digits"
    choice.choice.value = "mine"
    assert heard == ["mine"]
    choice.refresh({"mine": FRAME, "more": FRAME})
    assert choice.word == "mine"
    choice.refresh({})
    assert choice.word == "mine"  # the line will say that it is gone
    assert heard == ["mine"]


def test_a_variable_goes_before_a_name() -> None:
    choice = make()
    choice.refresh({"wine": FRAME})
    assert ("wine (variable)", "wine") in choice.choice.options
    assert words(choice).count("wine") == 1


@pytest.mark.parametrize("path", ["birds.csv", "./photos"])
def test_a_path_has_a_place_of_its_own(path: str) -> None:
    choice = make(path)
    assert choice.word == path
    assert choice.path.layout.display is None
    choice.choice.value = "wine"
    assert choice.word == "wine"
    assert choice.path.layout.display == "none"
