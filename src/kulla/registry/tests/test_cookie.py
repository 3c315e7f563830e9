"""The session cookie is read by this portal only."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulla.registry import cookie


@given(st.text(max_size=300))
def test_what_is_sealed_is_read_again(value: str) -> None:
    """Any text survives the way through the browser."""
    assert cookie.open_sealed(cookie.seal(value)) == value


def test_a_value_sealed_for_another_purpose_does_not_open() -> None:
    """A half-finished sign-in is no session."""
    assert cookie.open_sealed(cookie.seal("token", purpose="second-factor")) is None


def test_the_same_value_never_looks_the_same() -> None:
    """Two visits cannot be linked by their cookies."""
    assert cookie.seal("token") != cookie.seal("token")


@pytest.mark.parametrize(
    "text", ["", "x", "ë", "AQ==", "A" * 5000, "!!!!", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
)
def test_what_is_not_ours_is_nobody(text: str) -> None:
    """Garbage in the cookie is the same as no cookie."""
    assert cookie.open_sealed(text) is None


def test_a_changed_bit_is_refused() -> None:
    """Every byte of the sealed value counts."""
    sealed = base64.urlsafe_b64decode(cookie.seal("token"))
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert cookie.open_sealed(base64.urlsafe_b64encode(changed).decode()) is None


def test_another_country_cannot_read_it(settings) -> None:  # type: ignore[no-untyped-def]
    """The key is this portal's own."""
    sealed = cookie.seal("token")
    settings.KULLA_COOKIE_KEY = "another"
    assert cookie.open_sealed(sealed) is None


def test_an_assisted_session_keeps_the_officials_own_beside_it() -> None:
    """Both tokens and the name that the banner shows, and nothing of them is readable."""
    helping = cookie.Helping("own", "sid", "Ëngjëll Çoku", "Poliklinika", 1, 2)
    packed = cookie.pack("theirs", helping)
    assert cookie.unpack(packed) == ("theirs", helping)
    assert cookie.unpack(cookie.pack("own")) == ("own", None)
    assert "oku" not in packed
    assert "oku" not in repr(helping), "it stands in no log either"


@pytest.mark.parametrize("text", [None, "", "x"])
def test_what_cannot_be_unpacked_is_nobody(text: str | None) -> None:
    """Nothing, and what is no cookie of ours."""
    assert cookie.unpack(text) == (None, None)


@pytest.mark.parametrize("inside", ['{"token": "a"}', "{", "{}"])
def test_what_another_version_sealed_is_nobody(inside: str) -> None:
    """It opens, and is not of this form."""
    assert cookie.unpack(cookie.seal(inside)) == (None, None)
