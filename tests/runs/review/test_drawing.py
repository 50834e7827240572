"""The map of a record is the one that its face draws."""

from __future__ import annotations

from hcat_nb.api.run import Run
from hcat_nb.runs.review.drawing import drawn_map


def test_the_face_draws_the_same(image_run: Run) -> None:
    assert drawn_map(image_run, color="truth").to_dict() == (
        image_run.data_map(color="truth").to_dict()
    )


def test_it_can_be_coloured_by_a_score_and_says_what_the_check_found(image_run: Run) -> None:
    chart = drawn_map(image_run, color="el2n", note="mine").to_json()
    assert "mine" in chart
    assert '"el2n"' in chart
