from __future__ import annotations

import json

from hcat_nb.checks.finding import LOOK, NOTE, SEVERE, Finding
from hcat_nb.checks.page import Check

PAGE = Check(
    "birds <b>",
    {"rows": "1,000", "classes": {"'<script>'": "600", "'b'": "400"}},
    ("read & encoded",),
    (
        Finding("rare", NOTE, "few"),
        Finding("leak", SEVERE, "'<i>' tells the class", "exclude='x'", ".99 with it"),
        Finding("duplicate", LOOK, "two"),
    ),
    ("twins: no test set",),
)


def test_the_worst_come_first_and_are_counted() -> None:
    assert [one.severity for one in PAGE.findings] == [SEVERE, LOOK, NOTE]
    assert PAGE.counts == {SEVERE: 1, LOOK: 1, NOTE: 1}
    assert [one.kind for one in PAGE.severe] == ["leak"]
    assert repr(PAGE) == "<Check: birds <b>; 1 severe, 1 worth a look, 1 note>"


def test_the_text_holds_evidence_price_remedy_and_what_did_not_run() -> None:
    lines = str(PAGE).splitlines()
    assert lines[0] == "birds <b>: 1 severe, 1 worth a look, 1 note"
    assert lines[2] == " 1. SEVERE: '<i>' tells the class"
    assert {"    .99 with it", "    to mend it: exclude='x'", "  twins: no test set"} <= set(lines)
    assert " ok" not in str(PAGE).lower()


def test_html_is_escaped_and_follows_the_page() -> None:
    page = PAGE._repr_html_()
    for told in ("&lt;i&gt;", "&lt;script&gt;", "read &amp; encoded", "twins: no test set"):
        assert told in page
    assert "<i>'" not in page
    assert "<script" not in page
    assert "color-scheme:light dark" in page


def test_json_holds_all() -> None:
    back = json.loads(json.dumps(PAGE.to_dict()))
    assert back["findings"][0]["kind"] == "leak"
    assert back["did_not_run"] == ["twins: no test set"]
    assert Check("x", {}).to_dict()["counts"] == {SEVERE: 0, LOOK: 0, NOTE: 0}
    assert "nothing was found by the checks that ran" in str(Check("x", {}))
