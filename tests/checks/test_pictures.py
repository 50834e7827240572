from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from hcat_nb.checks.pictures import file_findings, file_table


def folder(tmp_path: Path, suffixes: tuple[str, str]) -> list[Path]:
    paths = []
    for i in range(40):
        paths.append(tmp_path / f"{i}{suffixes[i % 2]}")
        Image.new("RGB", (20, 10 + i % 3), (i, 0, 0)).save(paths[-1])
    return paths


def test_heads_of_files_are_told_and_what_is_no_image_is_missing(tmp_path: Path) -> None:
    paths = folder(tmp_path, (".png", ".jpg"))
    paths[3].write_bytes(b"no picture")
    table = file_table(paths[:4])
    assert table["format"].tolist()[:3] == ["PNG", "JPEG", "PNG"]
    assert table["size"].tolist()[:3] == ["20 x 10", "20 x 11", "20 x 12"]
    assert table.iloc[3].isna().all()


def test_a_format_that_tells_the_class_is_named(tmp_path: Path) -> None:
    labels = np.arange(40) % 2
    (found,) = file_findings(file_table(folder(tmp_path, (".png", ".jpg"))), labels)
    assert "'format'" in found.evidence
    assert file_findings(file_table(folder(tmp_path, (".png", ".png"))), labels) == []
