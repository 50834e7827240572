"""Masks of sub-networks: one at a time and all at once are the same numbers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.observation._dropout_masks import KINDS, Masks

SHAPES = {
    nn.Dropout: (4, 6),
    nn.AlphaDropout: (4, 6),
    nn.Dropout1d: (4, 6, 5),
    nn.Dropout2d: (4, 6, 5, 3),
    nn.Dropout3d: (4, 6, 2, 3, 2),
    nn.FeatureAlphaDropout: (4, 6, 5, 3),
}


@pytest.mark.parametrize("p", [0.3, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_all_at_once_is_one_after_the_other(kind, p):
    layer, x = kind(p), torch.randn(SHAPES[kind], generator=torch.Generator().manual_seed(0))
    one, all_of_them = Masks(0, per_sample=False), Masks(0, per_sample=False)
    together = all_of_them.apply_all(("drop", 0), 3, layer, x[:, None])
    apart = torch.stack([one.apply(("drop", 0, k), layer, x) for k in range(3)], dim=1)
    assert torch.equal(together, apart)
    further = all_of_them.apply_all(("drop", 0), 3, layer, together)
    assert torch.equal(further[:, 1], one.apply(("drop", 0, 1), layer, together[:, 1]))


@pytest.mark.parametrize("expanded", [False, True])
def test_channels_last_stay_last(expanded):
    x = torch.randn(4, 6, 5, 3).contiguous(memory_format=torch.channels_last)
    members = x[:, None].repeat_interleave(2, 1) if expanded else x[:, None]
    if expanded:
        members = x.repeat_interleave(2, 0).contiguous(memory_format=torch.channels_last)
        members = members.unflatten(0, (4, 2))
    masks = Masks(0, per_sample=False)
    out = masks.apply_all(("drop", 0), 2, nn.Dropout(0.5), members).flatten(0, 1)
    assert out.is_contiguous(memory_format=torch.channels_last)
    (scale, _) = masks._stacked["drop", 0]
    assert scale.is_contiguous(memory_format=torch.channels_last)


def test_a_kept_unit_is_scaled_up_and_a_dropped_one_is_zero():
    x = torch.ones(1, 1000)
    out = Masks(0, per_sample=False).apply(("drop", 0, 0), nn.Dropout(0.2), x)
    assert set(out.unique().tolist()) == {0.0, 1.25}
    # binomial: standard deviation 13 of 1000
    assert int((out > 0).sum()) == pytest.approx(800, abs=60)
