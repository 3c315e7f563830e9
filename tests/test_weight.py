"""What a phone on a slow line must load before it sees something: at most 60 kB, everything counted, compressed."""

import gzip
import re
from urllib.parse import urljoin

import pytest

from tests.country import Country
from tests.person import Person

LIMIT = 60_000  # bytes
PARTS = re.compile(
    r'<(?:link[^>]+rel="(?:stylesheet|icon|preload)"[^>]*|script[^>]+|img[^>]+)>', re.IGNORECASE
)
ADDRESS = re.compile(r'(?:href|src)="([^"]+)"')


def size(person: Person, address: str) -> int:
    """Bytes on the line for one part, asked as a browser asks."""
    person.page = None
    page = person.open(address)
    assert page.status == 200, f"{address} answers {page.status}"
    encoding = page.headers.get("Content-Encoding", "")
    if encoding or not page.kind.startswith("text/"):
        return len(page.body)
    return len(gzip.compress(page.body))


@pytest.mark.parametrize("path", ["/", "/services", "/appointments/", "/sign-in"])
def test_the_first_view_is_light(country: Country, path: str) -> None:
    person = country.visitor("sq")
    page = person.open(path)
    parts = {
        urljoin(page.url, address) for tag in PARTS.findall(page.html) for address in ADDRESS.findall(tag)
    }
    parts = {part for part in parts if not part.startswith("data:")}
    assert any(part.endswith(".css") for part in parts), (
        "the page has no style sheet: the styles were not built"
    )
    assert all(part.startswith(country.base) for part in parts), f"{path} loads from elsewhere: {parts}"
    weight = {part: size(person, part) for part in [country.base + path, *parts]}
    assert sum(weight.values()) <= LIMIT, f"{path} weighs {sum(weight.values())} bytes: {weight}"


def test_pages_and_styles_travel_compressed(country: Country) -> None:
    """A browser that says it reads gzip gets gzip; styles may be kept for ever, pages of people never."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", country.port, timeout=10)
    connection.request("GET", "/", headers={"Accept-Encoding": "gzip, br"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.headers["Content-Encoding"] in {"gzip", "br"}
    html = gzip.decompress(body).decode() if answer.headers["Content-Encoding"] == "gzip" else ""
    style = re.search(r'href="(/static/[^"]+\.css)"', html)
    assert style
    connection.request("GET", style[1], headers={"Accept-Encoding": "gzip, br"})
    answer = connection.getresponse()
    answer.read()
    assert answer.headers["Content-Encoding"] in {"gzip", "br"}
    assert "immutable" in answer.headers["Cache-Control"]
    connection.close()
    assert "no-store" in country.sign_in("stranger").open("/my").headers["Cache-Control"]
