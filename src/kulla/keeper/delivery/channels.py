"""The ways out: an SMS gateway over HTTP, a mail server, and the demo's, which only keeps what it was given.

A way out either takes a message, or says whether a later try can help. No text of an error repeats what was sent or
to whom: it goes into the log.
"""

import contextlib
import json
import smtplib
import ssl
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError

from kulla.keeper.delivery.settings import MailServer, SmsGateway

PATIENCE_S = 10.0
TEMPORARY_HTTP = (408, 425, 429)


class NotSent(Exception):
    """The message did not go out; the same again may."""


class NeverSent(NotSent):
    """The message did not go out, and the same again never will."""


@dataclass(frozen=True)
class Message:
    """What goes to one address. `id` stays the same when it is tried again, so that a gateway can tell."""

    id: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)


class Channel(Protocol):
    """A way out."""

    def send(self, message: Message) -> None:
        """Hand the message over. Raises NotSent, NeverSent."""


class Demo:
    """Takes everything; the outbox keeps it for the page that shows it."""

    def send(self, message: Message) -> None:
        """Nothing leaves a demo."""


class Unset:
    """No way out was configured."""

    def send(self, message: Message) -> None:
        """Always refuses; after a restart there may be one."""
        raise NotSent(f"no gateway is configured for message {message.id}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the message and the key to another address."""

    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        return None


class Sms:
    """POST of {"id", "to", "from", "text"} as JSON; any 2xx means taken."""

    def __init__(self, gateway: SmsGateway) -> None:
        self._gateway = gateway
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)

    def send(self, message: Message) -> None:
        """Hand the text over. Raises NotSent, NeverSent (the gateway will never take this one)."""
        gateway = self._gateway
        body = {"id": message.id, "to": message.to, "from": gateway.sender, "text": message.text}
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.id}
        if gateway.key_file:
            headers["Authorization"] = f"Bearer {_secret(gateway.key_file)}"
        request = urllib.request.Request(  # noqa: S310 - settings.py lets only http and https in
            gateway.url, json.dumps(body).encode(), headers, method="POST"
        )
        try:
            with self._opener.open(request, timeout=PATIENCE_S) as answer:
                answer.read(4096)
        except HTTPError as error:
            error.close()
            lasting = 400 <= error.code < 500 and error.code not in {*TEMPORARY_HTTP, 401, 403}
            kind = NeverSent if lasting else NotSent
            raise kind(f"the gateway answered {error.code}") from None
        except (OSError, HTTPException) as error:
            raise NotSent(f"the gateway does not answer ({type(error).__name__})") from None


class Smtp:
    """One connection a message; STARTTLS before anything personal, unless the settings say otherwise."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def send(self, message: Message) -> None:
        """Hand the mail over. Raises NotSent, NeverSent (refused for good by the server)."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._server.sender, message.to, message.subject
        mail["Date"], mail["Auto-Submitted"] = formatdate(), "auto-generated"
        mail["Message-ID"] = make_msgid(message.id, self._server.sender.rpartition("@")[2].strip("> "))
        mail.set_content(message.text)
        try:
            with self._connected() as smtp:
                smtp.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _kind(codes)("the mail server refused the address") from None
        except smtplib.SMTPResponseException as error:
            lasting = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
            kind = _kind([error.smtp_code]) if lasting else NotSent
            raise kind(f"the mail server answered {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"the mail server does not answer ({type(error).__name__})") from None

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        with smtplib.SMTP(server.host, server.port, timeout=PATIENCE_S) as smtp:
            if server.starttls:
                cafile = str(server.ca_file) if server.ca_file else None
                smtp.starttls(context=ssl.create_default_context(cafile=cafile))
            if server.user and server.password_file:
                smtp.login(server.user, _secret(server.password_file))
            yield smtp


def _kind(codes: list[int]) -> type[NotSent]:
    return NeverSent if codes and all(code >= 500 for code in codes) else NotSent


def _secret(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        raise NotSent("the file with the gateway's key cannot be read") from None
