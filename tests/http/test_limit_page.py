"""A refusal by a limit as a page: the limit in the heading, what lifting it costs, and the ways on (SPEC R8)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask_login import login_user
from sqlalchemy.orm import Session

from app.customers import signed_in
from app.db import transaction
from app.http import limit_page
from app.http.limit_page import Words
from app.people import sessions, users
from tests.support.people import Person
from tests.support.plans import offer

Said = Callable[..., Words | None]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def said(app: Flask, session: Session) -> Said:
    """What this person reads of a refusal."""

    def words(who: Person | None, code: str, sentence: str, **details: object) -> Words | None:
        with app.test_request_context():
            if who is not None:
                with transaction(session):
                    user = users.by_id(session, who.id)
                    assert user is not None
                    token = sessions.begin(session, user, customer_id=who.customer_id or None)
                login_user(signed_in.load(session, token))
            return limit_page.of(code, sentence, details)

    return words


def test_who_may_change_the_plan_gets_the_way_there_and_its_price(said: Said, session: Session, ada: Person) -> None:
    offer(session, "agent")
    details = {"feature": "wallets", "upgrade": "STARTER", "resets_at": "2026-04-01T00:00:00Z"}

    words = said(ada, "TIER_LIMIT_EXCEEDED", "Free includes 3 wallets. 3 are in use.", **details)

    assert words == Words(
        "Free includes 3 wallets",
        "3 are in use. Starter costs $99.00 a month, before tax. Nothing was changed.",
        [("Look at Starter", "/plan/change?plan=STARTER", "primary")],
        "It resets on 1\N{NO-BREAK SPACE}Apr\N{NO-BREAK SPACE}2026.",
    )


def test_who_may_not_is_told_whom_to_ask(said: Said, session: Session, ada: Person, cy: Person) -> None:
    offer(session, "agent")

    words = said(cy, "TIER_LIMIT_EXCEEDED", "Growth includes 50 wallets. 50 are in use.", upgrade="ENTERPRISE")

    assert words is not None
    assert words.text == "50 are in use. Enterprise is by contract. Nothing was changed."
    assert words.ways == [("Compare plans", "/plan", "primary")]
    assert words.note == "Ask Ada for another plan."


@pytest.mark.parametrize(
    ("code", "details", "way"),
    [
        ("SUBSCRIPTION_RESTRICTED", {}, "/plan"),
        ("SPEND_CAP_REACHED", {}, "/usage"),
        ("INSUFFICIENT_CREDITS", {"available_micros": 1, "needed_micros": 2}, "/wallet#topup"),
        ("INSUFFICIENT_CREDITS", {"available": 1, "needed": 2}, "/credits"),
    ],
)
def test_what_is_not_paid_leads_to_where_it_can_be(
    said: Said, ada: Person, code: str, details: dict[str, int], way: str
) -> None:
    words = said(ada, code, "It is short. Do something.", **details)

    assert words is not None
    assert [address for _, address, _ in words.ways] == [way]


def test_other_refusals_and_other_people_get_the_usual_page(said: Said, ada: Person, support: Person) -> None:
    assert said(ada, "CONFLICT", "No.") is None
    for stranger in (None, support):
        assert said(stranger, "TIER_LIMIT_EXCEEDED", "Free includes 3 wallets. 3 are in use.") is None
