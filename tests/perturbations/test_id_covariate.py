from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.perturbations.id_covariate import IdCovariate


def test_published_strength_and_family(images):
    data = images(torch.full((80, 1, 16, 16), 0.5))
    result = IdCovariate(keep_extremes=False)(data, 0.5, 0)
    hard = result.truth.is_hard.to_numpy(copy=True)
    assert set(result.truth.strength[hard]) == {0.1}
    assert set(result.truth.family[hard]) == {"covariate"}
    noisy = result.dataset.features[hard].double().numpy()
    reference = np.clip(0.5 + 0.1 * np.random.default_rng(1).standard_normal(noisy.shape), 0, 1)
    # 10,240 values: the deviation is known to 1 %; 4 sd of a difference.
    assert noisy.std() == pytest.approx(reference.std(), rel=0.06)
