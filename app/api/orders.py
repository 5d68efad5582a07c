"""`GET /orders` and `GET /orders/:id`, in the envelope of SPEC §12.2: what was bought, and how its payment stands."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, Field

from app.api import calls
from app.api.answers import Instant
from app.api.values import Answer, Paged
from app.clock import timestamp
from app.extensions import db
from app.invoices import Invoice
from app.payments import Order, reads
from app.payments.models import ORDER_STATES
from app.payments.titles import title_of
from app.subscriptions.order_invoices import invoices_of

api_orders = calls.group("api_orders", "Orders", "What was bought through a payment provider, whatever became of it.")

TYPES = {
    "topup": "topup", "auto_topup": "topup", "subscription": "subscription", "pack": "credit_pack",
    "invoice": "invoice",
}  # fmt: skip
KINDS = {"topup": "topup", "subscription": "plan", "credit_pack": "pack", "invoice": "invoice"}
OrderType = Literal["topup", "subscription", "credit_pack", "invoice"]
OrderState = Annotated[str, Field(json_schema_extra={"enum": list(ORDER_STATES)}, examples=["paid"])]


class OrdersQuery(Paged):
    type: OrderType | None = Field(default=None, description="Only orders of this type.")


class OrderPath(BaseModel):
    order_id: str = Field(max_length=64)


class OrderAnswer(Answer):
    """One purchase. Amounts are in cents, before tax. Nothing is bought before its status is `paid`."""

    id: str = Field(examples=["ord_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    type: OrderType
    status: OrderState
    description: str = Field(examples=["500 credits"])
    amount: int = Field(description="What is to be paid, after the coupon.", examples=[4500])
    currency: str = Field(examples=["usd"])
    credits: int | None = Field(description="What a credit pack brings; null for all else.", examples=[500])
    coupon: str | None = Field(description="The code of the coupon it was bought with.")
    channel: str = Field(examples=["stripe"])
    checkout_url: str | None = Field(description="Where to pay, while it can be paid.")
    invoice_id: str | None = Field(description="Once there is one.")
    failure: str | None = Field(description="Why the payment failed, in words.")
    created_at: Instant
    paid_at: Instant | None


class OrdersAnswer(Answer):
    """The orders, newest first."""

    success: Literal[True] = True
    data: list[OrderAnswer]


class EnvelopedOrder(Answer):
    """One order."""

    success: Literal[True] = True
    data: OrderAnswer


@api_orders.get("/orders", responses={200: OrdersAnswer})
@calls.call("billing:read")
def index(query: OrdersQuery) -> Response:
    """The orders, newest first"""
    session, customer_id = db.session(), calls.customer_id()
    kind = KINDS[query.type] if query.type else ""
    page = reads.order_page(session, customer_id, kind=kind, offset=query.offset, limit=query.limit)
    theirs = invoices_of(session, customer_id, page.orders)
    return calls.reply(OrdersAnswer(data=[_told(order, theirs.get(order.id)) for order in page.orders]))


@api_orders.get("/orders/<order_id>", responses={200: EnvelopedOrder})
@calls.call("billing:read")
def show(path: OrderPath) -> Response:
    """One order, with its state as the provider told it"""
    order = reads.order(db.session(), calls.customer_id(), path.order_id)
    theirs = invoices_of(db.session(), calls.customer_id(), [order])
    return calls.reply(EnvelopedOrder(data=_told(order, theirs.get(order.id))))


def _told(order: Order, invoice: Invoice | None) -> OrderAnswer:
    return OrderAnswer(
        id=order.id,
        type=TYPES[order.kind],  # type: ignore[arg-type]  # the table's values are the literals
        status=order.state,
        description=title_of(order),
        amount=order.due_minor,
        currency=order.currency,
        credits=order.request.get("credits"),
        coupon=order.request.get("coupon"),
        channel=order.channel,
        checkout_url=order.checkout_url,
        invoice_id=invoice.id if invoice else None,
        failure=order.failure if order.state == "failed" else None,
        created_at=timestamp(order.created_at),
        paid_at=timestamp(order.paid_at) if order.paid_at else None,
    )
