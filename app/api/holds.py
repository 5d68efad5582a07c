"""`/v1/wallet/holds`: the host product sets money aside, and settles or releases it (SPEC W7, §12.4)."""

from __future__ import annotations

from flask import Response
from pydantic import BaseModel, Field

from app.api import amounts, calls
from app.api.answers import HoldAnswer, hold_of
from app.api.values import Body, Cents, HoldSeconds, Line, Micros, MicrosOrNone
from app.extensions import db
from app.ledger import HoldEnded
from app.wallet import holds

wallet_holds = calls.group(
    "api_holds", "Holds", "Set money aside before a service is given; settle or release it after."
)


class NewHold(Body):
    model_config = amounts.one_of(
        "amount_cents", "amount_micros", example={"amount_micros": 2_000_000, "expires_in": 900}
    )

    amount_cents: Cents | None = None
    amount_micros: Micros | None = None
    expires_in: HoldSeconds = Field(default=holds.USUAL, description="Seconds until it is released by itself.")
    description: Line | None = Field(default=None, description="What the customer reads beside it.")


class Settlement(Body):
    amount_micros: MicrosOrNone = Field(description="What it really cost. Zero takes nothing.", examples=[1_250_000])


class HoldPath(BaseModel):
    hold_id: str = Field(max_length=64)


@wallet_holds.post("/v1/wallet/holds", responses={200: HoldAnswer})
@calls.call("wallet:write", kinds=("service",), keyed=True)
def authorise(body: NewHold) -> Response:
    """Set money aside

    The held money is still in the balance and no longer available. It comes back by itself when the hold expires.
    """
    made = holds.authorise(
        calls.committer(),
        calls.customer_id(),
        amounts.micros_of(body, calls.currency()),
        description=body.description,
        key=calls.key(),
        by=calls.caller().key_id,
        expires_in=body.expires_in,
        currency=calls.currency(),
    )
    return calls.reply(hold_of(made), replayed=made.replayed)


@wallet_holds.get("/v1/wallet/holds/<hold_id>", responses={200: HoldAnswer})
@calls.call("billing:read")
def show(path: HoldPath) -> Response:
    """One hold"""
    return calls.reply(hold_of(holds.of(db.session, calls.customer_id(), path.hold_id)))


@wallet_holds.post("/v1/wallet/holds/<hold_id>/settle", responses={200: HoldAnswer})
@calls.call("wallet:write", kinds=("service",), keyed=True)
def settle(path: HoldPath, body: Settlement) -> Response:
    """Take what it really cost

    The rest of the hold becomes available again. More than was held is taken too. A hold is settled once: the same
    amount again gets the first answer, another amount is refused.
    """
    held, key = holds.of(db.session, calls.customer_id(), path.hold_id), calls.key()
    try:
        done, _entry = holds.settle(
            calls.committer(),
            held,
            body.amount_micros,
            key=key,
            by=calls.caller().key_id,
            currency=calls.currency(),
        )
    except HoldEnded as ended:
        done = holds.settled_before(db.session, ended, held, body.amount_micros, key=key)
    return calls.reply(hold_of(done), replayed=done.replayed)


@wallet_holds.post("/v1/wallet/holds/<hold_id>/release", responses={200: HoldAnswer})
@calls.call("wallet:write", kinds=("service",), keyed=True)
def release(path: HoldPath) -> Response:
    """Give the held money back"""
    held = holds.of(db.session, calls.customer_id(), path.hold_id)
    done = holds.release(calls.committer(), calls.customer_id(), held.id)
    return calls.reply(hold_of(done), replayed=done.replayed)
