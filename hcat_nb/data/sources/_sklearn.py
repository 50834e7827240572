"""Tables that are bundled with scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from hcat_nb.data.dataset import LabelledDataset


def table(name: str, bunch: Any) -> LabelledDataset:
    """Return a scikit-learn bunch as a dataset; class values are its target names."""
    return LabelledDataset(
        name=name,
        features=torch.from_numpy(bunch.data.astype(np.float32)),
        labels=torch.from_numpy(bunch.target.astype(np.int64)),
        class_values=tuple(str(value) for value in bunch.target_names),
        sample_ids=pd.RangeIndex(len(bunch.data)),
        feature_names=tuple(str(column) for column in bunch.feature_names),
    )
