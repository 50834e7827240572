"""A file is the old one or the new one, never a part."""

from __future__ import annotations

import pytest

from hcat_nb.errors import StoreError
from hcat_nb.runs.store.atomic import delivered, make_room, write_json, written_whole
from hcat_nb.runs.store.digests import unsealed


def test_a_failure_while_writing_leaves_what_was_there(tmp_path):
    path = tmp_path / "a"
    written_whole(path, lambda draft: draft.write_text("old"))

    def fails(draft):
        draft.write_text("ne")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        written_whole(path, fails)
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_json_is_strict(tmp_path):
    write_json(tmp_path / "a.json", {"ä": [1, None]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "ä" in text
    assert unsealed(text) == {"ä": [1, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})


def test_room_is_made_and_tried_before_the_work(tmp_path):
    make_room(tmp_path / "a" / "b" / "page.html")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "page.html", tmp_path / "a"):
        with pytest.raises(StoreError, match=r"cannot be written .* choose another place"):
            make_room(place)


def test_what_is_for_people_says_what_helps_where_it_cannot_be_written(tmp_path):
    def full(draft):
        raise OSError(28, "No space left on device")

    (tmp_path / "page").write_text("old")
    with pytest.raises(StoreError, match=r"page cannot be written .*No space.*make room there"):
        delivered(tmp_path / "page", full)
    assert (tmp_path / "page").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1
