"""Files in the published formats, made small."""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


def idx(array: np.ndarray) -> bytes:
    """Return an idx file written from its published definition."""
    head = bytes([0, 0, 8, array.ndim])
    return head + np.array(array.shape, dtype=">i4").tobytes() + array.tobytes()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve folders from this process, where downloads then look; return the address of each."""
    with ExitStack() as servers:

        def start(folder: Path) -> str:
            handler = functools.partial(_Quiet, directory=str(folder))
            server = servers.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            servers.callback(thread.join)
            servers.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}/"

        yield start


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)


@pytest.fixture
def labels() -> np.ndarray:
    return np.array([3, 1, 4, 1, 5, 9], dtype=np.uint8)


@pytest.fixture
def write_idx(images: np.ndarray, labels: np.ndarray) -> Callable[..., None]:
    """Write the small training (and test) set into a folder."""

    def write(folder: Path, *, gzipped: bool) -> None:
        folder.mkdir(parents=True)
        for split in ("train", "t10k"):
            for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
                content = idx(array)
                name = f"{split}-{kind}-ubyte"
                if gzipped:
                    (folder / f"{name}.gz").write_bytes(gzip.compress(content))
                else:
                    (folder / name).write_bytes(content)

    return write


def arff(frame: pd.DataFrame) -> str:
    """Return a table in OpenML's format; columns of text and 0/1 flags are nominal."""
    lines = ["@RELATION table"]
    for name in frame:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) and not set(column) <= {0, 1}:
            kind = "NUMERIC"
        else:
            kind = "{" + ",".join(f"'{one}'" for one in sorted(map(str, column.unique()))) + "}"
        lines.append(f"@ATTRIBUTE '{name}' {kind}")
    quoted = frame.map(lambda one: f"'{one}'" if isinstance(one, str) and one != "?" else one)
    return "\n".join([*lines, "@DATA", quoted.to_csv(header=False, index=False, quotechar='"')])


@pytest.fixture
def openml_cache(tmp_path: Path) -> Callable[[int, pd.DataFrame, str], Path]:
    """Fill scikit-learn's cache with a table as OpenML would have answered; return the root."""

    def fill(data_id: int, frame: pd.DataFrame, target: str) -> Path:
        features = [
            {
                "index": str(i),
                "name": name,
                "data_type": "nominal",
                "number_of_missing_values": "0",
                "is_target": "true" if name == target else "false",
                "is_ignore": "false",
                "is_row_identifier": "false",
            }
            for i, name in enumerate(frame)
        ]
        text = arff(frame)
        description = {
            "id": str(data_id),
            "name": "table",
            "description": "a part of the table",
            "version": "1",
            "status": "active",
            "format": "ARFF",
            "url": "https://www.openml.org/data/v1/download/7/table.arff",
            "file_id": "7",
            "default_target_attribute": target,
            "md5_checksum": hashlib.md5(text.encode()).hexdigest(),
        }
        answers = {
            f"api/v1/json/data/{data_id}": json.dumps({"data_set_description": description}),
            f"api/v1/json/data/features/{data_id}": json.dumps(
                {"data_features": {"feature": features}}
            ),
            f"api/v1/json/data/qualities/{data_id}": json.dumps(
                {"data_qualities": {"quality": []}}
            ),
            "data/v1/download/7/table.arff": text,
        }
        for path, content in answers.items():
            file = tmp_path / "openml" / "openml.org" / f"{path}.gz"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(gzip.compress(content.encode()))
        return tmp_path

    return fill
