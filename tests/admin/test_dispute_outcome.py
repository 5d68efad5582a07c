"""Staff enter how a dispute ended, where the provider tells of its beginning alone (SPEC W5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app import ledger
from app.activity.models import Activity
from app.payments.dispute_table import Dispute
from tests.support.people import Person
from tests.support.two_channels import Both
from tests.support.web import PageClient


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def case(both: Both) -> Dispute:
    """Ada's top-up of $50 at Creem, disputed."""
    creem = both.at_creem
    paid = creem.pays(creem.tops_up(5000))
    creem.hears()
    creem.there.books.disputes(paid["id"])
    creem.hears()
    found: Dispute = creem.session.scalars(select(Dispute)).one()
    creem.session.rollback()
    return found


def enters(browser: PageClient, case_id: str, outcome: str, reason: str = "Creem wrote to us") -> Any:
    return browser.post(f"/admin/disputes/{case_id}/outcome", data={"outcome": outcome, "reason": reason})


def test_a_case_that_was_won_gives_the_money_back_once(
    client_of: Callable[[Person], PageClient], ada: Person, finance: Person, support: Person, both: Both, case: Dispute
) -> None:
    case_id, before = case.id, ada.balance()
    office = client_of(finance)
    assert "How it ended" in office.get(f"/admin/disputes/{case_id}").text
    assert "How it ended" not in client_of(support).get(f"/admin/disputes/{case_id}").text
    assert enters(office, case_id, "won", reason="").status_code == 422
    assert enters(office, case_id, "perhaps").status_code == 422

    assert enters(office, case_id, "won").status_code == 303
    assert [enters(office, case_id, outcome).status_code for outcome in ("won", "lost")] == [409, 409]

    assert ada.balance() - before == 50_000_000
    assert not ledger.balance(both.at_creem.session, ada.wallet).frozen
    told = both.at_creem.session.scalars(select(Activity).where(Activity.action == "dispute.outcome_entered")).one()
    assert (told.details, told.actor[:6]) == ({"outcome": "won", "reason": "Creem wrote to us"}, "staff:")
    assert "How it ended" not in office.get(f"/admin/disputes/{case_id}").text


def test_a_case_that_was_lost_stays_taken(
    client_of: Callable[[Person], PageClient], ada: Person, finance: Person, both: Both, case: Dispute
) -> None:
    case_id, before = case.id, ada.balance()

    assert enters(client_of(finance), case_id, "lost").status_code == 303

    assert ada.balance() == before
    both.at_creem.hears(times=2, seed=1)
    assert ada.balance() == before
    session = both.at_creem.session
    session.expire_all()
    assert session.scalars(select(Dispute.phase)).one() == "lost"
