"""No clamping, rescaling, type or fill gives a hard image away; the valid range is never left.

What is tested: the smallest and the largest value of an image and their
difference, over all channels and in each, and the background (the median of the outermost
pixels, which is what a crop is filled with), each as if it were a score.  Its
AUROC has to lie in [.4, .6].  The background says nothing about far OOD and
about noise, whose meaning includes other backgrounds: there only the extremes
count.  Places, means and textures may tell hard images apart: that is their
hardness.
"""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.loading import load
from hcat_nb.perturbations._apply import perturb
from hcat_nb.registry import PERTURBATIONS

KINDS = [name for name in PERTURBATIONS.names() if PERTURBATIONS.get(name).family != "mislabel"]
IMAGE_KINDS = [
    name for name in KINDS if name != "mixture" and "image" in PERTURBATIONS.get(name).modality
]
DATA = ("digits", "mnist", "cifar10", "scaled", "photos")
KEEP_BACKGROUND = {"crop_shift"}


@pytest.fixture(scope="module")
def datasets(shared_data):
    rows = pd.read_parquet(shared_data / "cifar10_jpeg" / "train.parquet")
    rows = rows.sample(1200, random_state=0)
    pictures = np.stack([np.asarray(Image.open(io.BytesIO(data))) for data in rows.image])
    cifar10 = LabelledDataset(
        "cifar10",
        torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()),
        torch.from_numpy(rows.label.to_numpy(np.int64).copy()),
        tuple(range(10)),
        pd.RangeIndex(len(rows)),
        value_range=(0.0, 255.0),
    )
    mnist = load("mnist", root=shared_data, download=False, subset=1200)
    scaled = cifar10.replace(
        name="scaled", features=cifar10.features.float() / 127.5 - 1, value_range=(-1.0, 1.0)
    )
    found = {"digits": load("digits"), "mnist": mnist, "cifar10": cifar10, "scaled": scaled}
    return {**found, "photos": load("photos")}


@pytest.fixture(scope="module")
def hardened(datasets):
    """Return the dataset with half of its images made hard, and which; each made once."""
    done = {}

    def make(kind, name):
        if (kind, name) not in done:
            other = {"mnist": "cifar10", "cifar10": "mnist"}.get(name)
            options = {"source": datasets[other]} if kind == "far_ood" and other else {}
            result = perturb(datasets[name], kind, 0.5, seed=1, **options)
            done[kind, name] = result.dataset, result.truth.is_hard.to_numpy()
        return done[kind, name]

    return make


def statistics(features):
    flat = features.double().flatten(1).numpy()
    border = torch.cat(
        [features[:, :, 0], features[:, :, -1], features[..., 0], features[..., -1]], dim=2
    )
    return {
        "smallest": flat.min(axis=1),
        "largest": flat.max(axis=1),
        "range": flat.max(axis=1) - flat.min(axis=1),
        "background": np.median(border.double().numpy(), axis=2).mean(axis=1),
        **{
            f"{end.__name__} of channel {channel}": end(features[:, channel].flatten(1), 1).numpy()
            for channel in range(features.shape[1])
            for end in (torch.amin, torch.amax)
        },
    }


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_extremes_and_fill_do_not_tell_hard_images(hardened, kind, name):
    dataset, is_hard = hardened(kind, name)
    for statistic, values in statistics(dataset.features).items():
        if statistic == "background" and kind not in KEEP_BACKGROUND:
            continue
        # 600 images a side: the AUROC of a useless score has the sd .017.
        assert 0.4 <= roc_auc_score(is_hard, values) <= 0.6, statistic


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_type_and_valid_range(hardened, datasets, kind, name):
    dataset, _ = hardened(kind, name)
    before = datasets[name]
    assert dataset.features.dtype == before.features.dtype
    assert dataset.value_range == before.value_range
    low, high = before.value_range
    assert dataset.features.min() >= low
    assert dataset.features.max() <= high


@pytest.mark.parametrize(
    ("kind", "options", "statistic"),
    [
        ("ood_covariate", {"keep_extremes": False}, "range"),
        ("ood_covariate", {"variant": "hcat"}, "smallest"),
        ("zoom_shift", {"keep_extremes": False}, "smallest"),
        ("domain_shift", {"keep_extremes": False}, "smallest"),
        ("domain_shift", {"variant": "hcat"}, "smallest"),
        ("far_ood", {"keep_extremes": False, "source": "digits"}, "smallest"),
        ("far_ood", {"variant": "hcat", "source": "photos"}, "smallest"),
        ("crop_shift", {"variant": "hcat"}, "background"),
    ],
)
def test_the_artefacts_are_real_where_nothing_is_done_about_them(
    datasets, kind, options, statistic
):
    result = perturb(datasets["cifar10"], kind, 0.5, seed=1, **options)
    values = statistics(result.dataset.features)[statistic]
    if statistic == "background":  # mid-grey: no extreme, but one and the same value
        values = -np.abs(values - 127.5)
    area = roc_auc_score(result.truth.is_hard, values)
    assert max(area, 1 - area) > 0.6


@pytest.mark.parametrize("kind", ["id_covariate", "ood_covariate", "far_ood", "atypical"])
def test_numbers_of_a_table_keep_their_decimals(shared_data, kind):
    frame = pd.read_parquet(shared_data / "tables" / "eye_movements.parquet").iloc[:2000]
    labels = torch.from_numpy(frame.label.to_numpy(np.int64).copy())
    features = frame.drop(columns="label").to_numpy(np.float32)
    data = LabelledDataset(
        "eye", torch.from_numpy(features), labels, (0, 1, 2), pd.RangeIndex(2000),
        feature_names=tuple(frame.columns.drop("label")),
    )  # fmt: skip
    after = perturb(data, kind, 0.5, seed=1).dataset.features.numpy()
    whole = (features % 1 == 0).all(axis=0)
    assert whole.any()
    assert (after[:, whole] % 1 == 0).all()
