"""Options of the command line and the magic: the fields of RunSpec, nothing else."""

from __future__ import annotations

import dataclasses

import pytest

from hcat_nb.arguments import OptionParser, add_spec_options, refuse_several, spec_options
from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.spec import RunSpec


@pytest.fixture
def parser():
    parser = OptionParser(prog="test", add_help=False)
    add_spec_options(parser)
    return parser


def test_every_field_is_an_option_and_only_those(parser):
    assert {action.dest for action in parser._actions} == {
        item.name for item in dataclasses.fields(RunSpec)
    }


def test_options_that_are_not_given_are_absent(parser):
    assert spec_options(parser.parse(["digits"])) == {"dataset": "digits"}


def test_a_whole_line_becomes_the_same_spec_as_keywords(parser):
    words = [
        "digits",
        "--hardness",
        "uniform",
        "--p",
        "0.2",
        "--model",
        "lenet",
        "--epochs",
        "3",
        "--seed",
        "7",
        "--methods",
        "aum",
        "el2n",
        "--no-download",
        "--model-options",
        "hidden=64",
        "name=x",
        "--method-options",
        "el2n.at=2",
    ]
    spec = RunSpec.from_options(**spec_options(parser.parse(words)))
    assert spec == RunSpec(
        dataset="digits",
        hardness="uniform",
        p=0.2,
        model="lenet",
        epochs=3,
        seed=7,
        methods=("aum", "el2n"),
        download=False,
        model_options={"hidden": 64, "name": "x"},
        method_options={"el2n": {"at": 2}},
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[education,native country]", ["education", "native country"]),
        ('["a,b", 3]', ["a,b", 3]),
        ("[1, two]", [1, "two"]),
        ("[1, 2]", [1, 2]),
        ("{0: 1}", "{0: 1}"),
        ("a,b", "a,b"),
    ],
)
def test_lists_need_no_quotes_within(parser, text, value):
    words = ["x.csv", "--dataset-options", f"drop={text}"]
    assert spec_options(parser.parse(words))["dataset_options"] == {"drop": value}


def test_hcat_words_are_understood(parser):
    words = ["digits", "--model_name", "LeNet", "--characterization-methods", "data_uncert"]
    spec = RunSpec.from_options(**spec_options(parser.parse(words)))
    assert (spec.model, spec.methods) == ("lenet", ("dataiq", "datamaps"))


def test_a_misspelt_option_names_the_nearest(parser):
    with pytest.raises(UnknownNameError, match=r"'--epohcs'.*nearest: --epochs"):
        parser.parse(["digits", "--epohcs", "3"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["digits", "wine"], "'wine' is one word too many"),
        (["digits", "--epochs"], "expected one argument"),
        (["digits", "--model-options", "hidden"], "'hidden' is no option; expected key=value"),
        (["digits", "--method-options", "k=3"], "expected method.key=value"),
    ],
)
def test_malformed_words_are_one_line_errors(parser, words, message):
    with pytest.raises(SpecError, match=message):
        spec_options(parser.parse(words))


def test_help_lists_names_and_defaults(parser):
    text = parser.format_help()
    assert "conf_agree" in text
    assert "[10]" in text


@pytest.mark.parametrize("text", ["uniform,far_ood", "uniform + far_ood", "uniform far_ood"])
def test_several_kinds_as_one_word_are_told_how_a_mixture_is_written(text: str) -> None:
    with pytest.raises(SpecError, match=r"uniform=0\.05 far_ood=0\.05 --p 0\.1"):
        refuse_several(text)


def test_one_kind_and_a_mapping_are_no_mistake() -> None:
    for fine in ("uniform", " none ", None, {"uniform": 0.1}):
        refuse_several(fine)
