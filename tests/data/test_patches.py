"""Features by k-means on patches, against their definition written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.data import patches
from hcat_nb.data.patches import PatchDictionary, fit_patches, patch_features
from hcat_nb.errors import DataError

RANGE = (0.0, 255.0)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "_PATCHES", 10_000)
    monkeypatch.setattr(patches, "_GROUPS", 60)


def images(n: int, *shape: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (n, *shape), generator=draw, dtype=torch.uint8)


def features(x: torch.Tensor, dictionary: PatchDictionary) -> torch.Tensor:
    out = torch.empty(len(x), dictionary.width)
    patch_features(x, dictionary, out)
    return out


@pytest.mark.parametrize("shape", [(3, 12, 13), (1, 5, 8)])
def test_an_image_answers_by_the_triangle_summed_over_quadrants(shape: tuple[int, ...]) -> None:
    x = images(40, *shape)
    made = fit_patches(x, RANGE)
    side = made.side
    assert side == min(6, shape[1] // 2, shape[2] // 2)
    height, width = (length - side + 1 for length in shape[1:])
    mean, whitening, groups = (
        one.double().numpy() for one in (made.mean, made.whitening, made.groups)
    )
    answers = np.empty((height, width, len(groups)))
    for top in range(height):
        for left in range(width):
            patch = x[0, :, top : top + side, left : left + side].double().numpy().ravel()
            patch = (patch - patch.mean()) / np.sqrt(patch.var() + 10)
            far = np.linalg.norm((patch - mean) @ whitening - groups, axis=1)
            answers[top, left] = np.maximum(0, far.mean() - far)
    low, high = [(length + 1) // 2 for length in (height, width)], [height // 2, width // 2]
    quadrants = [
        answers[rows, columns].sum((0, 1))
        for rows in (slice(0, low[0]), slice(high[0], None))
        for columns in (slice(0, low[1]), slice(high[1], None))
    ]
    got = features(x[:1], made)[0]
    np.testing.assert_allclose(got.numpy(), np.concatenate(quadrants), rtol=1e-3, atol=1e-3)


def test_whitened_patches_are_of_equal_spread_in_every_direction() -> None:
    x = images(200, 1, 12, 12)
    x[:, :, :, 1::2] = x[:, :, :, ::2]  # neighbours are alike
    made = fit_patches(x, RANGE)
    cut = torch.nn.functional.unfold(x.float(), made.side).mT.flatten(0, 1)
    centred = cut - cut.mean(1, keepdim=True)
    plain = centred / (centred.square().mean(1, keepdim=True) + 10).sqrt()
    spread = torch.linalg.eigvalsh(torch.cov(((plain - made.mean) @ made.whitening).T))
    assert float(spread[-1]) < 1.1  # before: several times the mean
    assert float(torch.linalg.eigvalsh(torch.cov(plain.T))[-1]) > 1.5


def test_the_same_images_give_the_same_dictionary_whatever_the_scale_of_their_values() -> None:
    x = images(60, 3, 8, 8)
    one, two = fit_patches(x, RANGE), fit_patches(x, RANGE)
    assert torch.equal(one.groups, two.groups)
    scaled = fit_patches(x.float() / 255, (0.0, 1.0))
    torch.testing.assert_close(scaled.groups, one.groups, rtol=1e-2, atol=1e-2)


def test_images_of_one_pixel_have_no_patches() -> None:
    with pytest.raises(DataError, match=r"1 x 8 pixels.*features=raw"):
        fit_patches(images(5, 1, 1, 8), RANGE)
