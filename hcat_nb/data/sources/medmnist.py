"""MedMNIST, standardised medical images, in its npz files.

Yang, Shi, Wei, Liu, Zhao, Ke, Pfister and Ni, MedMNIST v2, Scientific Data
2023.  A file holds ``{train,val,test}_images``, uint8 of shape (n, h, w) or
(n, h, w, 3), and ``..._labels`` of shape (n, 1), or (n, 14) of chestmnist.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hcat_nb.casts import as_path
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._downloads import data_root
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import DataError, MissingDataError, SpecError, UnknownNameError
from hcat_nb.registry import nearest

_SPLITS = ("train", "val", "test")
_ORGANS = (
    *("bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right"),
    *("liver", "lung-left", "lung-right", "pancreas", "spleen"),
)
CLASSES: dict[str, tuple[str, ...]] = {
    "bloodmnist": (
        *("basophil", "eosinophil", "erythroblast", "immature granulocyte"),
        *("lymphocyte", "monocyte", "neutrophil", "platelet"),
    ),
    "breastmnist": ("malignant", "normal or benign"),
    "dermamnist": (
        *("actinic keratosis", "basal cell carcinoma", "benign keratosis"),
        *("dermatofibroma", "melanoma", "melanocytic nevus", "vascular lesion"),
    ),
    "octmnist": ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    "organamnist": _ORGANS,
    "organcmnist": _ORGANS,
    "organsmnist": _ORGANS,
    "pathmnist": (
        *("adipose", "background", "debris", "lymphocytes", "mucus", "smooth muscle"),
        *("normal colon mucosa", "cancer-associated stroma", "adenocarcinoma epithelium"),
    ),
    "pneumoniamnist": ("normal", "pneumonia"),
    "retinamnist": ("grade 0", "grade 1", "grade 2", "grade 3", "grade 4"),
    "tissuemnist": (
        *("collecting duct", "distal convoluted tubule", "glomerular endothelial cell"),
        *("interstitial endothelial cell", "leukocyte", "podocyte", "proximal tubule"),
        "thick ascending limb",
    ),
}
# An image of chestmnist has any number of these.
FINDINGS = (
    *("atelectasis", "cardiomegaly", "effusion", "infiltration", "mass", "nodule", "pneumonia"),
    *("pneumothorax", "consolidation", "edema", "emphysema", "fibrosis", "pleural", "hernia"),
)


@dataclass(frozen=True)
class MedMNIST(Source):
    """A dataset of MedMNIST; nothing is downloaded.

    Parameters
    ----------
    which : str
        Its name, ``"pneumoniamnist"`` say.  ``<which>.npz`` is looked for in
        the folder of datasets and in ``~/.medmnist``, where the package
        medmnist puts it.
    path : str, optional
        The file itself; its name tells which it is.
    split : {"train", "val", "test"}
        Part of it: train, val or test.
    finding : str, optional
        Of chestmnist, whose images have any of 14 findings: the one that is
        the label.
    """

    name = "medmnist"
    title = "MedMNIST's medical images (npz files)"
    modality = "image"
    n_samples = None
    bundled = False
    paper = "Yang et al. 2023, Scientific Data"
    cost = "a file of MedMNIST's"

    which: str = ""
    path: str | None = None
    split: str = "train"
    finding: str | None = None

    def __post_init__(self) -> None:
        if self.split not in _SPLITS:
            raise SpecError(f"split is {self.split!r}", "one of " + ", ".join(_SPLITS))

    def load(self) -> LabelledDataset:
        """Return the chosen part, uint8 of shape (n, 1 or 3, height, width)."""
        file = self._file()
        images, labels = _read(file, self.split)
        which = file.stem.split("_")[0]  # pneumoniamnist_64.npz holds the same in larger
        codes, values = self._labels(labels, which, file)
        if images.ndim == 3:
            images = images[..., None]
        if images.ndim != 4 or images.shape[3] not in (1, 3) or images.dtype != np.uint8:
            raise DataError(
                f"{file} holds images of the shape {images.shape[1:]} and type {images.dtype}",
                "uint8 pictures; volumes are not supported",
            )
        return LabelledDataset(
            name=which,
            features=torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))),
            labels=torch.from_numpy(codes),
            class_values=values,
            sample_ids=pd.RangeIndex(len(images)),
            value_range=(0.0, 255.0),
        )

    def _file(self) -> Path:
        if self.path is not None:
            places = [as_path(self.path)]
        elif self.which:
            folders = (data_root(self.root), as_path("~/.medmnist"))
            places = [folder / f"{self.which}.npz" for folder in folders]
        else:
            raise SpecError(
                "the dataset 'medmnist' was not told which", "which=, one of " + ", ".join(CLASSES)
            )
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise MissingDataError(
                "there is no file " + " or ".join(map(str, places)),
                "an npz file of MedMNIST",
                "get it from medmnist.com, or with the package medmnist, and name it: path=",
            )
        return found

    def _labels(
        self, labels: np.ndarray, which: str, file: Path
    ) -> tuple[np.ndarray, tuple[str | int, ...]]:
        """Return codes (n,) and class values."""
        if labels.ndim == 2 and labels.shape[1] > 1:
            names = FINDINGS if labels.shape[1] == len(FINDINGS) else ()
            known = names or tuple(map(str, range(labels.shape[1])))
            if self.finding is None:
                raise DataError(
                    f"each image of {file.name} has {labels.shape[1]} labels at once",
                    "finding=, the one to learn: " + ", ".join(known),
                )
            if self.finding not in known:
                raise UnknownNameError(
                    f"{file.name} has no finding {self.finding!r}", nearest(self.finding, known)
                )
            column = labels[:, known.index(self.finding)]
            return column.astype(np.int64), (f"no {self.finding}", self.finding)
        if self.finding is not None:
            raise DataError(f"finding was given with {file.name}, which has one label", "none")
        codes = labels.reshape(len(labels)).astype(np.int64)
        values: tuple[str | int, ...] = CLASSES.get(which, ())
        if not values:
            values = tuple(range(int(codes.max()) + 1))
        if codes.min() < 0 or codes.max() >= len(values):
            raise DataError(
                f"{file} holds the labels {codes.min()} to {codes.max()}",
                f"0 to {len(values) - 1}",
            )
        return codes, values


def _read(file: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    keys = (f"{split}_images", f"{split}_labels")
    try:
        with np.load(file, allow_pickle=False) as arrays:
            images, labels = (arrays[key] for key in keys)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{file} cannot be read ({reason})",
            "MedMNIST's npz format: " + " and ".join(keys),
            "download it anew",
        ) from error
    if len(images) != len(labels) or not len(images):
        raise DataError(f"{file} holds {len(images)} images, but {len(labels)} labels", "one each")
    return images, labels
