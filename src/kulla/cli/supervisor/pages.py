"""The pages that `kulla up` answers with while the portal is away. No Django, no files of the portal's home.

They carry both languages, since nobody is there who could know the reader's. Each is one self-contained page:
no style sheet, no script, nothing that would have to be fetched from a portal that is away.
"""

import html
from collections.abc import Mapping

FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif'
CSS_FONT = FONT.replace('"', "'")
STYLE = f"""\
body{{font:1.1875rem/1.5 {FONT};margin:0;color:#2a2522;background:#fff}}
header{{background:#2a2522;color:#fff;padding:.75rem 1rem;font-weight:700;font-size:1.5rem}}
header{{border-bottom:6px solid #8c1d24}}
main{{max-width:42rem;margin:0 auto;padding:1rem}}
section{{padding:.5rem 0 1rem}}
section+section{{border-top:1px solid #b9aea2}}
h1,h2{{font-size:1.75rem;line-height:1.2;margin:1rem 0}}
dl{{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem}}dt{{font-weight:700}}dd{{margin:0}}
"""
OWN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"
AWAY = {
    "sq": (
        "Portali po kthehet",
        (
            "Portali nuk përgjigjet për çastin dhe po rindizet vetë. Kjo faqe provon sërish pas pak sekondash.",
            "Çka është marrë, është e ruajtur: çdo dëftesë mbetet e vlefshme dhe verifikohet edhe pa portalin.",
            "Presin: hyrja, rezervimet e reja dhe faqja juaj.",
        ),
    ),
    "en": (
        "The portal is coming back",
        (
            "The portal does not answer at the moment and is being started again. This page tries again in a "
            "few seconds.",
            "What was received is safe: every receipt stays valid and can be verified without the portal.",
            "Waiting: signing in, new bookings and your own page.",
        ),
    ),
}
NOT_TAKEN = {
    "sq": (
        "Asgjë nuk u dërgua",
        (
            "Portali nuk përgjigjet, prandaj asgjë nga ajo që dërguat nuk u mor.",
            "Kthehuni një faqe prapa dhe dërgojeni sërish pas pak: shfletuesi i ruan ato që keni shkruar.",
        ),
    ),
    "en": (
        "Nothing was sent",
        (
            "The portal does not answer, so nothing of what you sent was taken.",
            "Go back one page and send it again in a little while: your browser keeps what you typed.",
        ),
    ),
}
UNKNOWN = {
    "sq": (
        "Nuk dihet nëse u mor",
        (
            "Portali u ndërpre ndërsa po e merrte dërgesën tuaj, prandaj nuk dimë nëse u mor.",
            "Kthehuni një faqe prapa dhe dërgojeni sërish pas pak: shfletuesi i ruan ato që keni shkruar, "
            "dhe i njëjti formular i dërguar dy herë merret vetëm një herë.",
        ),
    ),
    "en": (
        "It is not known whether it was taken",
        (
            "The portal broke off while it was taking what you sent, so we do not know whether it was taken.",
            "Go back one page and send it again in a little while: your browser keeps what you typed, and the "
            "same form sent twice is taken only once.",
        ),
    ),
}


def page(title: str, body: str, *, refresh_s: int | None = None) -> str:
    """A whole HTML page around `body` (trusted HTML)."""
    refresh = f'<meta http-equiv="refresh" content="{refresh_s}">' if refresh_s else ""
    return (
        '<!doctype html><html lang="sq"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{refresh}<title>{html.escape(title)} – Kulla</title><style>{STYLE}</style></head>"
        f"<body><header>Kulla</header><main>{body}</main></body></html>"
    )


def in_order(head: bytes) -> tuple[str, str]:
    """Both languages, the one that the request's cookie names first; Albanian when it names none."""
    return ("en", "sq") if b"language=en" in head else ("sq", "en")


def in_both(
    words: Mapping[str, tuple[str, tuple[str, ...]]], head: bytes = b"", *, refresh_s: int | None = None
) -> str:
    """A page with the words in both languages, the reader's first if the request's head tells it."""
    sections = [
        f'<section lang="{language}">{heading(number, title)}'
        + "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs)
        + "</section>"
        for number, language in enumerate(in_order(head), start=1)
        for title, paragraphs in [words[language]]
    ]
    return page(
        " / ".join(words[language][0] for language in in_order(head)), "".join(sections), refresh_s=refresh_s
    )


def heading(level: int, text: str) -> str:
    return f"<h{level}>{html.escape(text)}</h{level}>"


def response(
    status: str,
    body: str | bytes,
    *,
    content_type: str = "text/html; charset=utf-8",
    retry_s: int = 2,
    policy: str = OWN_POLICY,
    head_only: bool = False,
) -> bytes:
    """A complete HTTP/1.1 answer that closes the connection and is kept by no cache."""
    content = body.encode() if isinstance(body, str) else body
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(content)}\r\n"
        f"Retry-After: {retry_s}\r\nCache-Control: no-store\r\nConnection: close\r\n"
        f"Content-Security-Policy: {policy}\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    ).encode()
    return head if head_only else head + content


def away(method: str, head: bytes, *, forwarded: bool) -> bytes:
    """What to answer while the portal is away.

    method: of the request with this head. forwarded: the portal had the request already when it went away, so whether
    something was taken is not known.
    """
    if method in {"GET", "HEAD"}:
        return response(
            "503 Service Unavailable", in_both(AWAY, head, refresh_s=2), head_only=method == "HEAD"
        )
    return response("503 Service Unavailable", in_both(UNKNOWN if forwarded else NOT_TAKEN, head))


def copy(page_bytes: bytes) -> bytes:
    """The kept copy of a public page, with a notice that only the public pages answer for now."""
    notice = "".join(
        f'<p lang="{language}" style="font:1rem/1.4 {CSS_FONT};background:#fd0;color:#000;margin:0;padding:.5rem 1rem">'
        f"<strong>{html.escape(title)}.</strong> {html.escape(paragraphs[-1])}</p>"
        for language, (title, paragraphs) in AWAY.items()
    ).encode()
    at = page_bytes.find(b">", page_bytes.find(b"<body")) + 1
    return response(
        "503 Service Unavailable",
        page_bytes[:at] + notice + page_bytes[at:],
        policy="default-src 'self'; style-src 'self' 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    )
