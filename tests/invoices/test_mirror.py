"""The provider's invoices, kept as told: whole, never by an older snapshot, with their own tax (SPEC I1, I2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import activity, invoices
from app.db import transaction
from app.invoices import CreditNote, Invoice
from app.invoices.mirror import ppm
from app.providers.billing import BuyerDoc, CreditNoteDoc, InvoiceDoc, InvoiceLine, TaxLine
from tests.invoices.conftest import Desk, figures

THEN = datetime(2026, 3, 14, 8, tzinfo=UTC)
LATER = THEN + timedelta(minutes=5)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def document(status: str = "open", **more: Any) -> InvoiceDoc:
    """A provider's invoice for a month of Growth with German tax, $249.00 and $47.31."""
    paid = status == "paid"
    told: dict[str, Any] = {
        "id": "in_1", "number": "ABC-0001", "customer_id": "cus_theirs", "subscription_id": "sub_theirs",
        "status": status, "reason": "subscription_cycle", "currency": "usd", "subtotal": 24900, "discount": 0,
        "tax": 4731, "total": 29631, "amount_paid": 29631 if paid else 0, "amount_due": 29631,
        "amount_remaining": 0 if paid else 29631, "credited": 0,
        "lines": [line("Growth", 24900)], "taxes": [TaxLine("MwSt.", "19", 4731)], "complete": True,
        "created": THEN, "finalized_at": THEN, "paid_at": LATER if paid else None, "next_attempt": None,
        "attempts": 1, "hosted_url": "https://invoice.stripe.com/i/1", "pdf_url": None, "payment_ids": ["pi_1"],
        "buyer": BuyerDoc("Finch GmbH", "b@example.com", ["Weg 1", "10115 Berlin", "DE"], "DE", ["DE123456789"]),
        **more,
    }  # fmt: skip
    return InvoiceDoc(**told)


def line(description: str, amount: int) -> InvoiceLine:
    return InvoiceLine(description, 1, amount, 0, False, THEN, THEN + timedelta(days=31))


@pytest.fixture
def mirrored(session: Session, desk: Desk):
    def mirror(doc: InvoiceDoc, version: datetime = THEN, **more: Any) -> Invoice:
        with transaction(session):
            return invoices.mirror(
                session, customer_id=desk.customer_id, channel="stripe", doc=doc, version=version, **more
            )

    return mirror


def test_it_is_kept_with_lines_tax_and_buyer_as_told(mirrored, desk: Desk) -> None:
    desk.rate("VAT", "20", "DE")  # ours, which the provider's tax has nothing to do with

    invoice = mirrored(document(), subscription_id="sub_ours")

    assert (invoice.number, invoice.status, invoice.total_minor, invoice.due_minor) == (
        "ABC-0001",
        "open",
        29631,
        29631,
    )
    assert figures(desk.taxes(invoice)) == [("MwSt.", 4731)]
    assert desk.taxes(invoice)[0].rate_ppm == 190_000
    assert [(one.description, one.amount_minor) for one in desk.lines(invoice)] == [("Growth", 24900)]
    assert invoice.buyer["address"] == ["Weg 1", "10115 Berlin"]
    assert (invoice.subscription_id, invoice.period_end) == ("sub_ours", THEN + timedelta(days=31))


def test_an_older_snapshot_never_replaces_a_newer_one(session: Session, mirrored) -> None:
    mirrored(document("paid"), LATER)

    invoice = mirrored(document("open"), THEN)
    assert (invoice.status, invoice.due_minor) == ("paid", 0)
    # Clocks differ: what is paid is not open again, whatever a snapshot says about when it was true.
    assert mirrored(document("open"), LATER + timedelta(hours=1)).status == "paid"
    assert session.scalar(select(func.count()).select_from(Invoice)) == 1


def test_lines_and_taxes_are_replaced_as_a_whole(mirrored, desk: Desk) -> None:
    mirrored(document(lines=[line("Growth", 20000), line("Seats", 4900)]))

    invoice = mirrored(document(taxes=[]), LATER)

    assert [one.description for one in desk.lines(invoice)] == ["Growth"]
    assert desk.taxes(invoice) == []


def test_a_snapshot_with_some_lines_only_leaves_those_we_have(mirrored, desk: Desk) -> None:
    mirrored(document(lines=[line("Growth", 20000), line("Seats", 4900)]))

    invoice = mirrored(document("paid", lines=[], complete=False), LATER)

    assert invoice.status == "paid"
    assert len(desk.lines(invoice)) == 2


def test_prices_that_include_tax_are_shown_before_it(mirrored) -> None:
    invoice = mirrored(document(subtotal=29631))

    assert (invoice.subtotal_minor, invoice.tax_minor, invoice.total_minor) == (24900, 4731, 29631)


def test_what_a_credit_balance_paid_is_paid(mirrored) -> None:
    invoice = mirrored(document(amount_due=9631, amount_remaining=9631))

    assert (invoice.paid_minor, invoice.due_minor) == (20000, 9631)


def test_credit_notes_come_once_and_a_whole_one_is_a_refund(session: Session, mirrored) -> None:
    note = CreditNoteDoc("cn_theirs", "ABC-0001-CN-01", "in_1", 29631, 4731, "usd", LATER, "https://pay.stripe.com/cn")
    paid = document("paid", credited=29631, credit_notes=[note])

    mirrored(paid, LATER)
    invoice = mirrored(paid, LATER + timedelta(minutes=1))

    assert (invoice.status, invoice.credited_minor) == ("refunded", 29631)
    kept = session.scalars(select(CreditNote)).one()
    assert (kept.net_minor, kept.tax_minor, kept.returned_to) == (24900, 4731, "payment_method")


def test_a_credit_note_before_payment_lowers_what_is_due(mirrored) -> None:
    note = CreditNoteDoc("cn_theirs", None, "in_1", 10000, 0, "usd", THEN, None)

    invoice = mirrored(document(amount_remaining=19631, credit_notes=[note]))

    assert (invoice.paid_minor, invoice.credited_minor, invoice.due_minor) == (0, 10000, 19631)


def test_failed_tries_and_voiding_are_seen(mirrored) -> None:
    mirrored(document(attempts=0))
    again = LATER + timedelta(days=3)

    failed = mirrored(document(attempts=1, next_attempt=again), LATER)
    assert (failed.failed_at, failed.attempts, failed.next_attempt_at) == (LATER, 1, again)
    void = mirrored(document("void", attempts=1), again)
    assert (void.status, void.voided_at) == ("void", again)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"reason": "one_off", "metadata": {"kind": "topup"}}, "topup"),
        ({"reason": "one_off", "metadata": {"kind": "credit_pack"}}, "pack"),
        ({"reason": "other"}, "other"),
        ({"reason": "subscription_update"}, "subscription_update"),
    ],
)
def test_it_says_what_it_is_for(mirrored, more: dict[str, Any], reason: str) -> None:
    assert mirrored(document("paid", **more)).reason == reason


def test_a_top_ups_receipt_leads_to_its_order(mirrored) -> None:
    invoice = mirrored(document("paid", reason="one_off"), order_id="ord_1")

    assert (invoice.reason, invoice.order_id) == ("topup", "ord_1")
    assert mirrored(document("paid", reason="one_off"), LATER).order_id == "ord_1"


def test_each_state_is_in_the_audit_log_once(session: Session, mirrored, desk: Desk) -> None:
    for doc in (document("draft", number=None), document(), document(), document("paid"), document("paid")):
        mirrored(doc)

    told = [entry.action for entry in activity.of_everyone(session, customer_id=desk.customer_id).lines]
    assert sorted(action for action in told if action.startswith("invoice.")) == ["invoice.finalised", "invoice.paid"]


def test_a_providers_numbers_are_its_own_matter(session: Session, mirrored) -> None:
    mirrored(document())

    assert mirrored(replace(document(), id="in_2")).number == "ABC-0001"


@pytest.mark.parametrize(("percent", "parts"), [("19", 190_000), ("8.25", 82_500), ("9.9975", 99_975), (None, None)])
def test_a_rate_is_read_exactly_or_not_at_all(percent: str | None, parts: int | None) -> None:
    assert ppm(percent) == parts
    assert ppm("1e2") is ppm("1.23456") is ppm("-1") is None
