"""The gallery's Python half: what goes out, what comes in, and what it lets go."""

from __future__ import annotations

from typing import Any

import pytest

from hcat_nb.jupyter.review.sample_gallery import SampleGallery

PAGE = {"tiles": [{"row": 3, "decision": ""}, {"row": 5, "decision": "keep"}]}


@pytest.fixture
def wired() -> tuple[SampleGallery, list[Any], list[Any]]:
    heard: list[Any] = []
    sent: list[Any] = []
    gallery = SampleGallery(["oak", "<b>"], lambda kind, content: heard.append((kind, content)))
    gallery.send = lambda content, buffers=None: sent.append((content, buffers))
    return gallery, heard, sent


def test_a_view_that_comes_late_gets_the_page_as_it_is_now(wired):
    gallery, heard, sent = wired
    gallery._hear(gallery, {"type": "ready"}, [])
    assert sent == []
    gallery.show(dict(PAGE), [b"png"])
    gallery.mark({3: "drop"})
    gallery._hear(gallery, {"type": "ready"}, [])
    content, buffers = sent[-1]
    assert [tile["decision"] for tile in content["tiles"]] == ["drop", "keep"]
    assert buffers == [b"png"]
    assert heard == []


def test_what_the_user_does_is_told(wired):
    gallery, heard, _ = wired
    gallery._hear(gallery, {"type": "focus", "row": 5, "place": 1}, [])
    gallery._hear(gallery, {"type": "act", "action": "drop", "rows": [5], "code": -1}, [])
    assert [kind for kind, _ in heard] == ["focus", "act"]
    assert gallery.place == 1


def test_marks_before_a_page_go_nowhere(wired):
    gallery, _, sent = wired
    gallery.mark({3: "drop"})
    assert sent == []


def test_the_saved_state_holds_classes_and_no_samples(wired):
    gallery, _, _ = wired
    gallery.show(dict(PAGE), [b"png"])
    state = gallery.get_state()
    assert state["classes"] == ["oak", "<b>"]
    assert "png" not in str({key: one for key, one in state.items() if key != "_esm"})
    gallery.close()
    assert gallery._page is None
