"""`/v1/billing`: the balance, the transactions and the top-up of a wallet (SPEC §12.1)."""

from __future__ import annotations

from flask import Response
from pydantic import Field

from app import clock, ledger
from app.api import calls
from app.api.answers import BalanceAnswer, TransactionsAnswer, transaction
from app.api.values import Paged
from app.errors import Invalid
from app.extensions import db
from app.http import paging
from app.metering import reads as usage
from app.money import micros_to_minor
from app.subscriptions import standing
from app.wallet import kinds, reads
from app.wallet.accounts import wallet_of

billing = calls.group("api_billing", "Billing", "The wallet of a customer: balance, transactions, top-up.")


class TransactionsQuery(Paged):
    cursor: str | None = Field(default=None, max_length=64, description="Go on after a page: its `next_cursor`.")
    type: str | None = Field(
        default=None, description="Only transactions of this type.", json_schema_extra={"enum": list(kinds.API_TYPES)}
    )


@billing.get("/v1/billing/balance", responses={200: BalanceAnswer})
@calls.call("billing:read")
def balance() -> Response:
    """The balance of the wallet"""
    currency = calls.currency()
    held = ledger.balance(db.session, wallet_of(calls.customer_id(), currency))
    stands = standing.of(db.session(), calls.customer_id())
    answer = BalanceAnswer(
        operator_id=calls.customer_id(),
        balance_cents=micros_to_minor(held.balance, currency),
        balance_micros=held.balance,
        available_cents=micros_to_minor(held.available, currency),
        tier=stands.tier,
        billing_period_start=clock.timestamp(stands.period.start),
        billing_period_end=clock.timestamp(stands.period.end),
        usage=usage.units(db.session(), stands),
    )
    return calls.reply(answer)


@billing.get("/v1/billing/transactions", responses={200: TransactionsAnswer})
@calls.call("billing:read")
def transactions(query: TransactionsQuery) -> Response:
    """The transactions of the wallet, newest first

    Page by `limit` and `offset`, or by `limit` and `cursor`, which stays right while new transactions arrive.
    """
    wanted = kinds.of_type(query.type) if query.type is not None else None
    who = (db.session, calls.customer_id(), calls.currency())
    if query.cursor is None:
        found = reads.transactions_at(*who, offset=query.offset, kinds=wanted, limit=query.limit)
    elif query.offset:
        raise Invalid("Page by offset or by cursor, not by both.", field="cursor")
    else:
        place = paging.position(query.cursor or "-", "cursor")
        found = reads.transactions_after(*who, cursor=place, kinds=wanted, limit=query.limit)
    count, lines, following = found
    answer = TransactionsAnswer(
        count=count,
        transactions=[transaction(line, calls.currency()) for line in lines],
        next_cursor=None if following is None else paging.cursor(following),
    )
    return calls.reply(answer)
