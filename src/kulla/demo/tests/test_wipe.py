"""The number on the wipe's report can be another than 0, and the page tells every step in both languages."""

from kulla.demo.wipe import STEPS, lost, render


def test_lost_counts_what_is_missing_and_what_is_different() -> None:
    before = {"a": "01", "b": "02", "c": "03"}

    assert lost(before, {"a": "01", "b": "02", "c": "03", "d": "04"}) == []
    assert lost(before, {"a": "01", "b": "ff"}) == ["b", "c"]


def test_every_step_has_a_page() -> None:
    for step in STEPS:
        page = render(
            {"step": step, "before": 7, "progress": {"keeper": [3, 3], "entries": [1, 7]}}, ("en", "sq")
        )
        assert STEPS[step][0] in page
        assert STEPS[step][1] in page
        assert page.count("<dd>7</dd>") == 2
        assert page.count("<dd>1 / 7</dd>") == 2


def test_a_trouble_is_told_without_markup_of_its_own() -> None:
    page = render({"step": "failed", "sentence": "no <key>"}, ("sq", "en"))

    assert "no &lt;key&gt;" in page
