"""What enters the embedding layer."""

from __future__ import annotations

import torch
from torch import nn

from hcat_nb.observation.embeddings import EmbeddingTap


def test_it_takes_the_flattened_input_and_leaves_no_hook():
    body, head = nn.Conv2d(1, 2, 1), nn.Linear(8, 3)
    net = nn.Sequential(body, nn.Flatten(), head)
    x = torch.randn(5, 1, 2, 2)
    with EmbeddingTap(head) as tap:
        net(x)
        taken = tap.take()
    assert torch.equal(taken, body(x).flatten(1))
    assert not head._forward_pre_hooks
