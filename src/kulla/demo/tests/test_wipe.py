"""The number on the report can be another than 0, every step has a page, and a failure never reads like a success."""

import pytest

from kulla.demo import wipe_page
from kulla.demo.wipe import lost

ENGLISH = b"GET /my HTTP/1.1\r\nCookie: language=en\r\n\r\n"
ALBANIAN = b"GET /my HTTP/1.1\r\n\r\n"


def test_lost_counts_what_is_missing_and_what_is_different() -> None:
    before = {"a": "01", "b": "02", "c": "03"}

    assert lost(before, {"a": "01", "b": "02", "c": "03", "d": "04"}) == []
    assert lost(before, {"a": "01", "b": "ff"}) == ["b", "c"]


@pytest.mark.parametrize("step", wipe_page.STEPS)
def test_every_step_has_a_page_in_the_visitors_language(step: str) -> None:
    state = {"step": step, "before": 7, "progress": {"keeper": [1300, 1300], "entries": [1, 7]}}

    for place, head in enumerate((ALBANIAN, ENGLISH)):
        page = wipe_page.whole(state, head)
        title = wipe_page.WORDS["title"]
        assert f">{title[place]}</h1>" in page
        assert title[1 - place] not in page
        assert wipe_page.STEPS[step][place] in page
        assert page.count(wipe_page.WORDS["now"][place] + "</strong>") == 1
        assert "<strong>1\u202f300</strong>" in page
        assert "<strong>1 / 7</strong>" in page
        assert 'http-equiv="refresh" content="1"' in page


@pytest.mark.parametrize("left", ["nothing", "untouched", "rebuilt"])
def test_a_failed_wipe_says_so_and_never_that_all_is_safe(left: str) -> None:
    state = {
        "step": "failed",
        "at": "rebuild",
        "left": left,
        "sentence": "no <key>",
        "command": "kulla up --home /c --rebuild",
    }
    for place, head in enumerate((ALBANIAN, ENGLISH)):
        page = wipe_page.whole(state, head)
        assert wipe_page.WORDS["title"][place] not in page
        assert wipe_page.STEPS["rebuild"][place] in page
        assert "no &lt;key&gt;" in page
        assert ("kulla up --home /c --rebuild" in page) == (left == "nothing")
        assert (wipe_page.WORDS["mirrors"][place] in page) == (left == "nothing")
