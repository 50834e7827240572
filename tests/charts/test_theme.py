"""Colours are told apart by colour-blind readers, on light and on dark pages."""

from __future__ import annotations

import itertools

import altair as alt
import numpy as np
import pytest

from hcat_nb.charts.theme import CLASSES, GROUPS, NONE, OTHER, TRUTH, themed

# Machado, Oliveira and Fernandes 2009, severity 1; linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(color: str) -> np.ndarray:
    c = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    t = XYZ @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(linear(color) @ XYZ[1]) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("palette", [GROUPS, TRUTH], ids=["groups", "truth"])
def test_groups_and_truth_stay_apart(palette: dict[str, str], blindness: str) -> None:
    seen = [lab(BLINDNESS[blindness] @ linear(color)) for color in palette.values()]
    # A CIE76 distance of 2.3 is just noticeable; small dots need far more.
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 30


@pytest.mark.parametrize("page", ["#FFFFFF", "#111111"])
@pytest.mark.parametrize("color", [*GROUPS.values(), *TRUTH.values()])
def test_marks_stand_out_from_the_page(color: str, page: str) -> None:
    assert contrast(color, page) >= 3  # WCAG 2.1, 1.4.11


def test_no_colour_means_two_things() -> None:
    assert len({*CLASSES, OTHER, NONE}) == len(CLASSES) + 2


def test_text_follows_a_parameter() -> None:
    chart = alt.Chart(alt.NamedData("points")).mark_point().encode(x="x:Q")
    spec = themed(chart).to_dict()
    assert [param["name"] for param in spec["params"]] == ["ink"]
    assert spec["config"]["axis"]["labelColor"] == {"expr": "ink"}
    assert spec["config"]["background"] == "transparent"
