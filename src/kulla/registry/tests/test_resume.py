"""What was typed into a form survives a session that ended, and goes nowhere else."""

from django.test import RequestFactory

from kulla.registry import cookie, resume


def posted(path: str = "/appointments/book?day=1", **fields: str):  # type: ignore[no-untyped-def]
    """A POST request with these fields."""
    return RequestFactory().post(path, fields)


def test_every_field_comes_back_where_it_was_sent() -> None:
    """Letters of every alphabet, in the order of the form; our own token stays behind."""
    request = posted(reason="dhimbje koke çdo mëngjes", csrfmiddlewaretoken="x")
    carried = resume.unpack(resume.pack(request), request)
    assert carried == resume.Carried("/appointments/book?day=1", (("reason", "dhimbje koke çdo mëngjes"),))


def test_what_is_typed_is_not_readable_on_its_way() -> None:
    """The hidden field says nothing to who sees the page's source on a shared screen."""
    assert "dhimbje" not in resume.pack(posted(reason="dhimbje"))


def test_a_forged_or_foreign_field_is_nothing() -> None:
    """Neither garbage, nor a session cookie, nor an address elsewhere."""
    elsewhere = cookie.seal('["//evil.example/x", [["a", "b"]]]', resume.PURPOSE)
    for text in ("", "garbage", cookie.seal("token"), elsewhere):
        assert resume.unpack(text, posted(a="b")) is None


def test_too_much_is_not_carried() -> None:
    """The page says what happened; it does not pretend to hold what it cannot."""
    assert resume.pack(posted(reason="x" * (resume.LIMIT + 1))) == ""
