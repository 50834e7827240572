from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.perturbations.domain_shift import DomainShift, bilateral, cartoon, edges, median


def windows(image, size):
    """Return (height, width, size, size) windows of a replicated (height, width)."""
    padded = np.pad(image, size // 2, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (size, size))


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_median(size):
    rng = np.random.default_rng(size)
    images = rng.integers(0, 9, (4, 2, 9, 11)).astype(np.float32)  # with many ties
    found = median(torch.from_numpy(images), size).numpy()
    for image, result in zip(images.reshape(8, 9, 11), found.reshape(8, 9, 11), strict=True):
        assert (result == np.median(windows(image, size), axis=(2, 3))).all()


def test_edges_are_pixels_darker_than_their_surroundings():
    image = np.random.default_rng(0).random((9, 11)).astype(np.float32)
    found = edges(torch.from_numpy(image)[None, None], 5, 0.1)[0, 0].numpy()
    assert (found == (image <= windows(image, 5).mean(axis=(2, 3)) - 0.1)).all()
    assert 0.1 < found.mean() < 0.9  # the comparison is between both answers


@pytest.mark.parametrize("channels", [1, 3])
def test_bilateral_filter(channels):
    rng = np.random.default_rng(0)
    image = rng.random((channels, 7, 6))
    found = bilateral(torch.from_numpy(image)[None], 5, 0.4, 1.5)[0].numpy()
    padded = np.pad(image, ((0, 0), (2, 2), (2, 2)), mode="edge")
    for i in range(7):
        for j in range(6):
            total, weights = np.zeros(channels), 0.0
            for k in range(-2, 3):
                for m in range(-2, 3):
                    if k * k + m * m > 4:
                        continue
                    there = padded[:, i + 2 + k, j + 2 + m]
                    colour = np.abs(there - image[:, i, j]).sum()
                    weight = math.exp(-(k * k + m * m) / (2 * 1.5**2) - colour**2 / (2 * 0.4**2))
                    total += weight * there
                    weights += weight
            np.testing.assert_allclose(found[:, i, j], total / weights, rtol=1e-12)


def test_a_small_colour_sigma_keeps_edges():
    image = torch.zeros(1, 1, 8, 8)
    image[..., 4:] = 200.0
    assert torch.allclose(bilateral(image, 5, 1.0, 50.0), image)


def test_a_cartoon_is_flat_with_outlines():
    image = torch.full((1, 1, 28, 28), 100.0)
    image[..., 8:20, 8:20] = 200.0
    result = cartoon(image, torch.zeros(1, 1, 1, 1), 255.0)
    outline = result == 0
    assert outline.any()
    # On the dark side of the border, at most half a window (4 pixels) away from it.
    inside = torch.zeros(28, 28, dtype=torch.bool)
    inside[8:20, 10:18] = True  # less the corners, which the median rounds off
    assert not (outline[0, 0] & inside).any()
    near = torch.zeros(28, 28, dtype=torch.bool)
    near[4:24, 4:24] = True
    assert not (outline[0, 0] & ~near).any()
    assert result[0, 0, 14, 14] == 200.0
    assert result[0, 0, 0, 0] == 100.0


def test_black_outlines_without_keep_extremes(images):
    picture = torch.full((8, 1, 28, 28), 100, dtype=torch.uint8)
    picture[..., 8:20, 8:20] = 200
    hard = DomainShift(keep_extremes=False)(images(picture), 0.5, 0)
    own = DomainShift()(images(picture), 0.5, 0)
    rows = hard.truth.is_hard.to_numpy()
    assert (hard.dataset.features[rows].flatten(1).min(1).values == 0).all()
    assert (own.dataset.features[rows].flatten(1).min(1).values == 100).all()


def test_texture_changes_and_the_shape_stays(shared_data):
    from hcat_nb.data.loading import load

    data = load("mnist", root=shared_data, download=False, subset=300)
    result = DomainShift()(data, 0.5, 0)
    rows = result.truth.is_hard.to_numpy()
    before = data.features[rows].flatten(1).double().numpy()
    after = result.dataset.features[rows].flatten(1).double().numpy()
    own = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(before, after, strict=True)])
    other = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(before, after[::-1], strict=True)])
    # Another picture of the same kind correlates at about .4.
    assert own.min() > 0.6
    assert np.median(own) > np.median(other) + 0.3


def test_noise_comes_before_the_cartoon_and_is_recorded(noise_images):
    data = noise_images(60, side=16)
    result = DomainShift(noise=[0.0, 0.5])(data, 0.5, 0)
    assert set(result.truth.strength.dropna()) == {0.0, 0.5}
    plain = DomainShift()(data, 0.5, 0)
    assert plain.truth.is_hard.equals(result.truth.is_hard)
    assert set(plain.truth.strength.dropna()) == {0.0}
    quiet = (result.truth.strength == 0).to_numpy()
    assert torch.equal(result.dataset.features[quiet], plain.dataset.features[quiet])
    loud = (result.truth.strength == 0.5).to_numpy()
    assert not torch.equal(result.dataset.features[loud], plain.dataset.features[loud])


def test_blank_images_are_never_drawn(images, noise_images):
    features = noise_images(20).features.clone()
    features[:8] = 7
    assert not DomainShift()(images(features), 0.5, 0).truth.is_hard[:8].any()


def test_negative_noise():
    with pytest.raises(SpecError, match="noise is -1; expected a number of at least 0"):
        DomainShift(noise=-1)


@pytest.mark.parametrize("channels", [1, 3])
def test_hcat_draws_in_the_upper_half_of_the_range(images, channels):
    low = torch.rand(20, channels, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    data = images(low, (-1.0, 1.0))
    result = DomainShift(noise=1e-9, variant="hcat")(data, 0.5, 0)
    rows = result.truth.is_hard.to_numpy(copy=True)
    # With next to no noise: clamped as H-CAT does, and drawn as with a range of [0, 1].
    source = low[rows].clamp(min=0)
    for image, found in zip(source.numpy(), result.dataset.features[rows].numpy(), strict=True):
        grey = image[0] if channels == 1 else np.tensordot([0.299, 0.587, 0.114], image, 1)
        blurred = np.median(windows(grey, 5), axis=(2, 3))
        lines = blurred <= windows(blurred, 9).mean(axis=(2, 3)) - 9 / 255
        assert (found[:, lines] == 0).all()
        assert 0 < lines.mean() < 1
        if channels == 1:
            # Noise of 5e-10 and float32.
            np.testing.assert_allclose(found[0][~lines], blurred[~lines], atol=1e-6)
        else:
            assert found.min() == 0


def test_hcat_adds_half_of_its_noise_and_records_the_level(images):
    data = images(torch.full((40, 1, 8, 8), 0.5) + torch.eye(8) / 10)
    result = DomainShift(variant="hcat")(data, 0.5, 0)
    assert set(result.truth.strength.dropna()) == {0.5}
    assert result.dataset.features[result.truth.is_hard.to_numpy(copy=True)].min() >= 0.5
