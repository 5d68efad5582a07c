"""Watching wallets: told once when one gets low, again only after it recovered."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from app.db import transaction
from app.notices import choices
from app.notices.models import Mail, Notice
from app.wallet import debit
from app.worker.wallets import Watch
from tests.support.people import Person


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def watch(engine: Engine) -> Callable[[], int]:
    return Watch(sessionmaker(engine, expire_on_commit=False), "usd")


def test_it_tells_once_for_each_crossing(session: Session, ada: Person, watch: Callable[[], int]) -> None:
    assert watch() == 0, "she begins with the $5.00 of which she would be told, and crossed nothing"
    ada.gets(1_000)
    assert (watch(), told(session)) == (1, [])

    spends(session, ada, 1_100)
    for _ in range(3):
        watch()
    assert told(session) == ["wallet_low"]

    ada.gets(1_000)
    watch()
    spends(session, ada, 1_000)
    watch()
    assert told(session) == ["wallet_low", "wallet_low", "wallet_recovered"]
    mails = session.scalars(select(Mail.subject).where(Mail.template == "notice")).all()
    assert mails == ["Your wallet is down to $4.00", "Your wallet is down to $4.00"]


def test_it_keeps_to_what_the_customer_chose(session: Session, ada: Person, watch: Callable[[], int]) -> None:
    ada.gets(10_000)
    chooses(session, ada, low=80, mails=False)
    watch()
    spends(session, ada, 3_000)
    watch()
    assert (told(session), session.scalars(select(Mail).where(Mail.template == "notice")).all()) == (["wallet_low"], [])

    chooses(session, ada, low=None)
    spends(session, ada, 7_000)
    assert (watch(), told(session)) == (0, ["wallet_low"])


def told(session: Session) -> list[str]:
    session.rollback()
    return sorted(session.scalars(select(Notice.kind)))


def spends(session: Session, who: Person, cents: int) -> None:
    with transaction(session):
        debit.debit(session, who.customer_id, cents * 10_000, description="Work", key=uuid.uuid4().hex, by="test")


def chooses(session: Session, who: Person, *, low: int | None, mails: bool = True) -> None:
    micros = None if low is None else low * 1_000_000
    with transaction(session):
        choices.choose(session, who.customer_id, percents=[80], low_micros=micros, mails=mails, actor=who.id)
