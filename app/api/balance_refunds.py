"""`/v1/billing/balance-refund`: asking for all that is left of what was paid in, and taking that back (SPEC W4)."""

from __future__ import annotations

from typing import Literal

from flask import Response
from pydantic import Field

from app.api import calls, channels, subscribing
from app.api.answers import Instant
from app.api.values import Answer, OptionalBody
from app.clock import timestamp
from app.extensions import db
from app.flows import refund_request, refund_top_up
from app.http import limits
from app.payments.models import Refund
from app.wallet import words

balance_refunds = calls.group(
    "api_balance_refunds", "Balance refunds", "Ask for the whole balance, as who leaves does."
)


class NewRequest(OptionalBody):
    reason: str = Field(default="", max_length=words.REASON_MOST, description="For those who decide.")


class RequestAnswer(Answer):
    """A request that waits for a person's answer. What is spent meanwhile does not go back."""

    id: str = Field(examples=["ref_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    status: Literal["waiting"] = "waiting"
    amount_cents: int = Field(description="Of the wallet's money, when it was asked for.", examples=[3800])
    tax_cents: int = Field(examples=[0])
    reason: str = Field(examples=["We leave"])
    created_at: Instant


class BalanceRefundAnswer(Answer):
    """What could go back now, in the wallet's money and the tax on it, and the request that waits."""

    refundable_cents: int = Field(examples=[3800])
    tax_cents: int = Field(examples=[0])
    request: RequestAnswer | None


@balance_refunds.get("/v1/billing/balance-refund", responses={200: BalanceRefundAnswer})
@calls.call("billing:read")
def show() -> Response:
    """What of the balance could go back, and the request that waits"""
    return calls.reply(_standing())


@balance_refunds.post("/v1/billing/balance-refund", responses={200: RequestAnswer})
@calls.call("billing:write", keyed=True)
def ask(body: NewRequest) -> Response:
    """Ask for the whole balance

    Nothing moves before a person has approved it; then it goes back newest top-up first, to what each was paid with.
    """
    limits.spend("topup.customer", calls.customer_id())
    key = calls.key()
    return calls.answer_once(["balance-refund", body.reason], key, lambda: _ask(body.reason, key))


@balance_refunds.delete("/v1/billing/balance-refund", responses={200: BalanceRefundAnswer})
@calls.call("billing:write")
def withdraw() -> Response:
    """Take the request back, while nobody has decided"""
    refund_request.withdraw(db.session(), calls.customer_id(), actor=subscribing.actor())
    return calls.reply(_standing())


def _ask(reason: str, key: str) -> RequestAnswer:
    made = refund_request.ask(
        db.session(),
        channels.all_of_them(),
        calls.customer_id(),
        reason=reason,
        key=subscribing.form_key(key),
        actor=subscribing.actor(),
        currency=calls.currency(),
    )
    return _answer(made)


def _standing() -> BalanceRefundAnswer:
    session, who = db.session(), calls.customer_id()
    there = refund_top_up.possible(session, channels.all_of_them(), who, calls.currency())
    waiting = refund_request.open_one(session, who)
    return BalanceRefundAnswer(
        refundable_cents=sum(one.left_minor for one in there),
        tax_cents=refund_top_up.tax_on(session, there),
        request=_answer(waiting) if waiting else None,
    )


def _answer(made: Refund) -> RequestAnswer:
    return RequestAnswer(
        id=made.id,
        amount_cents=made.net_minor,
        tax_cents=made.tax_minor,
        reason=made.reason,
        created_at=timestamp(made.created_at),
    )
