"""A widget that was closed, and that nobody holds, is gone with all that it held."""

from __future__ import annotations

import gc
import importlib
import weakref
from pathlib import Path

import anywidget
import pytest

ROOT = Path(__file__).resolve().parents[2]
STEMS = sorted(path.stem for path in (ROOT / "widgets" / "src").glob("*.js"))
PACKAGE = ROOT / "hcat_nb" / "jupyter"
ARGUMENTS = {"sample_gallery": (["a", "b"], lambda *_: None), "copy_button": ("Copy", "a hint")}


@pytest.mark.parametrize("stem", STEMS)
def test_nothing_holds_a_closed_widget(stem: str) -> None:
    (path,) = PACKAGE.rglob(f"{stem}.py")
    place = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    module = importlib.import_module(place)
    (kind,) = [
        one
        for one in vars(module).values()
        if isinstance(one, type)
        and issubclass(one, anywidget.AnyWidget)
        and one.__module__ == module.__name__
    ]
    widget = kind(*ARGUMENTS.get(stem, ()))
    held = weakref.ref(widget)
    widget.close()
    del widget
    gc.collect()
    assert held() is None
