"""The idx reader: sound files, and each way in which one can be damaged."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from hcat_nb.data.sources._idx import find_idx, read_idx
from hcat_nb.errors import DataError

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
# two zero bytes, type 8, 3 dimensions; 2, 3, 4 as big-endian int32; values
SOUND = bytes.fromhex("00000803 00000002 00000003 00000004") + ARRAY.tobytes()


@pytest.mark.parametrize("gzipped", [False, True])
def test_values_come_back(tmp_path: Path, gzipped: bool) -> None:
    path = tmp_path / ("a.gz" if gzipped else "a")
    path.write_bytes(gzip.compress(SOUND) if gzipped else SOUND)
    assert np.array_equal(read_idx(path, 3).numpy(), ARRAY)


def test_the_plain_file_goes_before_the_gzipped(tmp_path: Path) -> None:
    assert find_idx(tmp_path, "a") is None
    (tmp_path / "a.gz").touch()
    assert find_idx(tmp_path, "a") == tmp_path / "a.gz"
    (tmp_path / "a").touch()
    assert find_idx(tmp_path, "a") == tmp_path / "a"


# ids by hand: pytest would write the bytes out, and gzip's carry the time of day, so that
# two workers of pytest-xdist would collect different tests
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param(
            "a", SOUND[:-1], "claims 2 x 3 x 4 values, but holds 23 bytes", id="a-byte-short"
        ),
        pytest.param("a", SOUND + b"x", "but holds 25 bytes", id="a-byte-long"),
        pytest.param("a", SOUND[:3], "starts with 000008, not with 00000803", id="cut-magic"),
        pytest.param("a", b"", "starts with nothing", id="empty"),
        pytest.param("a", b"\x00\x00\x0d\x03" + SOUND[4:], "not with 00000803", id="floats"),
        pytest.param("a", b"\x00\x00\x08\x01" + SOUND[4:], "3 dimensions", id="labels"),
        pytest.param(
            "a", bytes.fromhex("00000803 00000000 00000003 00000004"), "no value", id="no-image"
        ),
        pytest.param("a.gz", gzip.compress(SOUND)[:-12], "cannot be unpacked", id="cut-gzip"),
        pytest.param("a.gz", SOUND, "cannot be unpacked", id="not-gzip"),
    ],
)
def test_a_damaged_file_is_named_with_the_fault(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)
