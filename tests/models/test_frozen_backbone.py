"""Features by networks that were trained elsewhere; here with random weights, from a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import MissingDataError, ModelError, SpecError
from hcat_nb.models._frozen_backbone import frozen

NAME = "torchvision:mobilenet_v3_small"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    from torchvision.models import mobilenet_v3_small

    torch.manual_seed(0)
    net = mobilenet_v3_small(weights=None).eval()
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(net.state_dict(), path)
    return net, path


def images(channels: int) -> LabelledDataset:
    draw = torch.Generator().manual_seed(0)
    x = torch.rand(3, channels, 9, 7, generator=draw)
    return LabelledDataset(
        "i", x, torch.arange(3) % 2, (0, 1), pd.RangeIndex(3), value_range=(0.0, 1.0)
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_what_enters_the_last_linear_layer(weights, channels):
    net, path = weights
    data = images(channels)
    got = frozen(f"{NAME}:{path}", data, download=False)(data.features)
    x = nn.functional.interpolate(
        data.features.expand(-1, 3, -1, -1), (224, 224), mode="bilinear", antialias=True
    )
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (x - mean[:, None, None]) / std[:, None, None]
    with torch.no_grad():
        expected = net.classifier[:-1](net.avgpool(net.features(x)).flatten(1))
    torch.testing.assert_close(got, expected)


def test_weights_that_are_not_at_hand_are_asked_for_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(MissingDataError, match=rf"{NAME}:weights.pth") as raised:
        frozen(NAME, images(3), download=False)
    assert "\n" not in str(raised.value)
    with pytest.raises(MissingDataError, match="absent"):
        frozen(f"{NAME}:{tmp_path / 'gone.pth'}", images(3), download=False)


def test_weights_of_another_network_are_refused(weights) -> None:
    with pytest.raises(ModelError, match="weights of another network"):
        frozen(f"torchvision:squeezenet1_1:{weights[1]}", images(3), download=False)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(SpecError, match="no network 'resnet7'"):
        frozen("torchvision:resnet7", images(3), download=False)


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingDataError, match="pip install timm"):
        frozen("timm:resnet18", images(3), download=False)
