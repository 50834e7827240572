"""In CI a browser test that skips is a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPING = """
import pytest

@pytest.mark.browser
def test_page():
    pytest.skip("no Chromium")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("required", "outcome"), [("1", "1 failed"), ("", "1 skipped")])
def test_a_skipped_browser_test_fails_where_a_browser_is_required(
    required: str, outcome: str, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "tests").mkdir()
    shutil.copy(repository / "tests/conftest.py", tmp_path / "tests/conftest.py")
    (tmp_path / "tests/test_page.py").write_text(SKIPPING)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = browser\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "HCAT_REQUIRE_BROWSER": required},
        capture_output=True,
        text=True,
    )
    assert outcome in done.stdout
    assert ("no Chromium" in done.stdout) is bool(required)
