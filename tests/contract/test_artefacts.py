"""No clamping, rescaling, type or fill gives a hard image away; the valid range is never left.

What is tested: the smallest and the largest value of an image and their
difference, over all channels and in each, and the background (the median of the outermost
pixels, which is what a crop is filled with), and for floats the share of
pixels whose value no original has, each as if it were a score.  Its
AUROC has to lie in [.4, .6].  The background says nothing about far OOD and
about noise, whose meaning includes other backgrounds: there only the extremes
count.  Places, means and textures may tell hard images apart: that is their
hardness.

Tables: a value is never written with more decimals or digits than its column,
and never -0.0; whole numbers, pairs of values and constants stay such.
"""

from __future__ import annotations

import io
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.loading import load
from hcat_nb.data.reading.coerce import coerce
from hcat_nb.perturbations._apply import perturb
from hcat_nb.registry import PERTURBATIONS

KINDS = [name for name in PERTURBATIONS.names() if PERTURBATIONS.get(name).family != "mislabel"]
IMAGE_KINDS = [name for name in KINDS if "image" in PERTURBATIONS.get(name).modality]
TABLE_KINDS = [name for name in KINDS if "table" in PERTURBATIONS.get(name).modality]
DATA = ("digits", "mnist", "cifar10", "scaled", "unit", "standard", "photos")
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
    mean, std = np.array([[0.49, 0.48, 0.45], [0.25, 0.24, 0.26]])[:, :, None, None]
    found = {"digits": load("digits"), "mnist": mnist, "cifar10": cifar10, "scaled": scaled}
    found["unit"] = coerce(mnist.features.numpy() / 255, mnist.labels.numpy())
    found["standard"] = coerce(
        (cifar10.features.numpy() / 255 - mean) / std, cifar10.labels.numpy()
    )
    assert [found[name].value_range[0] < 0 for name in ("unit", "standard")] == [False, True]
    return {**found, "photos": load("photos")}


@pytest.fixture(scope="module")
def hardened(datasets):
    """Return the dataset with half of its images made hard, and which; each made once.

    A mixture: half of them, too, in all ways there are.
    """
    done = {}

    def make(kind, name):
        if (kind, name) not in done:
            other = {"mnist": "cifar10", "cifar10": "mnist"}.get(name)
            options = {"far_ood": {"source": datasets[other]}} if other else {}
            result = halved(datasets[name], kind, IMAGE_KINDS, options)
            done[kind, name] = result.dataset, result.truth.is_hard.to_numpy()
        return done[kind, name]

    return make


def halved(data, kind, kinds, options=None):
    """Make half of the samples hard in one way, or in all of ``kinds`` but the mixture itself."""
    options = options or {}
    if kind != "mixture":
        return perturb(data, kind, 0.5, seed=1, **options.get(kind, {}))
    single = [name for name in kinds if name != kind]
    share = 0.5 / len(single)
    return perturb(data, {name: {"p": share, **options.get(name, {})} for name in single}, seed=1)


def strange(features, before):
    """Return for each image the share of pixels with a value that no original's channel has."""
    known = [np.unique(before[:, channel]) for channel in range(before.shape[1])]
    found = [~np.isin(features[:, channel], values) for channel, values in enumerate(known)]
    return np.stack(found, axis=1).mean(axis=(1, 2, 3))


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
def test_extremes_and_fill_do_not_tell_hard_images(hardened, datasets, kind, name):
    dataset, is_hard = hardened(kind, name)
    found = statistics(dataset.features)
    if dataset.features.is_floating_point():
        found["strange"] = strange(dataset.features.numpy(), datasets[name].features.numpy())
    for statistic, values in found.items():
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


TABLES = {
    "eye_movements": ("label", None),  # whole numbers, and up to six decimals
    "jannis_sample": ("class", "openml_row"),  # six significant digits
    "covertype_balanced": ("Cover_Type", "Id"),  # whole numbers, one-hot and constant columns
    "adult": ("salary", None),  # categories
}


@pytest.fixture(scope="module")
def tables(shared_data):
    found = {}
    for name, (target, number) in TABLES.items():
        frame = pd.read_parquet(shared_data / "tables" / f"{name}.parquet")
        frame = frame.sample(600, random_state=0).reset_index(drop=True)
        found[name] = coerce(frame.drop(columns=number or []), target=target)
    return found


def written(features):
    """Return the decimals and the significant digits of each value's shortest text, (n, d) each."""
    places, digits = np.zeros(features.shape, int), np.zeros(features.shape, int)
    for where, value in np.ndenumerate(features):
        _, figures, exponent = Decimal(str(value)).normalize().as_tuple()
        places[where], digits[where] = max(0, -exponent), len(figures)
    return places, digits


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("kind", TABLE_KINDS)
def test_how_numbers_are_written_does_not_tell_hard_rows(tables, kind, name):
    data = tables[name]
    result = halved(data, kind, TABLE_KINDS)
    before, after = data.features.numpy(), result.dataset.features.numpy()
    assert after.dtype == before.dtype
    (places, digits), (most_places, most_digits) = written(after), written(before)
    most_places, most_digits = most_places.max(axis=0), most_digits.max(axis=0)
    long = most_places > 3  # a count has more digits where it is larger
    found = {
        "more decimals": ((places > most_places) & ~(long & (most_digits <= 6))).sum(axis=1),
        "more digits": ((digits > most_digits) & long & (most_digits <= 6)).sum(axis=1),
        "zeros with a minus sign": ((after == 0) & np.signbit(after)).sum(axis=1),
        "numbers that are not whole": (after % 1 != 0)[:, most_places == 0].sum(axis=1),
    }
    for statistic, values in found.items():
        # 300 rows a side: the AUROC of a useless score has the sd .024.
        assert 0.4 <= roc_auc_score(result.truth.is_hard, values) <= 0.6, statistic


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("kind", TABLE_KINDS)
def test_columns_stay_what_they_are(tables, kind, name):
    data = tables[name]
    before = data.features.numpy()
    after = halved(data, kind, TABLE_KINDS).dataset.features.numpy()
    whole = (before % 1 == 0).all(axis=0)
    assert whole.any() or name == "jannis_sample"
    assert (after[:, whole] % 1 == 0).all()
    for column in range(before.shape[1]):
        values = np.unique(before[:, column])
        if len(values) <= 2 or column in data.levels:
            assert np.isin(after[:, column], values).all()
