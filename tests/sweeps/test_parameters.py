"""Reports A32 and A34: what papermill makes of a command line, and what no notebook can hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.sweeps.parameters import check_parameters, plain_parameter, refuse_unknown


def test_texts_of_a_command_line_become_what_they_stand_for() -> None:
    given = {
        "hcms": "[aum,vog]",
        "fix_seed": "false",
        "p": "0.10",
        "epochs": "1_000",
        "hardness": "uniform",
    }
    settings = check_parameters({**given, "methods": ["all"], "run_tag": "007", "out": ""})
    assert settings.spec.methods == ("aum", "vog")
    assert (settings.spec.p, settings.spec.epochs) == (0.1, 1000)
    assert (settings.run_tag, settings.out) == ("007", None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fix_seed": "maybe"}, "fix_seed is 'maybe'; expected true or false"),
        ({"fix_seed": "true"}, "a sweep's and not a single run's"),
        ({"total_runs": 3}, "total_runs is 3"),
        ({"run_tag": 7}, "run_tag is 7; expected text; to mend it: .* -r run_tag"),
        ({"epochs": "many"}, "epochs is 'many'; expected a whole number, at least 1"),
        ({"p": "1.5"}, r"p is 1.5; expected a proportion in \[0, 1\)"),
        ({"p": float("nan")}, "p is nan; expected a finite number"),
        ({"download": "perhaps"}, "download is 'perhaps'; expected true or false"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(given: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        check_parameters(given)


def test_a_misspelt_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no parameter 'sead'.*seed"):
        check_parameters({"dataset": "wine", "sead": 3})
    with pytest.raises(UnknownNameError, match="model_seed"):
        refuse_unknown({"modelseed": 1})


def test_only_plain_values_of_a_notebook_are_parameters(tmp_path: Path) -> None:
    namespace = {
        "In": ["epochs = 2"],
        "Out": {},
        "_": "sead",
        "exit": object(),
        "check_parameters": check_parameters,
        "epochs": 2,
        "out": str(tmp_path),
    }
    settings = check_parameters(namespace)
    assert (settings.spec.epochs, settings.out) == (2, tmp_path)
    assert repr(settings).startswith("epochs = 2\n")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (("aum", "vog"), ["aum", "vog"]),
        (Path("a/b"), "a/b"),
        ({"k": (np.int8(1), None)}, {"k": [1, None]}),
        (np.arange(3), [0, 1, 2]),
    ],
    ids=str,
)
def test_values_become_strict_json(value: Any, plain: Any) -> None:
    found = plain_parameter("x", value)
    assert found == plain
    assert type(found) is type(plain)
    assert json.loads(json.dumps(found, allow_nan=False)) == plain


@pytest.mark.parametrize(
    "value", [float("nan"), np.float32("inf"), [0.1, float("-inf")], {"a": np.array([np.nan])}]
)
def test_numbers_that_json_lacks_are_refused(value: Any) -> None:
    with pytest.raises(SpecError, match=r"lr is .*; expected a finite number"):
        plain_parameter("lr", value)


def test_an_object_is_refused() -> None:
    with pytest.raises(SpecError, match="an object of type object"):
        plain_parameter("source", [object()])
