"""The card's traits are those that its front end reads."""

from __future__ import annotations

import re

from hcat_nb.assets import asset
from hcat_nb.jupyter.review.sample_detail import SampleDetail


def test_traits_are_what_the_page_reads():
    source = asset("sample_detail.js").read_text()
    read = set(re.findall(r'(?:model\.get|address)\("(\w+)"\)', source))
    listed = set(re.findall(r'"(\w+)"', re.search(r"const EVENTS = \[(.*?)\]", source).group(1)))
    own = {name for name in SampleDetail.class_own_traits() if not name.startswith("_")}
    assert read == listed == own


def test_a_picture_travels_as_bytes():
    detail = SampleDetail(picture=b"\x89PNG", card={"heading": "<b>"})
    assert detail.get_state()["picture"] == b"\x89PNG"
    detail.close()
