"""Refunds through the real adapter and the sandbox: credit notes, failures later on, Stripe's own pages (W4, I3)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app import ledger
from app.db import transaction
from app.flows import refund, refund_sale, refund_top_up, top_up
from app.flows.refund_top_up import Wish
from app.invoices import CreditNote, Invoice
from app.payments.models import Payment, Refund
from app.wallet.accounts import wallet_of
from tests.support.card_paid import Cardholder


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def topped_up(cardholder: Cardholder) -> str:
    """The transaction of a top-up of $50 that was paid on Stripe's page."""
    order = top_up.start(
        cardholder.session, cardholder.stripe, cardholder.customer, 5000, form_key="f", return_url="https://x.example/",
        actor="usr_1",
    )  # fmt: skip
    cardholder.pays(order)
    cardholder.hears()
    with transaction(cardholder.session):
        [line] = ledger.history(cardholder.session, wallet_of(cardholder.customer_id), kinds=["topup"])
        return line.entry_id


def test_it_ends_in_stripes_credit_note_for_the_receipt(cardholder: Cardholder, topped_up: str) -> None:
    made = refunds(cardholder, topped_up, 2000)
    cardholder.hears(seed=3, times=2)

    assert (made.state, cents(cardholder)) == ("succeeded", 3000)
    note = one(cardholder, CreditNote)
    assert (note.source, note.net_minor, note.id) == ("stripe", 2000, made.credit_note_id)
    invoice = one(cardholder, Invoice)
    assert (invoice.reason, invoice.status, invoice.credited_minor) == ("topup", "paid", 2000)
    refunds(cardholder, topped_up, None, key="the rest")
    cardholder.hears()
    assert (one(cardholder, Invoice).status, cents(cardholder)) == ("refunded", 0)


def test_a_lost_answer_is_asked_for_again_and_is_the_same_refund(cardholder: Cardholder, topped_up: str) -> None:
    cardholder.loses("refund")
    assert refunds(cardholder, topped_up).state == "reserved"
    cardholder.passes(minutes=30)

    assert refund.continue_due(cardholder.sessions, cardholder.providers) == 1
    cardholder.hears()

    assert (one(cardholder, Refund).state, cents(cardholder)) == ("succeeded", 0)
    assert one(cardholder, CreditNote).net_minor == 5000


def test_a_receipt_that_is_gone_is_no_refusal_of_the_refund(cardholder: Cardholder, topped_up: str) -> None:
    with transaction(cardholder.session):
        cardholder.session.scalars(select(Payment)).one().invoice_id = "in_gone"

    made = refunds(cardholder, topped_up)
    cardholder.hears()

    assert (made.state, made.credit_note_id, cents(cardholder)) == ("succeeded", None, 0)


def test_one_that_fails_later_is_back_in_the_wallet(cardholder: Cardholder, topped_up: str) -> None:
    made = refunds(cardholder, topped_up)
    cardholder.hears()

    press(cardholder, f"/refunds/{made.provider_refund_id}/fail")
    cardholder.hears(seed=1, times=2)

    assert (one(cardholder, Refund).state, cents(cardholder)) == ("failed", 5000)


def test_one_made_on_stripes_pages_leaves_the_wallet(cardholder: Cardholder, topped_up: str) -> None:
    with transaction(cardholder.session):
        entry = ledger.entry(cardholder.session, cardholder.customer_id, topped_up)
        assert entry is not None
        payment = entry.data["payment"]

    press(cardholder, f"/payments/{payment}/refund", amount=1500)
    cardholder.hears(times=2)

    made = one(cardholder, Refund)
    assert (made.requested_by, made.state, made.net_minor, cents(cardholder)) == ("stripe", "succeeded", 1500, 3500)
    assert not cardholder.waiting_news()


def test_the_refund_of_a_plan_that_is_cancelled_at_once_is_told_and_touches_no_wallet(cardholder: Cardholder) -> None:
    cardholder.subscribes()
    cardholder.hears()
    cardholder.passes(days=10)

    cardholder.cancels_now()
    cardholder.hears(seed=5)

    made = one(cardholder, Refund)
    assert (made.kind, made.state, made.entry_id, cents(cardholder)) == ("invoice", "succeeded", None, 0)
    assert not cardholder.waiting_news()


def test_staff_refund_a_part_of_what_a_card_paid_for_a_plan(cardholder: Cardholder) -> None:
    cardholder.subscribes()
    cardholder.hears()
    invoice = one(cardholder, Invoice)
    wish = refund_sale.Wish("k", "staff:usr_9", "Goodwill", 1000)

    made = refund_sale.of_invoice(cardholder.session, cardholder.providers, cardholder.customer_id, invoice.id, wish)
    cardholder.hears(times=2)

    assert (made.state, made.amount_minor) == ("succeeded", 1000)
    assert (one(cardholder, CreditNote).total_minor, one(cardholder, Invoice).credited_minor) == (1000, 1000)
    assert one(cardholder, Refund).id == made.id, "its own news are no second refund"


def refunds(holder: Cardholder, entry_id: str, minor: int | None = None, *, key: str = "k") -> Refund:
    wish = Wish(entry_id, key, "usr_1", "Not needed", minor)
    return refund_top_up.start(holder.session, holder.providers, holder.customer_id, wish)


def press(holder: Cardholder, path: str, **form: Any) -> None:
    """A button of Stripe's own pages."""
    with httpx.Client(timeout=10, headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        answer = browser.post(holder.sandbox.url + path, data=form)
        assert answer.status_code == 303, answer.text


def one(holder: Cardholder, model: Any) -> Any:
    with transaction(holder.session):
        found = holder.session.scalars(select(model).execution_options(populate_existing=True)).all()
    assert len(found) == 1, found
    return found[0]


def cents(holder: Cardholder) -> int:
    with transaction(holder.session):
        assert not ledger.audit(holder.session, full=True).faults
        return ledger.balance(holder.session, wallet_of(holder.customer_id)).balance // 10_000
