"""Staff: the house's ledger accounts, and one entry with its cause."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app import ledger
from app.admin import ledger_accounts
from app.db import transaction
from app.extensions import db
from app.flows import settle, top_up
from app.payments.models import Payment
from tests.admin.conftest import HX

HERE = "/admin/books/accounts"


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def newest(session: Session, customer_id: str) -> ledger.Line:
    session.rollback()
    return ledger.history(session, ledger.Account(customer_id, "wallet", "usd"), limit=1)[0]


def test_the_accounts_are_listed_with_their_sums(as_support, ada):
    ada.gets(1_234)

    page = as_support.get(HERE).text

    for words in ("promotions", "adjustments", "Corrections made by staff", "−$12.34"):
        assert words in page, words
    assert "promotions" not in as_support.get(HERE + "?name=adj", headers=HX).text
    assert "Nothing matches" in as_support.get(HERE + "?asset=eur", headers=HX).text
    assert "adjustments,usd,1,0,12340000,-12340000" in as_support.get(HERE + ".csv").text


def test_empty_books_say_so(as_support):
    assert "No entries yet" in as_support.get(HERE).text
    assert "Nothing has moved it" in as_support.get(HERE + "/usd/revenue").text
    assert as_support.get(HERE + "/usd/nonsense").status_code == 404


def test_an_account_s_movements_are_paged_with_the_sum_after_each(as_support, ada, monkeypatch):
    monkeypatch.setattr(ledger_accounts, "PER_PAGE", 2)
    for amount in (100, 200, 300):
        ada.gets(amount)

    first = as_support.get(HERE + "/usd/adjustments").text
    address = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = as_support.get(address, headers=HX).text

    assert "−$6.00" in first
    assert "−$3.00" in first
    assert "Analytical Engines" in first
    assert "−$1.00" in second
    assert 'rel="next"' not in second
    lines = as_support.get("/admin/books/movements.csv?asset=usd&account=adjustments").text.splitlines()
    assert [line.rsplit(",", 2)[1:] for line in lines[1:]] == [
        ["-3000000", "-6000000"], ["-2000000", "-3000000"], ["-1000000", "-1000000"],
    ]  # fmt: skip


def test_an_entry_names_its_legs_and_who_made_it(as_support, finance, session, ada):
    ada.gets(1_234)
    line = newest(session, ada.customer_id)

    page = as_support.get(f"/admin/books/entries/{ada.customer_id}/{line.entry_id}").text

    for words in ("Adjustment", line.entry_id, "adjustments", "$12.34", "−$12.34", "Wallet", line.key):
        assert words in page, words
    assert as_support.get(f"/admin/books/entries/cus_other/{line.entry_id}").status_code == 404


def test_an_entry_and_what_undid_it_lead_to_each_other(as_support, session, ada):
    ada.gets(500)
    line = newest(session, ada.customer_id)
    session.rollback()
    with transaction(session):
        undone = ledger.reverse(session, line.entry_id, customer_id=ada.customer_id, key="undo", reason="A mistake")
    at = f"/admin/books/entries/{ada.customer_id}/"

    page, other = as_support.get(at + line.entry_id).text, as_support.get(at + undone.id).text

    assert at + undone.id in page
    assert "Undone by" in page
    assert at + line.entry_id in other
    assert "Undoes" in other


def test_a_top_up_leads_to_its_webhook(as_support, session, sessions, fake, providers, payer, tells):
    order = top_up.start(session, fake, payer, 5000, form_key="f", return_url="https://x.example/", actor="usr_1")
    tells("completed_paid", order.id)
    settle.apply_pending(sessions, providers)
    line = newest(session, payer.id)
    payment = session.scalars(select(Payment)).one()

    page = as_support.get(f"/admin/books/entries/{payer.id}/{line.entry_id}").text

    assert f"/admin/webhooks/{payment.event_id}" in page
    assert order.id in page
    assert payment.payment_id in page


@pytest.mark.parametrize(("address", "most"), [(HERE, 5), (HERE + "/usd/adjustments", 9)])
def test_a_page_stays_within_its_queries(app, as_support, ada, address, most):
    for _ in range(3):
        ada.gets(100)

    asked = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    as_support.get(address)

    assert len(asked) <= most, asked
