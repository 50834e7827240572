from __future__ import annotations

import numpy as np
import pandas as pd

from hcat_nb.checks.finding import LOOK, NOTE, SEVERE
from hcat_nb.checks.texts import text_findings

WORDS = np.array(["where", "is", "my", "card", "why", "was", "it", "not", "sent", "last", "week"])


def texts(n: int = 120) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, 9)) + f" {i}" for i in range(n)]


def test_a_label_that_is_written_in_the_text_is_severe() -> None:
    labels = np.arange(120) % 3
    tagged = [f"{text} #{'abc'[code]}" for text, code in zip(texts(), labels, strict=True)]
    (found,) = text_findings(pd.Series(tagged), labels, ["A", "B", "C"])
    assert (found.kind, found.severity) == ("leak", SEVERE)
    assert "'#a' for 'A'" in found.evidence
    assert text_findings(pd.Series(texts()), labels, ["A", "B", "C"]) == []


def test_empty_texts_and_those_equal_but_for_case_are_counted() -> None:
    said = [*texts(118), "  ", None]
    said[1] = said[0].upper() + " "
    found = text_findings(pd.Series(said), np.arange(120) % 2, "ab")
    assert [(one.kind, one.severity) for one in found] == [("missing", LOOK), ("duplicate", NOTE)]
    assert found[0].evidence == "2 texts are empty"
    assert found[1].evidence.startswith("2 more texts")
