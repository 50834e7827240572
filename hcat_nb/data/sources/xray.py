"""Chest X-rays of the NIH with the four findings that Google's radiologists agreed on.

Wang, Peng, Lu, Lu, Bagheri and Summers, ChestX-ray8, CVPR 2017 (images);
Majkowska et al., Chest radiograph interpretation with deep learning models,
Radiology 2020 (labels).  Read as H-CAT reads them, through torchxrayvision's
NIH_Google_Dataset: both parts of the labels, PA views, one image a patient,
32 x 32 grey pixels.  H-CAT learns the first finding, "Airspace opacity".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from hcat_nb.casts import as_path
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.files.image_files import ImageFiles, missing_files
from hcat_nb.data.files.table_files import read_frame
from hcat_nb.data.image_options import ImageOptions
from hcat_nb.data.reading.coerce import coerce
from hcat_nb.data.sources._downloads import data_root
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import DataError, MissingDataError, UnknownNameError
from hcat_nb.registry import nearest

FINDINGS = ("Airspace opacity", "Fracture", "Nodule or mass", "Pneumothorax")

_INCLUDED = "data/google2019_nih-chest-xray-labels.csv.gz"  # in the package torchxrayvision
_COLUMNS = ("Image Index", "Patient ID", "View Position", *FINDINGS)


@dataclass(frozen=True)
class XRay(Source):
    """Chest X-rays; a finding is there or not.

    Parameters
    ----------
    finding : str
        Which of the four findings is the label; an image may have several.
    path : str, optional
        Folder of the NIH's PNG files, also below subfolders; default
        ``nih-chest-xray`` in the folder of datasets.
    csv : str, optional
        Table of labels; default that of the package torchxrayvision, which
        need not be imported for it.
    size : int
        Pixels a side.
    unique_patients : bool
        Whether to take the first image of each patient only.
    """

    name = "xray"
    title = "NIH chest X-rays, Google's four findings"
    modality = "image"
    n_samples = None
    bundled = False
    paper = "Wang et al. 2017, CVPR; Majkowska et al. 2020, Radiology"
    cost = "the NIH's images and Google's labels"

    finding: str = ""
    path: str | None = None
    csv: str | None = None
    size: int = 32
    unique_patients: bool = True

    def load(self) -> LabelledDataset:
        """Return the images, uint8 of shape (n, 1, size, size)."""
        return self.load_as()

    def load_as(
        self, *, target: Any = None, classes: Sequence[Any] | None = None, **reading: Any
    ) -> LabelledDataset:
        """Return the images, uint8 of shape (n, 1, size, size)."""
        if target is not None or classes is not None:
            raise DataError(f"target or classes was given with {self.name!r}", "finding=")
        finding = self._chosen()
        table = self._table()
        table = table[table["View Position"] == "PA"]
        if self.unique_patients:
            table = table.sort_values("Patient ID", kind="stable").drop_duplicates("Patient ID")
        has = (table[finding] == "YES").to_numpy()
        lower = finding.lower()
        files = ImageFiles(
            self._paths(table["Image Index"].tolist()),
            pd.Categorical.from_codes(has.astype(int), pd.Index([f"no {lower}", lower])),
            self.name,
            pd.Index(table["Image Index"], name=None),
            ImageOptions(size=self.size, fit="stretch", color="grey"),
        )
        return coerce(files, **reading)

    def _chosen(self) -> str:
        if not self.finding:
            raise DataError(
                "an image of 'xray' may have several of four findings at once",
                "the finding to learn: " + ", ".join(FINDINGS),
                "dataset option finding=",
            )
        chosen = [one for one in FINDINGS if one.lower() == self.finding.lower()]
        if not chosen:
            raise UnknownNameError(
                f"'xray' has no finding {self.finding!r}", nearest(self.finding, FINDINGS)
            )
        return chosen[0]

    def _table(self) -> pd.DataFrame:
        if self.csv is None:
            package = find_spec("torchxrayvision")
            if package is None or package.origin is None:
                raise MissingDataError(
                    "the labels of 'xray' are not here",
                    "the package torchxrayvision, which has them, or their table",
                    "pip install 'hcat-nb[xray]', or dataset option csv=",
                )
            file = Path(package.origin).parent / _INCLUDED
        else:
            file = Path(self.csv)
        frame = read_frame(file)
        absent = [name for name in _COLUMNS if name not in frame.columns]
        if absent:
            raise DataError(f"{file} has no column {absent[0]!r}", "columns " + ", ".join(_COLUMNS))
        return frame

    def _paths(self, names: list[str]) -> list[Path]:
        folder = data_root(self.root) / "nih-chest-xray"
        if self.path is not None:
            folder = as_path(self.path)
        if not folder.is_dir():
            raise MissingDataError(
                f"the images of 'xray' are not in {folder}",
                "a folder with the NIH's PNG files",
                "get them from the NIH (nihcc.app.box.com/v/ChestXray-NIHCC), and name their "
                "folder: dataset option path=",
            )
        known = {path.name: path for path in sorted(folder.rglob("*.png"), reverse=True)}
        paths = [known.get(name, folder / name) for name in names]
        missing_files(paths)
        return paths
