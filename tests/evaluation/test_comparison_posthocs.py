"""The post-hoc tests beside those of scikit-posthocs, which the product does without."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs

from hcat_nb.evaluation.comparison import compare


def _values(seed: int, ties: bool) -> pd.DataFrame:
    """Return results of 7 methods on 25 blocks, methods of different skill."""
    rng = np.random.default_rng(seed)
    values = rng.normal(np.linspace(0.6, 0.9, 7), 0.15, (25, 7))
    return pd.DataFrame(values.round(1) if ties else values, columns=list("abcdefg"))


@pytest.mark.parametrize("ties", [False, True], ids=["no ties", "ties"])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("posthoc", ["nemenyi", "wilcoxon"])
def test_p_values_are_those_of_scikit_posthocs(posthoc: str, seed: int, ties: bool) -> None:
    values = _values(seed, ties)
    long = values.rename_axis("run").reset_index().melt("run", var_name="hcm", value_name="auroc")
    found = compare(long, blocks=["run"], posthoc=posthoc).p_values
    if posthoc == "nemenyi":
        expected = scikit_posthocs.posthoc_nemenyi_friedman(values)
    else:
        expected = scikit_posthocs.posthoc_wilcoxon(
            values.melt(var_name="hcm", value_name="auroc"), "auroc", "hcm", p_adjust="holm"
        )
    expected = expected.loc[found.index, found.columns]
    # the studentized range is integrated numerically, to six digits or so, in both
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), atol=1e-6)
    assert 0 < (found.to_numpy() < 0.05).sum() < found.size - len(found)
