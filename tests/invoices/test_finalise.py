"""Making and finalising invoices of our own, on both databases (SPEC I1-I3)."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import invoices
from app.db import transaction
from app.invoices import Invoice, NewLine, seller
from app.invoices.models import NumberSeries
from tests.invoices.conftest import SELLER, Desk, figures


def test_it_gives_number_buyer_seller_and_tax_at_once_and_once(session: Session, desk: Desk) -> None:
    desk.rate("VAT", "20")
    desk.buyer(tax_id="987 6543 21")

    invoice = desk.invoice(4900, off=980)
    with transaction(session):
        invoices.finalise(session, invoice)

    assert (invoice.number, invoice.status) == ("INV-2026-0001", "open")
    figures_of = (invoice.subtotal_minor, invoice.discount_minor, invoice.tax_minor, invoice.total_minor)
    assert figures_of == (4900, 980, 784, 4704)
    assert invoice.discount_name == "Coupon HARBOR20, 20% off"
    assert (invoice.buyer["name"], invoice.buyer["tax_id"]) == ("Alder & Finch Ltd", "GB987654321")
    assert (invoice.seller["name"], invoice.seller["tax_id"]) == (SELLER.name, SELLER.tax_id)
    tax = desk.taxes(invoice)[0]
    assert (tax.name, tax.rate_ppm, tax.base_minor, tax.amount_minor) == ("VAT", 200_000, 3920, 784)


def test_tax_is_taken_from_the_unrounded_lines(desk: Desk) -> None:
    """Three lines of 1.4 cents are 1 cent each, and the tax is on 4.2 cents, not on 3."""
    desk.rate("VAT", "50")

    invoice = desk.invoice(*[NewLine("Calls", quantity=14, unit_micros=1_000)] * 3)

    assert [line.amount_minor for line in desk.lines(invoice)] == [1, 1, 1]
    assert (invoice.subtotal_minor, invoice.tax_minor, invoice.total_minor) == (3, 2, 5)


def test_two_taxes_are_two_lines_and_none_is_on_the_other(desk: Desk) -> None:
    desk.rate("GST", "5", "CA", number="123456789 RT0001")
    desk.rate("PST", "7", "CA", region="British Columbia")
    desk.buyer("CA", region="bc", customer_type="person")

    invoice = desk.invoice(10_000)

    assert figures(desk.taxes(invoice)) == [("GST", 500), ("PST", 700)]
    assert invoice.total_minor == 11_200


def test_a_business_abroad_pays_no_tax_and_reads_why(desk: Desk) -> None:
    desk.rate("VAT", "19", "DE", reverse_charge=True)
    desk.buyer("DE", tax_id="DE123456789")

    invoice = desk.invoice(10_000)

    assert (invoice.tax_minor, invoice.note) == (0, "Reverse charge: VAT is to be accounted for by the recipient.")


def test_the_same_key_is_the_same_invoice(session: Session, desk: Desk) -> None:
    first, second = desk.invoice(4900, key="sub_1:2026-03"), desk.invoice(9900, key="sub_1:2026-03")

    assert first.id == second.id
    assert [line.amount_minor for line in desk.lines(first)] == [4900]
    assert session.scalar(select(func.count()).select_from(Invoice)) == 1


def test_an_invoice_of_nothing_is_paid_at_once(session: Session, desk: Desk) -> None:
    invoice = desk.invoice(4900, off=9900)

    with transaction(session):
        invoices.mark_paid(session, invoice, paid_with="Wallet", payment_id="wtxn_1", at=invoice.created_at)
    assert (invoice.status, invoice.discount_minor, invoice.total_minor) == ("paid", 4900, 0)
    assert invoice.paid_with == "Nothing to pay"


def test_less_than_nothing_is_no_invoice(desk: Desk) -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        desk.invoice(100, -101)


def test_a_draft_takes_no_number(desk: Desk) -> None:
    draft = desk.invoice(4900, finalised=False)

    assert desk.invoice(4900).number == "INV-2026-0001"
    assert (draft.status, draft.number) == ("draft", None)


def test_each_calendar_year_begins_anew_and_a_prefix_is_a_series(desk: Desk, clock) -> None:
    numbers = [desk.invoice(100).number, desk.invoice(100).number]
    seller.use(seller.Seller(invoice_prefix="ALT"))
    numbers.append(desk.invoice(100).number)
    seller.use(SELLER)
    clock.advance(days=365)
    numbers.append(desk.invoice(100).number)

    assert numbers == ["INV-2026-0001", "INV-2026-0002", "ALT-2026-0001", "INV-2027-0001"]


def test_a_number_is_never_dated_before_the_one_before_it(session: Session, desk: Desk, clock) -> None:
    first = desk.invoice(100)
    clock.advance(seconds=-1)  # another machine's clock is a second behind
    second = desk.invoice(100)

    assert second.issued_at == first.issued_at
    assert session.scalars(select(NumberSeries.last_at)).one() == first.issued_at


def test_later_details_are_for_later_invoices(desk: Desk) -> None:
    before = desk.invoice(100)
    desk.buyer(name="Finch & Alder Ltd")

    after = desk.invoice(100)

    assert (before.buyer["name"], after.buyer["name"]) == ("Alder & Finch", "Finch & Alder Ltd")
