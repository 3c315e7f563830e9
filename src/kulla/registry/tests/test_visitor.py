"""A visitor cannot choose the address that guesses are counted under."""

import pytest
from django.test import RequestFactory

from kulla.registry import visitor


@pytest.mark.parametrize(
    ("hops", "header", "wanted"),
    [
        (0, "198.51.100.7", "203.0.113.9"),  # nobody in front of us: a header is only a claim
        (1, "198.51.100.7", "198.51.100.7"),
        (
            1,
            "1.1.1.1, 198.51.100.7",
            "198.51.100.7",
        ),  # what stands left of our own front server's note is a claim
        (2, "1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (2, "198.51.100.7", "203.0.113.9"),  # came round the outer front server
        (1, "", "203.0.113.9"),
    ],
)
def test_the_address_is_the_one_our_own_front_server_noted(settings, hops, header, wanted) -> None:  # type: ignore[no-untyped-def]
    """The wanted address for this number of our own front servers."""
    settings.KULLA_PROXIES = hops
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR=header)
    assert visitor.address(request) == wanted
