"""Slightly changed copies of the rows of a table, texts as TF-IDF weights included."""

from __future__ import annotations

import torch
from torch import Tensor

from hcat_nb.observation.traits import InputTraits

__all__ = ["changed_rows"]


def changed_rows(
    x: Tensor, normal: Tensor, traits: InputTraits, noise: float, redrawn: float
) -> Tensor:
    """Return a copy of each row.

    Parameters
    ----------
    x : Tensor of shape (b, columns), float32
    normal : Tensor of shape (b, columns)
        Standard normal numbers; all that is random about the copies.
    traits : InputTraits
        Of the table.
    noise : float
        Of numbers, in standard deviations of the column.
    redrawn : float
        Probability with which a categorical value is drawn anew from the
        shares of its levels, and a word is left out; the weights of the other
        words then grow, so that their length stays.
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
