"""The shapes of the API's answers, and how each is made from what the wallet and the ledger say."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from app.api.values import Answer, SparseAnswer
from app.clock import timestamp
from app.ledger import Entry, Hold, Line
from app.money import micros_to_minor
from app.wallet import kinds, model_calls, reads
from app.wallet.accounts import wallet_of

Instant = Annotated[
    str, WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-21T09:30:00Z"]})
]
CustomerId = Annotated[str, Field(examples=["cus_01k9yq3v7n4m8s2t6w0x5z1b3d"])]
TransactionId = Annotated[str, Field(examples=["wtxn_01k9yq3v7n4m8s2t6w0x5z1b3d"])]


_TOP_UP = {
    "id": "wtxn_01k9yq3v7n4m8s2t6w0x5z1b3d",
    "type": "topup",
    "amount_cents": 5000,
    "amount_micros": 50000000,
    "balance_after_cents": 5500,
    "description": "Top-up",
    "created_at": "2026-11-21T09:30:00Z",
}


class BalanceAnswer(Answer):
    """The wallet of one customer. Cents are rounded down, micros are exact: 1 cent is 10,000 micros."""

    operator_id: CustomerId
    balance_cents: int = Field(description="The balance, rounded down.", examples=[5500])
    balance_micros: int = Field(description="The balance, exactly.", examples=[55004200])
    available_cents: int = Field(description="The balance less what holds set aside, rounded down.", examples=[5300])
    tier: str = Field(description="The key of the customer's plan.", examples=["free"])
    billing_period_start: Instant = Field(examples=["2026-11-01T00:00:00Z"])
    billing_period_end: Instant = Field(examples=["2026-12-01T00:00:00Z"])
    usage: dict[str, int] = Field(description="Units counted this period, by meter.", examples=[{}])


class Transaction(Answer):
    """One movement of the wallet.

    `amount_cents` is what the rounded balance changed by, so a column of them always adds up to `balance_after_cents`;
    `amount_micros` is exact.
    """

    id: TransactionId
    type: Annotated[str, Field(json_schema_extra={"enum": list(kinds.API_TYPES)})]
    amount_cents: int = Field(examples=[5000])
    amount_micros: int = Field(examples=[50000000])
    balance_after_cents: int = Field(examples=[5500])
    description: str = Field(examples=["Top-up"])
    created_at: Instant


class ModelCallTransaction(Transaction):
    """A call to a model, of the type `llm` (SPEC W3)."""

    model: str = Field(examples=["gpt-5-mini"])
    prompt_tokens: int = Field(examples=[1200])
    completion_tokens: int = Field(examples=[310])
    cached_tokens: int = Field(description="Those of the prompt that came from a cache.", examples=[0])
    provider_cost_micros: int = Field(description="What the model's provider took.", examples=[920])


class TransactionsAnswer(Answer):
    """A page of transactions, newest first."""

    count: int = Field(description="How many there are in all, with the type asked for.", examples=[1])
    transactions: list[ModelCallTransaction | Transaction] = Field(examples=[[_TOP_UP]])
    next_cursor: str | None = Field(description="Ask for `cursor` with this to go on; null at the end.")


class HoldAnswer(SparseAnswer):
    """Money set aside. What a settled hold took, and the transaction it made, are there once it is settled."""

    id: str = Field(examples=["hold_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    state: Literal["held", "settled", "released", "expired"]
    amount_micros: int = Field(examples=[2000000])
    expires_at: Instant
    settled_micros: int | None = Field(default=None, examples=[1250000])
    transaction_id: TransactionId | None = None


def transaction(line: Line, currency: str) -> Transaction:
    """A line of the wallet's history as the API tells it."""
    return _transaction(line.entry_id, line, (line.amount, line.balance_after), currency, reads.description(line))


def transaction_of(entry: Entry, currency: str) -> Transaction:
    """The wallet's part of an entry just made, or made before under the same key."""
    leg = entry.leg(wallet_of(entry.customer_id, currency))
    assert leg.balance_after is not None, "a wallet's leg has a running balance"
    told = str(entry.data.get("description") or kinds.named(entry.kind).title)
    return _transaction(entry.id, entry, (leg.amount, leg.balance_after), currency, told)


def hold_of(hold: Hold) -> HoldAnswer:
    """A hold as the API tells it."""
    return HoldAnswer(
        id=hold.id,
        state=hold.state,  # type: ignore[arg-type]  # the ledger's CHECK allows these four words only
        amount_micros=hold.amount,
        expires_at=timestamp(hold.expires_at),
        settled_micros=hold.settled_amount,
        transaction_id=hold.settled_entry,
    )


def _transaction(entry_id: str, made: Entry | Line, moved: tuple[int, int], currency: str, told: str) -> Transaction:
    # Rounding each amount by itself would leave a column that does not add up: a thousand charges of $0.0001 would
    # show as nothing while the balance falls by ten cents. So the difference of the rounded balances is shown.
    amount, after = moved
    shown_after = micros_to_minor(after, currency)
    shown = {
        "id": entry_id,
        "type": kinds.named(made.kind).api,
        "amount_cents": shown_after - micros_to_minor(after - amount, currency),
        "amount_micros": amount,
        "balance_after_cents": shown_after,
        "description": told,
        "created_at": timestamp(made.occurred_at),
    }
    call = model_calls.of(made.kind, made.data)
    if call is None:
        return Transaction.model_validate(shown)
    return ModelCallTransaction.model_validate(shown | asdict(call))
