"""`/v1/billing/invoices`: a customer's invoices, and one with its lines and payment status (SPEC I1, §12.1)."""

from __future__ import annotations

from typing import Literal

from flask import Response
from pydantic import BaseModel, Field

from app.api import calls
from app.api.invoice_answers import InvoiceAnswer, InvoicesAnswer, invoice_of, listed
from app.api.values import Limited, PageNumber
from app.errors import Invalid, NotFound
from app.extensions import db
from app.invoices import reads
from app.invoices.reads import Wanted

api_invoices = calls.group("api_invoices", "Invoices", "What a customer was billed, with lines, tax and payment.")


class InvoicesQuery(Limited):
    page: PageNumber = Field(default=1, description="Which page, from 1.")
    cursor: str | None = Field(default=None, max_length=200, description="Go on after a page: its `next_cursor`.")
    status: Literal["open", "paid", "refunded", "void", "uncollectible"] | None = Field(
        default=None, description="Only invoices of this status."
    )


class InvoicePath(BaseModel):
    invoice_id: str = Field(max_length=64)


@api_invoices.get("/v1/billing/invoices", responses={200: InvoicesAnswer})
@calls.call("billing:read")
def index(query: InvoicesQuery) -> Response:
    """The invoices, newest first

    Page by `page` and `limit`, or by `limit` and `cursor`, which stays right while new invoices arrive.
    """
    count, found = _page(query)
    return calls.reply(
        InvoicesAnswer(
            count=count,
            page=query.page,
            pages=-(-count // query.limit),
            limit=query.limit,
            invoices=[listed(row) for row in found.rows],
            next_cursor=found.older,
        )
    )


def _page(query: InvoicesQuery) -> tuple[int, reads.Page]:
    session, customer_id, wanted = db.session(), calls.customer_id(), Wanted(status=query.status or "")
    count = reads.count(session, customer_id, wanted)
    if query.cursor is None:
        offset = (query.page - 1) * query.limit
        return count, reads.page(session, customer_id, wanted, offset=offset, limit=query.limit)
    if query.page != 1:
        raise Invalid("Page by page or by cursor, not by both.", field="cursor")
    try:
        return count, reads.page(session, customer_id, wanted, before=query.cursor or "-", limit=query.limit)
    except Invalid as wrong:
        raise Invalid(wrong.sentence, field="cursor") from wrong


@api_invoices.get("/v1/billing/invoices/<invoice_id>", responses={200: InvoiceAnswer})
@calls.call("billing:read")
def show(path: InvoicePath) -> Response:
    """One invoice with its lines, its taxes and how it was paid"""
    found = reads.one(db.session(), calls.customer_id(), path.invoice_id)
    if found is None:
        raise NotFound("There is no such invoice.")
    return calls.reply(invoice_of(found))
