"""Every method against an independent reference, through the whole path of a run.

``characterize`` trains a network that remembers what its training forwards
made, and a listener copies the weights after each epoch.  From those alone the
references are computed: by the packages ``aum`` and ``cleanlab``, by one
backward pass a sample, and by formulas in NumPy; networks in float64, one
sample at a time or explicitly masked.  So what agrees is not a formula but the
wiring: which epoch, which mode, which labels, which rows, which scaling.

Networks are trained, or drawn anew in each epoch (and a learning rate of 1e-12
moves no weight), on images and on tables, with two classes and with more.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

import hcat_nb as hcat
from hcat_nb.api.run import Run
from hcat_nb.assets import asset
from hcat_nb.models.lenet import LeNet
from hcat_nb.models.mlp import MLP
from hcat_nb.observation.augmented import AugmentedCopies
from hcat_nb.observation.traits import InputTraits
from hcat_nb.registry import METHODS
from hcat_nb.seeds import child_seed
from hcat_nb.training.events import Listener

E, SEED, N = 7, 3, 90

# Our networks compute in float32, the references in float64.  On scores in
# [0, 1] that made 1.3e-7 at most, one unit in the last place; the rest is room
# for processors that add in another order.
PROBABILITY = 5e-7

GRAND_AT, VOG_AT = 2, (2, 3, 5, 6, 7)  # ceil(7 / 5) and ceil(7 k / 5)


class Watched(nn.Module):
    """Remembers inputs and logits of every training forward."""

    def __init__(self, net):
        super().__init__()
        self.net, self.steps = net, []

    def forward(self, x):
        logits = self.net(x)
        if self.training:
            self.steps.append((x.detach().clone(), logits.detach().clone()))
        return logits


class Checkpoints(Listener):
    """Copies, after each epoch, the weights and how many steps there were until then.

    With ``redraw`` it then draws all weights anew, so that no epoch's network
    resembles another's.
    """

    essential = True

    def __init__(self, made, *, redraw):
        self.made, self.states, self.ends = made, [], [0]
        self.generator = torch.Generator().manual_seed(SEED) if redraw else None

    def on_epoch(self, event):
        (watched,) = self.made
        self.states.append(copy.deepcopy(watched.net.state_dict()))
        self.ends.append(len(watched.steps))
        for weight in watched.net.parameters() if self.generator else ():
            drawn = torch.randn(weight.shape, generator=self.generator)
            weight.data = weight.std().item() * drawn


class Masked(nn.Module):
    """Dropout with one given mask."""

    def __init__(self, keep, p):
        super().__init__()
        self.keep, self.p = keep, p

    def forward(self, x):
        return x * self.keep / (1 - self.p)


@dataclass
class Study:
    """A run and what was written down beside it; x (n, ...) is scaled by hand, in float64."""

    run: Run
    nets: list[nn.Module]  # a network an epoch, float64, evaluation mode
    train_logits: np.ndarray  # (E, n, C), as the optimizer saw them
    x: torch.Tensor
    scale: torch.Tensor  # d scaled / d raw, of one sample's shape
    rescaled: Callable[[torch.Tensor], torch.Tensor]
    y: np.ndarray

    def logits(self, net: nn.Module) -> np.ndarray:
        with torch.no_grad():
            return net(self.x).numpy()

    @property
    def probs(self) -> np.ndarray:
        """(E, n, C)."""
        return softmax(np.stack([self.logits(net) for net in self.nets]))

    @property
    def label_probs(self) -> np.ndarray:
        """(E, n)."""
        return self.probs[:, np.arange(len(self.y)), self.y]

    def close(self, name: str, expected: np.ndarray, atol: float, rtol: float = 0.0) -> None:
        assert np.ptp(expected) > 20 * atol, "the tolerance would hide a wrong order"
        found = self.run.scores[name].to_numpy(float)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _data(kind: str, n_classes: int) -> hcat.LabelledDataset:
    whole = hcat.load({"image": "digits", "table": "wine"}[kind])
    labels = whole.labels.numpy()
    rows = np.flatnonzero(labels < n_classes)[:N]
    if kind == "table":  # sorted by class
        rows = np.concatenate([np.flatnonzero(labels == c)[:30] for c in range(n_classes)])
    features = whole.features.numpy()[rows]
    values = {"value_range": whole.value_range} if kind == "image" else {}
    return hcat.load(features, labels[rows]).replace(**values)


def _study(kind: str, n_classes: int, trained: bool) -> Study:
    data = _data(kind, n_classes)
    made: list[Watched] = []

    def network(sample_shape, n_classes):
        plain = LeNet if kind == "image" else lambda *sizes: MLP(*sizes, hidden=(24, 12))
        made.append(Watched(plain(sample_shape, n_classes)))
        return made[-1]

    seen = Checkpoints(made, redraw=not trained)
    run = hcat.characterize(
        data,
        model=network,
        hardness="uniform",
        p=0.2,
        epochs=E,
        lr=2e-3 if trained else 1e-12,
        batch_size=16,
        observe_batch_size=37,
        seed=SEED,
        device="cpu",
        learning_check=False,  # one network is watched
        judges=False,
        listeners=[seen],
    )
    raw = run.dataset.features.double()
    if kind == "image":
        low, high = data.value_range
        middle, half = torch.tensor((low + high) / 2), torch.tensor((high - low) / 2)
    else:
        middle, half = raw.mean(0), raw.std(0, correction=0)

    def rescaled(values: torch.Tensor) -> torch.Tensor:
        return (values.double() - middle) / half

    (watched,) = made
    nets = []
    for state in seen.states:
        net = copy.deepcopy(watched.net)
        net.load_state_dict(state)
        nets.append(net.double().eval().requires_grad_(True))
    x = rescaled(raw)
    logits = np.full((E, len(x), run.dataset.n_classes), np.nan)
    for epoch in range(E):
        for inputs, outputs in watched.steps[seen.ends[epoch] : seen.ends[epoch + 1]]:
            far = torch.cdist(inputs.flatten(1).double(), x.flatten(1))
            assert (far.min(1).values < 1e-4).all(), "an input of training is no row of the data"
            logits[epoch, far.argmin(1).numpy()] = outputs.numpy()
    assert np.isfinite(logits).all(), "a row was not presented"
    scale = (1 / half).expand(x.shape[1:])
    return Study(run, nets, logits, x, scale, rescaled, run.dataset.labels.numpy())


CASES = [
    (kind, n_classes, trained)
    for kind, sizes in (("image", (2, 10)), ("table", (2, 3)))
    for n_classes in sizes
    for trained in (False, True)
]


@pytest.fixture(
    scope="module",
    params=CASES,
    ids=lambda case: f"{case[0]}-{case[1]}-{'trained' if case[2] else 'drawn'}",
)
def study(request: pytest.FixtureRequest) -> Iterator[Study]:
    return _study(*request.param)


def test_no_method_is_left_out():
    assert {f"test_{name}" for name in METHODS.names()} <= globals().keys()


def test_labels_are_the_observed_ones(study):
    truth = study.run.truth
    assert truth["is_hard"].sum() == round(0.2 * len(study.y))
    values = np.array(study.run.dataset.class_values)[study.y]
    assert (truth["observed_label"].to_numpy() == values).all()
    assert (truth["original_label"] != truth["observed_label"]).sum() == truth["is_hard"].sum()


# Learning-based: output


def test_aum(study, tmp_path):
    from aum import AUMCalculator

    theirs = AUMCalculator(str(tmp_path))
    ids = [f"row {i}" for i in range(len(study.y))]
    for logits in study.train_logits:
        last = theirs.update(torch.from_numpy(logits).float(), torch.from_numpy(study.y), ids)
    # The same float32 logits; the package averages Python floats, we store a float32.
    study.close("aum", np.array([-last[one].aum for one in ids]), atol=1e-6, rtol=1e-6)


def test_forgetting(study):
    correct = study.train_logits.argmax(2) == study.y
    expected = [
        sum(before and not after for before, after in itertools.pairwise(row)) if row.any() else E
        for row in correct.T
    ]
    assert study.run.scores["forgetting"].tolist() == expected  # counts


def test_datamaps(study):
    study.close("datamaps", 1 - study.label_probs.mean(0), PROBABILITY)


def test_dataiq(study):
    p = study.label_probs
    aleatoric = (p * (1 - p)).mean(0)
    study.close("dataiq", (1 - p.mean(0)) - aleatoric, PROBABILITY)


def test_el2n(study):
    error = study.probs - np.eye(study.probs.shape[2])[study.y]
    study.close("el2n", np.sqrt((error**2).sum(2)).mean(0), PROBABILITY)


def test_loss(study):
    # Up to 4 nats in size, with as many units in the last place.
    study.close("loss", -np.log(study.label_probs).mean(0), atol=4 * PROBABILITY)


def test_detector(study):
    from safetensors.numpy import load_file

    w = {k: v.astype(float) for k, v in load_file(asset("detector.safetensors")).items()}
    h = c = np.zeros((len(study.y), w["head_weight"].shape[1]))
    for p in study.label_probs:
        gates = np.outer(2 * p - 1, w["weight_ih"]) + w["bias_ih"] + h @ w["weight_hh"].T
        i, f, g, o = np.split(gates + w["bias_hh"], 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    expected = sigmoid(h @ w["head_weight"][0] + w["head_bias"])
    # Seven steps of a float32 recurrence, each of which may amplify what it is given (7e-7).
    study.close("detector", expected, atol=10 * PROBABILITY)


# Gradients, one sample at a time


def test_grand(study):
    net = study.nets[GRAND_AT - 1]
    norms = []
    for x, y in zip(study.x, study.y, strict=True):
        loss = nn.functional.cross_entropy(net(x[None]), torch.tensor([y]))
        gradients = torch.autograd.grad(loss, list(net.parameters()))
        norms.append(float(torch.cat([one.ravel() for one in gradients]).norm()))
    # Norms up to 9, of thousands of float32 entries: off by 6e-7 at most.
    study.close("grand", np.array(norms), atol=5e-6)


def test_vog(study):
    gradients = np.empty((len(VOG_AT), *study.x.shape))
    for k, epoch in enumerate(VOG_AT):
        for i, (x, y) in enumerate(zip(study.x, study.y, strict=True)):
            one = x[None].clone().requires_grad_()
            logit = study.nets[epoch - 1](one)[0, y]
            gradients[k, i] = (torch.autograd.grad(logit, one)[0][0] * study.scale).numpy()
    variation = gradients.std(0).reshape(len(study.y), -1).mean(1)
    expected = np.empty_like(variation)
    for code in np.unique(study.y):
        own = variation[study.y == code]
        expected[study.y == code] = (own - own.mean()) / own.std()
    # Standardising divides a difference of close numbers by their spread (1.3e-6).
    study.close("vog", expected, atol=2e-5)


# The final model


def test_cleanlab(study):
    from cleanlab.rank import get_label_quality_scores

    quality = get_label_quality_scores(study.y, study.probs[-1])
    study.close("cleanlab", 1 - quality, PROBABILITY)


def test_prototypicality(study):
    net = study.nets[-1]
    last = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    seen: list[np.ndarray] = []
    hook = last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].numpy()))
    study.logits(net)
    hook.remove()
    (embeddings,) = seen
    expected = np.empty(len(study.y))
    for code in np.unique(study.y):
        own = embeddings[study.y == code]
        middle = own.mean(0)
        cosine = own @ middle / np.linalg.norm(own, axis=1) / np.linalg.norm(middle)
        expected[study.y == code] = 1 - cosine
    study.close("prototypicality", expected, PROBABILITY)


def test_conf_agree(study):
    """Ten explicit networks, each with the masks that the run's seed gives to it."""
    shapes: dict[str, tuple[int, ...]] = {}
    net = study.nets[-1]
    layers = {name: one for name, one in net.named_modules() if isinstance(one, nn.Dropout)}
    for name, layer in layers.items():
        layer.register_forward_hook(
            lambda _, inputs, __, name=name: shapes.update({name: inputs[0].shape[1:]})
        )
    study.logits(net)
    assert len(shapes) == len(layers) > 1
    members = []
    for network in range(10):
        masked = copy.deepcopy(net)
        for name, layer in layers.items():
            stream = f"masks/net.net.{name}/0/{network}"
            generator = torch.Generator().manual_seed(child_seed(SEED, stream))
            keep = torch.rand([1, *shapes[name]], generator=generator) >= layer.p
            masked.set_submodule(name, Masked(keep, layer.p))
        members.append(softmax(study.logits(masked)))
    study.close("conf_agree", 1 - np.mean(members, axis=0).max(1), PROBABILITY)


def test_allsh(study):
    """Four explicit copies of each row, made one by one from the run's seed."""
    dataset = study.run.dataset
    maker = AugmentedCopies(nn.Identity(), InputTraits.of(dataset), len(dataset), SEED)
    log_p = np.log(study.probs[-1])
    divergences = []
    for k in range(4):
        copies = torch.cat(
            [
                maker.copy(dataset.features[i : i + 1], torch.tensor([i]), k)
                for i in range(len(dataset))
            ]
        )
        with torch.no_grad():
            log_q = np.log(softmax(study.nets[-1](study.rescaled(copies)).numpy()))
        divergences.append((np.exp(log_p) * (log_p - log_q)).sum(1))
    study.close("allsh", np.mean(divergences, axis=0), PROBABILITY)
