"""The pages that `kulla up` answers with while the portal is away: no Django, nothing of the portal's home.

They look like the portal's own: the same head, wordmark and style sheet, which the relay serves from the package.
Without a built style sheet they are plain HTML, with all their words. One language at a time: what the visitor
chose (cookie), else what the browser asks for, else Albanian; the switch in the head works without the portal.
No script: a page that waits loads itself again.
"""

import html
import json
import re
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from kulla.cli.supervisor.words import AWAY, FRAME, NAMES, NOT_TAKEN, UNKNOWN, Words

WEB = Path(__file__).resolve().parents[2] / "web"
ASSETS = WEB / "static"
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
LANGUAGE_AGE_S = 365 * 24 * 3600


def header(head: bytes, name: str) -> str:
    """The value of a header of a request head (first occurrence); empty when it has none."""
    for line in head.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.decode("latin-1").strip().lower() == name:
            return value.decode("latin-1").strip()
    return ""


def language_of(head: bytes) -> str:
    """The language of the visitor with this request head: cookie, else the browser's first of ours, else sq."""
    try:
        cookie = SimpleCookie(header(head, "cookie")).get("language")
    except CookieError:
        cookie = None
    if cookie is not None and cookie.value in NAMES:
        return str(cookie.value)
    asked = [part.strip()[:2].lower() for part in header(head, "accept-language").split(",")]
    return next((code for code in asked if code in NAMES), "sq")


def target_of(head: bytes) -> str:
    """The address that was asked for, as a path of ours; "/" when it is anything else."""
    parts = head.split(b"\r\n", 1)[0].split(b" ")
    target = parts[1].decode("latin-1") if len(parts) == 3 else "/"
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def built(name: str) -> str:
    """The address of a built asset by its plain name; empty when the styles are not built."""
    try:
        names = json.loads((ASSETS / "kulla" / "manifest.json").read_text())
    except (OSError, ValueError):
        return ""
    return f"/static/kulla/{names[name]}" if name in names else ""


def _drawing() -> str:
    try:
        return (WEB / "templates" / "web" / "tower.svg").read_text().strip()
    except OSError:
        return ""


def page(head: bytes, title: str, body: str, *, refresh_s: int | None = None) -> str:
    """A whole page for the visitor with this request head, around `body` (trusted HTML)."""
    language = language_of(head)
    said = {key: html.escape(text) for key, text in FRAME[language].items()}
    refresh = f'<meta http-equiv="refresh" content="{refresh_s}">' if refresh_s else ""
    style, icon = built("kulla.css"), built("favicon.svg")
    links = f'<link rel="stylesheet" href="{style}">' if style else ""
    links += f'<link rel="icon" href="{icon}" type="image/svg+xml" sizes="any">' if icon else ""
    return (
        f'<!doctype html><html class="govuk-template kulla" lang="{language}"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)} – Kulla</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">'
        f'<meta name="theme-color" content="#2a2522">{refresh}{links}</head>'
        f'<body class="govuk-template__body"><a href="#main" class="govuk-skip-link">{said["skip"]}</a>'
        '<header class="kulla-header"><div class="kulla-header__inner govuk-width-container">'
        f'<a href="/" class="kulla-header__name">{_drawing()}<span>Kulla</span>'
        f'<span class="govuk-visually-hidden"> – {said["front"]}</span></a>'
        f'<nav class="kulla-languages" aria-label="{said["language"]}"><ul class="kulla-languages__list">'
        f"{_switch(head, language)}</ul></nav></div></header>"
        '<main id="main" tabindex="-1"><div class="govuk-width-container govuk-main-wrapper">'
        f'<div class="govuk-grid-row"><div class="govuk-grid-column-two-thirds">{body}</div></div></div></main>'
        '<footer class="kulla-footer"><div class="govuk-width-container">'
        f'<p class="kulla-footer__note">{said["licence"]}</p></div></footer></body></html>'
    )


def _switch(head: bytes, language: str) -> str:
    items = []
    for code, name in NAMES.items():
        if code == language:
            items.append(f'<li><span lang="{code}" aria-current="true">{name}</span></li>')
        else:
            href = html.escape(f"/language?to={code}&next={quote(target_of(head), safe='')}")
            link = f'<a href="{href}" lang="{code}" hreflang="{code}" rel="nofollow">{name}</a>'
            items.append(f"<li>{link}</li>")
    return "".join(items)


def spoken(head: bytes, words: Words, *, refresh_s: int | None = None) -> str:
    """A page that says these words in the visitor's language."""
    title, paragraphs = words[language_of(head)]
    said = "".join(f'<p class="govuk-body">{html.escape(paragraph)}</p>' for paragraph in paragraphs)
    return page(head, title, heading(title) + said, refresh_s=refresh_s)


def heading(text: str) -> str:
    """The heading of a page."""
    return f'<h1 class="govuk-heading-l">{html.escape(text)}</h1>'


def response(
    status: str,
    body: str | bytes,
    *,
    content_type: str = "text/html; charset=utf-8",
    retry_s: int = 2,
    headers: str = "",
    head_only: bool = False,
) -> bytes:
    """A complete HTTP/1.1 answer that closes the connection and is kept by no cache. headers: more whole lines."""
    content = body.encode() if isinstance(body, str) else body
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(content)}\r\n"
        f"Retry-After: {retry_s}\r\nCache-Control: no-store\r\nConnection: close\r\n"
        f"Content-Security-Policy: {POLICY}\r\nX-Content-Type-Options: nosniff\r\n{headers}\r\n"
    ).encode()
    return head if head_only else head + content


def away(method: str, head: bytes, *, forwarded: bool) -> bytes:
    """What to answer while the portal is away.

    method: of the request with this head. forwarded: the portal had the request already when it went away, so whether
    something was taken is not known.
    """
    if method in {"GET", "HEAD"}:
        waiting = spoken(head, AWAY, refresh_s=2)
        return response("503 Service Unavailable", waiting, head_only=method == "HEAD")
    return response("503 Service Unavailable", spoken(head, UNKNOWN if forwarded else NOT_TAKEN))


def language_switch(head: bytes) -> bytes | None:
    """The answer to a press on the language switch, as the portal gives it; None for every other request."""
    address = urlsplit(target_of(head))
    asked = parse_qs(address.query)
    code = asked.get("to", [""])[0]
    if address.path != "/language" or code not in NAMES:
        return None
    back = asked.get("next", ["/"])[0]
    back = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
    # Quoted again: what was hidden in the address as %0D%0A must not become a header of the answer.
    where = quote(back, safe="/?&=-._~%:")
    cookie = f"language={code}; Path=/; Max-Age={LANGUAGE_AGE_S}; HttpOnly; SameSite=Lax"
    return response("302 Found", "", headers=f"Location: {where}\r\nSet-Cookie: {cookie}\r\n")


def copy(head: bytes, page_bytes: bytes) -> bytes:
    """The kept copy of a public page, with a notice that only the public pages answer for now."""
    language = language_of(head)
    title, paragraphs = AWAY[language]
    notice = (
        f'<div class="govuk-width-container"><section class="govuk-notification-banner" lang="{language}" '
        'aria-labelledby="away"><div class="govuk-notification-banner__header">'
        f'<h2 class="govuk-notification-banner__title" id="away">{html.escape(title)}</h2></div>'
        '<div class="govuk-notification-banner__content"><p class="govuk-notification-banner__heading">'
        f"{html.escape(paragraphs[-1])}</p></div></section></div>"
    ).encode()
    # The copy may be older than the styles: it gets those that are there now.
    page_bytes = re.sub(rb"/static/kulla/kulla-[0-9a-f]{12}\.css", built("kulla.css").encode(), page_bytes)
    at = page_bytes.find(b">", max(page_bytes.find(b"<main"), page_bytes.find(b"<body"))) + 1
    return response("503 Service Unavailable", page_bytes[:at] + notice + page_bytes[at:])
