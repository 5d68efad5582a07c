"""Telling a customer: a row on the page, a mail and an outgoing event, once for each cause."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, notices
from app.db import transaction
from app.notices import phrases
from app.notices.kinds import KINDS
from app.notices.models import Mail, Notice
from tests.support.people import Person


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_it_tells_once_for_each_cause(session: Session, ada: Person) -> None:
    with transaction(session):
        assert used(session, ada, 80)
        assert not used(session, ada, 80)
        assert used(session, ada, 90)

    rows = session.scalars(select(Notice).order_by(Notice.key)).all()
    assert [row.title for row in rows] == ["80% of your views are used", "90% of your views are used"]
    assert "You have used 8,000 of the 10,000 views in your plan." in rows[0].sentence
    mails = session.scalars(select(Mail.subject).where(Mail.template == "short_notice")).all()
    assert {row.title for row in rows} == set(mails)


def test_every_kind_is_put_into_words(session: Session, ada: Person) -> None:
    for kind, told in KINDS.items():
        facts = {name: _some(name) for name in told.takes.split()}
        with transaction(session):
            assert notices.tell(session, ada.customer_id, kind, key=kind, **facts)

    for row in session.scalars(select(Notice)):
        assert not {"{", "}"} & set(row.title + row.sentence + row.next), row.kind


def used(session: Session, person: Person, percent: int) -> bool:
    facts = {"period_start": clock.now(), "resets_at": clock.now() + timedelta(days=30)}
    counts = {"percent": percent, "used": percent * 100, "allowance": 10_000}
    key = f"usage:views:{clock.timestamp(clock.now())}:{percent}"
    words = {"meter": "views", "name": "views"}
    return notices.tell(session, person.customer_id, "usage_threshold", key=key, **facts, **counts, **words)


def _some(name: str) -> notices.Fact:
    if name in ("period_start", "resets_at"):
        return clock.now()
    return 1_234 if name.endswith(("_micros", "_minor")) or name in ("percent", "used", "allowance") else "Words."


def test_what_is_below_zero_has_the_minus_of_the_pages() -> None:
    assert phrases.money(-14_530_000, "usd") == "\N{MINUS SIGN}$14.53"
