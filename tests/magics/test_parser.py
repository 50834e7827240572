from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.commands.table import MAGICS
from hcat_nb.data.loading import load
from hcat_nb.errors import HcatError, SpecError
from hcat_nb.magics import parser as magic_parser
from hcat_nb.magics.parser import MagicCall, looks_like_data, looks_like_model
from hcat_nb.perturbations._apply import perturb
from hcat_nb.spec import RunSpec

FRAME = pd.DataFrame({"a": [1.0], "b": ["x"]})
TRAIN = MAGICS["hcat_train"]


def parse(line: str, cell: str | None, variables: dict[str, Any]) -> MagicCall:
    return magic_parser.parse(TRAIN, line, cell, variables)


def test_names_and_options() -> None:
    call = parse("digits --hardness uniform --p 0.2 --model lenet --methods aum el2n", None, {})
    assert call.keywords == {
        "data": "digits",
        "hardness": "uniform",
        "p": "0.2",
        "model": "lenet",
        "methods": "aum,el2n",
    }
    assert (call.own, call.name, call.help) == ({}, None, False)


def test_the_words_of_h_cat() -> None:
    keywords = parse("cifar --hardness-type uniform --model_name LeNet", None, {}).keywords
    assert keywords == {"data": "cifar10", "hardness": "uniform", "model": "lenet"}


@pytest.mark.parametrize(
    "value",
    [
        FRAME,
        np.zeros((2, 2)),
        torch.utils.data.TensorDataset(torch.zeros(2, 2), torch.zeros(2)),
        [[1.0, 0]],
    ],
    ids=["frame", "array", "dataset", "list"],
)
def test_a_variable_goes_before_a_name(value: Any) -> None:
    assert parse("wine", None, {"wine": value}).keywords["data"] is value


def test_mended_data_are_data() -> None:
    mended = load("wine").take(torch.arange(60))
    call = parse("mended", None, {"mended": mended})
    assert call.keywords["data"] is mended
    assert "name" not in call.keywords  # it has one
    assert not looks_like_data(type(mended))


def test_what_holds_data_says_where_they_are() -> None:
    noisy = perturb(load("wine"), "uniform", 0.1)
    with pytest.raises(SpecError, match=r"'noisy' is a Perturbed; .*data are noisy\.dataset"):
        parse("noisy", None, {"noisy": noisy})
    with pytest.raises(SpecError, match="'number' is a int; expected a table, an array or a data"):
        parse("number", None, {"number": 3})


def test_a_class_that_is_no_module_is_no_model() -> None:
    assert looks_like_model(nn.Linear)
    assert looks_like_model(nn.Linear(2, 2))
    assert looks_like_model(lambda: nn.Linear(2, 2))
    assert not looks_like_model(dict)
    with pytest.raises(SpecError, match="'dict' is a type; expected a module or its maker"):
        parse("wine --model dict", None, {"dict": dict})


def test_a_variable_that_is_no_data_does_not_hide_a_name() -> None:
    assert parse("wine", None, {"wine": "a text"}).keywords["data"] == "wine"


def test_a_pair_is_features_and_labels() -> None:
    features, labels = np.zeros((3, 2)), np.zeros(3)
    keywords = parse("pair", None, {"pair": (features, labels)}).keywords
    assert keywords["data"] is features
    assert keywords["labels"] is labels


def test_features_of_ones_own_are_a_variable_of_that_name() -> None:
    seen = np.ones((4, 2))
    variables = {"seen": seen, "see": len, "patches": seen, "kind": dict}
    for name in ("seen", "see"):
        assert (
            parse(f"digits --features {name}", None, variables).keywords["features"]
            is (variables[name])
        )
    assert parse("digits --features torchvision:resnet18", None, variables).keywords[
        "features"
    ] == ("torchvision:resnet18")
    with pytest.raises(SpecError, match="features is 'kind'"):
        RunSpec.from_options(**parse("--features kind", None, variables).keywords)


def test_models_of_ones_own() -> None:
    net = nn.Linear(2, 2)
    variables: dict[str, Any] = {"df": FRAME, "net": net, "make": lambda: net, "Net": nn.Linear}
    for name in ("net", "make", "Net"):
        assert parse(f"df --model {name}", None, variables).keywords["model"] is variables[name]


def test_a_cell_is_yaml() -> None:
    cell = "hardness: uniform\np: 0.1\nmethods: [aum, el2n]\nmethod-options: {aum: {a: 1}}\n"
    call = parse("digits --name r", cell, {})
    assert call.name == "r"
    assert call.keywords == {
        "data": "digits",
        "hardness": "uniform",
        "p": 0.1,
        "methods": ["aum", "el2n"],
        "method_options": {"aum": {"a": 1}},
    }
    call = parse("", "dataset: wine\nout: runs/1\n", {})
    assert (call.keywords, call.own) == ({"data": "wine"}, {"out": "runs/1"})
    assert parse("wine", "# nothing yet\n", {}).keywords == {"data": "wine"}


@pytest.mark.parametrize(
    ("line", "cell", "words"),
    [
        ("digitz", None, "no dataset or variable 'digitz'.*nearest: digits"),
        ("flowerz", None, "no dataset or variable 'flowerz'.*nearest: flowers"),
        ("five", None, "variable 'five' is a int.*a table, an array or a dataset"),
        ("flowers --model my_nett", None, "no model or variable 'my_nett'.*nearest: my_net"),
        ("flowers --model flowers", None, "variable 'flowers' is a DataFrame.*a module"),
        ("digits --epoch 3", None, "unknown option '--epoch'.*nearest: --epochs"),
        ("digits wine", None, "'wine' is one word too many"),
        ("'digits", None, "balanced quotes"),
        ("digits --display png", None, "display is 'png'"),
        ("digits --name 1a", None, "name is '1a'"),
        ("digits", "epochs: [1", "no YAML"),
        ("digits", "- epochs", "the cell holds a list"),
        ("digits --epochs 3", "epochs: 4", "'epochs' is given in the line and in the cell"),
    ],
)
def test_mistakes_are_told_in_one_line(line: str, cell: str | None, words: str) -> None:
    variables = {"flowers": FRAME, "five": 5, "my_net": nn.Linear(2, 2), "_hidden": FRAME}
    with pytest.raises(HcatError, match=words) as caught:
        parse(line, cell, variables)
    assert "\n" not in str(caught.value)
    assert "_hidden" not in str(caught.value)


@pytest.mark.parametrize("line", ["-h", "digits --help", "nonsense -h"])
def test_help_goes_before_everything(line: str) -> None:
    assert parse(line, None, {}).help


def test_help_names_every_option() -> None:
    text = TRAIN.parser().format_help()
    for name in ("--target", "--hardness", "--out", "--display", "--name", "%%hcat_train"):
        assert name in text
    assert not re.search(r"%%%|==SUPPRESS==", text)


def test_options_of_reading_are_options_of_a_line_and_of_a_cell() -> None:
    frame = {"df": FRAME}
    line = parse("df --target y --text words --missing ? -999", None, frame)
    cell = parse("df --target y", "text: words\nmissing: ['?', '-999']\n", frame)
    assert line.keywords["dataset_options"] == {"text": "words", "missing": ["?", "-999"]}
    assert cell.keywords["dataset_options"] == line.keywords["dataset_options"]
    with pytest.raises(HcatError, match="text is given twice"):
        parse("df --text a", "text: b\ntarget: y\n", frame)


@pytest.mark.parametrize("value", ["false", "null"])
def test_a_flag_that_is_false_in_a_cell_was_not_given(value: str) -> None:
    cell = f"overwrite: {value}\ndry_run: {value}\n"
    assert parse("digits", cell, {}).own == {}
    assert parse("digits", "overwrite: true", {}).own == {"overwrite": True}
