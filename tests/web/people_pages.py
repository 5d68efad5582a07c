"""What the tests of sign-in, team and profile pages share: reading mails, and going through the sign-in page."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.notices.models import Mail
from tests.support.people import PASSWORD
from tests.support.web import PageClient

NEW_PASSWORD = "marble lantern thicket"


def sign_in(client: PageClient, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
    return client.post("/sign-in", data={"email": email, "password": password, **more})


def sign_up(client: PageClient, email: str = "eve@example.com", **more: str) -> TestResponse:
    filled = {"name": "Eve", "company": "Eve's Orchard", "email": email, "password": PASSWORD, **more}
    return client.post("/sign-up", data=filled)


def mails(session: Session, to: str) -> list[Mail]:
    """What this person was written, the newest first."""
    return list(fresh(session).scalars(select(Mail).where(Mail.recipient == to).order_by(Mail.id.desc())))


def fresh(session: Session) -> Session:
    """The session, forgetting what it read: the pages commit in their own."""
    session.rollback()
    session.expire_all()
    return session


def without_token(answer: TestResponse, *words: str) -> str:
    """The page less the form's token, which differs each time, and less these words."""
    text = re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text)
    for word in words:
        text = text.replace(word, "")
    return text


def link(mail: Mail) -> str:
    """The path of the link in a mail."""
    found = re.search(r"http://localhost(/\S+)", mail.body)
    assert found, mail.body
    return found[1]
