"""What pages and the API read of invoices: a page of them, one with its parts, sums. Drafts are nobody's to see."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from app import place
from app.invoices.models import CreditNote, Invoice, InvoiceLine, InvoiceTax

# What a filter's words mean, for pages and the API.
TYPES = {
    "plan": ("subscription_create", "subscription_cycle", "subscription_update"),
    "topup": ("topup",),
    "pack": ("pack",),
    "usage": ("usage",),
    "other": ("other",),
}
STATUSES = ("open", "paid", "refunded", "void", "uncollectible")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which invoices: of a status, of a type, issued since and before an instant. Empty is all."""

    status: str = ""
    type: str = ""
    since: datetime | None = None
    until: datetime | None = None


ALL = Wanted()


@dataclass(frozen=True, slots=True)
class Row:
    """An invoice in a list, with what its first line says."""

    invoice: Invoice
    title: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some invoices, newest first, and the cursor of the next older ones; None at the end."""

    rows: list[Row]
    older: str | None


@dataclass(frozen=True, slots=True)
class Sums:
    """Of a customer's invoices in one currency, in minor units: what is to be paid, what was, and how many each."""

    open_count: int
    due_minor: int
    paid_count: int
    paid_minor: int
    first_paid_at: datetime | None
    count: int


@dataclass(frozen=True, slots=True)
class Document:
    """One invoice with all that belongs to it."""

    invoice: Invoice
    lines: list[InvoiceLine]
    taxes: list[InvoiceTax]
    credit_notes: list[CreditNote]


def page(
    session: Session,
    customer_id: str,
    wanted: Wanted = ALL,
    *,
    before: str | None = None,
    offset: int = 0,
    limit: int = 50,
) -> Page:
    """Newest first, by cursor or by how many to pass over. Raises Invalid for a cursor that is none of ours."""
    query = _wanted(customer_id, wanted)
    if before:
        at, last = _read_cursor(before)
        query = query.where(place.beyond(Invoice.created_at, Invoice.id, at, last))
    found = list(session.scalars(_newest_first(query).offset(offset).limit(limit + 1)))
    return Page(_titled(session, customer_id, found[:limit]), _cursor(found[limit - 1]) if len(found) > limit else None)


def count(session: Session, customer_id: str, wanted: Wanted = ALL) -> int:
    return session.scalar(select(func.count()).select_from(_wanted(customer_id, wanted).subquery())) or 0


def one(session: Session, customer_id: str, invoice_id: str) -> Document | None:
    """An invoice with its parts; None for a draft, for another customer's, and for none."""
    invoice = session.get(Invoice, (customer_id, invoice_id))
    if invoice is None or invoice.status == "draft":
        return None
    its = {"customer_id": customer_id, "invoice_id": invoice_id}
    lines = session.scalars(select(InvoiceLine).filter_by(**its).order_by(InvoiceLine.position))
    taxes = session.scalars(select(InvoiceTax).filter_by(**its).order_by(InvoiceTax.position))
    notes = session.scalars(select(CreditNote).filter_by(**its).order_by(CreditNote.created_at, CreditNote.id))
    return Document(invoice, list(lines), list(taxes), list(notes))


def by_order(session: Session, customer_id: str, order_ids: Sequence[str]) -> dict[str, Invoice]:
    """The invoice of each of these purchases that has one: one query for them all."""
    if not order_ids:
        return {}
    mine = select(Invoice).where(*_of(customer_id), Invoice.order_id.in_(order_ids))
    return {str(invoice.order_id): invoice for invoice in session.scalars(mine.order_by(Invoice.created_at))}


def oldest_open(session: Session, customer_id: str, subscription_id: str) -> Invoice | None:
    """What is to be paid first for this subscription; None where nothing is."""
    waiting = (*_of(customer_id), Invoice.subscription_id == subscription_id, Invoice.status == "open")
    return session.scalars(select(Invoice).where(*waiting).order_by(Invoice.created_at, Invoice.id).limit(1)).first()


def first_of(session: Session, customer_id: str, subscription_id: str) -> Invoice | None:
    """What this subscription began with."""
    mine = (*_of(customer_id), Invoice.subscription_id == subscription_id)
    return session.scalars(select(Invoice).where(*mine).order_by(Invoice.created_at, Invoice.id).limit(1)).first()


def sums(session: Session, customer_id: str, currency: str) -> Sums:
    """What is to be paid and what was paid, over all the customer's invoices in this currency."""
    is_open, is_paid = Invoice.status == "open", Invoice.status == "paid"
    due = Invoice.total_minor - Invoice.paid_minor - Invoice.credited_minor
    found = session.execute(
        select(
            func.count().filter(is_open),
            func.coalesce(func.sum(due).filter(is_open), 0),
            func.count().filter(is_paid),
            func.coalesce(func.sum(Invoice.total_minor - Invoice.credited_minor).filter(is_paid), 0),
            func.min(Invoice.created_at).filter(is_paid),
            func.count(),
        ).where(*_of(customer_id), Invoice.currency == currency)
    ).one()
    open_count, due_minor, paid_count, paid_minor, first, in_all = found
    return Sums(open_count, int(due_minor), paid_count, int(paid_minor), first, in_all)


def _of(customer_id: str) -> tuple[ColumnElement[bool], ...]:
    return Invoice.customer_id == customer_id, Invoice.status != "draft"


def _wanted(customer_id: str, wanted: Wanted) -> Select[Invoice]:
    query = select(Invoice).where(*_of(customer_id))
    if wanted.status:
        query = query.where(Invoice.status == wanted.status)
    if wanted.type:
        query = query.where(Invoice.reason.in_(TYPES[wanted.type]))
    if wanted.since:
        query = query.where(Invoice.created_at >= wanted.since)
    if wanted.until:
        query = query.where(Invoice.created_at < wanted.until)
    return query


def _newest_first(query: Select[Invoice]) -> Select[Invoice]:
    return query.order_by(Invoice.created_at.desc(), Invoice.id.desc())


def _titled(session: Session, customer_id: str, invoices: Sequence[Invoice]) -> list[Row]:
    """With the description of each one's first line that is no credit for something earlier: one query for them all."""
    ids = [invoice.id for invoice in invoices]
    if not ids:
        return []
    lines = session.execute(
        select(InvoiceLine.invoice_id, InvoiceLine.description, InvoiceLine.amount_minor)
        .where(InvoiceLine.customer_id == customer_id, InvoiceLine.invoice_id.in_(ids))
        .order_by(InvoiceLine.invoice_id, InvoiceLine.position)
    )
    titles: dict[str, tuple[bool, str]] = {}
    for invoice_id, description, amount in lines:
        if invoice_id not in titles or (not titles[invoice_id][0] and amount >= 0):
            titles[invoice_id] = (amount >= 0, description)
    return [Row(invoice, titles.get(invoice.id, (True, ""))[1]) for invoice in invoices]


def _cursor(invoice: Invoice) -> str:
    """A place in the list as text that promises nothing about its inside."""
    return urlsafe_b64encode(place.written(invoice.created_at, invoice.id).encode()).rstrip(b"=").decode()


def _read_cursor(text: str) -> tuple[datetime, str]:
    try:
        plain = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode("ascii")
    except ValueError:
        plain = ""
    return place.read(plain)
