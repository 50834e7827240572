"""A frame such as ``run.details`` of any size."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def make_details() -> Callable[..., pd.DataFrame]:
    def make(n: int, classes: int = 10, seed: int = 0) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        is_hard = rng.random(n) < 0.1
        confidence = np.where(is_hard, rng.beta(2, 8, n), rng.beta(9, 1, n))
        variability = np.sqrt(confidence * (1 - confidence)) * rng.random(n)
        group = np.where(variability > 0.25, "ambiguous", np.where(is_hard, "hard", "easy"))
        return pd.DataFrame(
            {
                "label": pd.Categorical(rng.integers(0, classes, n)),
                "confidence": confidence.astype(np.float32),
                "variability": variability.astype(np.float32),
                "aleatoric": (confidence * (1 - confidence)).astype(np.float32),
                "datamaps_group": group,
                "dataiq_group": group,
                "is_hard": is_hard,
                "aum": rng.normal(size=n).astype(np.float32),
            },
            index=pd.Index([f"s{i}" for i in range(n)], name="sample_id"),
        )

    return make


@pytest.fixture
def rows_of() -> Callable[..., pd.DataFrame]:
    """The rows that a layer or a plot of a chart's specification holds."""

    def read(spec: dict[str, Any], part: int = 0) -> pd.DataFrame:
        parts = spec.get("layer") or spec.get("concat") or [spec]
        data = parts[part].get("data") or spec["data"]  # what all parts share stands above them
        text = spec["datasets"][data["name"]]
        words = [name for name, kind in data["format"]["parse"].items() if kind == "string"]
        keep = dict.fromkeys(words, "str")
        return pd.read_csv(io.StringIO(text), dtype=keep, na_values=[""], keep_default_na=False)

    return read
