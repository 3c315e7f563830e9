"""Where a request comes from, for slowing down those who guess. Only the keeper keeps it, cut to a network."""

from django.conf import settings
from django.http import HttpRequest


def address(request: HttpRequest) -> str:
    """The visitor's network address as text; "" when it is not known.

    Behind `settings.KULLA_PROXIES` front servers the address is the one that the outermost of our own noted:
    counted from the right of X-Forwarded-For, since everything further left is the visitor's own claim
    (RFC 7239 §8.1). Without front servers it is the connection's.
    """
    direct: str = request.META.get("REMOTE_ADDR", "")
    hops: int = settings.KULLA_PROXIES
    if not hops:
        return direct
    noted = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    return noted[-hops] if len(noted) >= hops else direct
