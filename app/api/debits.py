"""`/v1/wallet/debits`: the host product takes money for something it sold (SPEC §12.4)."""

from __future__ import annotations

from flask import Response
from pydantic import Field

from app.api import amounts, calls
from app.api.answers import Transaction, transaction_of
from app.api.values import Body, Cents, Line, Micros
from app.wallet.debit import debit

wallet_debits = calls.group("api_debits", "Debits", "Take money from a wallet.")


class NewDebit(Body):
    model_config = amounts.one_of(
        "amount_cents", "amount_micros", example={"amount_cents": 250, "description": "Print order 1042"}
    )

    amount_cents: Cents | None = None
    amount_micros: Micros | None = None
    description: Line = Field(description="What the customer reads on the statement.")


@wallet_debits.post("/v1/wallet/debits", responses={200: Transaction})
@calls.call("wallet:write", kinds=("service",), keyed=True)
def create(body: NewDebit) -> Response:
    """Take money from a wallet

    Promotional money is spent first. Refused with 402 rather than going below zero.
    """
    entry = debit(
        calls.committer(),
        calls.customer_id(),
        amounts.micros_of(body, calls.currency()),
        description=body.description,
        key=calls.key(),
        by=calls.caller().key_id,
        currency=calls.currency(),
    )
    return calls.reply(transaction_of(entry, calls.currency()), replayed=entry.replayed)
