"""Refunding what is no top-up: packs with their credits, invoices to the wallet or the card that paid them (W4, I3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, credits, invoices, ledger
from app.customers.models import Customer
from app.db import transaction
from app.errors import Conflict
from app.flows import refund_sale
from app.flows.refund_sale import Wish
from app.invoices import CreditNote, Invoice, NewLine
from app.money import Money
from app.payments import orders, returned, settling
from app.payments.models import Order
from app.payments.refunds import MoreThanRefundable, NothingToRefund, NotRefundable
from app.providers.errors import InvalidRequest, Unavailable
from app.wallet import pay_invoice
from app.wallet.card_sales import sold_by_card
from tests.support.fake_refunds import RefundProvider
from tests.support.refunding import Wallet

Tells = Callable[..., bool]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def ada(session: Session, payer: Customer, tells: Tells, sessions: Any) -> Wallet:
    return Wallet(session, RefundProvider(), payer.id, tells, sessions)


@pytest.fixture
def pack(ada: Wallet) -> Order:
    """A pack of 100 credits for $10 and $2 tax, paid by card."""
    ada.fake.paid["pay_p"] = 1200
    request = {"pack": "small", "name": "100 credits", "credits": 100}
    about = {"kind": "pack", "amount_minor": 1000, "currency": "usd", "channel": "stripe"}
    with transaction(ada.session):
        order = orders.open_order(ada.session, customer_id=ada.customer_id, form_key="p", created_by="usr_1", **about)
        orders.freeze(ada.session, order, request)
        settling.answered(ada.session, order, "pay_p")
        returned.locked(ada.session, "stripe", "pay_p").tax_minor = 200
        data = {"description": "100 credits", "order": order.id}
        how = {"key": "pack:stripe:pay_p", "is_paid": True, "data": data, "actor": "stripe"}
        credits.grant(ada.session, ada.customer_id, 100, source="pack", **how)
        sold_by_card(
            ada.session, ada.customer_id, Money(1000, "usd"), 200, channel="stripe", payment_id="pay_p", data=data
        )
        orders.pay(ada.session, order, "pay_p", at=clock.now())
    return order


def wish(key: str = "k", minor: int | None = None) -> Wish:
    return Wish(key, "staff:usr_9", "Did not fit", minor)


def left(ada: Wallet) -> int:
    with transaction(ada.session):
        return credits.balance(ada.session, ada.customer_id).available


def balances(ada: Wallet) -> dict[str, int]:
    """What the house's accounts hold, in cents; the books are audited."""
    with transaction(ada.session):
        assert not ledger.audit(ada.session, full=True).faults
        rows = [row for row in ledger.trial_balance(ada.session) if row.asset == "usd" and row.account != "wallet"]
        return {row.account: row.balance // 10_000 for row in rows if row.balance}


def spends_credits(ada: Wallet, count: int) -> None:
    with transaction(ada.session):
        credits.adjust(ada.session, ada.customer_id, -count, reason="Used", actor="system", key=f"use {count}")


def test_a_pack_goes_back_whole_with_the_credits_nobody_spent(ada: Wallet, pack: Order) -> None:
    spends_credits(ada, 30)

    made = refund_sale.of_pack(ada.session, ada.providers, pack.id, wish())

    assert (made.state, made.net_minor, made.tax_minor, left(ada)) == ("succeeded", 1000, 200, 0)
    assert ada.fake.gone("pay_p") == 1200
    assert balances(ada) == {}
    assert refund_sale.of_pack(ada.session, ada.providers, pack.id, wish()).id == made.id
    with pytest.raises(NothingToRefund):
        refund_sale.of_pack(ada.session, ada.providers, pack.id, wish("again"))


def test_a_part_of_a_pack_takes_that_part_of_its_credits(ada: Wallet, pack: Order) -> None:
    refund_sale.of_pack(ada.session, ada.providers, pack.id, wish("a", 333))
    assert left(ada) == 67
    refund_sale.of_pack(ada.session, ada.providers, pack.id, wish("b", 333))
    assert left(ada) == 34
    with pytest.raises(MoreThanRefundable):
        refund_sale.of_pack(ada.session, ada.providers, pack.id, wish("c", 335))


@pytest.mark.parametrize("later", [False, True])
def test_a_pack_whose_refund_fails(ada: Wallet, pack: Order, later: bool) -> None:
    if not later:
        ada.fake.before = lambda _verb: (_ for _ in ()).throw(InvalidRequest("No."))  # type: ignore[assignment]
    made = refund_sale.of_pack(ada.session, ada.providers, pack.id, wish())
    if later:
        ada.fake.fails("pay_p", str(made.provider_refund_id))
        ada.hears(refund=made.provider_refund_id, payment="pay_p", amount=1200, ours=made.id, status="failed")

    # Before it was paid nothing has happened; afterwards the sale is undone, and the money the customer's.
    assert (left(ada), ada.minor) == ((0, 1200) if later else (100, 0))
    held = {} if later else {"revenue": 1000, "tax": 200}
    assert balances(ada) == {"cash:stripe": -1200, **held}


def test_one_of_a_pack_made_on_the_providers_pages_takes_the_credits_too(ada: Wallet, pack: Order) -> None:
    ada.fake.pays_back_unasked("pay_p", 600, "re_there")

    ada.hears(refund="re_there", payment="pay_p", amount=600)

    assert left(ada) == 50
    assert balances(ada)["cash:stripe"] == -600


def test_only_what_was_paid_is_refunded(ada: Wallet, pack: Order) -> None:
    ada.tops_up(5000)

    with pytest.raises(NotRefundable):
        refund_sale.of_pack(ada.session, ada.providers, ada.order("pay_1"), wish())


def test_what_the_wallet_paid_goes_back_to_it_with_a_credit_note(ada: Wallet) -> None:
    ada.tops_up(9000)
    invoice = made_invoice(ada)
    with transaction(ada.session):
        entry = pay_invoice.pay_invoice(ada.session, invoice, description="Invoice")
        invoices.mark_paid(ada.session, invoice, paid_with="Wallet", payment_id=entry.id, at=clock.now())
    before = ada.minor

    made = refund_sale.of_invoice(ada.session, ada.providers, ada.customer_id, invoice.id, wish("a", 1000))
    rest = refund_sale.of_invoice(ada.session, ada.providers, ada.customer_id, invoice.id, wish("b"))

    assert (made.state, made.channel, made.amount_minor) == ("succeeded", None, 1000 + made.tax_minor)
    assert ada.minor == before + invoice.total_minor == 9000
    with transaction(ada.session):
        ada.session.refresh(invoice)
        notes = ada.session.scalars(select(CreditNote).order_by(CreditNote.number)).all()
        assert (invoice.status, [note.id for note in notes]) == ("refunded", [made.credit_note_id, rest.credit_note_id])
        assert {note.returned_to for note in notes} == {"wallet"}
    assert ada.told() == []
    assert ada.fake.calls == []


def test_what_a_card_paid_goes_back_to_it_and_then_has_its_credit_note(ada: Wallet, clock: Any) -> None:
    invoice = made_invoice(ada)
    ada.fake.paid["pay_i"] = invoice.total_minor
    paid_by_card(ada, invoice)
    ada.fake.after = lambda _verb: (_ for _ in ()).throw(Unavailable("No answer."))  # type: ignore[assignment]

    begun = refund_sale.of_invoice(ada.session, ada.providers, ada.customer_id, invoice.id, wish("a", 1000))
    assert (begun.state, begun.credit_note_id) == ("reserved", None)
    with pytest.raises(Conflict):
        refund_sale.of_invoice(ada.session, ada.providers, ada.customer_id, invoice.id, wish("b"))
    ada.fake.after = lambda _verb: None
    clock.advance(minutes=30)
    ada.goes_on()

    with transaction(ada.session):
        note = ada.session.scalars(select(CreditNote)).one()
        assert (note.net_minor, note.total_minor, note.returned_to) == (1000, begun.amount_minor, "payment_method")
        ada.session.refresh(invoice)
        assert invoice.credited_minor == begun.amount_minor == ada.fake.gone("pay_i")
    assert balances(ada)["cash:stripe"] == begun.amount_minor - invoice.total_minor


def made_invoice(ada: Wallet) -> Invoice:
    with transaction(ada.session):
        draft = invoices.make(
            ada.session,
            customer_id=ada.customer_id,
            key="an-invoice",
            reason="other",
            currency="usd",
            lines=[NewLine("Work", 4900)],
        )
        return invoices.finalise(ada.session, draft)


def paid_by_card(ada: Wallet, invoice: Invoice) -> None:
    about = {"kind": "invoice", "amount_minor": invoice.total_minor, "currency": "usd", "channel": "stripe"}
    with transaction(ada.session):
        order = orders.open_order(ada.session, customer_id=ada.customer_id, form_key="i", created_by="usr_1", **about)
        orders.freeze(ada.session, order, {"invoice": invoice.id, "number": invoice.number})
        settling.answered(ada.session, order, "pay_i")
        pay_invoice.paid_by_card(ada.session, invoice, channel="stripe", payment_id="pay_i")
        invoices.mark_paid(ada.session, invoice, paid_with="Visa", payment_id="pay_i", at=clock.now())
        orders.pay(ada.session, order, "pay_i", at=clock.now())
