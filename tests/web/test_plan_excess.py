"""What would be too much on the plan to come, on the page that changes it and the one that cancels (SPEC U5)."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.db import transaction
from app.entitlements import resources
from tests.support.people import Person
from tests.support.plans import offer, put_on


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def hold(session: Session, who: Person, kind: str, count: int) -> None:
    with transaction(session):
        for number in range(count):
            resources.acquire(session, who.customer_id, kind, f"{kind}-{number}", actor="key_host")


def test_a_smaller_plan_tells_it_before_confirming(client_of, session: Session, ada: Person) -> None:
    offer(session, "agent")
    put_on(ada, "GROWTH")
    hold(session, ada, "wallets", 11)

    page = client_of(ada).get("/plan/change?plan=STARTER").text

    assert "11 wallets are in use, and Starter allows 10. Nothing is taken away; nothing can be added." in page


def test_a_plan_where_all_fits_says_nothing(client_of, session: Session, ada: Person) -> None:
    offer(session, "agent")
    put_on(ada, "GROWTH")
    hold(session, ada, "wallets", 10)

    assert "in use, and" not in client_of(ada).get("/plan/change?plan=STARTER").text


def test_cancelling_tells_it_of_the_free_plan(client_of, session: Session, ada: Person) -> None:
    offer(session, "agent")
    put_on(ada, "STARTER")
    ada.key()
    hold(session, ada, "wallets", 4)

    page = client_of(ada).get("/plan/cancel").text

    assert "4 wallets are in use, and Free allows 3." in page
    assert "1 live API key is in use, and Free does not include production access." in page


def test_a_team_is_told_with_its_invitations(client_of, session: Session, ada: Person) -> None:
    offer(session, "oper")
    put_on(ada, "developer")
    ada.hires("Cy", "read")

    page = client_of(ada).get("/plan/cancel").text

    assert "2 team members are in use, and Free allows 1, open invitations included." in page
