"""TLS between hosts: contexts from files, and what went wrong in one plain sentence.

Only TLS 1.3 is spoken: both ends are ours. Certificates are read when a context is made, so a renewed file counts
after the program was started again.
"""

import re
import ssl
from collections.abc import Mapping
from pathlib import Path


class TlsFilesError(Exception):
    """A certificate or key file cannot be used; the message is one plain sentence."""


def client_context(
    ca: Path | None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """For one who connects: believes `ca` (a PEM file; the system's authorities without it), shows `certificate`.

    Raises TlsFilesError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    _believe(context, ca)
    if certificate is not None:
        _show(context, certificate, key)
    return context


def to_mirrors(environment: Mapping[str, str]) -> ssl.SSLContext | None:
    """How the portal and the keeper speak to mirrors under https; None: with the system's authorities, no certificate.

    KULLA_MIRRORS_CA: PEM file of the authority that made the mirrors' certificates. KULLA_MIRRORS_CERTIFICATE and
    KULLA_MIRRORS_KEY: what we show. Raises TlsFilesError.
    """
    names = ("KULLA_MIRRORS_CA", "KULLA_MIRRORS_CERTIFICATE", "KULLA_MIRRORS_KEY")
    ca, certificate, key = (Path(environment[name]) if environment.get(name) else None for name in names)
    return client_context(ca, certificate, key) if ca or certificate else None


def server_context(certificate: Path, key: Path, clients: Path | None) -> ssl.SSLContext:
    """For one who listens. With `clients`, a certificate that a client shows must be by that authority and in date.

    Whether one was shown at all is asked afterwards (`getpeercert()`), so that its absence can be said in words and
    public addresses stay open to everyone. Raises TlsFilesError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # A resumed session would keep a certificate good that has expired meanwhile.
    context.num_tickets = 0
    _show(context, certificate, key)
    if clients is not None:
        _believe(context, clients)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _believe(context: ssl.SSLContext, ca: Path | None) -> None:
    if ca is None:
        context.load_default_certs()
        return
    try:
        context.load_verify_locations(ca)
    except (OSError, ssl.SSLError):
        raise TlsFilesError(f"{ca.name} holds no certificates of an authority in PEM.") from None


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError):
        names = certificate.name if key is None else f"{certificate.name} and {key.name}"
        raise TlsFilesError(f"{names} are no certificate with its key in PEM without a password.") from None


def _no_password() -> str:
    raise ValueError("a key with a password would stop the program at its start")


_SENTENCES = (
    (r"certificate has expired", "its certificate has expired"),
    (r"certificate is not yet valid", "its certificate is not valid yet, or this machine's clock is wrong"),
    (r"Hostname mismatch|IP address mismatch", "its certificate is for another host"),
    (r"CERTIFICATE_VERIFY_FAILED", "its certificate is not by the authority that is trusted here"),
    (r"ALERT_CERTIFICATE_EXPIRED|CERTIFICATE_EXPIRED", "it says that our certificate has expired"),
    (r"UNKNOWN_CA|DECRYPT_ERROR", "it does not know the authority that made our certificate"),
    (r"CERTIFICATE_REQUIRED", "it asks for a certificate, and we showed none"),
    (r"BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_UNKNOWN", "it does not accept our certificate"),
    (r"WRONG_VERSION_NUMBER|HTTP_REQUEST|RECORD_LAYER", "one end speaks TLS and the other does not"),
)


def sentence(error: BaseException) -> str | None:
    """What a failed handshake or an alert means, as the end of a sentence about the other end; None for others."""
    if not isinstance(error, ssl.SSLError):
        return None
    text = f"{error.reason} {error}"
    for pattern, words in _SENTENCES:
        if re.search(pattern, text, re.IGNORECASE):
            return words
    return "no safe connection to it can be made"
