from __future__ import annotations

import base64
from html.parser import HTMLParser

from hcat_nb.assets import asset
from hcat_nb.jupyter.static_view import StaticView


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def read(view: StaticView) -> tuple[dict[str, str], Tags]:
    bundle = view.bundle()
    tags = Tags()
    tags.feed(bundle["text/html"])
    return bundle, tags


def test_the_picture_has_a_text_in_its_place() -> None:
    bundle, tags = read(StaticView("100 samples", png=b"\x89PNG"))
    image = dict(tags.found)["img"]
    assert image["alt"] == "100 samples"
    assert base64.b64decode(str(image["src"]).partition(",")[2]) == b"\x89PNG"
    assert base64.b64decode(bundle["image/png"]) == b"\x89PNG"
    assert bundle["text/plain"] == "100 samples"


def test_markup_in_names_is_text() -> None:
    name = '"><script>alert(1)</script><b id=evil>'
    _, tags = read(StaticView(name, png=b""))
    assert [tag for tag, _ in tags.found] == ["style", "div", "img", "div"]
    assert dict(tags.found)["img"]["alt"] == name
    assert name in tags.words


def test_progress_is_a_bar() -> None:
    bundle, tags = read(StaticView("epoch 1/4", share=0.25))
    assert float(str(dict(tags.found)["progress"]["value"])) == 0.25
    assert "image/png" not in bundle


def test_the_style_sheet_names_the_root_of_the_live_view() -> None:
    bundle, _ = read(StaticView(""))
    assert ":has(.hcat-live)" in bundle["text/html"]
    assert "hcat-live" in asset("run_monitor.js").read_text()
