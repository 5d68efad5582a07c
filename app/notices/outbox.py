"""The outbox: putting a mail in, taking due ones out, and writing down how the sending went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import clock, ids
from app.errors import Invalid
from app.notices.models import Mail
from app.notices.words import MAILS

LEASE = timedelta(minutes=5)  # longer than sending one mail can take; a worker that dies leaves it to the next
# After each failure we wait longer; when the list is used up we give up, three days after the first try.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440, 1920))


@dataclass(frozen=True)
class Letter:
    """A mail taken out for sending: plain values, so that no transaction is open while the network is slow.

    `attempts` counts this try too. It is also whose turn it is: taking the mail again makes it another number.
    """

    id: str
    recipient: str
    subject: str
    body: str
    attempts: int


def queue(session: Session, template: str, to: str, **words: str) -> Mail:
    """Queue a mail, put into words now, so that later changes do not change what it tells.

    Raises Invalid for an address that could smuggle a second header in.
    """
    if not to or not to.isprintable() or "," in to or " " in to:
        raise Invalid("This email address cannot be written to.", field="email")
    subject, body = MAILS[template]
    mail = Mail(
        id=ids.new("mail"),
        template=template,
        recipient=to,
        subject=_one_line(subject.format_map({name: _one_line(word) for name, word in words.items()})),
        body=body.format_map({name: _one_line(word) for name, word in words.items()}),
        state="queued",
        attempts=0,
        due_at=clock.now(),
        created_at=clock.now(),
    )
    session.add(mail)
    return mail


def take(session: Session, limit: int) -> list[Letter]:
    """Take due mails for sending. Nobody else gets them before the lease ends."""
    now = clock.now()
    due = select(Mail).where(Mail.state == "queued", Mail.due_at <= now).order_by(Mail.due_at, Mail.id)
    taken = list(session.scalars(due.limit(limit).with_for_update(skip_locked=True)))
    for mail in taken:
        mail.due_at, mail.attempts = now + LEASE, mail.attempts + 1
    return [Letter(mail.id, mail.recipient, mail.subject, mail.body, mail.attempts) for mail in taken]


def sent(session: Session, letter: Letter) -> bool:
    """It is on its way. Its body goes, since it may hold a link that signs someone in.

    False when the lease ended and somebody else took it: then it is theirs to finish.
    """
    return _finish(session, letter, state="sent", sent_at=clock.now(), body="", last_error=None)


def failed(session: Session, letter: Letter, why: str) -> bool:
    """Try again later, or give up when the waits are used up. False as for `sent`."""
    if letter.attempts > len(WAITS):
        return _finish(session, letter, state="gave_up", body="", last_error=why[:200])
    return _finish(session, letter, due_at=clock.now() + WAITS[letter.attempts - 1], last_error=why[:200])


def _finish(session: Session, letter: Letter, **values: Any) -> bool:
    mine = update(Mail).where(Mail.id == letter.id, Mail.state == "queued", Mail.attempts == letter.attempts)
    return session.scalar(mine.values(**values).returning(Mail.id)) is not None


def _one_line(text: str) -> str:
    """No line breaks or control characters: what a person typed must not become a header or a second paragraph."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
