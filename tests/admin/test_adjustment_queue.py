"""Staff: large adjustments wait for a second person; one other approves or denies, who asked may withdraw."""

from __future__ import annotations

import csv
import io
import re

import pytest

from app import adjustments, credits, ids
from app.activity.models import Activity
from app.db import transaction
from app.notices.models import Mail
from tests.admin.conftest import HX
from tests.web.test_wallet import queries

CENT = 10_000
LIST = "/admin/adjustments"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What these pages ask of a database is tested on both where it is asked."""
    return sqlite_url


def form(**typed: str) -> dict[str, str]:
    key = ids.new("frm")
    given = {"direction": "add", "amount": "250", "reason": "Goodwill", "form_key": key, "confirmed": "25000"}
    return {**given, **typed}


@pytest.fixture(autouse=True)
def _cast(admin, finance, support) -> None:
    """Everybody is there before anything is asked."""


@pytest.fixture
def asked(as_finance, ada) -> str:
    """Fay asks for $250 for Ada; the address where it waits."""
    return as_finance.post(f"/admin/customers/{ada.customer_id}/adjust", data=form(ticket="T-17")).location


def test_above_the_limit_nothing_moves_and_it_says_so_before_the_button(as_finance, ada) -> None:
    here = f"/admin/customers/{ada.customer_id}/adjust"

    below = as_finance.get(here + "/preview?direction=add&amount=200", headers=HX).text
    above = as_finance.get(here + "/preview?direction=add&amount=200.01", headers=HX).text
    waits = as_finance.post(here, data=form())

    assert "second member of staff" not in below
    assert "Add $200.00" in below
    assert "second member of staff" in above
    assert "Ask to add $200.01" in above
    assert waits.status_code == 303
    assert waits.location.startswith(f"{LIST}/adj_")
    assert ada.balance() == 500 * CENT


def test_another_person_approves_and_it_is_made_with_both_names(session, as_finance, as_admin, ada, asked) -> None:
    waiting = as_admin.get(asked).text
    done = as_admin.post(asked + "/approve")

    assert "Approve +$250.00" in waiting
    assert (done.status_code, done.location) == (303, asked)
    assert ada.balance() == 25_500 * CENT
    page = as_finance.get(asked).text
    for words in ("Made", "Fay", "Ann", "T-17", "$5.00", "$255.00", "wtxn_"):
        assert words in page, words
    log = as_finance.get(f"/admin/activity?customer={ada.customer_id}").text
    for words in ("Adjustment asked for", "Adjustment approved", "Balance adjusted"):
        assert words in log, words


def test_nobody_approves_or_denies_their_own(as_finance, ada, asked) -> None:
    page = as_finance.get(asked).text
    approved, denied = as_finance.post(asked + "/approve"), as_finance.post(asked + "/deny", data={"reason": "No"})

    assert "/approve" not in page
    assert (approved.status_code, denied.status_code) == (403, 422)
    assert as_finance.post(asked + "/deny", data={"reason": "Not so"}).status_code == 403
    assert "You asked for this adjustment yourself" in approved.text
    assert ada.balance() == 500 * CENT


def test_support_looks_and_decides_nothing(as_support, asked, ada) -> None:
    assert as_support.get(asked).status_code == 200
    assert "/approve" not in as_support.get(asked).text
    for verb in ("approve", "deny", "withdraw"):
        assert as_support.post(f"{asked}/{verb}", data={"reason": "Because"}).status_code == 403
    assert ada.balance() == 500 * CENT


def test_it_is_decided_once(as_finance, as_admin, ada, asked) -> None:
    as_admin.post(asked + "/approve")

    again = [as_admin.post(f"{asked}/{verb}", data={"reason": "Because"}) for verb in ("approve", "deny")]

    assert [answer.status_code for answer in again] == [409, 409]
    assert as_finance.post(asked + "/withdraw").status_code == 409
    assert "approved already" in again[0].text
    assert ada.balance() == 25_500 * CENT


def test_it_is_denied_with_a_reason_that_the_asker_is_mailed(session, as_admin, finance, ada, asked) -> None:
    without = as_admin.post(asked + "/deny", data={"reason": " "})
    denied = as_admin.post(asked + "/deny", data={"reason": "Talk to me first"})

    assert (without.status_code, denied.status_code) == (422, 303)
    assert "Talk to me first" in as_admin.get(asked).text
    session.rollback()
    mail = session.query(Mail).filter_by(template="adjustment_decided").one()
    assert (mail.recipient, "Talk to me first" in mail.body) == (finance.email, True)
    assert ada.balance() == 500 * CENT


def test_who_asked_withdraws_it_and_nobody_else_does(as_finance, as_admin, ada, asked) -> None:
    assert as_admin.post(asked + "/withdraw").status_code == 403
    assert as_finance.post(asked + "/withdraw").status_code == 303
    assert as_admin.post(asked + "/approve").status_code == 409
    assert ada.balance() == 500 * CENT


def test_those_who_may_approve_are_mailed_and_nobody_else(session, admin, asked) -> None:
    session.rollback()
    mails = session.query(Mail).filter_by(template="adjustment_waiting").all()

    assert [mail.recipient for mail in mails] == [admin.email]
    assert f"http://localhost{asked}" in mails[0].body
    assert "+$250.00" in mails[0].subject


def test_the_floor_is_asked_again_when_it_is_approved(session, as_finance, as_admin, ada) -> None:
    ada.gets(30_000)
    here = f"/admin/customers/{ada.customer_id}/adjust"
    too_much = as_finance.post(here, data=form(direction="take", amount="306", confirmed="-30600"))
    asked = as_finance.post(here, data=form(direction="take", amount="300", confirmed="-30000")).location
    ada.gets(-1_000)

    refused = as_admin.post(asked + "/approve")
    ada.gets(500)
    approved = as_admin.post(asked + "/approve")

    assert (too_much.status_code, refused.status_code, approved.status_code) == (422, 402, 303)
    assert ada.balance() == 0


def test_the_same_form_twice_asks_once_and_another_sum_under_it_is_refused(session, as_finance, ada) -> None:
    twice, here = form(), f"/admin/customers/{ada.customer_id}/adjust"

    answers = [as_finance.post(here, data=twice) for _ in range(2)]
    other = as_finance.post(here, data={**twice, "amount": "251", "confirmed": "25100"})

    assert len({answer.location for answer in answers}) == 1
    session.rollback()
    assert other.status_code == 409
    assert adjustments.waiting(session) == 1
    assert session.query(Activity).filter_by(action="adjustment.asked").count() == 1


def test_credits_above_their_limit_wait_too_and_come_with_their_end(session, as_finance, as_admin, ada) -> None:
    here = f"/admin/customers/{ada.customer_id}/adjust-credits"
    typed = {"amount": "20,001", "confirmed": "20001", "ends": "2026-03-20"}

    shown = as_finance.get(here + "/preview?direction=add&amount=20001", headers=HX).text
    asked = as_finance.post(here, data=form(**typed)).location
    before = credits.balance(session, ada.customer_id).available
    as_admin.post(asked + "/approve")
    session.rollback()

    assert "Ask to add 20,001 credits" in shown
    assert (before, credits.balance(session, ada.customer_id).available) == (0, 20_001)
    assert credits.balance(session, ada.customer_id).ends_at.day == 21
    assert "+20,001" in as_finance.get(asked).text


def test_a_proof_is_needed_to_approve_and_the_form_goes_on_after_it(as_admin, ada, asked, clock) -> None:
    clock.advance(minutes=16)

    page = as_admin.post(asked + "/approve")
    done = as_admin.post(asked + "/approve", data={"proof_password": "violet harbour tandem"})

    assert (page.status_code, done.status_code) == (403, 303)
    assert "Confirm it is you" in page.text
    assert ada.balance() == 25_500 * CENT


def test_what_was_made_and_what_waits_is_listed_filtered_paged_and_in_a_file(
    session, as_finance, as_support, ada, bo, clock
) -> None:
    by = {"by": "staff:usr_1", "person": "usr_1", "limit": 250_000_000}
    for number in range(26):
        clock.advance(seconds=1)
        with transaction(session):
            wish = adjustments.Wish(ada.customer_id, "usd", (number + 1) * 10 * CENT, "=1+1", f"k{number}")
            adjustments.ask(session, wish, **by)
    with transaction(session):
        adjustments.ask(session, adjustments.Wish(bo.customer_id, "usd", 300_000_000, "Large", "k"), **by)

    first = as_support.get(LIST, headers=HX).text
    older = re.search(r'href="([^"]+)" rel="next"', first)[1].replace("&amp;", "&")

    assert (first.count("<tr"), as_support.get(older, headers=HX).text.count("+$0.")) == (26, 2)
    waiting = as_support.get(f"{LIST}?state=waiting", headers=HX).text
    assert ("+$300.00" in waiting, "+$0." in waiting) == (True, False)
    assert "+$300.00" not in as_support.get(f"{LIST}?customer={ada.customer_id}", headers=HX).text
    assert "Nothing matches" in as_support.get(f"{LIST}?customer=cus_x").text
    assert "One waits" in as_support.get(LIST).text
    assert as_support.get(f"{LIST}?state=lost").status_code == 422
    assert as_support.get(f"{LIST}?before=nonsense").status_code == 422
    rows = list(csv.DictReader(io.StringIO(as_support.get(f"{LIST}.csv").text)))
    assert (len(rows), rows[0]["state"], rows[1]["reason"]) == (27, "waiting", "'=1+1")
    assert (rows[1]["amount"], rows[1]["before"], rows[1]["after"]) == ("2.60", "37.50", "40.10")


def test_the_list_and_one_of_it_stay_within_their_queries(app, session, as_support, ada, asked) -> None:
    few = queries(app, as_support, LIST)
    with transaction(session):
        for number in range(20):
            wish = adjustments.Wish(ada.customer_id, "usd", CENT, "Goodwill", f"k{number}")
            adjustments.ask(session, wish, by=f"staff:usr_{number}", person=None, limit=None)

    assert few <= queries(app, as_support, LIST) <= few + 1 <= 8
    assert queries(app, as_support, asked) <= 14


def test_an_empty_list_says_what_it_is_for(as_support) -> None:
    assert "No adjustments" in as_support.get(LIST).text
    assert as_support.get(f"{LIST}/adj_none").status_code == 404
