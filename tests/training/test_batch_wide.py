"""Layers that look at whole batches, in parts: as one process sees them."""

from __future__ import annotations

import torch
from torch import nn

from hcat_nb.training.batch_wide import BatchWide

# Float32, and sums in another order than torch's own kernel: about the number of samples times
# the rounding of one.  What is wrong by one sample is wrong by 1e-2 and more.
PROGRAM = """
import copy
import torch
from torch import nn
from hcat_nb.training.batch_wide import BatchWide
from hcat_nb.training.ranks import together

def close(one, two):
    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)

def check(ranks, model, shape, n, exact=False):
    torch.manual_seed(1)
    x, weights = torch.randn(n, *shape) + 3, torch.randn(n, *shape)
    if len(shape) == 3:
        x = x.contiguous(memory_format=torch.channels_last)
    twin = copy.deepcopy(model).train()
    model.train()
    whole = x.clone(memory_format=torch.preserve_format).requires_grad_()
    torch.manual_seed(2)
    expected = twin(whole)
    (expected * weights).sum().backward()
    share = ranks.share(n)
    idle = share.start == share.stop
    shown = slice(0, 1) if idle else share
    mine = x[shown].clone(memory_format=torch.preserve_format).requires_grad_()
    wide = BatchWide(model)
    wide.batch(n, share)
    torch.manual_seed(2)
    with wide.installed():
        made = model(mine)
    (made * weights[shown] * (not idle)).sum().backward()
    if exact:
        assert torch.equal(made, expected[shown]), model
        assert torch.equal(torch.get_rng_state(), ranks.broadcast(torch.get_rng_state()))
    close(made, expected[shown])
    close(mine.grad, torch.zeros_like(mine) if idle else whole.grad[shown])
    for name, value in twin.named_buffers():
        close(dict(model.named_buffers())[name], value)
    for name, value in twin.named_parameters():
        gradient = dict(model.named_parameters())[name].grad.clone()
        ranks.all_reduce(gradient)
        close(gradient, value.grad)
    assert "forward" not in vars(model)
    x = x[:3]
    close(model.eval()(x), twin.eval()(x))  # another use, the layer's own

with together() as ranks:
    for n in (7, 2):  # of 2 the third process has none
        check(ranks, nn.BatchNorm1d(4), (4,), n)
        check(ranks, nn.BatchNorm1d(4, affine=False, momentum=None), (4, 5), n)
        check(ranks, nn.BatchNorm2d(3, eps=0.1, momentum=0.5), (3, 4, 4), n)
        check(ranks, nn.BatchNorm2d(3, track_running_stats=False), (3, 4, 4), n)
        check(ranks, nn.BatchNorm3d(2), (2, 2, 3, 2), n)
        check(ranks, nn.Dropout(0.3), (50,), n, exact=True)
        check(ranks, nn.Dropout(0.3), (3, 6, 6), n, exact=True)  # channels last
        check(ranks, nn.Dropout1d(0.5), (6, 4), n, exact=True)
        check(ranks, nn.Dropout2d(0.5), (6, 4, 4), n, exact=True)
        check(ranks, nn.Dropout3d(0.5), (6, 2, 2, 2), n, exact=True)
        check(ranks, nn.AlphaDropout(0.3), (50,), n, exact=True)
        check(ranks, nn.FeatureAlphaDropout(0.3), (6, 4, 4), n, exact=True)
        check(ranks, nn.Dropout(0.0), (50,), n, exact=True)
"""


def test_parts_are_what_the_whole_is(torchrun):
    torchrun(PROGRAM, processes=3)


def test_what_has_no_samples_on_its_first_axis_is_left_alone():
    """A model that folds time into the batch: the mask is drawn for what comes."""
    layer = nn.Dropout(0.5)
    wide = BatchWide(layer)
    wide.batch(4, slice(0, 2))
    x = torch.ones(6, 3)
    torch.manual_seed(0)
    expected = layer(x)
    torch.manual_seed(0)
    with wide.installed():
        assert torch.equal(layer(x), expected)
    assert "forward" not in vars(layer)
