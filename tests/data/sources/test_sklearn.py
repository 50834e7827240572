"""Tables of scikit-learn: names and types."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.utils import Bunch

from hcat_nb.data.sources._sklearn import table


def test_a_bunch_becomes_a_table_of_its_own() -> None:
    bunch = Bunch(
        data=np.array([[1.5, 2.0], [3.0, 4.0]]),
        target=np.array([1, 0]),
        target_names=np.array(["no", "yes"]),
        feature_names=["a", "b"],
    )
    dataset = table("small", bunch)
    bunch.data[:] = 0
    assert dataset.features.dtype == torch.float32
    assert dataset.features.tolist() == [[1.5, 2.0], [3.0, 4.0]]
    assert dataset.feature_names == ("a", "b")
    assert [dataset.class_values[code] for code in dataset.labels] == ["yes", "no"]
    assert all(type(value) is str for value in dataset.class_values)
