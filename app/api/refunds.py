"""`/v1/billing/refund/:txnId`: a top-up goes back to what it was paid with, within seven days (SPEC W4)."""

from __future__ import annotations

from typing import Literal

from flask import Response
from pydantic import BaseModel, Field

from app.api import calls, channels, subscribing
from app.api.answers import Instant, TransactionId
from app.api.values import Answer, Cents, OptionalBody
from app.clock import timestamp
from app.extensions import db
from app.flows import refund_top_up
from app.flows.refund_top_up import Wish
from app.http import limits
from app.payments.models import Refund

billing_refunds = calls.group("api_refunds", "Refunds", "Pay a top-up back to what it was paid with.")

_STATUS: dict[str, Literal["on_its_way", "succeeded", "failed"]] = {
    "reserved": "on_its_way",
    "sent": "on_its_way",
    "succeeded": "succeeded",
    "failed": "failed",
}


class RefundPath(BaseModel):
    txn_id: str = Field(max_length=64, description="The transaction of a top-up.")


class NewRefund(OptionalBody):
    amount_cents: Cents | None = Field(default=None, description="Of the wallet's money; all that can go back if none.")


class RefundAnswer(Answer):
    """`amount_cents` left the wallet; `refunded_cents` goes back to the payer, with the tax that was paid on it."""

    id: str = Field(examples=["ref_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    transaction_id: TransactionId
    status: Literal["on_its_way", "succeeded", "failed"]
    amount_cents: int = Field(examples=[3800])
    tax_cents: int = Field(examples=[0])
    refunded_cents: int = Field(examples=[3800])
    failure: str | None = Field(default=None, description="Why it failed; the money is back in the wallet then.")
    created_at: Instant


@billing_refunds.post("/v1/billing/refund/<txn_id>", responses={200: RefundAnswer})
@calls.call("billing:write", keyed=True)
def create(path: RefundPath, body: NewRefund) -> Response:
    """Refund a top-up

    Within seven days of the payment, and only what is paid and not spent. Promotional and held money does not go back.
    A coupon's bonus goes with its top-up, as far as it is not spent. The money leaves the wallet at once; `status` says
    whether the provider has answered already.
    """
    limits.spend("topup.customer", calls.customer_id())
    key = calls.key()
    return calls.answer_once(["refund", path.txn_id, body.amount_cents], key, lambda: _start(path.txn_id, body, key))


def _start(entry_id: str, body: NewRefund, key: str) -> RefundAnswer:
    wish = Wish(entry_id, subscribing.form_key(key), subscribing.actor(), "Asked for by API", body.amount_cents)
    made = refund_top_up.start(
        db.session(), channels.all_of_them(), calls.customer_id(), wish, currency=calls.currency()
    )
    return _answer(made, entry_id)


def _answer(made: Refund, entry_id: str) -> RefundAnswer:
    return RefundAnswer(
        id=made.id,
        transaction_id=made.entry_id or entry_id,
        status=_STATUS[made.state],
        amount_cents=made.net_minor,
        tax_cents=made.tax_minor,
        refunded_cents=made.amount_minor,
        failure=made.failure,
        created_at=timestamp(made.created_at),
    )
