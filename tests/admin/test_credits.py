"""Staff: everybody's credit transactions; adjusting credits: before and after first, once per form, with a reason."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app import credits, ids
from app.db import transaction
from tests.admin.conftest import HX
from tests.support.people import Person


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What these pages ask of a database is tested on both where it is asked."""
    return sqlite_url


def address(who: Person) -> str:
    return f"/admin/customers/{who.customer_id}/adjust-credits"


def form(**typed: str) -> dict[str, str]:
    given = {"direction": "add", "amount": "500", "reason": "Goodwill", "form_key": ids.new("frm"), "confirmed": "500"}
    return {**given, **typed}


def has(session: Session, who: Person) -> int:
    session.rollback()
    return credits.balance(session, who.customer_id).available


def gives(session: Session, who: Person, amount: int, key: str = "k", source: str = "pack") -> None:
    with transaction(session):
        credits.grant(session, who.customer_id, amount, source=source, key=key, actor="system")


def test_finance_gives_and_the_customer_reads_why(session, as_finance, finance, ada, client_of) -> None:
    answer = as_finance.post(address(ada), data=form(reason="Slow renders on Monday", ticket="T-17"))

    assert (answer.status_code, answer.location) == (303, f"/admin/customers/{ada.customer_id}")
    assert has(session, ada) == 500
    page, log = client_of(ada).get("/credits").text, as_finance.get("/admin/activity").text
    assert "Slow renders on Monday" in page
    assert "T-17" not in page
    for words in ("Credits adjusted", "+500 credits", "Slow renders on Monday", finance.name):
        assert words in log, words


def test_what_is_given_may_end(session, as_finance, ada) -> None:
    as_finance.post(address(ada), data=form(ends="2026-03-20"))

    assert has(session, ada) == 500
    ends = credits.balance(session, ada.customer_id).ends_at
    assert (ends.month, ends.day, ends.hour) == (3, 21, 0)
    assert as_finance.post(address(ada), data=form(ends="2026-03-13")).status_code == 422
    assert as_finance.post(address(ada), data=form(direction="take", ends="2026-03-20")).status_code == 422


def test_without_script_the_result_is_shown_before_anything_is_done(session, as_finance, ada) -> None:
    page = as_finance.post(address(ada), data=form(confirmed="")).text

    assert has(session, ada) == 0
    for words in ("+500", "Credits after", "Add 500 credits", 'name="confirmed" value="500"', 'value="Goodwill"'):
        assert words in page, words


def test_a_double_submit_adjusts_once_and_another_number_is_refused(session, as_finance, ada) -> None:
    twice = form()
    for _ in range(2):
        assert as_finance.post(address(ada), data=twice).status_code == 303

    assert as_finance.post(address(ada), data={**twice, "amount": "7", "confirmed": "7"}).status_code == 409
    assert has(session, ada) == 500


def test_it_takes_but_never_below_zero_and_the_preview_says_so(session, as_finance, ada) -> None:
    gives(session, ada, 300)

    shown = as_finance.get(address(ada) + "/preview?direction=take&amount=301", headers=HX).text
    refused = as_finance.post(address(ada), data=form(direction="take", amount="301", confirmed="-301"))
    taken = as_finance.post(address(ada), data=form(direction="take", amount="300", confirmed="-300"))

    assert "Only 300 credits can be taken" in shown
    assert "confirmed" not in shown
    assert (refused.status_code, taken.status_code, has(session, ada)) == (422, 303, 0)


@pytest.mark.parametrize("typed", ["", "-5", "1e3", "0", "0.5", "９", "9" * 40, "<b>"])
def test_what_is_no_number_is_refused_beside_the_field(session, as_finance, ada, typed: str) -> None:
    answer = as_finance.post(address(ada), data=form(amount=typed))

    assert answer.status_code == 422
    assert 'id="amount-e"' in answer.text
    assert has(session, ada) == 0


def test_the_old_address_of_everybodys_movements_leads_to_them(as_support, ada) -> None:
    answer = as_support.get(f"/admin/credit-transactions?customer={ada.customer_id}")

    assert answer.headers["Location"] == f"/admin/transactions?account=credits&customer={ada.customer_id}"


def test_the_customers_page_leads_to_both(session, as_finance, as_support, ada) -> None:
    gives(session, ada, 1_234)

    page = as_finance.get(f"/admin/customers/{ada.customer_id}").text

    assert "1,234" in page
    assert address(ada) in page
    assert address(ada) not in as_support.get(f"/admin/customers/{ada.customer_id}").text
