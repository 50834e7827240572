"""Properties that hold for any data: read as given, or refused in one line; kept as they were."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import hcat_nb as hcat
from tests.contract.properties import accepted, examples

pytestmark = pytest.mark.slow  # hundreds of examples

DTYPES = ("f2", "f4", "f8", "i1", "i4", "i8", "u1", "u8", "?")
USUAL = st.sampled_from([True, True, False])
WORDS = st.text("ab,;\"'|.1é -_\t<", max_size=4)  # what dialects of files are made of


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    """Tables and images of every dtype; now and then NaN, infinities and extremes.

    Two in three are of finite numbers, as people have them: of wild ones hardly any is read, and
    how many depends on the constants that Hypothesis finds in the modules that were imported.
    """
    usual = draw(USUAL)
    rows = draw(st.integers(4, 8) if usual else st.integers(0, 8))
    shape = (
        (draw(st.integers(1, 4)),)
        if usual
        else draw(
            st.one_of(
                st.tuples(st.integers(0, 4)),
                st.tuples(st.integers(1, 4), st.integers(1, 4)),
                st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)),
            )
        )
    )
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    count = rows * math.prod(shape)
    if dtype.kind == "f":
        wide = not usual and draw(st.booleans())
        one = st.floats(width=8 * dtype.itemsize, allow_nan=wide, allow_infinity=wide)
        one = one if wide else st.floats(-100, 100, width=8 * dtype.itemsize)
    elif dtype.kind == "b":
        one = st.booleans()
    else:
        ends = np.iinfo(dtype)
        one = st.integers(int(ends.min), int(ends.max))
    values = draw(st.lists(one, min_size=count, max_size=count))
    return np.array(values, dtype=dtype).reshape(rows, *shape)


CLASSES = st.one_of(
    st.lists(st.integers(-5, 5), min_size=1, max_size=3, unique=True),
    st.lists(WORDS, min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(["nan", "None", "NA", "1", "1.0", "01", "yes", "<NA>"]), max_size=3),
    st.lists(st.sampled_from([True, False, None, 1, 1.0, "1", math.nan, 0.5]), max_size=3),
    st.just([0.0, 1.0]),
)


@st.composite
def labels_of(draw: st.DrawFn, rows: int) -> list[Any]:
    """A label a row, of few classes; two in three times of two integers, both of them there."""
    if draw(USUAL) and rows > 1:
        return [0, 1, *(draw(st.integers(0, 1)) for _ in range(rows - 2))]
    classes = draw(CLASSES) or [0, 1]
    return [draw(st.sampled_from(classes)) for _ in range(rows)]


def same_value(one: Any, other: Any) -> bool:
    """Whether a label is the one that was given: of numbers the value, else the text, too."""
    if isinstance(one, bool | np.bool_) or isinstance(other, bool | np.bool_):
        return bool(one) == bool(other) and type(one) is type(other)
    return bool(one == other) and isinstance(one, str) == isinstance(other, str)


def check_labels(dataset: Any, labels: list[Any]) -> None:
    for found, label in zip(dataset.label_values().tolist(), labels, strict=True):
        assert same_value(found, label), (found, label)


@examples(250)
@given(st.data())
def test_arrays_are_read_as_they_are_or_refused(data: st.DataObject) -> None:
    given_, labels = (features := data.draw(arrays())).copy(), data.draw(labels_of(len(features)))
    before = copy.deepcopy(labels)
    dataset = accepted(lambda: hcat.load(features, labels))
    assert np.array_equal(features, given_, equal_nan=features.dtype.kind == "f")
    assert str(labels) == str(before)
    if dataset is None:
        return
    check_labels(dataset, labels)
    assert dataset.sample_ids.tolist() == list(range(len(features)))
    assert torch.isfinite(dataset.features.float()).all()
    wanted = features.astype(np.float64)
    if dataset.modality == "table":
        found, scale = dataset.numbers(), np.abs(wanted).max(axis=0)
        assert (np.abs(found - wanted) <= scale * 2.0**-24 + 1e-45).all()  # a float32's own step
        for column in range(wanted.shape[1]):
            values = np.unique(wanted[:, column])
            lost = len(values) - len(np.unique(found[:, column]))
            # Nearer to each other than this, they differ by rounding, or by their order alone.
            near = len(values) < 2 or np.diff(values).min() < 2.0**-40 * np.abs(values).max()
            assert not lost or near or any("float32" in one for one in dataset.notes), dataset.notes
    else:
        kept = np.sort(dataset.features.double().flatten(1).numpy(), axis=1)
        other = np.sort(wanted.reshape(len(wanted), -1), axis=1)
        assert np.allclose(kept, other, rtol=2.0**-24, atol=1e-45)


INDICES: dict[str, Callable[[int], Any]] = {
    "numbers": lambda n: range(n), "backwards": lambda n: range(n)[::-1],
    "texts": lambda n: [f"id {row}" for row in range(n)], "equal": lambda n: [7] * n,
    "floats": lambda n: [row / 2 for row in range(n)], "mixed": lambda n: [0, "0", 2, "x"] * n,
    "dates": lambda n: pd.date_range("2020-01-01", periods=n), "empty": lambda n: [""] * n,
    "pairs": lambda n: pd.MultiIndex.from_tuples([(row, "a") for row in range(n)]),
    "missing": lambda n: [None, *range(1, n)],
}  # fmt: skip


@st.composite
def columns(draw: st.DrawFn, rows: int) -> list[Any]:
    """A column of any kind of values."""
    one = draw(
        st.sampled_from(
            [
                st.floats(-1e6, 1e6), st.floats(), st.integers(-3, 3), st.integers(), WORDS,
                st.sampled_from(["low", "mid", "high"]), st.booleans(), st.none(),
                st.sampled_from([1.5, None, "", "nan"]), st.dates(), st.just("same"),
            ]
        )
    )  # fmt: skip
    return draw(st.lists(one, min_size=rows, max_size=rows))


@st.composite
def frames(draw: st.DrawFn, names: st.SearchStrategy[str] = WORDS) -> pd.DataFrame:
    """A table of a few columns and a target ``y``."""
    rows = draw(st.integers(2, 8))
    heads = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    assume("y" not in heads)
    found = {head: pd.Series(draw(columns(rows))) for head in heads}
    return pd.DataFrame(found).assign(y=draw(labels_of(rows)))


@examples(150)
@given(frames(), st.sampled_from(sorted(INDICES)))
def test_frames_are_read_as_they_are_or_refused(frame: pd.DataFrame, index: str) -> None:
    made = INDICES[index](len(frame))
    frame.index = made if isinstance(made, pd.Index) else pd.Index(list(made)[: len(frame)])
    before = frame.copy(deep=True)
    dataset = accepted(lambda: hcat.load(frame, target="y"))
    pd.testing.assert_frame_equal(frame, before)
    if dataset is None:
        return
    check_labels(dataset, frame["y"].tolist())
    assert dataset.sample_ids.astype(str).tolist() == frame.index.astype(str).tolist()
    assert torch.isfinite(dataset.features).all()
    assert dataset.feature_names is not None
    assert "y" not in dataset.feature_names


@examples(60)
@given(frames())
def test_whatever_the_table_a_check_tells_and_raises_nothing_else(frame: pd.DataFrame) -> None:
    found = accepted(lambda: hcat.check(frame, target="y"))
    if found is not None:
        assert repr(found)
        assert found._repr_html_()


@examples(80)
@given(st.data())
def test_a_file_says_what_the_frame_said(tmp_path_factory: Any, data: st.DataObject) -> None:
    rows = data.draw(st.integers(4, 8))
    classes = data.draw(st.lists(st.text("abc,;\"'é", min_size=1, max_size=3), min_size=2,
                                 max_size=3, unique=True))  # fmt: skip
    numbers = st.lists(st.floats(-1e6, 1e6), min_size=rows, max_size=rows)
    words = st.lists(st.sampled_from(["low", "mid, so", 'a "b"']), min_size=rows, max_size=rows)
    frame = pd.DataFrame({"one": data.draw(numbers), "two": data.draw(words)})
    frame["y"] = [data.draw(st.sampled_from(classes)) for _ in range(rows)]
    file = tmp_path_factory.mktemp("file") / f"rows{data.draw(st.sampled_from(SUFFIXES))}"
    _write(frame, file)
    from_frame = accepted(lambda: hcat.load(frame, target="y"))
    from_file = accepted(lambda: hcat.load(str(file), target="y"))
    assert (from_frame is None) == (from_file is None)
    if from_frame is not None:
        assert from_file.label_values().tolist() == from_frame.label_values().tolist()
        assert from_file.class_values == from_frame.class_values
        assert torch.equal(from_file.features, from_frame.features)
        assert from_file.levels == from_frame.levels


SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl", ".csv.gz")


def _write(frame: pd.DataFrame, file: Path) -> None:
    if ".parquet" in file.name:
        frame.to_parquet(file)
    elif ".jsonl" in file.name:
        # of pandas' own digits two are lost
        frame.to_json(file, orient="records", lines=True, double_precision=15)
    else:
        frame.to_csv(file, index=False, sep="\t" if ".tsv" in file.name else ",")


@examples(150)
@given(st.binary(max_size=200), st.sampled_from([*SUFFIXES, ".json", ".xlsx", ".arff", ".npy"]))
def test_a_file_of_anything_is_read_or_refused(
    tmp_path_factory: Any, content: bytes, suffix: str
) -> None:
    file = tmp_path_factory.mktemp("file") / f"rows{suffix}"
    file.write_bytes(content)
    accepted(lambda: hcat.load(str(file), target="y"))


@examples(150)
@given(st.text("a,;\t\"'1.\n\r y%#é", max_size=80), st.sampled_from([".csv", ".json", ".arff"]))
def test_a_file_of_any_text_is_read_or_refused(
    tmp_path_factory: Any, text: str, suffix: str
) -> None:
    file = tmp_path_factory.mktemp("file") / f"rows{suffix}"
    file.write_bytes(f"a,y\n{text}".encode())
    accepted(lambda: hcat.load(str(file), target="y"))


KINDS = ("uniform", "asymmetric", "adjacent", "instance", "id_covariate", "ood_covariate")


@examples(120)
@given(
    st.integers(4, 60), st.integers(2, 5), st.floats(0, 1, exclude_max=True), st.integers(0, 99),
    st.sampled_from(KINDS),
)  # fmt: skip
def test_exactly_so_many_samples_are_made_hard(
    n: int, classes: int, p: float, seed: int, kind: str
) -> None:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    dataset = hcat.load(rng.normal(size=(n, 3)).astype(np.float32) + labels[:, None], labels)
    made = accepted(lambda: hcat.perturb(dataset, kind, p, seed=seed))
    if made is None:
        return
    hard = made.truth["is_hard"].to_numpy()
    assert hard.sum() == math.floor(p * n + 0.5)
    same = (made.dataset.labels == dataset.labels) & (
        made.dataset.features == dataset.features
    ).all(1)
    assert (same.numpy() == ~hard).all()
    again = hcat.perturb(dataset, kind, p, seed=seed)
    assert torch.equal(again.dataset.features, made.dataset.features)
    assert torch.equal(again.dataset.labels, made.dataset.labels)


@examples(20)
@given(st.data())
def test_a_run_of_any_data_is_read_as_it_was_saved(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    n = data.draw(st.integers(6, 12))
    rng = np.random.default_rng(n)
    classes = data.draw(
        st.one_of(
            st.lists(st.text(max_size=4), min_size=2, max_size=3, unique=True),
            st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=3, unique=True),
            st.just([True, False]), st.just([0.0, 2.0]),
        )
    )  # fmt: skip
    frame = pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "b"])
    frame["y"] = [classes[row % len(classes)] for row in range(n)]
    made = INDICES[data.draw(st.sampled_from(sorted(INDICES)))](n)
    frame.index = made if isinstance(made, pd.Index) else pd.Index(list(made)[:n])
    run = accepted(
        lambda: hcat.characterize(
            frame, target="y", epochs=1, methods="el2n", seed=0, model="dense", judges=False,
            learning_check=False, device="cpu",
        )
    )  # fmt: skip
    if run is None:
        return
    read = hcat.load_run(run.save(tmp_path_factory.mktemp("run") / "run"))
    pd.testing.assert_frame_equal(read.scores, run.scores, check_freq=False)
    pd.testing.assert_frame_equal(read.details, run.details, check_freq=False)
    for found, label in zip(read.details["label"].tolist(), frame["y"].tolist(), strict=True):
        assert same_value(found, label)


def test_the_strategies_reach_what_is_accepted_and_what_is_refused() -> None:
    """A property of data that are all refused would hold for nothing."""
    counts = {True: 0, False: 0}

    @examples(100)
    @given(st.data())
    def count(data: st.DataObject) -> None:
        features = data.draw(arrays())
        labels = data.draw(labels_of(len(features)))
        counts[accepted(lambda: hcat.load(features, labels)) is not None] += 1

    count()
    assert min(counts.values()) > 10, counts
