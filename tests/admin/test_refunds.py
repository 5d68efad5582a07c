"""Staff: deciding about balances, seeing every refund, and paying back a top-up, a pack, an invoice (SPEC W4)."""

from __future__ import annotations

import csv
import io
import re

import pytest
from sqlalchemy.orm import sessionmaker

from app.activity.models import Activity
from app.db import transaction
from app.flows import refund_request
from app.notices.models import Notice
from app.payments.models import Refund
from tests.support.fake_refunds import RefundProvider
from tests.support.payments import wallet_minor
from tests.support.refunding import Wallet

HX = {"HX-Request": "true"}


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def provider(app) -> RefundProvider:
    """The application's provider: one that pays money back."""
    made = RefundProvider()
    app.extensions["providers"] = {"stripe": made}
    return made


@pytest.fixture
def wallet(session, ada, provider, engine) -> Wallet:
    """Ada's, who topped up $50 and then $20."""
    there = Wallet(session, provider, ada.customer_id, None, sessionmaker(engine, expire_on_commit=False))
    there.tops_up(5000)
    there.tops_up(2000, "pay_2")
    return there


@pytest.fixture
def asked(session, ada, wallet) -> str:
    """Ada asked for her balance; the request."""
    how = {"reason": "We leave", "key": "asked", "actor": ada.id, "currency": "usd"}
    return refund_request.ask(session, wallet.providers, ada.customer_id, **how).id


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def test_a_request_is_approved_and_pays_back_newest_first(session, ada, finance, client_of, wallet, asked, clock):
    clock.advance(days=400)
    as_finance = client_of(finance)
    wallet.spends(1500)  # her gift of $5 and $10 of the older top-up
    assert "One request waits for a decision." in as_finance.get("/admin/refunds").text
    page = as_finance.get(f"/admin/refunds/{asked}").text
    for words in ("$70.00 to ", "To decide", "We leave", "Pay $60.00 back"):
        assert words in page, words

    answer = as_finance.post(f"/admin/refunds/{asked}/approve", follow_redirects=True)

    assert "Nothing waits for a decision." in answer.text, "the list beside it is not that of before"
    for words in ("Paid back", "$20.00", "$40.00", "$60.00"):
        assert words in answer.text, words
    assert wallet_minor(session, ada.customer_id) == 0
    assert [wallet.fake.gone(name) for name in ("pay_1", "pay_2")] == [4000, 2000]
    assert wallet.states().count("succeeded") == 3
    assert wallet.books_are_right()
    again = as_finance.post(f"/admin/refunds/{asked}/approve")
    assert again.status_code == 303
    assert wallet.gone() == 6000, "approved twice, it is done once"


def test_a_request_is_turned_down_with_a_reason_that_the_customer_reads(session, ada, as_finance, wallet, asked):
    assert as_finance.post(f"/admin/refunds/{asked}/deny", data={"reason": "no"}).status_code == 422

    answer = as_finance.post(
        f"/admin/refunds/{asked}/deny", data={"reason": "It was a gift to you."}, follow_redirects=True
    )

    assert "Turned down" in answer.text
    assert wallet_minor(session, ada.customer_id) == 7500
    with transaction(session):
        told = session.query(Notice).filter_by(kind="refund_denied").one()
        assert told.sentence == "You asked for $70.00. It was a gift to you."
    refused = as_finance.post(f"/admin/refunds/{asked}/approve", headers=HX)
    assert refused.status_code == 409
    assert "turned down already" in refused.text


def test_nothing_goes_back_when_it_is_spent_meanwhile(as_finance, wallet, asked):
    wallet.spends(7500)

    answer = as_finance.post(f"/admin/refunds/{asked}/approve", headers=HX)

    assert answer.status_code == 409
    assert "Nothing in this wallet can be paid back any more." in answer.text
    assert wallet.states() == ["requested"]


def test_support_sees_and_does_not_decide(as_support, wallet, asked):
    page = as_support.get(f"/admin/refunds/{asked}").text

    assert "Finance decides about it." in page
    assert "/approve" not in page
    assert as_support.post(f"/admin/refunds/{asked}/approve").status_code == 403


def test_the_list_is_filtered_paged_and_downloaded(session, ada, as_support, wallet, asked):
    wallet.refunds(100)
    for state, there, not_there in (("requested", "$70.00", "$1.00"), ("paid", "$1.00", "$70.00")):
        rows = as_support.get(f"/admin/refunds?state={state}&customer={ada.customer_id}", headers=HX).text
        assert there in rows
        assert not_there not in rows
    assert as_support.get("/admin/refunds?state=nonsense").status_code == 422
    assert "Nothing matches" in as_support.get("/admin/refunds?customer=cus_none").text

    file = as_support.get("/admin/refunds.csv?state=paid").text

    [row] = csv.DictReader(io.StringIO(file))
    assert (row["kind"], row["amount"], row["state"], row["payment"]) == ("topup", "1.00", "succeeded", "pay_1")


def test_staff_refund_a_part_of_an_old_top_up_with_a_reason(session, ada, finance, client_of, wallet, clock):
    clock.advance(days=100)
    as_finance = client_of(finance)
    with transaction(session):
        order = wallet.order("pay_1")
    here = f"/admin/refunds/new?order={order}"
    page = as_finance.get(here).text
    assert "Pay $50.00 back" in page

    shown = as_finance.post(here, data={**hidden(page), "amount": "20", "reason": "Goodwill"}).text
    assert "Pay $20.00 back" in shown
    assert "Nothing is paid back yet" in shown
    assert "Nothing is paid back yet" not in page
    no_reason = as_finance.post(here, data={**hidden(shown), "amount": "20", "reason": ""})
    assert no_reason.status_code == 422
    answer = as_finance.post(here, data={**hidden(shown), "amount": "20", "reason": "Goodwill"})

    assert answer.status_code == 303
    assert wallet.fake.gone() == 2000
    with transaction(session):
        made = session.query(Refund).one()
        assert (made.reason, made.decided_by) == ("Goodwill", made.requested_by)
        assert made.requested_by.startswith("staff:usr_")
        assert session.query(Activity).filter_by(subject=made.id, action="refund.reserved").count() == 1
    assert "Refund…" in as_finance.get(f"/admin/customers/{ada.customer_id}").text


def test_a_refund_names_the_entry_that_took_the_coupons_bonus_with_it(as_finance, wallet):
    wallet.tops_up_with_bonus("pay_3")
    made = wallet.refunds(5_000, payment="pay_3")

    page = as_finance.get(f"/admin/refunds/{made.id}").text

    log = as_finance.get("/admin/activity?action=coupon.").text
    assert re.search(r"Coupon bonus taken.*?\$5\.00", log, re.DOTALL)
    assert "+$5.00" not in log
    assert re.search(r'Bonus of a top-up that went back <a href="/admin/books/entries/cus_\w+/wtxn_\w+">', page)


def test_what_cannot_be_refunded_says_why(as_finance, wallet):
    assert as_finance.get("/admin/refunds/new").status_code == 422
    assert as_finance.get("/admin/refunds/new?order=ord_none").status_code == 404
    assert as_finance.get("/admin/refunds/new?invoice=inv_none&customer=cus_none").status_code == 404
