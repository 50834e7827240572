"""A sample of each campaign; ``make campaign`` makes all the attempts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.__main__ import NAMES, attempt, campaign, table, tried
from tests.campaign.trials import Campaign, Trial, warm

# As many as show each kind of attempt once; the soak is a campaign only.
SAMPLE = {
    "kills": 11, "interrupts": 4, "bits": 14, "disk": 4, "inputs": 6, "hostile": 3, "pairs": 3,
    "devices": 1,
}  # fmt: skip


def test_every_campaign_but_the_soak_has_a_sample() -> None:
    assert set(SAMPLE) == set(NAMES) - {"soak"}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_nothing_is_lost(name: str, tmp_path: Path) -> None:
    warm(set(SAMPLE) - {"hostile"})  # which imports widgets
    attempt(name, tmp_path / "results.jsonl", SAMPLE[name])
    found = tried(tmp_path / "results.jsonl")
    assert len(found) == SAMPLE[name]
    assert [one for one in found if one["lost"]] == []


def test_what_was_tried_is_not_tried_again_and_what_was_lost_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def trials() -> Iterator[Trial]:
        for name in ("a", "b", "c"):
            yield Trial(name, lambda _, name=name: made.append(name) or "all" * (name == "b"))

    one = Campaign("what", 3, trials)
    monkeypatch.setattr("tests.campaign.__main__.campaign", lambda _: one)
    for number in (1, None):
        attempt("x", tmp_path / "results.jsonl", number)
    assert made == ["a", "b", "c"]
    assert table(tmp_path / "results.jsonl", ["x"]).endswith("| what | 3 of 3 | 1 |")


def test_enough_is_tried() -> None:
    for name in ("kills", "interrupts", "bits", "inputs", "hostile", "pairs"):
        of = campaign(name)
        names = [trial.name for trial in of.trials()]
        assert len(set(names)) == len(names) >= of.at_least
