"""What a model is shown in place of the samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError, MissingDataError, ModelError, SpecError
from hcat_nb.models._backbone import check_follows, frozen, make_backbone

NAME = "torchvision:mobilenet_v3_small"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def images(n: int = 12) -> LabelledDataset:
    draw = torch.Generator().manual_seed(0)
    return LabelledDataset(
        "i",
        torch.randint(0, 256, (n, 1, 8, 8), generator=draw, dtype=torch.uint8),
        torch.arange(n) % 2,
        ("a", "b"),
        pd.Index([f"s{row}" for row in range(n)]),
        value_range=(0, 255),
        flip_keeps_label=True,
    )


def make(given, data=None, features="own"):
    return make_backbone(features, given, data or images(), download=False)


def test_raw_samples_are_the_dataset_itself():
    data = images()
    assert make(None, data, "raw").seen(data) is data


def test_patches_are_made_of_the_images_as_they_are_by_the_dictionary_of_before():
    data = images()
    changed = data.replace(features=255 - data.features)
    backbone = make(None, data, "patches")
    seen, other = backbone.seen(data), backbone.seen(changed)
    assert (seen.modality, seen.sample_shape) == ("table", (backbone.width,))
    assert seen.labels is data.labels
    assert seen.sample_ids is data.sample_ids
    assert not torch.equal(seen.features, other.features)
    assert torch.equal(make(None, data, "patches").seen(data).features, seen.features)
    assert backbone.like(data).sample_shape == seen.sample_shape


def test_an_array_has_a_row_for_each_sample():
    array = np.arange(36.0).reshape(12, 3)
    assert make(array).seen(images()).features.tolist() == array.tolist()
    assert make(torch.from_numpy(array)).digest == make(array).digest != make(array + 1).digest


def test_a_frame_is_put_into_the_order_of_the_ids():
    data = images()
    frame = pd.DataFrame({"x": range(12)}, index=data.sample_ids).iloc[::-1]
    assert make(frame).seen(data).features.ravel().tolist() == list(range(12))
    with pytest.raises(DataError, match="lack 's0'"):
        make(frame.drop(index="s0"))


@pytest.mark.parametrize("array", [np.zeros((11, 3)), np.zeros(12), np.full((12, 1), "x")])
def test_other_arrays_are_refused(array):
    with pytest.raises(DataError, match=r"expected \(12, columns\)"):
        make(array)


def test_what_is_not_finite_is_named():
    array = np.zeros((12, 2))
    array[3, 1] = np.nan
    with pytest.raises(DataError, match="1 samples, such as 's3'"):
        make(array).seen(images())


def test_a_function_gets_batches_of_raw_samples():
    data = images(600)
    sizes = []

    def flat(batch):
        sizes.append(len(batch))
        return batch.flatten(1).numpy()

    seen = make(flat, data).seen(data)
    assert torch.equal(seen.features, data.features.flatten(1).float())
    assert max(sizes) <= 256
    with pytest.raises(DataError, match=r"made the shape \(2, 1, 8, 8\)"):
        make(lambda batch: batch, data)


def test_tables_have_no_patches():
    table = LabelledDataset("t", torch.zeros(4, 2), torch.arange(4) % 2, (0, 1), pd.RangeIndex(4))
    with pytest.raises(DataError, match=r"holds a table.*features=raw"):
        make(None, table, "patches")


def test_an_array_knows_nothing_of_samples_that_are_changed():
    with pytest.raises(SpecError, match="hand over the function"):
        check_follows(make(np.zeros((12, 1))), True)
    check_follows(make(np.zeros((12, 1))), False)
    check_follows(make(None, None, "patches"), True)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    from torchvision.models import mobilenet_v3_small

    torch.manual_seed(0)
    net = mobilenet_v3_small(weights=None).eval()
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(net.state_dict(), path)
    return net, path


def frozen_backbone_images(channels: int) -> LabelledDataset:
    draw = torch.Generator().manual_seed(0)
    x = torch.rand(3, channels, 9, 7, generator=draw)
    return LabelledDataset(
        "i", x, torch.arange(3) % 2, (0, 1), pd.RangeIndex(3), value_range=(0.0, 1.0)
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_what_enters_the_last_linear_layer(weights, channels):
    net, path = weights
    data = frozen_backbone_images(channels)
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
        frozen(NAME, frozen_backbone_images(3), download=False)
    assert "\n" not in str(raised.value)
    with pytest.raises(MissingDataError, match="absent"):
        frozen(f"{NAME}:{tmp_path / 'gone.pth'}", frozen_backbone_images(3), download=False)


def test_weights_of_another_network_are_refused(weights) -> None:
    with pytest.raises(ModelError, match="weights of another network"):
        frozen(f"torchvision:squeezenet1_1:{weights[1]}", frozen_backbone_images(3), download=False)


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"\x80\x02garbage"])
def test_a_damaged_file_of_weights_is_named(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"damaged.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=rf"damaged\.{suffix} cannot be read") as raised:
        frozen(f"{NAME}:{path}", frozen_backbone_images(3), download=False)
    assert "\n" not in str(raised.value)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(SpecError, match="no network 'resnet7'"):
        frozen("torchvision:resnet7", frozen_backbone_images(3), download=False)


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingDataError, match="pip install timm"):
        frozen("timm:resnet18", frozen_backbone_images(3), download=False)
