"""What reached the telephones and letter boxes of the cast, read where a visitor of the demo reads it."""

import html
import re
import time

from tests.country import Country

CODE = re.compile(r"\b\d{6}\b")
_ITEM = re.compile(r"<li>(.*?)</li>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
ARRIVES_S = 15.0


def messages(country: Country, who: str) -> list[str]:
    """Every message to this member of the cast, newest first: subject, text and where it went."""
    page = country.visitor().open(f"/demo/phone?who={who}")
    assert page.status == 200, f"{page.status} {page.text[:400]}"
    assert 'id="sent"' in page.html, f"the page of telephones does not know {who}"
    items = _ITEM.findall(page.html.partition('id="sent"')[2].partition("</main>")[0])
    return [" ".join(html.unescape(_TAG.sub(" ", item)).split()) for item in items]


def wait_for(country: Country, who: str, part: str | re.Pattern[str], *, known: int = 0) -> str:
    """The newest message that holds `part`, once there are more than `known` messages. Fails after 15 seconds."""
    until = time.monotonic() + ARRIVES_S
    while True:
        found = messages(country, who)
        fresh = found[: len(found) - known]
        for text in fresh:
            if re.search(part if isinstance(part, re.Pattern) else re.escape(part), text):
                return text
        assert time.monotonic() < until, f"{who} was not told {part!r}; there is {found}"
        time.sleep(0.2)


def code(country: Country, who: str, *, known: int = 0) -> str:
    """The code of six digits in the newest message that has one, beyond the `known` oldest messages."""
    found = CODE.search(wait_for(country, who, CODE, known=known))
    assert found is not None
    return found[0]
