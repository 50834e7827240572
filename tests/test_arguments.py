"""Options of the command line and the magic: the fields of RunSpec, nothing else."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

from hcat_nb.arguments import (
    OptionParser,
    add_spec_options,
    in_line_words,
    read_yaml,
    refuse_several,
    spec_options,
)
from hcat_nb.data.loading import load
from hcat_nb.data.sources.file import File
from hcat_nb.data.sources.folder import Folder
from hcat_nb.errors import DataError, SpecError, UnknownNameError
from hcat_nb.reading import READING
from hcat_nb.spec import RunSpec


@pytest.fixture
def parser():
    parser = OptionParser(prog="test", add_help=False)
    add_spec_options(parser)
    return parser


def test_every_field_is_an_option_and_only_those(parser):
    fields = {item.name for item in dataclasses.fields(RunSpec)}
    assert {action.dest for action in parser._actions} == fields | set(READING)
    assert not fields & set(READING)


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
    assert "[64]" in text


@pytest.mark.parametrize("text", ["uniform,far_ood", "uniform + far_ood", "uniform far_ood"])
def test_several_kinds_as_one_word_are_told_how_a_mixture_is_written(text: str) -> None:
    with pytest.raises(SpecError, match=r"uniform=0\.05 far_ood=0\.05 --p 0\.1"):
        refuse_several(text)


def test_one_kind_and_a_mapping_are_no_mistake() -> None:
    for fine in ("uniform", " none ", None, {"uniform": 0.1}):
        refuse_several(fine)


def test_an_unknown_option_is_told_the_others_each_once(parser):
    with pytest.raises(UnknownNameError) as told:
        parser.parse(["digits", "--learning_rat", "1"])
    listed, _, near = str(told.value).partition(" (nearest: ")
    assert "--lr" in listed
    assert "--learning_rate" not in listed
    assert "--dataset-options" in listed
    assert "--dataset_options" not in listed
    assert "--learning_rate" in near


def test_a_remedy_is_told_in_the_words_of_a_line():
    python = "data_on='disk' or max_categories=; target=, a column; drop='my col'; epochs=3"
    error = DataError("on_bad_row='x' is wrong", "on_bad_row='drop'", python)
    told = in_line_words(error)
    assert told.startswith("on_bad_row='x' is wrong; expected on_bad_row='drop'; to mend it: ")
    assert told.endswith(
        "--data-on disk or --max-categories; --target, a column; --drop 'my col'; --epochs 3"
    )
    for same in ("frame.reset_index(drop=True)", "run.explore(file=...)", "dataset=, the data"):
        assert in_line_words(DataError("x", remedy=same)) == f"x; to mend it: {same}"
    assert in_line_words(DataError("x", "y")) == "x; expected y"


def test_options_of_reading_are_those_that_tables_and_folders_have():
    theirs = {*File.options(), *Folder.options()} - {"path", "flip_keeps_label"}
    assert set(READING) == theirs


def test_every_remedy_of_a_table_can_be_typed_as_it_is_told(parser):
    frame = pd.DataFrame({"a": [1.0, np.nan, 2.0, 3.0], "y": [0, 1, 0, 1]})
    with pytest.raises(DataError) as raised:
        load(frame, target="y")
    told = in_line_words(raised.value)
    assert "--on-bad-row drop" in told
    words = ["digits", *re.search(r"--impute median", told).group().split()]
    assert spec_options(parser.parse(words))["dataset_options"] == {"impute": "median"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "the key 'a' is given twice"),
        (
            "a: &a [1,1,1,1,1,1,1,1,1]\n"
            + "".join(
                f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n"
                for i in range(9)
            ),
            "more than 1,000,000",
        ),
        ("[" * 5000, "too deep|expected"),
        ("a: &a [*a]", "more than 1,000,000|undefined alias|recursive"),
        ("a: !!python/object:os.system ls", "could not determine a constructor"),
        ("a: [1", "expected"),
    ],
)
def test_yaml_that_would_do_harm_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        read_yaml(text)


def test_plain_yaml_is_read():
    assert read_yaml("a: &x {b: [1, 2]}\nc: *x") == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}
    assert read_yaml("") is None


def test_options_of_reading_are_typed_as_they_are_written_in_python(parser):
    words = ["a.csv", "--missing", "?", "-999", "null", "--sep", ";", "--impute", "0"]
    given = spec_options(parser.parse([*words, "--header", "none", "--size", "32"]))
    assert given["dataset_options"] == {
        "missing": ["?", "-999", "null"],
        "sep": ";",
        "impute": 0,
        "header": "none",
        "size": 32,
    }
    by_column = ["a.csv", "--missing", '{"age": [-999]}']
    assert spec_options(parser.parse(by_column))["dataset_options"] == {"missing": {"age": [-999]}}
    with pytest.raises(SpecError, match="text is given twice"):
        spec_options(parser.parse(["a.csv", "--text", "a", "--dataset-options", "text=b"]))
