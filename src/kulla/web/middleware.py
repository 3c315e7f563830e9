"""What happens to every request before a view sees it, and to every answer before it leaves.

In the order of settings.MIDDLEWARE: PlainErrors (outermost: no answer without words), Headers, CleanInput
(what is not text never reaches a view), Language.
"""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from kulla.web import errors, uploads

Next = Callable[[HttpRequest], HttpResponseBase]
ADDRESS_LIMIT = 4096  # bytes of path and query: ten times the longest that our own pages make
LET_GO = 4 << 20  # bytes of a body too large that are read and dropped before the refusal
FORM_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain", ""}

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class PlainErrors:
    """Gives words to answers that have none: 405 from Django, 413 from our limits, refusals of other rooms."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        response = self.get_response(request)
        bare = isinstance(response, HttpResponse) and not response.content
        if bare and response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and request.method != "HEAD":
            allowed = response.get("Allow", "")
            response = errors.page(request, 405)
            response["Allow"] = allowed
        if request.headers.get("HX-Request") and response.get("Location", "").startswith(reverse("sign-in")):
            # The session ended while a page asked for its fragment: the whole page goes to sign-in, and back.
            response = HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Refresh": "true"})
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page for an exception of a view that some room has words for."""
        return errors.of_exception(request, exception)


class Headers:
    """Security headers: nothing inline, nothing framed, nothing told to other sites."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", POLICY)
        response.setdefault("X-Frame-Options", "DENY")
        response.setdefault("X-Content-Type-Options", "nosniff")
        response.setdefault("Referrer-Policy", "same-origin")
        response.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        if not response.has_header("Cache-Control"):
            # A page with a form carries a token of this visitor; only a plain public page may be kept at all.
            mine = bool(response.cookies) or request.method not in {"GET", "HEAD"}
            response["Cache-Control"] = "no-store" if mine else "private, no-cache"
        return response


class CleanInput:
    """Refuses what no page of ours could have sent: too large, not UTF-8, with NUL signs. Nothing is stored."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        query = request.META.get("QUERY_STRING", "")
        path = request.path_info  # decoded by Django; what is not UTF-8 stays percent-encoded and meets a 404
        if len(path) + len(query) > ADDRESS_LIMIT:
            return errors.page(request, 414)
        if "\0" in path or not _is_text(unquote_to_bytes(query.encode("latin-1", "replace"))):
            return errors.page(request, 400)
        if request.method in {"POST", "PUT", "PATCH"} and request.content_type in FORM_TYPES:
            refused = self._refused(request)
            if refused:
                return errors.page(request, refused)
        return self.get_response(request)

    @staticmethod
    def _refused(request: HttpRequest) -> int | None:
        """400 or 413 for a body that cannot be a form of ours, else None."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdigit():
            return 400
        files = request.content_type == "multipart/form-data" and uploads.wanted(request)
        if int(length) > (uploads.LONGEST if files else settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0):
            _let_go(request)
            return 413
        charset = (request.content_params or {}).get("charset", "utf-8").lower()
        if charset not in {"utf-8", "utf8", "us-ascii"}:
            return 400
        if files:  # its bytes are no text; Django reads the fields, the view's form checks them
            return None
        body = request.body
        if request.content_type == "application/x-www-form-urlencoded":
            body = unquote_to_bytes(body)
        return None if _is_text(body) else 400


def _let_go(request: HttpRequest) -> None:
    """Read a body that nobody wants, up to a bound: an answer sent before it is read can be lost on its way."""
    left = LET_GO
    while left > 0 and (part := request.read(min(left, 64 * 1024))):
        left -= len(part)


class Language:
    """The language of the page: the visitor's choice (cookie), else what the browser asks for, else Albanian."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        language = translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.setdefault("Content-Language", language)
        if response.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def _is_text(raw: bytes) -> bool:
    try:
        return "\0" not in raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
