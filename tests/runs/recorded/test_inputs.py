"""What a user kept, checked before anything is scored."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.errors import DataError, SpecError
from hcat_nb.runs.recorded.inputs import read_input

E, N, C = 3, 8, 3
Z = np.random.default_rng(0).normal(size=(E, N, C)).astype(np.float32)
Y = np.arange(N) % C
PLAIN = {
    "ids": None,
    "classes": None,
    "name": None,
    "recorded": "epoch_end",
    "on_missing": "error",
    "on_missing_label": "error",
}


def read(labels=Y, logits=Z, probs=None, log_file=None, **options):
    return read_input(probs, labels, logits, log_file, **PLAIN | options)


def with_holes() -> np.ndarray:
    """Three samples unseen in epoch 2, one of them in epoch 3 too."""
    z = Z.copy()
    z[1, 2:5] = np.nan
    z[2, 4] = np.nan
    return z


@pytest.mark.parametrize(
    ("labels", "ids", "expected"),
    [
        (Y, None, list(range(N))),
        (pd.Series(Y, index=list("abcdefgh")), None, list("abcdefgh")),
        (Y, list("hgfedcba"), list("hgfedcba")),
        (pd.Series(Y, index=list("abcdefgh")), range(10, 18), list(range(10, 18))),
    ],
)
def test_ids(labels, ids, expected):
    assert read(labels, ids=ids).dataset.sample_ids.tolist() == expected


def test_class_values_are_the_users():
    given = read(np.array(["cat", "dog", "owl"])[Y])
    assert given.dataset.class_values == ("cat", "dog", "owl")
    assert given.dataset.labels.tolist() == Y.tolist()
    two = read(np.where(Y == 1, "dog", "owl"), classes=["owl", "cat", "dog"])
    assert two.dataset.labels.tolist() == np.where(Y == 1, 2, 0).tolist()
    assert read(Y % 2).dataset.class_values == (0, 1, 2)  # the last axis says that there are three


def test_samples_that_epochs_lack():
    with pytest.raises(DataError) as caught:
        read(logits=with_holes(), ids=list("abcdefgh"))
    text = str(caught.value)
    assert text.startswith("3 of 8 samples are not in all 3 epochs (an epoch has 5 to 8 of them): ")
    assert "c (in 2), d (in 2), e (in 1)" in text
    assert 'on_missing="keep"' in text
    assert "\n" not in text
    kept = read(logits=with_holes(), on_missing="keep")
    assert kept.counts.tolist() == [3, 3, 2, 2, -1, 3, 3, 3]
    assert any("scored from what exists" in note for note in kept.notes)
    left = read(logits=with_holes(), on_missing="drop", ids=list("abcdefgh"))
    assert left.dataset.sample_ids.tolist() == list("abfgh")
    assert left.counts.tolist() == [3] * 5
    assert any("left out" in note for note in left.notes)
    rows = np.concatenate([rows.numpy() for rows, _ in left.recorded.chunks(2)])
    values = np.concatenate([values.numpy() for _, values in left.recorded.chunks(2)])
    assert np.array_equal(values[np.argsort(rows)], Z[1, [0, 1, 5, 6, 7]])


def test_samples_without_a_label():
    labels = [0, None, 1, 2, 0, 1, 2, 0]
    with pytest.raises(DataError, match=r"1 of 8 rows has no label: row 1.*on_missing_label"):
        read(labels)
    assert len(read(labels, on_missing_label="drop").dataset) == 7
    assert read(labels, on_missing_label="keep").dataset.labels.tolist()[1] == -1


def test_zeros_are_told():
    p = np.eye(C)[np.tile(Y, (E, 1))]
    assert any(
        f"{E * N * 2} probabilities are 0" in one for one in read(probs=p, logits=None).notes
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"labels": Y[:5]}, DataError, r"3 epochs x 8 samples, but 5 labels; expected one label"),
        ({"logits": Z.swapaxes(0, 1)}, DataError, r"swapaxes\(array, 0, 1\)"),
        ({"labels": None}, DataError, "no labels were given"),
        ({"logits": None}, SpecError, "no dynamics are given; expected one of probs, logits"),
        ({"probs": Z}, SpecError, "probs and logits are given"),
        ({"probs": "a.npy", "logits": None}, SpecError, "the path 'a.npy'.*log_file="),
        ({"recorded": "later"}, SpecError, "recorded is 'later'; expected one of epoch_end, train"),
        ({"on_missing": "skip"}, SpecError, "on_missing is 'skip'"),
        ({"ids": [1, 2]}, DataError, "2 ids for 8 samples"),
        ({"ids": [1, "a"] * 4}, DataError, "of several types"),
        ({"ids": pd.MultiIndex.from_product([[0, 1], range(4)])}, DataError, "a MultiIndex"),
        ({"labels": list("abcdabcd")}, DataError, "have 3 classes, the labels 4; .*classes="),
        ({"labels": list("abababab")}, DataError, "have 3 classes, the labels 2; .*classes="),
        ({"labels": [None] * 8, "on_missing_label": "drop", "classes": [0, 1, 2]}, DataError,
         "no sample is left"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_errors(options, error, message):
    with pytest.raises(error, match=message) as caught:
        read(**options)
    assert "\n" not in str(caught.value)


@pytest.fixture
def log(tmp_path):
    for epoch in (0, 1):
        lines = [
            f'{{"guid": {guid}, "logits_epoch_{epoch}": [{guid}, 0], "gold": {guid % 2}}}'
            for guid in (7, 4, 5)
        ]
        (tmp_path / f"dynamics_epoch_{epoch}.jsonl").write_text("\n".join(lines))
    return tmp_path


def from_log(log, labels=None, **options):
    return read_input(None, labels, None, log, **PLAIN | options)


def test_a_log_brings_ids_and_labels(log):
    given = from_log(log)
    assert given.dataset.sample_ids.tolist() == [4, 5, 7]
    assert given.dataset.labels.tolist() == [0, 1, 1]
    assert given.dataset.class_values == (0, 1)
    named = from_log(log, classes=["no", "yes"]).dataset
    assert named.label_values().tolist() == ["no", "yes", "yes"]
    other = from_log(log, pd.Series([1, 1, 0], index=[7, 4, 5])).dataset
    assert other.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": [1, 2, 3]}, "ids are given beside a log_file"),
        ({"labels": [0, 1, 0]}, "labels are given beside a log_file.*a Series"),
        ({"labels": pd.Series([0, 1], index=[4, 5])}, "1 ids of the log have no label, such as 7"),
        ({"labels": pd.Series([0, 1, 1, 1], index=[4, 5, 7, 7])}, "names an id twice"),
        ({"classes": ["a", "b", "c"]}, "3 classes are given for 2 logits"),
    ],
)
def test_mistakes_about_a_log(log, options, message):
    with pytest.raises((DataError, SpecError), match=message):
        from_log(log, **options)


@pytest.mark.parametrize(
    ("gold", "message"),
    [
        ("9", "the gold label 9; expected 0 to 1"),
        ('"yes"', r"no positions \('yes'\).*classes="),
    ],
)
def test_gold_labels_that_are_no_positions(log, gold, message):
    for path in log.glob("*.jsonl"):
        path.write_text(path.read_text().replace('"gold": 1', f'"gold": {gold}'))
    with pytest.raises(DataError, match=message):
        from_log(log)


def test_a66_one_column_of_two_classes_has_to_say_of_which() -> None:
    y = Y % 2
    p = np.random.default_rng(1).random((E, N))
    with pytest.raises(SpecError, match=r"of one of the classes, or of each.*positive=1 if.*label"):
        read(y, None, p)
    pair = read(y, None, np.stack([1 - p, p], axis=-1))
    for positive, values in ((1, p), (np.int64(1), p), (0, 1 - p)):
        found = read(y, None, values, positive=positive)
        assert found.recorded.content == "probs"
        for (_, one), (_, other) in zip(
            found.recorded.chunks(2), pair.recorded.chunks(2), strict=True
        ):
            assert one.numpy() == pytest.approx(other.numpy(), abs=1e-6)  # 1 - (1 - p), float32
    assert read(y, None, p, positive="label").recorded.content == "label_probs"
    assert read(Y, None, p).recorded.content == "label_probs"  # three classes: plain
    with pytest.raises(SpecError, match='positive is 7; expected "label", or one of two'):
        read(y, None, p, positive=7)
    with pytest.raises(SpecError, match="given with values of all classes"):
        read(Y, positive=1)


def test_a66_a_last_axis_of_one_column_names_the_option() -> None:
    p = np.random.default_rng(1).random((E, N, 1))
    for given in (p, p[0]):
        with pytest.raises(DataError, match=r"N?, 1\).*two classes.*positive=.*predict_proba"):
            read(Y % 2, None, given)
    assert read(Y % 2, None, p[..., 0], positive=1).recorded.content == "probs"


def test_a66_one_moment_is_taken_as_it_is() -> None:
    for given in ({"logits": Z[0]}, {"logits": None, "probs": np.full((N, C), 1 / C)}):
        found = read(**given)
        assert (found.recorded.n_epochs, found.recorded.n) == (1, N)
        assert any("read as one moment of 8 samples" in note for note in found.notes)
    found = read(Y % 2, None, np.linspace(0, 1, N), positive=1)
    assert (found.recorded.n_epochs, found.recorded.n) == (1, N)


def test_ids_that_repeat_are_told() -> None:
    found = read(ids=[*range(N - 1), 0])
    assert any("1 sample id occurs more than once (0)" in note for note in found.notes)
