"""Properties of parameters, magic lines, cells and plans: one meaning, or one line that refuses."""

from __future__ import annotations

import json
import math
import shlex
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hcat_nb.commands.table import MAGICS
from hcat_nb.magics.parser import parse
from hcat_nb.registry import METHODS
from hcat_nb.spec import RunSpec
from hcat_nb.sweeps.grid import read_plan
from tests.contract.properties import accepted, examples

pytestmark = pytest.mark.slow  # hundreds of examples

SEED = st.integers(0, 2**31 - 1)
SHARE = st.floats(0, 1, exclude_max=True)
# Of each field some values that are right.
RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "dataset": st.sampled_from(["wine", "digits", "./photos", "rows.csv"]),
    "target": st.text(min_size=1, max_size=6), "groups": st.text("ab c", min_size=1, max_size=3),
    "download": st.booleans(), "subset": st.integers(2, 10**9),
    "on_missing_label": st.sampled_from(["error", "drop", "keep"]),
    "join_spellings": st.booleans(), "strict": st.booleans(),
    "model": st.sampled_from(["auto", "dense", "mlp"]),
    "normalize": st.sampled_from(["auto", "none"]),
    "methods": st.lists(st.sampled_from(METHODS.names()), min_size=1, max_size=4, unique=True),
    "judges": st.booleans(), "epochs": st.integers(1, 2**31 - 1), "batch_size": st.integers(2, 999),
    "lr": st.floats(1e-300, 1e300), "observe_batch_size": st.integers(1, 999), "seed": SEED,
    "seeds": st.integers(1, 10_000), "data_seed": SEED, "model_seed": SEED,
    "folds": st.sampled_from(["auto", "0", "2", "17"]), "learning_check": st.booleans(),
    "keep_dynamics": st.sampled_from(["none", "probs", "logits"]),
    "exclude": st.lists(st.text("abc_", min_size=1, max_size=4), max_size=3),
}  # fmt: skip
OPTIONS = st.fixed_dictionaries({}, optional=RIGHT)
PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda one: st.one_of(st.lists(one, max_size=3), st.dictionaries(st.text(max_size=4), one)),
    max_leaves=5,
)  # as JSON and YAML have them


@examples(150)
@given(OPTIONS, st.none() | st.tuples(st.sampled_from(["uniform", "far_ood"]), SHARE))
def test_a_specification_is_what_its_record_says(
    options: dict[str, Any], hardness: tuple[str, float] | None
) -> None:
    if hardness is not None:
        options = {**options, "hardness": hardness[0], "p": hardness[1]}
    spec = RunSpec.from_options(**options)
    assert RunSpec.recorded(json.loads(json.dumps(spec.to_dict()))) == spec
    assert spec.replace() == spec
    for name, value in options.items():
        wanted = tuple(value) if isinstance(value, list) else value
        assert getattr(spec, name) == wanted


@examples(250)
@given(st.sampled_from(sorted(RIGHT)), PLAIN)
def test_a_value_is_taken_as_what_it_says_or_refused(name: str, value: Any) -> None:
    spec = accepted(lambda: RunSpec.from_options(**{name: value}))
    if spec is None:
        return
    kept = getattr(spec, name)
    if isinstance(kept, float):
        assert math.isfinite(kept)
    if isinstance(kept, bool) or isinstance(value, bool):
        assert str(kept).lower() in (str(value).lower(), "probs", "none")
    elif isinstance(kept, int | float):
        assert kept == float(value) if isinstance(kept, float) else int(value)
    json.dumps(spec.to_dict(), allow_nan=False)


def words_of(options: dict[str, Any]) -> list[str]:
    """The options as a shell's words."""
    words = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag[2:]}")
        elif isinstance(value, list):
            words += [flag, *map(str, value)] if value else []
        else:
            words += [f"{flag}={value}"]  # a text may begin with a hyphen
    return words


TRAIN = MAGICS["hcat_train"]


@examples(200)
@given(OPTIONS)
def test_a_line_means_what_the_keywords_mean(options: dict[str, Any]) -> None:
    dataset = options.pop("dataset", "wine")
    line = shlex.join([dataset, *words_of(options)])
    call = parse(TRAIN, line, None, {})
    keywords = dict(call.keywords)
    found = RunSpec.from_options(dataset=keywords.pop("data"), **keywords)
    assert found == RunSpec.from_options(dataset=dataset, **options)
    assert not call.own


@examples(150)
@given(OPTIONS)
def test_a_cell_means_what_the_keywords_mean(options: dict[str, Any]) -> None:
    options = {"dataset": "wine", **options}
    call = parse(TRAIN, "", yaml.safe_dump(options, allow_unicode=True), {})
    keywords = dict(call.keywords)
    found = RunSpec.from_options(dataset=keywords.pop("data"), **keywords)
    assert found == RunSpec.from_options(**options)


ODD = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            *("wine", "--methods", "aum", "--epochs", "3", "--hardness", "uniform", "--p", "-1"),
            *("--name", "run", "--out", "x=y", "--model-options", "width=[1,", "--", "-h", "'"),
            *("data", "runs", "--method-options", "el2n.at=1e999", "--features", "torchvision:"),
        ]
    ),
)  # fmt: skip
VARIABLES = {"data": [[1.0, 0]], "runs": 3, "wine": "text"}


@examples(250)
@given(st.sampled_from(sorted(MAGICS)), st.lists(ODD, max_size=6), st.none() | st.text(max_size=20))
def test_any_line_is_read_or_refused(name: str, words: list[str], cell: str | None) -> None:
    before = dict(VARIABLES)
    call = accepted(lambda: parse(MAGICS[name], " ".join(words), cell, VARIABLES))
    assert before == VARIABLES
    assert call is None or isinstance(call.keywords, dict)


@examples(150)
@given(st.dictionaries(st.sampled_from([*RIGHT, "name", "out", "p", "x"]), PLAIN, max_size=3))
def test_any_cell_is_read_or_refused(document: dict[str, Any]) -> None:
    call = accepted(lambda: parse(TRAIN, "wine", yaml.safe_dump(document), {}))
    if call is not None:
        keywords = {key: one for key, one in call.keywords.items() if key != "data"}
        accepted(lambda: RunSpec.from_options(**keywords))


GRID = {
    "dataset": ["wine", "digits"], "hardness": ["uniform", "adjacent"], "p": [0.1, 0.2, 0.3],
    "epochs": [1, 2, 3], "seed": [0, 1, 2], "lr": [0.1, 0.01],
    "methods": [["aum"], ["aum", "el2n"]],
}  # fmt: skip


@examples(40)
@given(st.data())
def test_a_grid_has_all_its_combinations_once_in_whatever_order(data: st.DataObject) -> None:
    names = data.draw(st.permutations(sorted(GRID)))[: data.draw(st.integers(1, 4))]
    if "p" in names and "hardness" not in names:
        names.append("hardness")
    grid = {
        name: data.draw(st.lists(st.sampled_from(GRID[name]), min_size=1, unique_by=str))
        for name in names
    }
    plan = read_plan({"grid": grid})
    assert len(plan.cells) == math.prod(map(len, grid.values()))
    addresses = {cell.address for cell in plan.cells}
    assert len(addresses) == len(plan.cells)
    turned = {name: grid[name][::-1] for name in reversed(names)}
    assert {cell.address for cell in read_plan({"grid": turned}).cells} == addresses
    n = data.draw(st.integers(1, len(addresses)))
    some = read_plan({"grid": grid, "sample": {"n": n, "seed": data.draw(st.integers(0, 9))}})
    assert len(some.cells) == n
    assert {cell.address for cell in some.cells} <= addresses


PARTS = ["base", "grid", "runs", "sample", "total_runs", "fix_seed", "out", "epochs", "workers"]


@examples(250)
@given(st.one_of(PLAIN, st.dictionaries(st.sampled_from(PARTS), PLAIN, max_size=3)))
def test_any_plan_is_read_or_refused(document: Any) -> None:
    plan = accepted(lambda: read_plan(document))
    assert plan is None or plan.cells


@examples(100)
@given(st.text("abe:[]{}&*!- \n'\"|>#,0179.", max_size=40))
def test_a_plan_of_any_text_is_read_or_refused(tmp_path_factory: Any, text: str) -> None:
    file = tmp_path_factory.mktemp("plan") / "plan.yaml"
    file.write_text(text)
    accepted(lambda: read_plan(file))
