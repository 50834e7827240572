"""The gallery leaves out no kind of hardness, on images or on tables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hcat_nb.registry import PERTURBATIONS


@pytest.mark.parametrize("modality", ["image", "table"])
def test_every_kind_is_shown(notebooks: Path, modality: str) -> None:
    cells = json.loads((notebooks / "gallery.ipynb").read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    images, table = code.split("load_wine", maxsplit=1)
    shown = set(re.findall(r'"(\w+)"', images if modality == "image" else table))
    kinds = {name for name in PERTURBATIONS.names() if modality in PERTURBATIONS.get(name).modality}
    assert kinds - {"mixture"} <= shown  # which is shown by its parts, and on images
    assert 'parts = {"uniform"' in images
