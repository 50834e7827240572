"""The page of an audit: text stays text, pictures are inside, a user's file is not replaced."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import hcat_nb as hcat
from hcat_nb.errors import StoreError

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def audit():
    rng = np.random.default_rng(0)
    label = np.where(np.arange(300) % 2, EVIL, "{{a}}")
    frame = pd.DataFrame(
        {"<b>x</b>": rng.normal(size=300) + 2 * (np.arange(300) % 2)},
        index=[f"{EVIL}{i}" for i in range(300)],
    ).assign(word=rng.choice([EVIL, "b"], 300))
    return hcat.audit(frame, label, name=EVIL, methods="aum el2n loss", epochs=4, seed=0)


def test_whatever_comes_from_the_data_is_text(audit, tmp_path):
    text = audit.report(tmp_path / "page.html", k=20).read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "http" not in text  # nothing is fetched
    assert text.count("<tr>") == 20 + 3 + len(audit.methods) + len(audit.causes)


def test_pictures_are_inside(tmp_path):
    audit = hcat.audit("digits", subset=300, methods="aum el2n", epochs=3, seed=0)
    text = audit.report(tmp_path / "page.html", k=5).read_text()
    assert text.count("data:image/png;base64,") == 5


def test_a_file_of_the_users_is_not_replaced(audit, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("my own page")
    with pytest.raises(StoreError, match="no page of an audit"):
        audit.report(page)
    assert audit.report(page, overwrite=True).read_text() != "my own page"
    audit.report(page)  # ours now
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(StoreError, match="is a folder"):
        audit.report(tmp_path / "folder.html")
    with pytest.raises(StoreError, match="no name of a page"):
        audit.report(tmp_path / "page.pdf")
