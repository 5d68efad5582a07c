"""`/credits/balance`, `/credits/transactions` in the envelope of SPEC §12.2; `/v1/credits/*` for the host (§12.4)."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import BeforeValidator, Field, StringConstraints

from app import credits
from app.api import calls
from app.api.answers import Instant, TransactionId
from app.api.values import Answer, Body, Paged, whole
from app.clock import timestamp
from app.credits import reads, words
from app.credits.spending import MOST_AT_ONCE
from app.db import transaction
from app.extensions import db
from app.ledger import Line

api_credits = calls.group(
    "api_credits", "Credits", "Whole units that actions cost: the balance, history, and spending."
)

ActionKey = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern="^[A-Za-z][A-Za-z0-9_-]*$")]
Times = Annotated[int, Field(ge=1, le=MOST_AT_ONCE), BeforeValidator(whole)]
CreditType = Annotated[str, Field(json_schema_extra={"enum": list(words.API_TYPES)}, examples=["spend"])]


class CreditBalance(Answer):
    """What can be spent now. Credits whose time is over do not count."""

    balance: int = Field(examples=[1500])


class CreditBalanceAnswer(Answer):
    """The balance."""

    success: Literal[True] = True
    data: CreditBalance


class CreditTransaction(Answer):
    """One movement of credits: above zero came in, below zero went out."""

    id: TransactionId
    type: CreditType
    amount: int = Field(examples=[-50])
    description: str = Field(examples=["AI chat"])
    created_at: Instant


class CreditTransactionsAnswer(Answer):
    """A page of transactions, newest first."""

    success: Literal[True] = True
    data: list[CreditTransaction]


class CreditsQuery(Paged):
    type: str | None = Field(
        default=None, description="Only transactions of this type.", json_schema_extra={"enum": list(words.API_TYPES)}
    )


class SpendBody(Body):
    action: ActionKey = Field(description="The key of an action of the catalogue.", examples=["ai_chat"])
    quantity: Times = Field(default=1, examples=[1])


class QuoteAnswer(Answer):
    """What an action costs now. `allowed`: whether the balance is enough; `balance_after` is below zero if not."""

    action: str = Field(examples=["ai_chat"])
    quantity: int = Field(examples=[1])
    unit_cost: int = Field(examples=[50])
    cost: int = Field(examples=[50])
    balance: int = Field(examples=[1500])
    balance_after: int = Field(examples=[1450])
    allowed: bool


class SpendAnswer(Answer):
    """The credit transaction of a spend, and the balance it left."""

    id: TransactionId
    type: CreditType
    amount: int = Field(examples=[-50])
    balance_after: int = Field(examples=[1450])
    description: str = Field(examples=["AI chat"])
    created_at: Instant


@api_credits.get("/credits/balance", responses={200: CreditBalanceAnswer})
@calls.call("billing:read")
def balance() -> Response:
    """The credits that can be spent"""
    now = reads.balance(db.session(), calls.customer_id())
    return calls.reply(CreditBalanceAnswer(data=CreditBalance(balance=now.available)))


@api_credits.get("/credits/transactions", responses={200: CreditTransactionsAnswer})
@calls.call("billing:read")
def transactions(query: CreditsQuery) -> Response:
    """The movements of credits, newest first"""
    wanted = words.of_type(query.type) if query.type is not None else None
    _, lines = reads.transactions_at(
        db.session(), calls.customer_id(), offset=query.offset, limit=query.limit, kinds=wanted
    )
    return calls.reply(CreditTransactionsAnswer(data=[told(line) for line in lines]))


@api_credits.post("/v1/credits/quote", responses={200: QuoteAnswer})
@calls.call("billing:read")
def quote(body: SpendBody) -> Response:
    """What an action would cost, and the balance after it

    Changes nothing: ask before your customer confirms.
    """
    asked = credits.quote(db.session(), calls.customer_id(), body.action, body.quantity)
    answer = QuoteAnswer(
        action=asked.action,
        quantity=asked.quantity,
        unit_cost=asked.unit_cost,
        cost=asked.cost,
        balance=asked.balance,
        balance_after=asked.balance_after,
        allowed=asked.enough,
    )
    return calls.reply(answer)


@api_credits.post("/v1/credits/spend", responses={200: SpendAnswer})
@calls.call("credits:write", kinds=("service",), keyed=True, pays=True)
def spend(body: SpendBody) -> Response:
    """Spend credits on an action

    Those that end first are spent first. Refused with 402 rather than going below zero.
    """
    with transaction(db.session):
        spent = credits.spend(
            db.session(),
            calls.customer_id(),
            body.action,
            body.quantity,
            key=calls.key(),
            actor=calls.caller().key_id,
        )
    answer = SpendAnswer(
        id=spent.entry.id,
        type=words.named(spent.entry.kind).api,
        amount=-spent.cost,
        balance_after=spent.balance_after,
        description=str(spent.entry.data["description"]),
        created_at=timestamp(spent.entry.occurred_at),
    )
    return calls.reply(answer, replayed=spent.replayed)


def told(line: Line) -> CreditTransaction:
    """A line of the history as the API tells it."""
    return CreditTransaction(
        id=line.entry_id,
        type=words.named(line.kind).api,
        amount=line.amount,
        description=words.description(line),
        created_at=timestamp(line.occurred_at),
    )
