"""The outbox: mails in words, safe to send, taken by one worker at a time."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import notices
from app.db import transaction
from app.errors import Invalid
from app.notices import outbox
from app.notices.models import Mail
from app.notices.words import MAILS

pytestmark = pytest.mark.both_databases


def queued(session: Session, **words: str) -> Mail:
    with transaction(session):
        return notices.queue(session, "reset_password", "ada@example.com", **{"name": "Ada", "link": "L", **words})


def test_it_is_in_words_when_it_is_queued(session: Session) -> None:
    mail = queued(session, link="https://example.com/reset/1")

    assert mail.subject == "Choose a new password"
    assert "Hello Ada," in mail.body
    assert "https://example.com/reset/1" in mail.body


@pytest.mark.parametrize("to", ["", "a@b.c\r\nBcc: x@y.z", "a@b.c\n", "a@b.c, d@e.f", "a b@c.d", "a@b.c\x00"])
def test_an_address_cannot_smuggle_a_header_in(session: Session, to: str) -> None:
    with pytest.raises(Invalid), transaction(session):
        notices.queue(session, "reset_password", to, name="Ada", link="L")


def test_what_people_typed_stays_on_its_line(session: Session) -> None:
    with transaction(session):
        mail = notices.queue(
            session,
            "invitation",
            "new@example.com",
            inviter="Eve\r\nBcc: all@example.com",
            customer="C\u2028D {link}",
            permission="see",
            link="L",
        )

    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    assert mail.subject == "Eve Bcc: all@example.com invites you to C D {link}"
    assert "\r" not in mail.body


def test_one_worker_takes_it_and_another_only_after_the_lease(session: Session, clock) -> None:
    queued(session)
    with transaction(session):
        assert len(outbox.take(session, 10)) == 1
    with transaction(session):
        assert outbox.take(session, 10) == []

    clock.advance(minutes=5)

    with transaction(session):
        assert [letter.attempts for letter in outbox.take(session, 10)] == [2]


@pytest.mark.parametrize("end", ["sent", "failed"])
def test_who_lost_the_lease_finishes_nothing(session: Session, clock, end: str) -> None:
    # given a worker that was so slow that another one took its mail
    mail = queued(session)
    with transaction(session):
        (slow,) = outbox.take(session, 1)
    clock.advance(minutes=5)
    with transaction(session):
        (quick,) = outbox.take(session, 1)

    # when both say how it went
    with transaction(session):
        late = outbox.sent(session, slow) if end == "sent" else outbox.failed(session, slow, "TimeoutError")
        assert (mail.state, mail.last_error, mail.due_at) == ("queued", None, the_clock.now() + outbox.LEASE)
        told = outbox.sent(session, quick)

    # then only the word of the one whose turn it is counts
    assert (late, told, mail.state) == (False, True, "sent")


def test_every_mail_has_its_words() -> None:
    for subject, body in MAILS.values():
        assert "\n" not in subject
        assert body.endswith("\n")


def test_a_sent_mail_keeps_no_body(session: Session) -> None:
    queued(session)

    with transaction(session):
        (letter,) = outbox.take(session, 1)
        assert outbox.sent(session, letter)

    kept = session.scalars(select(Mail)).one()
    assert (kept.state, kept.body) == ("sent", "")
