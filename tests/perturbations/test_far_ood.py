from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, MissingDataError, SpecError, UnknownNameError
from hcat_nb.perturbations.far_ood import (
    FarOod,
    beyond,
    default_source,
    flip_bits,
    flippable,
    like_images,
    other_level,
)


def hard_rows(result):
    return np.flatnonzero(result.truth.is_hard)


@pytest.mark.parametrize(
    ("name", "channels", "source"),
    [
        ("mnist", 1, "cifar10"),
        ("cifar10", 3, "mnist"),
        ("digits", 1, "photos"),
        ("fashion_mnist", 1, "photos"),
        ("my photos", 3, "digits"),
    ],
)
def test_where_images_come_from_by_default(noise_images, name, channels, source):
    assert default_source(noise_images(4, channels).replace(name=name)) == source


def test_images_of_the_source_in_channels_size_type_and_range(noise_images):
    data, source = noise_images(40), load("photos")
    result = FarOod(source=source, keep_extremes=False)(data, 0.5, 0)
    rows = hard_rows(result)
    # Independently: Pillow's luma, and its bilinear reduction (8-bit in both steps).
    small = np.stack(
        [
            np.asarray(
                Image.fromarray(picture.transpose(1, 2, 0)).convert("L").resize((8, 8), 2), float
            )
            for picture in source.features.numpy()
        ]
    )
    found = result.dataset.features[rows, 0].double().numpy()
    distance = np.abs(found[:, None] - small[None]).max(axis=(2, 3))
    assert (distance.min(axis=1) <= 2).all()  # grey levels of 255: rounded at other places
    donors = distance.argmin(axis=1)
    assert len(set(donors.tolist())) == len(rows)  # none serves twice


def test_another_value_range_and_type(images, noise_images):
    source = noise_images(50, side=8)
    data = images(torch.rand(40, 1, 8, 8) * 2 - 1, (-1.0, 1.0))
    result = FarOod(source=source, keep_extremes=False)(data, 0.5, 0)
    known = (source.features.double() / 255 * 2 - 1).flatten(1)
    for row in hard_rows(result):
        new = result.dataset.features[row].double().flatten()
        assert (known - new).abs().amax(dim=1).min() < 1e-6  # float32


def test_the_new_image_has_the_extremes_of_the_old(images, noise_images):
    data = images(noise_images(40).features // 3 + 20)
    result = FarOod(source="photos")(data, 0.5, 0)
    for row in hard_rows(result):
        for end in (torch.amin, torch.amax):
            assert end(result.dataset.features[row]) == end(data.features[row])


@pytest.mark.parametrize(("here", "there"), [(1, 3), (3, 1), (4, 3), (3, 4), (1, 4), (2, 3)])
def test_channels(noise_images, here, there):
    data = noise_images(4, channels=here)
    images = noise_images(4, channels=there).features.float()
    new = like_images(images, (0.0, 255.0), data)
    assert new.shape == (4, here, 8, 8)
    if there == 1:
        assert torch.equal(new[:, 0], new[:, 1])
    if here == 4:
        assert torch.allclose(new[:, :3], images)
        assert (new[:, 3] == 255).all()
    if (here, there) == (3, 4):
        assert torch.allclose(new, images[:, :3])


def test_a_source_smaller_than_what_is_needed_serves_again(noise_images):
    result = FarOod(source=noise_images(3, seed=9))(noise_images(40), 0.5, 0)
    assert result.truth.is_hard.sum() == 20


def test_an_image_that_equals_its_replacement_is_drawn_again(noise_images):
    data = noise_images(40)
    same = data.take(torch.arange(40))
    result = FarOod(source=same.replace(name="copy"), keep_extremes=False)(data, 0.9, 0)
    assert result.truth.is_hard.sum() == 36


def test_notes_name_the_source(noise_images):
    assert FarOod()(noise_images(), 0.5, 0).dataset.notes == ("far_ood: images of 'photos'",)


def test_a_source_that_is_not_there_says_what_is_bundled(noise_images, tmp_path):
    data = noise_images().replace(name="mnist")
    with pytest.raises(MissingDataError, match="give far_ood a source that is bundled: photos"):
        FarOod(root=str(tmp_path), download=False)(data, 0.5, 0)


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        ("phtos", UnknownNameError, "nearest: photos"),
        ("wine", DataError, "'wine' is a table; expected images"),
        ("digits", SpecError, "the dataset itself"),
        (3, SpecError, "source is 3"),
    ],
)
def test_sources_that_do_not_serve(noise_images, source, error, text):
    with pytest.raises(error, match=text):
        FarOod(source=source)(noise_images().replace(name="digits"), 0.5, 0)


def test_a_user_s_table_or_empty_dataset_is_no_source(noise_images, table):
    with pytest.raises(DataError, match="'toy' is a table"):
        FarOod(source=table([[1.0], [2.0]]))(noise_images(), 0.5, 0)
    with pytest.raises(DataError, match="has no image"):
        FarOod(source=noise_images(4).take(torch.arange(0)))(noise_images(), 0.5, 0)


def test_mnist_and_usps(shared_data, images):
    data = load("mnist", root=shared_data, download=False, subset=500)
    usps = np.load(shared_data / "far_ood" / "usps_test.npz")["images"]
    source = images(usps[:, None], name="usps")
    result = FarOod(source=source)(data, 0.2, 0)
    assert result.dataset.features.shape == data.features.shape
    assert result.truth.is_hard.sum() == 100


def test_published_tables(table, shared_data):
    frame = pd.read_parquet(shared_data / "tables" / "covertype_natural.parquet")
    frame = frame.drop(columns="Cover_Type").iloc[:2000]
    data = table(frame.to_numpy(np.float32), tuple(frame.columns))
    result = FarOod()(data, 0.1, 0)
    rows = hard_rows(result)
    before, after = data.features.numpy(), result.dataset.features.numpy()
    for index, name in enumerate(frame.columns):
        low, high = before[:, index].min(), before[:, index].max()
        if low == high:
            assert (after[rows, index] == low).all(), name
        elif name.startswith(("Soil", "Wild")):
            assert set(after[rows, index]) <= {0, 1}
        else:
            outside = (after[rows, index] < low) | (after[rows, index] > high)
            assert outside.all(), name
            assert (after[rows, index] % 1 == 0).all()
    soil = [name.startswith("Soil") for name in frame.columns]
    assert (after[rows][:, soil].sum(axis=1) == 1).all()
    assert (after[rows][:, soil].argmax(1) != before[rows][:, soil].argmax(1)).all()
    # Each row of this table holds two ones: its area and its soil.
    flipped = FarOod(variant="hcat")(data, 0.1, 0)
    changed = flipped.dataset.features.numpy() != before
    assert (changed[hard_rows(flipped)].sum(axis=1) == 4).all()


def test_categorical_columns_by_name(table):
    data = table((np.arange(60) % 3)[:, None], ("code",))
    result = FarOod(categorical="code")(data, 0.5, 0)
    assert set(result.dataset.features[:, 0].tolist()) == {0.0, 1.0, 2.0}
    with pytest.raises(UnknownNameError, match="categorical names 'cod'"):
        FarOod(categorical=["cod"])(data, 0.5, 0)


def test_a_table_of_constants(table):
    with pytest.raises(DataError, match="every column of 'toy' is constant"):
        FarOod()(table([[1.0]] * 10), 0.5, 0)


def test_hcat_squeezes_the_new_image_into_the_upper_half(images, noise_images):
    data, source = images(torch.rand(40, 1, 8, 8) * 2 - 1, (-1.0, 1.0)), noise_images(50)
    result = FarOod(source=source, variant="hcat")(data, 0.5, 0)
    known = (source.features.double() / 255).flatten(1)  # in [0, 1], not normalised
    for row in hard_rows(result):
        new = result.dataset.features[row].double().flatten()
        assert (known - new).abs().amax(dim=1).min() < 1e-6  # float32


def rows(n, k, seed=0):
    return torch.from_numpy(np.sort(np.random.default_rng(seed).choice(n, k, replace=False)))


@pytest.mark.parametrize("decimals", [None, 1, 0])
def test_numbers_lie_a_quarter_to_one_range_outside(table, decimals):
    values = np.random.default_rng(0).uniform(-3, 17, 4000)
    values = values if decimals is None else np.round(values, decimals)
    data = table(values[:, None])
    chosen = rows(4000, 2000)
    after = beyond(data, chosen, (), np.random.default_rng(0))[chosen, 0].double().numpy()
    low, high = data.features.min().item(), data.features.max().item()
    reach = np.where(after > high, after - high, low - after) / (high - low)
    assert reach.min() >= 0.25 - 1e-6  # float32
    assert reach.max() <= 1 + 1e-6
    # Uniform: mean .625, sd .2165 / sqrt(2000); 5 sd, and half a unit of rounding outward.
    assert abs(reach.mean() - 0.625) < 0.024 + (0 if decimals is None else 10.0**-decimals / 40)
    # Binomial(2000, .5): sd 22.4; 5 sd.
    assert abs((after > high).sum() - 1000) < 112
    if decimals is not None:
        assert (np.round(after, decimals).astype(np.float32) == after).all()


def test_small_whole_numbers_stay_whole_and_within_one_range(table):
    data = table((np.arange(60) % 3)[:, None])
    after = beyond(data, torch.arange(30), (), np.random.default_rng(0))[:30, 0]
    assert set(after.tolist()) == {-2.0, -1.0, 3.0, 4.0}


def test_blocks_and_flags_get_another_member(table):
    rng = np.random.default_rng(0)
    kinds, flag = rng.integers(0, 3, 3000), rng.integers(0, 2, 3000)
    block = np.eye(4)[np.where(kinds == 2, 3, kinds)]  # the third member is in no row
    data = table(np.column_stack([block, flag, np.full(3000, 5)]))
    chosen = rows(3000, 1500)
    after = beyond(data, chosen, (), rng)[chosen].numpy()
    before = data.features[chosen].numpy()
    assert (after[:, :4].sum(axis=1) == 1).all()
    assert (after[:, 2] == 0).all()
    assert (after[:, :4].argmax(1) != before[:, :4].argmax(1)).all()
    # Each of the two other members: Binomial(~500, .5), sd 11; 5 sd.
    for old, (one, other) in {0: (1, 3), 1: (0, 3), 3: (0, 1)}.items():
        new = after[before[:, :4].argmax(1) == old][:, :4].argmax(1)
        assert abs((new == one).sum() - (new == other).sum()) < 112
    assert (after[:, 4] == 1 - before[:, 4]).all()
    assert (after[:, 5] == 5).all()


def test_codes_of_categories_become_other_codes(table):
    data = table((np.arange(3000) % 3 * 10)[:, None])
    chosen = rows(3000, 1500)
    after = beyond(data, chosen, {0}, np.random.default_rng(0))[chosen, 0]
    assert set(after.tolist()) == {0.0, 10.0, 20.0}
    assert (after != data.features[chosen, 0]).all()


def test_rows_that_are_not_chosen_stay(table):
    data = table(np.random.default_rng(0).normal(size=(50, 4)))
    after = beyond(data, torch.arange(10), (), np.random.default_rng(0))
    assert torch.equal(after[10:], data.features[10:])
    assert (after[:10] != data.features[:10]).all()


def test_other_level_is_even():
    now = torch.tensor([2.0] * 4000)
    other = other_level(now, torch.tensor([1.0, 2.0, 4.0]), np.random.default_rng(0))
    # Binomial(4000, .5): sd 31.6; 5 sd.
    assert set(other.tolist()) == {1.0, 4.0}
    assert abs((other == 1).sum() - 2000) < 158


def test_hcat_flips_two_zeros_and_two_ones():
    features = torch.tensor(np.random.default_rng(0).integers(0, 3, (300, 12))).float()
    possible = flippable(features)
    expected = ((features == 0).sum(1) >= 2) & ((features == 1).sum(1) >= 2)
    assert torch.equal(possible, expected)
    before = features[possible]
    after = flip_bits(before, np.random.default_rng(0))
    assert (((before == 0) & (after == 1)).sum(1) == 2).all()
    assert (((before == 1) & (after == 0)).sum(1) == 2).all()
    assert ((before != after).sum(1) == 4).all()
