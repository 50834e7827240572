"""Sub-networks by fixed dropout masks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.errors import SpecError
from hcat_nb.observation.dropout import KINDS, DropoutEnsemble, Masks

SHAPES = {
    nn.Dropout: (4, 6),
    nn.AlphaDropout: (4, 6),
    nn.Dropout1d: (4, 6, 5),
    nn.Dropout2d: (4, 6, 5, 3),
    nn.Dropout3d: (4, 6, 2, 3, 2),
    nn.FeatureAlphaDropout: (4, 6, 5, 3),
}


def network(p: float = 0.5) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 40), nn.BatchNorm1d(40), nn.ReLU(), nn.Dropout(p), nn.Linear(40, 3)
    ).eval()


def measure(net: nn.Module, x: torch.Tensor, **options) -> torch.Tensor:
    with torch.inference_mode():
        return DropoutEnsemble(net, 0, **options).measure(x, net(x))


X = torch.randn(30, 6, generator=torch.Generator().manual_seed(1))


def test_it_gives_k_different_networks_with_probabilities():
    probs = measure(network(), X, k=4)
    assert probs.shape == (30, 4, 3)
    assert torch.allclose(probs.sum(2), torch.ones(30, 4), atol=1e-6)
    assert not torch.equal(probs[:, 0], probs[:, 1])


def test_a_member_is_the_network_with_one_mask_for_all_samples():
    """Rebuilds a member by hand: solve for its mask from the linear layers."""
    net = network()
    ensemble = DropoutEnsemble(net, 0, k=1)
    with torch.inference_mode():
        probs = ensemble.measure(X, net(X))[:, 0]
        hidden = net[:3](X)
        (mask,) = ensemble.masks._kept.values()
        expected = torch.softmax(net[4](hidden * mask / 0.5), 1)
    assert mask.shape == (1, 40)
    assert torch.allclose(probs, expected, atol=1e-6)
    assert 5 < int(mask.sum()) < 35  # about half of 40 are kept


def test_it_does_not_depend_on_the_batch():
    net = network()
    ensemble = DropoutEnsemble(net, 0)
    with torch.inference_mode():
        whole = measure(net, X)
        parts = torch.cat([ensemble.measure(x, net(x)) for x in X.split(7)])
    # another batch size may take another matrix kernel
    assert torch.allclose(whole, parts, atol=1e-6)


def test_the_same_seed_gives_the_same_networks_whatever_the_global_state():
    net = network()
    first = measure(net, X)
    torch.manual_seed(123)
    assert torch.equal(first, measure(net, X))


def test_the_model_is_left_as_it_was():
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    measure(net, X)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert not any(module.training or module._forward_hooks for module in net.modules())


@pytest.mark.parametrize("net", [network(0.0), nn.Sequential(nn.Linear(6, 3)).eval()])
def test_without_effective_dropout_it_warns_and_gives_one_network(net):
    with pytest.warns(UserWarning, match=r"no dropout takes effect.*add nn.Dropout"):
        probs = measure(net, X)
    with torch.inference_mode():
        assert torch.allclose(probs[:, 0], torch.softmax(net(X), 1))
    assert probs.shape[1] == 1


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.seen = []

    def forward(self, x):
        first = self.drop(torch.ones_like(x))
        second = self.drop(torch.ones_like(x))
        self.seen.append((first[0], second[0]))
        return x[:, :3] * first[:, :3] + second[:, 3:]


def test_a_module_used_twice_has_a_mask_for_each_call():
    net = Twice().eval()
    measure(net, torch.randn(4, 6), k=3)
    assert any(not torch.equal(first, second) for first, second in net.seen)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(nn.Dropout1d(0.5), (8, 16, 5)), (nn.Dropout2d(0.5), (8, 16, 3, 3)),
     (nn.Dropout3d(0.5), (8, 16, 2, 2, 2))],
)  # fmt: skip
def test_channel_dropouts_drop_whole_channels(layer, shape):
    net = nn.Sequential(layer, nn.Flatten()).eval()
    ensemble = DropoutEnsemble(net, 0, k=1)
    ensemble.measure(torch.ones(shape), net(torch.ones(shape)))
    (mask,) = ensemble.masks._kept.values()
    assert mask.shape == (1, 16, *([1] * (len(shape) - 2)))


def test_alpha_dropout_has_the_moments_of_torch():
    layer = nn.AlphaDropout(0.3)
    net = nn.Sequential(layer).eval()
    x = torch.randn(1, 20_000, generator=torch.Generator().manual_seed(0))
    masks = DropoutEnsemble(net, 0, k=1).masks
    mine = masks.apply(("0", 0, 0), layer, x)
    torch.manual_seed(0)
    theirs = layer.train()(x)
    # 20,000 draws: standard error of mean and of spread below .01
    assert abs(mine.mean() - theirs.mean()) < 0.04
    assert abs(mine.std() - theirs.std()) < 0.04
    # what a dropped unit becomes is the one value that occurs often
    assert mine.mode().values.item() == pytest.approx(theirs.mode().values.item(), rel=1e-5)


def test_per_sample_masks_differ_between_samples():
    net = nn.Sequential(nn.Dropout(0.5)).eval()
    probs = measure(net, torch.ones(50, 8), masks="per_sample", k=2)
    assert len(torch.unique(probs[:, 0], dim=0)) > 1


@pytest.mark.parametrize(
    ("options", "message"), [({"k": 0}, "k is 0"), ({"masks": "each"}, "masks is 'each'")]
)
def test_options_are_checked(options, message):
    with pytest.raises(SpecError, match=message):
        DropoutEnsemble(network(), 0, **options)


def passes(net: nn.Module, x: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """Sub-network after sub-network, (b, K, C)."""
    ensemble = DropoutEnsemble(net, seed)
    ensemble._together = False
    with torch.no_grad():
        return ensemble.measure(x, net(x))


class Skipping(nn.Module):
    """What stands before the dropout joins again behind it."""

    def __init__(self):
        super().__init__()
        self.first, self.drop, self.last = nn.Linear(6, 8), nn.Dropout(0.5), nn.Linear(8, 3)

    def forward(self, x):
        hidden = self.first(x)
        return self.last(hidden + self.drop(hidden))


class Branching(nn.Module):
    """The second dropout does not follow from the first."""

    def __init__(self):
        super().__init__()
        self.drop, self.last = nn.Dropout(0.5), nn.Linear(6, 3)

    def forward(self, x):
        return self.last(self.drop(x) * 2) + self.last(self.drop(x))


class Mixing(nn.Module):
    """Samples of a batch see each other, so other rows change the result."""

    def __init__(self):
        super().__init__()
        self.drop, self.last = nn.Dropout(0.5), nn.Linear(6, 3)

    def forward(self, x):
        x = self.drop(x)
        return self.last(x - x.mean(0))


def test_what_stands_before_the_first_dropout_runs_once_for_all_networks():
    net = network()
    ensemble = DropoutEnsemble(net, 0, k=10)
    rows: list[int] = []
    with torch.no_grad():
        ensemble.measure(X, net(X))  # the trial
        net[0].register_forward_hook(lambda _m, _i, out: rows.append(len(out)))
        together = ensemble.measure(X, torch.zeros(30, 3))
    assert sum(rows) == 30
    # other matrix kernels: rounding
    assert torch.allclose(together, passes(net, X), atol=1e-6)


@pytest.mark.parametrize("kind", [Skipping, Branching, Mixing])
def test_a_model_not_made_for_it_runs_one_network_after_the_other(kind):
    torch.manual_seed(0)
    net = kind().eval()
    ensemble = DropoutEnsemble(net, 0)
    with torch.no_grad():
        first, second = (ensemble.measure(x, net(x)) for x in (X, X + 1))
    assert ensemble._together is False
    assert torch.equal(first, passes(net, X))
    assert torch.equal(second, passes(net, X + 1))


def test_a_later_batch_that_fails_together_runs_one_after_the_other():
    """One row broadcasts where two rows would not."""
    torch.manual_seed(0)
    net = Skipping().eval()
    ensemble = DropoutEnsemble(net, 0)
    with torch.no_grad():
        ensemble.measure(X[:1], net(X[:1]))
        assert ensemble._together is True
        later = ensemble.measure(X, net(X))
    assert torch.equal(later, passes(net, X))


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
