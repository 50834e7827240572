"""What the panel shows of the user's own data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hcat_nb.data.loading import load
from hcat_nb.magics.data_view import seen


def test_a_table_tells_columns_classes_and_what_is_missing() -> None:
    frame = pd.DataFrame({"<a>": [1.5, 2.5, 3.5, 4.5], "w": ["x", "y", None, "x"]})
    frame["kind"] = ["oak", "elm", "oak", None]
    page = seen(load(frame, target="kind", on_missing_label="keep"))
    for words in (
        "4 samples looked at",
        "classes: elm (1), oak (2)",
        "1 without a label",
        "2 columns: &lt;a&gt; (number), w (words, 1 missing)",
    ):
        assert words in page
    assert "<a>" not in page
    assert "2.5" in page


def test_images_are_shown_with_their_labels_and_wide_tables_are_cut() -> None:
    page = seen(load("digits", subset=40))
    assert page.count("<img") == page.count("<figcaption>") == 6  # each over its label
    assert "images of 1 x 8 x 8" in page
    wide = seen(load(np.zeros((8, 30)) + np.arange(30), [0, 1] * 4))
    assert "30 columns: " in wide
    assert wide.count("<th>") < 30
