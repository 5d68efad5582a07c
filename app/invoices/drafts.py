"""Drafts: invoices of ours before they have a number. Made and finalised in one transaction, usually."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock, ids
from app.invoices import arithmetic
from app.invoices.models import OURS, REASONS, Invoice, InvoiceLine
from app.money import EXPONENTS, Money, micros_per_minor, minor_to_micros, round_half_away


class Period(Protocol):
    """A half-open stretch of time; `subscriptions.periods.Period` is one."""

    @property
    def start(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...


class Discount(Protocol):
    """What is taken off, before tax; `coupons.Discount` is one."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def off(self) -> Money: ...


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to be. Either `amount_minor`, or `unit_micros` times `quantity`, which is rounded once here (SPEC R1).

    With both, `amount_minor` counts and the unit price is only shown. A negative amount is a credit.
    """

    description: str
    amount_minor: int | None = None
    quantity: int = 1
    unit_micros: int | None = None
    is_proration: bool = False
    period: Period | None = None

    def exact(self, currency: str) -> int:
        """Its amount in micros, before any rounding."""
        if self.amount_minor is not None:
            return minor_to_micros(self.amount_minor, currency)
        assert self.unit_micros is not None, "a line has an amount or a unit price"
        return self.unit_micros * self.quantity


def make(
    session: Session,
    *,
    customer_id: str,
    key: str,
    reason: str,
    currency: str,
    lines: Sequence[NewLine],
    subscription_id: str | None = None,
    order_id: str | None = None,
    discount: Discount | None = None,
    period: Period | None = None,
) -> Invoice:
    """The invoice of this key (what it is for, once per customer): made now as a draft, or the one made before.

    The discount is cut to what the lines come to. Raises ValueError where the lines come to less than nothing: that is
    a credit note, not an invoice.
    """
    assert reason in REASONS, f"an unknown reason {reason!r}"
    assert currency in EXPONENTS, "a currency we know"
    exact = [line.exact(currency) for line in lines]
    amounts = [round_half_away(micros, micros_per_minor(currency)) for micros in exact]
    subtotal = sum(amounts)
    if subtotal < 0:
        raise ValueError("An invoice never comes to less than nothing.")
    row = _row(customer_id, key, reason, currency, subtotal, discount)
    row |= {"subscription_id": subscription_id, "order_id": order_id}
    if period:
        row |= {"period_start": period.start, "period_end": period.end}
    mine = insert(Invoice).values(row).on_conflict_do_nothing(index_elements=["customer_id", "source", "key"])
    made = session.scalar(mine.returning(Invoice.id))
    invoice = session.scalars(
        select(Invoice).where(Invoice.customer_id == customer_id, Invoice.source == OURS, Invoice.key == key)
    ).one()
    if made:
        parts = arithmetic.spread(invoice.discount_minor, amounts)
        session.add_all(
            _line(invoice, place, *figures)
            for place, figures in enumerate(zip(lines, exact, amounts, parts, strict=True))
        )
        session.flush()
    return invoice


def _row(
    customer_id: str, key: str, reason: str, currency: str, subtotal: int, discount: Discount | None
) -> dict[str, Any]:
    off = min(discount.off.minor, subtotal) if discount else 0
    return {
        "customer_id": customer_id,
        "id": ids.new("inv"),
        "source": OURS,
        "key": key,
        "status": "draft",
        "reason": reason,
        "currency": currency,
        "subtotal_minor": subtotal,
        "discount_minor": off,
        "discount_name": _name_of(discount) if discount and off else None,
        "tax_minor": 0,
        "total_minor": subtotal - off,
        "paid_minor": 0,
        "credited_minor": 0,
        "buyer": {},
        "seller": {},
        "created_at": clock.now(),
        "attempts": 0,
    }


def _name_of(discount: Discount) -> str:
    return f"Coupon {discount.code}, {discount.name}" if discount.name else f"Coupon {discount.code}"


def _line(invoice: Invoice, place: int, line: NewLine, exact: int, amount: int, off: int) -> InvoiceLine:
    return InvoiceLine(
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        position=place,
        description=line.description,
        quantity=line.quantity,
        unit_micros=line.unit_micros,
        amount_micros=exact,
        amount_minor=amount,
        discount_minor=off,
        is_proration=line.is_proration,
        period_start=line.period.start if line.period else None,
        period_end=line.period.end if line.period else None,
    )
