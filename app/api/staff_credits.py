"""`/admin/credits/*`: staff's programs read everybody's credit transactions and adjust by hand (SPEC §12.2, C6)."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import BeforeValidator, Field, StringConstraints

from app.adjustments import CREDITS, Adjustment, Wish, ask
from app.api import calls
from app.api.answers import CustomerId, Instant, TransactionId
from app.api.credits import CreditType
from app.api.values import Answer, Body, Moment, Paged, whole
from app.clock import timestamp
from app.credits import everyone, words
from app.credits.accounts import credits_of
from app.credits.everyone import Asked, Movement
from app.credits.grants import LARGEST
from app.customers import api_keys, customers
from app.db import transaction
from app.errors import Invalid
from app.extensions import db

staff_credits = calls.group("api_staff_credits", "Credits, by staff", "Everybody's credit transactions, and adjusting.")


Signed = Annotated[int, Field(ge=-LARGEST, le=LARGEST), BeforeValidator(whole)]


class StaffCreditsQuery(Paged):
    customer: str | None = Field(default=None, max_length=64, description="Only this customer's.")
    type: str | None = Field(
        default=None, description="Only transactions of this type.", json_schema_extra={"enum": list(words.API_TYPES)}
    )


class StaffCreditTransaction(Answer):
    """One movement of one customer's credits."""

    id: TransactionId
    customer_id: CustomerId
    type: CreditType
    amount: int = Field(examples=[-50])
    balance_after: int = Field(examples=[1450])
    description: str = Field(examples=["AI chat"])
    created_at: Instant


class StaffCreditsAnswer(Answer):
    """A page of transactions, newest first."""

    success: Literal[True] = True
    data: list[StaffCreditTransaction]


class ManualBody(Body):
    """Credits by hand. The customer reads the reason."""

    customer_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        examples=["cus_01k9yq3v7n4m8s2t6w0x5z1b3d"]
    )
    amount: Signed = Field(description="Above zero gives, below zero takes; not zero.", examples=[500])
    reason: Annotated[str, StringConstraints(min_length=3, max_length=500)] = Field(examples=["Goodwill"])
    ticket: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="For staff only."
    )
    expires_at: Moment | None = Field(default=None, description="When given credits end; left out: never.")


class EnvelopedStaffCredit(Answer):
    """The transaction of an adjustment."""

    success: Literal[True] = True
    data: StaffCreditTransaction


class StaffAdjustment(Answer):
    """An adjustment that moved nothing: it waits for a member of staff to approve it, or was turned down."""

    id: str = Field(examples=["adj_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    customer_id: CustomerId
    state: Literal["waiting", "denied", "withdrawn"]
    amount: int = Field(examples=[25000])
    description: str = Field(examples=["Goodwill"])
    created_at: Instant


class EnvelopedStaffAdjustment(Answer):
    """An adjustment above the limit for one person."""

    success: Literal[True] = True
    data: StaffAdjustment


@staff_credits.get("/admin/credits/transactions", responses={200: StaffCreditsAnswer})
@calls.call("staff:read", kinds=("staff",), for_a_customer=False)
def transactions(query: StaffCreditsQuery) -> Response:
    """Everybody's credit transactions, newest first"""
    asked = Asked(words.of_type(query.type) if query.type is not None else None, query.customer)
    page = everyone.movements(db.session(), asked, offset=query.offset, limit=query.limit)
    return calls.reply(StaffCreditsAnswer(data=[_told(movement) for movement in page.found]))


@staff_credits.post("/admin/credits/manual", responses={200: EnvelopedStaffCredit, 202: EnvelopedStaffAdjustment})
@calls.call("staff:money", kinds=("staff",), for_a_customer=False, keyed=True, pays=True)
def manual(body: ManualBody) -> Response:
    """Give or take credits by hand

    Kept in the audit log with its reason. Taking never goes below zero: refused with 402. Above the installation's
    limit nothing moves: 202, until a member of staff approves it. The same key then answers what became of it.
    """
    if customers.by_id(db.session(), body.customer_id) is None:
        raise Invalid("There is no such customer.", field="customer_id")
    if body.amount == 0:
        raise Invalid("Give a number of credits other than zero.", field="amount", maximum=LARGEST)
    key_id, settings = calls.caller().key_id, calls.settings()
    wish = Wish(body.customer_id, CREDITS, body.amount, body.reason, calls.key(), body.ticket, body.expires_at)
    limit = settings.credit_adjustment_limit
    with transaction(db.session):
        # Who made the key is who asks: they do not approve it as the second person.
        maker = api_keys.maker_of(db.session(), key_id)
        asked = ask(db.session(), wish, by=key_id, person=maker, limit=limit, base_url=settings.base_url)
    if asked.entry is None:
        return calls.reply(EnvelopedStaffAdjustment(data=_waiting(asked.row)), 202, replayed=asked.replayed)
    entry = asked.entry
    told = StaffCreditTransaction(
        id=entry.id,
        customer_id=entry.customer_id,
        type=words.named(entry.kind).api,
        amount=entry.leg(credits_of(entry.customer_id)).amount,
        balance_after=entry.balance_after or 0,
        description=str(entry.data["description"]),
        created_at=timestamp(entry.occurred_at),
    )
    return calls.reply(EnvelopedStaffCredit(data=told), replayed=asked.replayed)


def _waiting(row: Adjustment) -> StaffAdjustment:
    assert row.state != "made", "that has an entry"
    return StaffAdjustment(
        id=row.id,
        customer_id=row.customer_id,
        state=row.state,  # type: ignore[arg-type]  # one of STATES
        amount=row.amount,
        description=row.reason,
        created_at=timestamp(row.asked_at),
    )


def _told(movement: Movement) -> StaffCreditTransaction:
    line = movement.line
    return StaffCreditTransaction(
        id=line.entry_id,
        customer_id=movement.customer_id,
        type=words.named(line.kind).api,
        amount=line.amount,
        balance_after=line.balance_after,
        description=words.description(line),
        created_at=timestamp(line.occurred_at),
    )
