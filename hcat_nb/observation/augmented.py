"""Predictions for slightly changed copies of each sample.

What is random about a copy is a row of numbers for each sample, drawn on the
CPU from the run's seed: neither the batches, nor their order, nor the device
moves it.  Copies are made in the raw domain of the features,
before any scaling, and keep its dtype and range.

Images: rotation, shift and zoom, pixelation, contrast, brightness and noise;
a horizontal flip only where the dataset says that it keeps the label.  One
resampling does all that is geometry.  Tables: Gaussian noise on numbers; a
categorical value is now and then drawn anew, as often as each level occurs; a
word of a text is now and then left out.  The changes of every copy are small:
they keep what a sample *is*.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from hcat_nb.errors import SpecError
from hcat_nb.observation.traits import InputTraits
from hcat_nb.seeds import child_seed

# Rows of a block.  A state of the generator is 5 kB: a third of a byte a sample.
_BLOCK = 2**14


class BlockedDraws:
    """A row of uniform numbers for each sample: those of ``torch.rand(n, width)``.

    One block of rows is held, and the generator's state at the start of each block that was
    reached; rows in ascending order cost one drawing of each.

    ``n``: samples; ``width``: numbers of a sample; ``generator``: of the CPU; nobody else draws
    from it.
    """

    def __init__(self, n: int, width: int, generator: torch.Generator) -> None:
        self._n, self._width, self._generator = n, width, generator
        self._starts = [generator.get_state()]
        self._held: int | None = None
        self._numbers = torch.empty(0, width)

    def of(self, rows: Tensor) -> Tensor:
        """Return the numbers of these samples, (b, width), in [0, 1), on the device of ``rows``."""
        here = rows.cpu()
        numbers = torch.empty(len(here), self._width)
        blocks = here // _BLOCK
        for block in blocks.unique().tolist():
            of_block = blocks == block
            numbers[of_block] = self.block(block)[here[of_block] - block * _BLOCK]
        return numbers.to(rows.device)

    def block(self, number: int) -> Tensor:
        """Return the numbers of a block of samples, held until another one is asked for."""
        if number != self._held:
            while len(self._starts) <= number:
                self._draw(len(self._starts) - 1)
                self._starts.append(self._generator.get_state())
            self._numbers = self._draw(number)
            self._held = number
        return self._numbers

    def _draw(self, number: int) -> Tensor:
        self._generator.set_state(self._starts[number])
        rows = min(_BLOCK, self._n - number * _BLOCK)
        return torch.rand(rows, self._width, generator=self._generator)


def changed_rows(
    x: Tensor, normal: Tensor, traits: InputTraits, noise: float, redrawn: float
) -> Tensor:
    """Return a copy of each row.

    ``x`` (b, columns) float32; ``normal`` (b, columns): standard normal numbers; all that is random
    about the copies; ``traits``: of the table; ``noise``: of numbers, in standard deviations of the
    column; ``redrawn``: probability with which a categorical value is drawn anew from the shares of
    its levels, and a word is left out; the weights of the other words then grow, so that their
    length stays.
    """
    assert traits.column_stds is not None, "a table's traits have column_stds"
    copy = x + noise * traits.column_stds.to(x.device) * normal
    if traits.marginals:
        columns = torch.tensor(list(traits.marginals), device=x.device)
        share = torch.special.ndtr(normal[:, columns]) / max(redrawn, torch.finfo(x.dtype).tiny)
        for column, shares in enumerate(traits.marginals.values()):
            # a share below 1 is uniform again, and serves as the draw
            drawn = torch.bucketize(share[:, column].clamp(max=1.0), shares.to(x.device))
            place = columns[column]
            copy[:, place] = torch.where(share[:, column] < 1, drawn.to(x.dtype), x[:, place])
    if traits.words:
        part = slice(traits.words.start, traits.words.stop)
        kept = x[:, part] * (torch.special.ndtr(normal[:, part]) >= redrawn)
        before, after = (one.norm(dim=1, keepdim=True) for one in (x[:, part], kept))
        # of a text that lost every word there is nothing left to lengthen
        copy[:, part] = kept * torch.where(after > 0, before / after.clamp(min=1e-12), 1.0)
    return copy


# Largest change at strength 1, either way.
_ANGLE = math.radians(5)
_SHIFT = 0.03  # of the image's side: 1 pixel of 32
_ZOOM = 0.04
_CONTRAST = 0.1
_BRIGHTNESS = 0.05  # of the value range
_NOISE = 0.025  # standard deviation, of the value range
_COARSEST = 0.75  # of the resolution, where a copy is pixelated
_PIXELATED = 0.25  # share of the copies that are
_FEWEST_BLOCKS = 14  # a side; fewer leave no digit to read, so smaller images are not pixelated

_DRAWS = 9  # numbers in [0, 1) a copy: one each of the above, the flip, a place in the noise
_POOL = 2**20 + 7  # normal numbers that copies read from a place of their own


class AugmentedCopies:
    """K copies of each sample of one dataset, and a model's logits for them.

    ``model``: raw features in, logits out; in evaluation mode when it is measured; ``traits``: of
    the raw features; ``n``: samples of the dataset; ``seed``: parent of the draws; ``k``: copies of
    a sample. Copy j is the same for every K > j; ``strength``: of an image's changes; 0 for none;
    ``noise``: of a table's: the standard deviation of what is added, in standard deviations of the
    column; ``redrawn``: probability with which a categorical value is drawn anew, and a word left
    out; ``as_hcat``: whether images are changed as in H-CAT's benchmark: all are mirrored, whatever
    the traits say, and their values lie in the upper half of the value range, because there
    pictures normalised to [-1, 1] are read as if they were in [0, 1], negative values wrap around,
    and the result is not normalised again.
    """

    def __init__(
        self,
        model: nn.Module,
        traits: InputTraits,
        n: int,
        seed: int,
        k: int = 4,
        strength: float = 1.0,
        noise: float = 0.1,
        redrawn: float = 0.1,
        as_hcat: bool = False,
    ) -> None:
        if type(k) is not int or k < 1:
            raise SpecError(f"k is {k!r}", "at least 1 copy")
        if not 0 <= strength <= 4:  # beyond, an image shows its margin only
            raise SpecError(f"strength is {strength}", "a number in [0, 4]")
        if not 0 <= noise < math.inf:
            raise SpecError(f"noise is {noise}", "at least 0")
        if not 0 <= redrawn <= 1:
            raise SpecError(f"redrawn is {redrawn}", "a probability in [0, 1]")
        self.model = model
        self.traits = traits
        self.strength = strength
        self.noise = noise
        self.redrawn = redrawn
        self.as_hcat = as_hcat
        self._draws = [
            BlockedDraws(n, _DRAWS, _generator(seed, f"augmentations/{copy}")) for copy in range(k)
        ]
        self._pool = torch.randn(_POOL, generator=_generator(seed, "augmentations/noise"))

    def measure(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return the logits of the copies of raw samples (b, ...) at ``rows`` of the dataset."""
        copies = range(len(self._draws))
        logits = [self.model(self.copy(x, rows, copy)).float() for copy in copies]
        return torch.stack(logits, dim=1)

    def copy(self, x: Tensor, rows: Tensor, copy: int) -> Tensor:
        """Return the copy number ``copy`` of each sample, in dtype, shape and range of ``x``."""
        self._pool = self._pool.to(x.device)
        draws = self._draws[copy].of(rows)
        if x.dim() == 4:
            return self._changed_images(x, draws)
        return changed_rows(
            x, self._normal(draws[:, 8], x.shape), self.traits, self.noise, self.redrawn
        )

    def _changed_images(self, x: Tensor, draws: Tensor) -> Tensor:
        assert self.traits.value_range is not None, "an image's traits have a value_range"
        low, high = self.traits.value_range
        either_way = 2 * draws - 1
        images = x.float()
        if self.as_hcat:
            doubled = 2 * (images - low)
            images = low + torch.where(doubled < high - low, doubled, doubled - (high - low))
        images = self._resampled(images, draws, either_way)
        contrast = 1 + self.strength * _CONTRAST * either_way[:, 4]
        brightness = self.strength * _BRIGHTNESS * (high - low) * either_way[:, 5]
        deviation = self.strength * _NOISE * (high - low) * draws[:, 6]
        middle = images.mean(dim=(1, 2, 3), keepdim=True)
        images = middle + _spread(contrast) * (images - middle) + _spread(brightness)
        images = images + _spread(deviation) * self._normal(draws[:, 8], x.shape)
        images = images.clamp(low, high)
        if self.as_hcat:
            images = (images + high) / 2
        return images.to(x.dtype) if x.is_floating_point() else images.round().to(x.dtype)

    def _resampled(self, images: Tensor, draws: Tensor, either_way: Tensor) -> Tensor:
        """Rotate, shift, zoom, flip and pixelate in one bilinear resampling.

        What comes in from outside repeats the border: a fill value would
        give the copy away.
        """
        s, (height, width) = self.strength, images.shape[2:]
        angle, zoom = s * _ANGLE * either_way[:, 0], 1 + s * _ZOOM * either_way[:, 1]
        shift = s * 2 * _SHIFT * either_way[:, 2:4]  # a side spans [-1, 1]
        mirror = torch.ones_like(angle)
        if self.as_hcat:
            mirror = -mirror
        elif self.traits.flip_keeps_label and s > 0:
            mirror = torch.where(draws[:, 7] < 0.5, -1.0, 1.0)
        cos, sin = zoom * angle.cos(), zoom * angle.sin()
        # Where the columns and the rows of a copy are, a side spanning [-1, 1]: (b, side) each.
        blocks = self._blocks(draws[:, 7], height, width)
        columns, rows = _places(width, blocks[:, 0]), _places(height, blocks[:, 1])
        # Pixels of unlike sides: the rotation is one of the picture, not of the unit square.
        aspect = height / width
        grid = images.new_empty(len(images), height, width, 2)
        _outer_sum(columns, mirror * cos, rows, -sin * aspect, shift[:, 0], out=grid[..., 0])
        _outer_sum(columns, mirror * sin / aspect, rows, cos, shift[:, 1], out=grid[..., 1])
        return grid_sample(images, grid, padding_mode="border", align_corners=False)

    def _blocks(self, draw: Tensor, height: int, width: int) -> Tensor:
        """Return each copy's resolution (b, 2) in blocks a side; infinity: not pixelated."""
        # The flip reads whether this draw is below one half, so its second
        # binary digit and what follows are free to tell whether, and how much.
        second = (2 * draw) % 1
        share = second / _PIXELATED  # in [0, 1) for those that are pixelated
        keep = 1 - self.strength * (1 - _COARSEST) * share
        sides = torch.tensor([width, height], dtype=draw.dtype, device=draw.device)
        blocks = (keep[:, None] * sides).round().clamp(min=sides.clamp(max=_FEWEST_BLOCKS))
        chosen = (share < 1) & (self.strength > 0)
        return torch.where(chosen[:, None], blocks, torch.inf)

    def _normal(self, place: Tensor, shape: torch.Size) -> Tensor:
        """Return normal numbers of ``shape``, read from the pool at each row's place."""
        start = (place.double() * _POOL).long()
        size = math.prod(shape[1:])
        if len(self._pool) < _POOL + size:  # behind its end, the pool begins anew
            turns = -(-size // _POOL)
            first = self._pool[:_POOL]
            self._pool = torch.cat([first.repeat(turns), first[: size - (turns - 1) * _POOL]])
        return self._pool.unfold(0, size, 1)[start].reshape(shape)


def _generator(seed: int, stream: str) -> torch.Generator:
    return torch.Generator().manual_seed(child_seed(seed, stream))


def _spread(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _places(side: int, blocks: Tensor) -> Tensor:
    """Return the centres of the pixels of a side, or of the blocks that they lie in, (b, side)."""
    centres = (2 * torch.arange(side, device=blocks.device, dtype=blocks.dtype) + 1) / side - 1
    within = torch.floor((centres + 1) / 2 * blocks[:, None])
    return torch.where(
        torch.isfinite(blocks)[:, None], (2 * within + 1) / blocks[:, None] - 1, centres
    )


def _outer_sum(
    columns: Tensor, by_column: Tensor, rows: Tensor, by_row: Tensor, more: Tensor, *, out: Tensor
) -> None:
    """Put factor times column plus factor times row plus ``more`` into ``out``, (b, h, w)."""
    vertical = by_row[:, None] * rows + more[:, None]
    torch.add((by_column[:, None] * columns)[:, None], vertical[:, :, None], out=out)
