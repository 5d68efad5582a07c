"""Sending mail: after the commit, again later when it fails, and never with a forged header."""

from __future__ import annotations

import smtplib
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app import notices
from app.config import Settings
from app.db import transaction
from app.flows import deliver
from app.notices.models import Mail
from app.notices.outbox import WAITS, Letter
from tests.support import outgoing


@pytest.fixture
def send_all(engine: Engine, settings: Settings):
    """Runs the sending once with this sender, and says how many mails were tried."""

    def run(send=None, **changed: str) -> int:
        return deliver.pending_mail(
            lambda: Session(engine, expire_on_commit=False), replace(settings, **changed), 10, send
        )

    return run


def queue(session: Session) -> None:
    with transaction(session):
        notices.queue(session, "reset_password", "ada@example.com", name="Ada", link="http://localhost/reset/1")


def the_mail(session: Session) -> Mail:
    session.rollback()
    session.expire_all()
    return session.scalars(select(Mail)).one()


def test_it_is_sent_once(session: Session, send_all) -> None:
    queue(session)
    sent: list[EmailMessage] = []

    assert [send_all(sent.append), send_all(sent.append)] == [1, 0]

    (mail,) = sent
    assert (mail["To"], mail["Subject"]) == ("ada@example.com", "Choose a new password")
    assert "http://localhost/reset/1" in mail.get_content()
    assert the_mail(session).state == "sent"


def test_nothing_is_sent_inside_a_transaction(session: Session, send_all) -> None:
    queue(session)

    send_all(lambda _mail: outgoing.refuse_inside_a_transaction("sending"))

    assert the_mail(session).state == "sent"


def test_a_slow_server_uses_up_the_lease_of_one_mail_alone(session: Session, send_all, clock) -> None:
    # given three mails, and a server that takes four minutes for each
    for _ in range(3):
        queue(session)
    sent: list[str] = []

    def slowly(mail: EmailMessage) -> None:
        # when another worker comes by before each is through
        clock.advance(minutes=4)
        send_all(lambda other: sent.append(other["Message-ID"]))
        sent.append(mail["Message-ID"])

    send_all(slowly)

    # then none is sent twice
    assert (len(sent), len(set(sent))) == (3, 3)


def test_a_failure_is_tried_again_later_and_given_up_in_the_end(session: Session, send_all, clock) -> None:
    queue(session)

    def fail(_mail: EmailMessage) -> None:
        raise smtplib.SMTPServerDisconnected("the secret http://localhost/reset/1")

    for wait in WAITS:
        assert send_all(fail) == 1
        assert send_all(fail) == 0
        assert the_mail(session).last_error == "SMTPServerDisconnected"
        clock.advance(seconds=int(wait.total_seconds()))
    assert send_all(fail) == 1

    assert (the_mail(session).state, the_mail(session).body) == ("gave_up", "")
    clock.advance(days=30)
    assert send_all(fail) == 0


def test_it_is_sent_after_a_failure(session: Session, send_all, clock) -> None:
    queue(session)
    sent: list[EmailMessage] = []

    def fail(_mail: EmailMessage) -> None:
        raise ConnectionRefusedError

    send_all(fail)
    clock.advance(minutes=1)
    send_all(sent.append)

    assert len(sent) == 1
    assert the_mail(session).state == "sent"


def test_the_same_mail_has_the_same_id_on_every_try() -> None:
    letter = Letter("mail_1", "ada@example.com", "S", "B", 1)

    ids = {deliver.message(letter, "Purser <billing@example.com>")["Message-ID"] for _ in range(2)}

    assert ids == {"<mail_1@example.com>"}


@pytest.mark.parametrize(
    "letter",
    [
        Letter("mail_1", "ada@example.com\r\nBcc: x@example.com", "S", "B", 1),
        Letter("mail_1", "ada@example.com", "S\nBcc: x@example.com", "B", 1),
    ],
)
def test_a_line_break_never_gets_into_a_header(letter: Letter) -> None:
    with pytest.raises(ValueError, match=r"(?i)linefeed|newline|header"):
        deliver.message(letter, "Purser <billing@example.com>")


def test_without_a_server_it_is_shown_where_the_program_runs(session: Session, send_all, capsys) -> None:
    queue(session)

    send_all()

    shown = capsys.readouterr().err
    assert "To: ada@example.com" in shown
    assert "http://localhost/reset/1" in shown


def test_it_speaks_smtp(session: Session, send_all) -> None:
    queue(session)

    with mail_server() as (port, received):
        send_all(smtp_url=f"smtp://127.0.0.1:{port}?tls=off")

    assert the_mail(session).state == "sent"
    assert "Subject: Choose a new password" in received[0]


def test_a_server_without_tls_gets_nothing_unless_told_so(session: Session, send_all) -> None:
    queue(session)

    with mail_server() as (port, received):
        send_all(smtp_url=f"smtp://127.0.0.1:{port}")

    assert received == []
    assert the_mail(session).last_error == "SMTPNotSupportedError"


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """The smallest mail server there is: takes one mail after another, without TLS."""
    received: list[str] = []

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                word = line.strip().upper()
                if word.startswith(b"DATA"):
                    self.wfile.write(b"354 go on\r\n")
                    body = b""
                    while not body.endswith(b"\r\n.\r\n"):
                        body += self.rfile.readline()
                    received.append(body.decode())
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
                if word == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_address[1], received
        server.shutdown()
        thread.join()
