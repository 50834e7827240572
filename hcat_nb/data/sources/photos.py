"""Patches of two photographs, a temple and a flower, bundled with scikit-learn.

China (Wing-Yin Leung) and flower (Vultar Siragusa), scikit-learn's
``load_sample_images``, CC BY.  Small colour pictures of nothing in particular:
made to be far from other images where CIFAR-10 is not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources.base import Source

_SIDE = 32
_STEP = 8
_KEPT = 600


@dataclass(frozen=True)
class Photos(Source):
    """1,200 patches of 32 x 32 pixels; the class is the photograph."""

    name = "photos"
    title = "Patches of two photographs, 32 x 32 (scikit-learn)"
    modality = "image"
    n_samples = 2 * _KEPT
    bundled = True
    paper = "Wing-Yin Leung; Vultar Siragusa, CC BY"

    def load(self) -> LabelledDataset:
        """Return the patches as uint8 of shape (1200, 3, 32, 32).

        Cut from the photographs at half size, 8 pixels apart; of each those
        600 that have the greatest contrast, for the rest is sky.
        """
        from sklearn.datasets import load_sample_images

        patches = [_patches(photograph) for photograph in load_sample_images().images]
        return LabelledDataset(
            name=self.name,
            features=torch.from_numpy(np.concatenate(patches)),
            labels=torch.arange(2).repeat_interleave(_KEPT),
            class_values=("china", "flower"),
            sample_ids=pd.RangeIndex(self.n_samples),
            value_range=(0.0, 255.0),
            flip_keeps_label=True,
        )


def _patches(photograph: np.ndarray) -> np.ndarray:
    """Cut (height, width, 3) into (600, 3, 32, 32), in reading order."""
    height, width = (size // 2 for size in photograph.shape[:2])
    half = photograph[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
    windows = np.lib.stride_tricks.sliding_window_view(half, (_SIDE, _SIDE), axis=(0, 1))
    cut = windows[::_STEP, ::_STEP].reshape(-1, 3, _SIDE, _SIDE)
    kept = np.sort(np.argsort(-cut.std(axis=(1, 2, 3)), kind="stable")[:_KEPT])
    patches: np.ndarray = np.round(cut[kept]).astype(np.uint8)
    return patches
