from __future__ import annotations

import pandas as pd

from hcat_nb.magics.method_list import MethodList
from hcat_nb.registry import METHODS
from hcat_nb.runs.execution.forecast import TRAINING, Forecast


def make(*chosen: str) -> tuple[MethodList, list[str]]:
    heard: list[str] = []
    return MethodList(chosen, lambda: heard.append("changed"), lambda: heard.append("costs")), heard


def test_all_methods_are_there_with_what_their_cards_say_they_cost() -> None:
    made, _ = make("all")
    assert made.chosen == METHODS.names()
    assert made.words() == []
    for name in METHODS.names():
        assert made._boxes[name].description == name
        assert made._costs[name].value == METHODS.get(name).cost.partition(";")[0]


def test_choosing_is_heard_once_and_said() -> None:
    made, heard = make("aum")
    assert made.words() == ["--methods", "aum"]
    made.choose(["loss", "el2n"])
    assert made.words() == ["--methods", "el2n", "loss"]
    assert heard == ["changed"]
    made._boxes["loss"].value = False
    assert made.words() == ["--methods", "el2n"]
    made.button.click()
    assert heard == ["changed", "changed", "costs"]


def test_costs_stand_until_the_choice_changes() -> None:
    made, _ = make("aum", "vog")
    columns = {
        "seconds": [1.25, 30.0, 25.0],
        "of_training": [0.05, 1.2, 1.0],
        "mb": [0.5, 40.0, 9.0],
    }
    table = pd.DataFrame(columns, index=pd.Index(["aum", "vog", TRAINING], name="hcm"))
    made.show_costs(Forecast(table, needed=10**9, free=10**10, epochs=10))
    assert made._costs["vog"].value == "30.0 s, 120% of training, 40.0 MB"
    assert "about 56 s" in made.total.value
    made._boxes["aum"].value = False
    assert made.total.value == ""
    assert made._costs["vog"].value == METHODS.get("vog").cost.partition(";")[0]
