"""Sending the queued mail: by SMTP when there is a server, else into the log, where a developer can read it."""

from __future__ import annotations

import smtplib
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.notices import outbox
from app.notices.outbox import Letter

TIMEOUT = 20  # seconds, for each step of the talk with the mail server

Send = Callable[[EmailMessage], None]


class MailSettings(Protocol):
    """The settings that mail depends on."""

    @property
    def smtp_url(self) -> str: ...
    @property
    def mail_from(self) -> str: ...


def pending_mail(
    session_factory: Callable[[], Session], settings: MailSettings, limit: int = 20, send: Send | None = None
) -> int:
    """Send what is due and say how many mails were tried. A mail may arrive twice after a crash, never be lost.

    They are taken one at a time: a slow mail server must not use up the lease of those that wait behind.
    """
    deliver = send or _sender(settings.smtp_url)
    with session_factory() as session:
        for tried in range(limit):
            with transaction(session):
                letters = outbox.take(session, 1)
            if not letters:
                return tried
            _deliver(session, letters[0], settings.mail_from, deliver)
    return limit


def _deliver(session: Session, letter: Letter, sender: str, deliver: Send) -> None:
    try:
        deliver(message(letter, sender))
    except (OSError, smtplib.SMTPException, ValueError) as trouble:
        # The text of the error may quote the mail, so only its kind is kept.
        with transaction(session):
            outbox.failed(session, letter, type(trouble).__name__)
        return
    with transaction(session):
        outbox.sent(session, letter)


def message(letter: Letter, sender: str) -> EmailMessage:
    """The mail as it travels. Raises ValueError rather than let a line break into a header."""
    made = EmailMessage()
    made["From"] = sender
    made["To"] = letter.recipient
    made["Subject"] = letter.subject
    made["Date"] = format_datetime(clock.now())
    # The same id on every try, so that a mail sent twice is shown once.
    made["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2].rstrip('> ') or 'localhost'}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.body)
    return made


def _sender(smtp_url: str) -> Send:
    if not smtp_url:
        return _print
    return lambda mail: _by_smtp(smtp_url, mail)


def _print(mail: EmailMessage) -> None:
    """No mail server is configured: show the mail where the program was started."""
    lines = [f"To: {mail['To']}", f"Subject: {mail['Subject']}", "", mail.get_content().rstrip()]
    sys.stderr.write("\n".join(["", "-- mail " + "-" * 52, *lines, "-" * 60, ""]) + "\n")


def _by_smtp(smtp_url: str, mail: EmailMessage) -> None:
    with _connected(smtp_url, TIMEOUT) as server:
        server.send_message(mail)


def reach(smtp_url: str, timeout: float) -> None:
    """Connect and sign in without sending anything. Raises OSError, SMTPException or ValueError. Timeout in seconds."""
    with _connected(smtp_url, timeout) as server:
        server.noop()


@contextmanager
def _connected(smtp_url: str, timeout: float) -> Iterator[smtplib.SMTP]:
    """smtps://user:password@host:465, or smtp://host:587, which turns to TLS unless the URL says ?tls=off."""
    url = urlsplit(smtp_url)
    plain = parse_qs(url.query).get("tls") == ["off"]
    host, context = url.hostname or "localhost", ssl.create_default_context()
    server: smtplib.SMTP
    if url.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, url.port or 465, timeout=timeout, context=context)
    else:
        server = smtplib.SMTP(host, url.port or 587, timeout=timeout)
    with server:
        if url.scheme == "smtp" and not plain:
            server.starttls(context=context)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        yield server
