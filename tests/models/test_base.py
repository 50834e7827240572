"""What every named model keeps to."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.models.base import NamedModel
from hcat_nb.registry import MODELS

SHAPES = {"image": (1, 16, 16), "table": (7,)}


@pytest.mark.parametrize("name", MODELS.names())
def test_it_is_built_from_shape_and_classes_and_returns_logits(name):
    plugin = MODELS.get(name)
    assert issubclass(plugin, NamedModel)
    for modality in plugin.modality:
        shape = SHAPES[modality]
        net = plugin(shape, 2)
        assert net.eval()(torch.zeros(3, *shape)).shape == (3, 2)


@pytest.mark.parametrize("name", MODELS.names())
def test_weights_come_from_the_global_generator(name):
    plugin = MODELS.get(name)
    shape = SHAPES[min(plugin.modality)]
    nets = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        nets.append(torch.cat([one.ravel() for one in plugin(shape, 3).parameters()]))
    assert torch.equal(nets[0], nets[1])
    assert not torch.equal(nets[0], nets[2])


@pytest.mark.parametrize("name", MODELS.names())
def test_it_has_dropout_for_the_sub_networks_of_conf_agree(name):
    plugin = MODELS.get(name)
    net = plugin(SHAPES[min(plugin.modality)], 3)
    assert any(isinstance(one, nn.Dropout) and one.p > 0 for one in net.modules())
