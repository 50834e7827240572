"""Augmented copies: small, seeded by row, in the domain of the originals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hcat_nb.errors import SpecError
from hcat_nb.observation import augmented
from hcat_nb.observation.augmented import AugmentedCopies, BlockedDraws, changed_rows
from hcat_nb.observation.traits import InputTraits

N = 40


class Echo(nn.Module):
    """Returns its input, flattened: the copies themselves come back as logits."""

    def forward(self, x):
        return x.flatten(1).float()


def copies_of(x: torch.Tensor, traits: InputTraits, **how) -> AugmentedCopies:
    return AugmentedCopies(Echo(), traits, len(x), **({"seed": 0} | how))


@pytest.fixture(params=["uint8", "float", "rgb"])
def images(request) -> tuple[torch.Tensor, InputTraits]:
    """Smooth images with a blob each, in three domains."""
    generator = torch.Generator().manual_seed(0)
    channels = 3 if request.param == "rgb" else 1
    x = nn.functional.interpolate(torch.rand(N, channels, 4, 4, generator=generator), (20, 24))
    if request.param == "uint8":
        return (x * 16).round().to(torch.uint8), InputTraits((0.0, 16.0))
    if request.param == "float":
        return 2 * x - 1, InputTraits((-1.0, 1.0))
    return (x * 255).round().to(torch.uint8), InputTraits((0.0, 255.0), flip_keeps_label=True)


def test_copies_keep_dtype_shape_and_range(images):
    x, traits = images
    low, high = traits.value_range
    for j in range(4):
        copy = copies_of(x, traits, strength=4.0).copy(x, torch.arange(N), j)
        assert copy.dtype == x.dtype
        assert copy.shape == x.shape
        assert copy.min() >= low
        assert copy.max() <= high


def test_copies_differ_from_the_original_and_from_each_other_but_little(images):
    x, traits = images
    measured = copies_of(x, traits).measure(x, torch.arange(N))
    original = x.flatten(1).float()
    span = traits.value_range[1] - traits.value_range[0]
    for j in range(4):
        changed = (measured[:, j] - original).abs().mean(1)
        assert (changed > 0).all()
        if not traits.flip_keeps_label:
            # blocks of 5 x 6 pixels that move by up to 1 of them
            assert (changed < 0.15 * span).all()
        assert not torch.equal(measured[:, j], measured[:, (j + 1) % 4])


def test_no_strength_no_change(images):
    x, traits = images
    copy = copies_of(x, traits, strength=0.0).copy(x, torch.arange(N), 0)
    # resampling at the pixels' own places, in float32
    torch.testing.assert_close(copy.float(), x.float(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [1, 7])
def test_batches_and_their_order_do_not_matter(images, size):
    x, traits = images
    whole = copies_of(x, traits).measure(x, torch.arange(N))
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    again = torch.empty_like(whole)
    parts = copies_of(x, traits)
    for rows in order.split(size):
        again[rows] = parts.measure(x[rows], rows)
    # grid_sample may sum in another order; a byte that is rounded the other way differs by 1
    off = (again - whole).abs()
    assert (off > 1e-4).float().mean() < 1e-3
    assert off.max() <= 1


def test_the_seed_decides_and_more_copies_leave_the_first_alone(images):
    x, traits = images
    rows = torch.arange(N)
    three = copies_of(x, traits, k=3).measure(x, rows)
    assert torch.equal(three, copies_of(x, traits, k=3).measure(x, rows))
    assert torch.equal(three, copies_of(x, traits, k=5).measure(x, rows)[:, :3])
    assert not torch.equal(three, copies_of(x, traits, k=3, seed=1).measure(x, rows))


def test_equal_images_in_other_rows_get_other_copies(images):
    x, traits = images
    same = x[:1].expand_as(x)
    made = copies_of(same, traits).measure(same, torch.arange(N))[:, 0]
    assert len(made.unique(dim=0)) == N


def halves(x: torch.Tensor) -> torch.Tensor:
    """Return whether the right half is the brighter one."""
    middle = x.shape[-1] // 2
    return x[..., middle:].sum((1, 2, 3)) > x[..., :middle].sum((1, 2, 3))


@pytest.mark.parametrize("keeps", [True, False])
def test_only_datasets_that_allow_it_are_flipped(keeps):
    x = torch.zeros(400, 1, 16, 16)
    x[..., 10:] = 1
    made = copies_of(x, InputTraits((0.0, 1.0), keeps)).copy(x, torch.arange(400), 0)
    flipped = 1 - halves(made).float().mean().item()
    # a coin a row: standard error .025
    assert abs(flipped - 0.5) < 0.1 if keeps else flipped == 0


def test_a_rotation_turns_the_picture_and_not_the_square_that_it_is_squeezed_into():
    # A long image: its middle row, turned by a small angle, stays as straight as a line is.
    x = torch.zeros(200, 1, 15, 61)
    x[:, :, 7] = 1
    traits = InputTraits((0.0, 1.0))
    probe = copies_of(x, traits)
    probe._draws[0].block(0)[:, 1:] = 0.5  # nothing but the rotation; no noise
    probe._draws[0].block(0)[:, 6] = 0
    made = probe.copy(x, torch.arange(200), 0)
    rows = torch.arange(15.0)[:, None]
    height = (made[:, 0] * rows).sum(1) / made[:, 0].sum(1)  # (200, 61): where the line is
    slope = (height[:, 40] - height[:, 20]) / 20
    angle = (2 * probe._draws[0].block(0)[:, 0] - 1) * np.radians(5)
    # the centre of two pixels' weights is off by hundredths
    torch.testing.assert_close(slope.abs(), angle.tan().abs(), rtol=0, atol=0.01)


def test_pixelated_copies_have_fewer_different_columns():
    x = torch.linspace(0, 1, 56).expand(300, 1, 56, 56).contiguous()
    probe = copies_of(x, InputTraits((0.0, 1.0)))
    probe._draws[0].block(0)[:, :6] = 0.5
    probe._draws[0].block(0)[:, 6] = 0
    made = probe.copy(x, torch.arange(300), 0)
    steps = torch.tensor([len(row.unique()) for row in made[:, 0, 0]])
    pixelated = steps < 56
    # a quarter of the copies: standard error .025; to 3/4 of the resolution at least
    assert abs(pixelated.float().mean().item() - 0.25) < 0.1
    assert 42 <= steps.min() < 50


class TestTables:
    std = torch.tensor([1.0, 10.0, 0.0])

    def made(self, n: int = 3000, **how) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.randn(n, 3) * self.std + 5
        return x, copies_of(x, InputTraits(column_stds=self.std), **how).measure(x, torch.arange(n))

    def test_noise_has_the_deviation_that_was_asked_for(self):
        x, made = self.made(noise=0.1)
        added = made - x[:, None]
        # standard error of a deviation of 12,000 numbers: .65 %
        assert added.std((0, 1))[:2].numpy() == pytest.approx([0.1, 1.0], rel=0.03)
        assert (added[..., 2] == 0).all()  # a constant column stays so
        assert abs(added[..., 0].mean()) < 0.005
        # columns and copies are independent: standard error of a correlation .018
        flat = added[..., :2].permute(1, 2, 0).reshape(8, -1).numpy()
        assert np.abs(np.corrcoef(flat) - np.eye(8)).max() < 0.08

    def test_none_without_noise(self):
        x, made = self.made(n=10, noise=0.0)
        assert torch.equal(made[:, 2], x)


@pytest.mark.parametrize(
    "options", [{"k": 0}, {"k": 1.5}, {"strength": -1.0}, {"strength": 5.0}, {"noise": -0.1}]
)
def test_option_out_of_range(options):
    with pytest.raises(SpecError, match=r"(k|strength|noise) is .*expected"):
        copies_of(torch.zeros(2, 3), InputTraits(), **options)


def test_hcats_copies_are_mirrored_in_the_upper_half_of_the_range():
    x = torch.zeros(N, 1, 20, 20)
    x[..., 2:6] = 1.0  # a bar on the left
    x[..., 12] = 0.25  # normalised to [-1, 1]: -.5, which wraps around to .5
    # Nothing else moves it.
    copies = copies_of(x, InputTraits((0.0, 1.0)), strength=0, k=1, as_hcat=True)
    found = copies.copy(x, torch.arange(N), 0)
    expected = torch.full_like(x, 0.5)
    expected[..., 14:18] = 1.0
    expected[..., 7] = 0.75
    assert torch.allclose(found, expected, atol=1e-5)  # a resampling in float32
    grey = (x * 255).round().to(torch.uint8)
    copies = copies_of(grey, InputTraits((0.0, 255.0)), strength=0, k=1, as_hcat=True)
    assert (copies.copy(grey, torch.arange(N), 0).float() / 255 - expected).abs().max() < 0.006


ROWS = 20_000


def normal(columns: int) -> torch.Tensor:
    return torch.randn(ROWS, columns, generator=torch.Generator().manual_seed(0))


def traits(shares: list[float]) -> InputTraits:
    return InputTraits(
        column_stds=torch.tensor([0.0, 2.0]), marginals={0: torch.tensor(shares).cumsum(0)}
    )


def test_a_category_is_drawn_anew_as_often_as_asked_and_as_its_levels_occur():
    shares = [0.5, 0.0, 0.2, 0.3]
    x = torch.tensor([1.0, 0.0]).expand(ROWS, 2)  # of a level that no other row has
    copy = changed_rows(x, normal(2), traits(shares), noise=0.0, redrawn=0.25)
    counts = torch.bincount(copy[:, 0].long(), minlength=4) / ROWS
    # 20,000 draws: five standard errors are .016 at most
    expected = 0.25 * torch.tensor(shares) + torch.tensor([0, 0.75, 0, 0])
    assert torch.allclose(counts, expected, atol=0.016)
    assert torch.equal(copy[:, 1], x[:, 1])


@pytest.mark.parametrize("redrawn", [0.0, 1.0])
def test_never_and_always(redrawn):
    x = torch.tensor([1.0, 0.0]).expand(ROWS, 2)
    copy = changed_rows(x, normal(2), traits([0.5, 0.0, 0.2, 0.3]), noise=0.1, redrawn=redrawn)
    assert (copy[:, 0] == 1).all() == (redrawn == 0)
    assert (copy[:, 0] == 1).any() == (redrawn == 0)
    assert copy[:, 1].std().item() == pytest.approx(0.2, rel=0.03)  # 0.1 of 2; six errors of .5 %


def test_words_are_left_out_and_the_length_stays():
    x = torch.tensor([3.0, 0.6, 0.0, 0.8]).expand(ROWS, 4)
    words = InputTraits(column_stds=torch.tensor([0.0] * 4), words=range(1, 4))
    copy = changed_rows(x, normal(4), words, noise=0.1, redrawn=0.1)
    assert torch.equal(copy[:, 0], x[:, 0])
    assert not copy[:, 2].any()
    assert (copy[:, 1] == 0).float().mean().item() == pytest.approx(0.1, abs=0.011)  # five errors
    lengths = copy[:, 1:].norm(dim=1)
    gone = (copy[:, 1:] == 0).all(1)
    assert torch.allclose(lengths[~gone], torch.tensor(1.0))
    assert 0 < gone.float().mean() < 0.02


DRAWN, WIDTH = 50, 9


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.fixture
def draws(monkeypatch) -> BlockedDraws:
    monkeypatch.setattr(augmented, "_BLOCK", 8)
    return BlockedDraws(DRAWN, WIDTH, generator())


@pytest.mark.parametrize(
    "parts",
    [
        [torch.arange(DRAWN)],
        list(torch.arange(DRAWN).split(7)),
        list(torch.arange(DRAWN).flip(0).split(7)),
        [torch.tensor([49, 3, 3, 20]), torch.tensor([], dtype=torch.int64), torch.tensor([0])],
    ],
    ids=["at once", "in parts", "backwards", "here and there"],
)
def test_the_numbers_are_those_of_one_drawing(draws, parts):
    whole = torch.rand(DRAWN, WIDTH, generator=generator())
    for rows in parts:
        assert torch.equal(draws.of(rows), whole[rows])


def test_a_real_block_begins_where_the_one_before_ends():
    rows = torch.tensor([0, augmented._BLOCK - 1, augmented._BLOCK, 20_000])
    whole = torch.rand(20_001, WIDTH, generator=generator())
    assert torch.equal(BlockedDraws(20_001, WIDTH, generator()).of(rows), whole[rows])


def test_one_block_is_held(draws):
    draws.of(torch.arange(DRAWN))
    assert draws.block(6) is draws.block(6)
    assert len(draws.block(6)) == 2  # of the last block there are two rows
    assert draws.block(0).shape == (8, WIDTH)
