"""A person at a browser without JavaScript: follows links, fills in forms, keeps cookies. Standard library only.

Tests drive the portal as people do: a form is found on the page and posted with every hidden field it has
(the CSRF token, the idempotency key), never put together by hand. Each answer is looked at on the way: no
page may ever show a stack trace.
"""

import http.client
import re
import uuid
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

TRACES = ("Traceback (most recent call last)", "Internal Server Error", "Request Method:", "<exception")
MAX_HOPS = 6
_SPACES = re.compile(r"\s+")
_SILENT = {"script", "style", "template"}


@dataclass(frozen=True)
class File:
    """A file that somebody chose for a form."""

    name: str
    kind: str  # media type
    data: bytes


@dataclass
class Form:
    """A form as it stands on the page: where it goes, what it holds, which buttons it has."""

    action: str
    method: str
    multipart: bool = False
    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)  # radio, checkbox and select values by name
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # name, value, text
    kinds: dict[str, str] = field(default_factory=dict)  # name -> input type, "textarea" or "select"

    def names(self) -> set[str]:
        """Every name that this form can send."""
        return {name for name, _ in self.fields} | set(self.choices) | set(self.kinds)

    def filled(self, values: dict[str, Any], button: str | None) -> "list[tuple[str, str | File]]":
        """The pairs that a browser would send with `values` (texts, Files, lists) typed in and `button` pressed."""
        unknown = set(values) - self.names()
        assert not unknown, (
            f"the form at {self.action} has no {sorted(unknown)}; it has {sorted(self.names())}"
        )
        pairs: list[tuple[str, str | File]] = [
            (name, value) for name, value in self.fields if name not in values
        ]
        for name, value in values.items():
            many = value if isinstance(value, list) else [value]
            pairs += [(name, one if isinstance(one, File) else str(one)) for one in many if one is not None]
        if button is None:
            named = [(name, value) for name, value, _ in self.buttons[:1] if name]
        else:
            found = [entry for entry in self.buttons if button in (entry[2], entry[1])]
            assert found, f"no button {button!r}; there are {[text for _, _, text in self.buttons]}"
            named = [(name, value) for name, value, _ in found[:1] if name]
        return pairs + named


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.main_words: list[str] = []
        self._in_main = False
        self.title = ""
        self._form: Form | None = None
        self._by_id: dict[str, Form] = {}
        self._silent = 0
        self._link: list[str] | None = None
        self._button: list[str] | None = None
        self._area: list[str] | None = None
        self._area_name = ""
        self._select: tuple[str, list[str], bool] | None = None
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        has = {name for name, _ in attrs}
        if tag in _SILENT:
            self._silent += 1
        elif tag == "title":
            self._in_title = True
        elif tag == "main":
            self._in_main = True
        elif tag == "form":
            self._form = Form(
                a.get("action", ""), a.get("method", "get").lower(), "multipart" in a.get("enctype", "")
            )
            self.forms.append(self._form)
            if "id" in a:
                self._by_id[a["id"]] = self._form
        elif tag == "a" and "href" in has:
            self._link = [a["href"]]
        form = self._by_id.get(a.get("form", "")) or self._form
        if form is not None and "disabled" not in has:
            self._control(form, tag, a, has)

    def _control(self, form: Form, tag: str, a: dict[str, str], has: set[str]) -> None:
        name = a.get("name", "")
        if tag == "input":
            self._input(form, a, has)
        elif tag == "button" and a.get("type", "submit") == "submit":
            self._button = [name, a.get("value", "")]
        elif tag == "textarea" and name:
            form.kinds[name] = "textarea"
            self._area, self._area_name = [], name
        elif tag == "select" and name:
            form.kinds[name] = "select"
            form.choices[name] = []
            self._select = (name, form.choices[name], False)
        elif tag == "option" and self._select:
            chosen_name, choices, _ = self._select
            choices.append(a.get("value", ""))
            if "selected" in has:
                form.fields.append((chosen_name, a.get("value", "")))
                self._select = (chosen_name, choices, True)

    def _input(self, form: Form, a: dict[str, str], has: set[str]) -> None:
        name, kind = a.get("name", ""), a.get("type", "text").lower()
        if kind in {"submit", "image"}:
            form.buttons.append((name, a.get("value", ""), a.get("value", "")))
        elif name and kind != "button":
            form.kinds[name] = kind
            if kind in {"radio", "checkbox"}:
                value = a.get("value", "on")
                form.choices.setdefault(name, []).append(value)
                if "checked" in has:
                    form.fields.append((name, value))
            elif kind != "file":
                form.fields.append((name, a.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent -= 1
        elif tag == "title":
            self._in_title = False
        elif tag == "main":
            self._in_main = False
        elif tag == "a" and self._link:
            self.links.append((self._link[0], _tidy("".join(self._link[1:]))))
            self._link = None
        elif tag == "button" and self._button and self._form is not None:
            self._form.buttons.append((self._button[0], self._button[1], _tidy("".join(self._button[2:]))))
            self._button = None
        elif tag == "textarea" and self._area is not None and self._form is not None:
            self._form.fields.append((self._area_name, "".join(self._area).removeprefix("\n")))
            self._area = None
        elif tag == "select" and self._select and self._form is not None:
            name, choices, chosen = self._select
            if choices and not chosen:
                self._form.fields.append((name, choices[0]))
            self._select = None
        elif tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._in_title:
            self.title += data
            return
        for open_part in (self._link, self._button, self._area):
            if open_part is not None:
                open_part.append(data)
        self.words.append(data)
        if self._in_main:
            self.main_words.append(data)


def _tidy(text: str) -> str:
    return _SPACES.sub(" ", text).strip()


@dataclass
class Page:
    """An answer: its status, address, headers, bytes, and what a reader sees of it."""

    status: int
    url: str
    headers: http.client.HTTPMessage
    body: bytes
    hops: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.kind = self.headers.get_content_type()
        self.html = self.body.decode(errors="replace") if self.kind.startswith("text/") else ""
        self._reader: _Reader | None = None

    def _read(self) -> _Reader:
        if self._reader is None:
            self._reader = _Reader()
            if self.kind == "text/html":
                self._reader.feed(self.html)
        return self._reader

    @property
    def text(self) -> str:
        """The words on the page, white space made single; for other text types the text itself."""
        return _tidy(" ".join(self._read().words)) if self.kind == "text/html" else self.html

    @property
    def main(self) -> str:
        """The words of the page's own part, without header, demo bar and footer."""
        return _tidy(" ".join(self._read().main_words))

    @property
    def title(self) -> str:
        """The page's title."""
        return _tidy(self._read().title)

    @property
    def forms(self) -> list[Form]:
        """Every form, in the order of the page."""
        return self._read().forms

    @property
    def links(self) -> list[tuple[str, str]]:
        """Every link as (address as written, text)."""
        return self._read().links

    @property
    def path(self) -> str:
        """The path of the address that answered."""
        return urlsplit(self.url).path

    def form(self, part: str = "", *, having: str | None = None) -> Form:
        """The first form whose action contains `part` and that has the field `having`."""
        for form in self.forms:
            if part in (form.action or self.path) and (having is None or having in form.names()):
                return form
        have = [(form.action, sorted(form.names())) for form in self.forms]
        raise AssertionError(
            f"{self.url} ({self.status}) has no form for {part!r} with {having!r}: {have}\n{self.text[:600]}"
        )

    def link(self, part: str) -> str:
        """The address of the first link whose address or text contains `part`."""
        for href, text in self.links:
            if part in href or part in text:
                return href
        raise AssertionError(f"{self.url} has no link {part!r}: {self.links}")


class Person:
    """One browser with its own cookies, on one keep-alive connection."""

    def __init__(self, base: str, language: str = "en") -> None:
        self.base = base
        self.host = urlsplit(base).netloc
        self.cookies: dict[str, str] = {"language": language}
        self.agent = "kulla-tests"
        self.page: Page | None = None
        self.seen: list[tuple[str, str, int]] = []  # method, path, status of every answer
        self._connection: http.client.HTTPConnection | None = None

    # -- what people do
    def open(self, address: str, *, follow: bool = True) -> Page:
        """Type an address, or follow a link as it stands on the page."""
        return self._go("GET", urljoin(self.page.url if self.page else self.base, address), follow=follow)

    def click(self, part: str) -> Page:
        """Follow the first link whose address or text contains `part`."""
        assert self.page is not None
        return self.open(self.page.link(part))

    def submit(
        self,
        part: str = "",
        *,
        button: str | None = None,
        having: str | None = None,
        form: Form | None = None,
        follow: bool = True,
        **values: Any,
    ) -> Page:
        """Fill in the first form whose action contains `part` (and has the field `having`) and send it."""
        assert self.page is not None
        form = form or self.page.form(part, having=having)
        pairs = form.filled(values, button)
        target = urljoin(self.page.url, form.action or self.page.url)
        if form.method == "get":
            return self._go("GET", f"{target.split('?')[0]}?{urlencode(_plain(pairs))}", follow=follow)
        if form.multipart:
            body, kind = _multipart(pairs)
        else:
            body, kind = urlencode(_plain(pairs)).encode(), "application/x-www-form-urlencoded"
        return self._go("POST", target, body, kind, follow=follow)

    def post(self, address: str, pairs: list[tuple[str, str]] | bytes, *, follow: bool = True) -> Page:
        """Send a body by hand: what an attacker or a broken program does."""
        body = pairs if isinstance(pairs, bytes) else urlencode(pairs).encode()
        target = urljoin(self.page.url if self.page else self.base, address)
        return self._go("POST", target, body, "application/x-www-form-urlencoded", follow=follow)

    # -- how
    def _go(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        kind: str | None = None,
        *,
        follow: bool = True,
    ) -> Page:
        hops: list[str] = []
        for _ in range(MAX_HOPS):
            page = self._once(method, url, body, kind)
            page.hops = tuple(hops)
            if follow and page.status in {301, 302, 303, 307, 308}:
                hops.append(url)
                url = urljoin(url, page.headers["Location"])
                assert urlsplit(url).netloc == self.host, f"redirected away to {url}"
                if page.status not in {307, 308}:
                    method, body, kind = "GET", None, None
                continue
            self.page = page
            return page
        raise AssertionError(f"redirected in a circle: {hops}")

    def _once(self, method: str, url: str, body: bytes | None, kind: str | None) -> Page:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Accept": "text/html,*/*",
            "User-Agent": self.agent,
        }
        if kind:
            headers["Content-Type"] = kind
            headers["Origin"] = self.base
            headers["Referer"] = self.page.url if self.page else self.base + "/"
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self.host, timeout=30)
                fresh = True
            else:
                fresh = False
            try:
                self._connection.request(method, target, body, headers)
                answer = self._connection.getresponse()
                data = answer.read()
                break
            except (http.client.HTTPException, OSError):
                self.hang_up()
                # A kept connection may have been closed since: browsers try such a request once more.
                if fresh or attempt == 2:
                    raise
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or morsel.value == "":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        if answer.headers.get("Connection", "").lower() == "close":
            self.hang_up()
        self.seen.append((method, parts.path, answer.status))
        page = Page(answer.status, url, answer.headers, data)
        for trace in TRACES:
            assert trace not in page.html, f"{method} {url} shows a stack trace:\n{page.html[:2000]}"
        return page

    def hang_up(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        self.hang_up()


def _plain(pairs: list[tuple[str, str | File]]) -> list[tuple[str, str]]:
    """What a form sends that has not said it carries files: their names alone."""
    return [(name, value.name if isinstance(value, File) else value) for name, value in pairs]


def _multipart(pairs: list[tuple[str, str | File]]) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in pairs:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, File):
            head += f'; filename="{value.name}"\r\nContent-Type: {value.kind}'
        data = value.data if isinstance(value, File) else value.encode()
        parts.append(f"{head}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
