"""The JSON-lines logs of Dataset Cartography."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hcat_nb.data.files.training_log import read_training_log
from hcat_nb.errors import DataError, MissingDataError


def write(folder, epoch, rows):
    """Write (guid, logits, gold) rows as the epoch's file and return its path."""
    path = folder / f"dynamics_epoch_{epoch}.jsonl"
    lines = [
        json.dumps({"guid": guid, f"logits_epoch_{epoch}": logits, "gold": gold})
        for guid, logits, gold in rows
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_samples_are_ordered_by_id_and_epochs_by_number(tmp_path):
    # Eleven epochs: by name, 10 would come between 1 and 2.
    for epoch in range(11):
        rows = [(20, [epoch, 0.5], 0), (3, [-epoch, 1.5], 1)]
        write(tmp_path, epoch, rows if epoch % 2 else rows[::-1])
    log = read_training_log(tmp_path)
    assert log.ids.tolist() == [3, 20]
    assert log.gold.tolist() == [1, 0]
    assert log.logits.dtype == np.float32
    assert log.logits[:, 1, 0].tolist() == list(range(11))
    assert (log.logits[:, 0, 1] == 1.5).all()
    assert log.epochs == range(11)


def test_files_in_any_order_and_the_folder_above(tmp_path):
    folder = tmp_path / "training_dynamics"
    folder.mkdir()
    paths = [write(folder, epoch, [("b", [epoch, 0], 0), ("a", [0, epoch], 1)]) for epoch in (4, 5)]
    for source in (paths[::-1], str(tmp_path), folder):
        log = read_training_log(source)
        assert log.ids.tolist() == ["a", "b"]
        assert log.logits[:, 1].tolist() == [[4, 0], [5, 0]]
        assert log.epochs == range(4, 6)


def test_a_sample_that_an_epoch_lacks_is_nan_there(tmp_path):
    write(tmp_path, 0, [(1, [1, 2], 0), (2, [3, 4], 1)])
    write(tmp_path, 1, [(2, [5, 6], 1), (7, [8, 9], 0)])
    log = read_training_log(tmp_path)
    assert log.ids.tolist() == [1, 2, 7]
    assert np.isnan(log.logits[:, :, 0]).tolist() == [[False, False, True], [True, False, False]]
    assert log.logits[1, 1:].tolist() == [[5, 6], [8, 9]]


def test_the_published_sample(shared_data):
    folder = shared_data / "training_dynamics" / "snli_sample"
    log = read_training_log(folder)
    assert log.logits.shape == (5, 50, 3)
    assert (np.isfinite(log.logits[:, :, 0]).sum(0) == 1).all()  # as the data's README says
    assert (np.diff(log.ids) > 0).all()
    first = json.loads((folder / "dynamics_epoch_3.jsonl").read_text().splitlines()[0])
    place = log.ids.get_loc(first["guid"])
    assert np.allclose(log.logits[3, place], first["logits_epoch_3"], rtol=1e-7)  # float32
    assert log.gold[place] == first["gold"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"dynamics_epoch_0\.jsonl, line 2 is no JSON"),
        ('{"guid": 2, "gold": 0}', "line 2 holds guid, gold; expected guid, logits_epoch_0, gold"),
        ('{"guid": 2, "logits_epoch_1": [1, 2], "gold": 0}', "line 2 holds guid, logits_epoch_1"),
        ('{"guid": 1, "logits_epoch_0": [1, 2], "gold": 0}', "guid 1 is there twice"),
        ('{"guid": 2, "logits_epoch_0": [1, 2, 3], "gold": 0}', "3 logits, 2 in the lines before"),
        ('{"guid": 2, "logits_epoch_0": [1, NaN], "gold": 0}', "expected a finite number"),
        ('{"guid": 2, "logits_epoch_0": [1, 1e39], "gold": 0}', "expected a finite number"),
        ('{"guid": null, "logits_epoch_0": [1, 2], "gold": 0}', "guid is None"),
        ('{"guid": "2", "logits_epoch_0": [1, 2], "gold": 0}', r"numbers and some .* \(1, '2'\)"),
        ("[1]", "line 2 holds list"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path, line, message):
    path = write(tmp_path, 0, [(1, [1, 2], 0)])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError, match=message) as caught:
        read_training_log(tmp_path)
    assert "\n" not in str(caught.value)


def test_contradictions_between_epochs_are_named(tmp_path):
    write(tmp_path, 0, [(1, [1, 2], 0)])
    write(tmp_path, 1, [(1, [1, 2], 1)])
    with pytest.raises(DataError, match=r"guid 1 has the gold label 1 in epoch 1 .* and 0 before"):
        read_training_log(tmp_path)
    write(tmp_path, 1, [(1, [1, 2, 3], 0)])
    with pytest.raises(DataError, match=r"\[2, 3\] logits"):
        read_training_log(tmp_path)
    write(tmp_path, 3, [(1, [1, 2], 0)])
    with pytest.raises(DataError, match="epochs 0 to 3, but not epoch 2"):
        read_training_log(tmp_path)


def test_what_is_no_log_is_refused(tmp_path):
    with pytest.raises(MissingDataError, match="does not exist"):
        read_training_log(tmp_path / "absent")
    with pytest.raises(MissingDataError, match="holds no training dynamics"):
        read_training_log(tmp_path)
    (tmp_path / "log.jsonl").touch()
    with pytest.raises(DataError, match=r"'log.jsonl' names no epoch"):
        read_training_log([tmp_path / "log.jsonl"])
    with pytest.raises(DataError, match="log_file is 3"):
        read_training_log(3)
    with pytest.raises(MissingDataError, match="does not exist"):
        read_training_log([tmp_path / "dynamics_epoch_0.jsonl"])
    (tmp_path / "dynamics_epoch_0.jsonl").touch()
    with pytest.raises(DataError, match="is empty"):
        read_training_log(tmp_path)
