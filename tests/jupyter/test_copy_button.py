"""A copy button: its traits are those that its front end reads, and the kernel answers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hcat_nb.assets import asset
from hcat_nb.jupyter.copy_button import CopyButton


def test_traits_are_what_the_page_reads() -> None:
    read = set(re.findall(r'model\.get\("(\w+)"\)', asset("copy_button.js").read_text()))
    own = {name for name in CopyButton.class_own_traits() if not name.startswith("_")}
    assert read == own


def test_what_is_made_at_a_press_goes_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(CopyButton, "send", lambda _, content, buffers=None: sent.append(content))
    button = CopyButton("Copy ids", "ids", lambda: "[1, 2]")
    button._handle_custom_msg({"type": "copy"}, [])
    assert sent == [{"type": "text", "text": "[1, 2]"}]
    plain = CopyButton("Copy", "line")
    plain._handle_custom_msg({"type": "copy"}, [])
    assert len(sent) == 1
    assert (button.asks, plain.asks) == (True, False)
