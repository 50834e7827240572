from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hcat_nb.checks.raw import Raw
from hcat_nb.runs.checking.mend import mend


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_cells_and_columns_are_mended_and_all_else_stays(tmp_path: Path, suffix: str) -> None:
    index = pd.Index([f"s{i}" for i in range(60)])
    whole = pd.DataFrame(
        {"a": np.arange(60) % 7 / 3, "c": ["?", "x", "y"] * 20, "e": 1, "y": ["u", "v"] * 30},
        index=index,
    )
    raw = Raw(whole[["a", "c", "e"]], whole["y"], None, whole, "y")
    mended, told = mend(raw, None, tmp_path / f"new.{suffix}")
    assert [line.partition(": ")[2] for line in told] == ["drop 'e'", "missing 'c' '?'"]
    read = (
        pd.read_parquet(tmp_path / "new.parquet")
        if suffix == "parquet"
        else pd.read_csv(
            tmp_path / f"new.{suffix}", sep="\t" if suffix == "tsv" else ",", index_col=0
        )
    )
    for frame in (mended, read):
        assert list(frame.index) == list(index)
        assert np.array_equal(frame["a"], whole["a"])
        assert frame["c"].isna().tolist() == [True, False, False] * 20
        assert list(frame) == ["a", "c", "y"]
