"""Spending credits on an action of the catalogue, and what that would cost, asked before (SPEC C4)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import clock, ledger
from app.catalogue import actions
from app.catalogue.models import Action
from app.credits import burn_down, expire
from app.credits.accounts import credits_of, revenue
from app.credits.grants import LARGEST
from app.credits.reads import balance
from app.errors import IdempotencyKeyReused, Invalid
from app.wallet.books import key_of

MOST_AT_ONCE = 1_000_000


class UnknownAction(Invalid):
    """The catalogue has no such action, or no longer. Details: action."""

    code = "UNKNOWN_ACTION"


@dataclass(frozen=True, slots=True)
class Quote:
    """What an action costs now, and what it leaves; `balance_after` is below zero where there is not enough."""

    action: str
    name: str
    quantity: int
    unit_cost: int
    cost: int
    balance: int

    @property
    def balance_after(self) -> int:
        return self.balance - self.cost

    @property
    def enough(self) -> bool:
        return self.balance_after >= 0


@dataclass(frozen=True, slots=True)
class Spent:
    """One spend: the credit transaction, and the balance it left. `replayed`: the key had been used, nothing moved."""

    entry: ledger.Entry
    action: str
    quantity: int
    cost: int
    balance_after: int
    replayed: bool


def quote(session: Session, customer_id: str, action: str, quantity: int = 1) -> Quote:
    """What so many of an action cost. Changes nothing. Raises UnknownAction, and Invalid for the quantity."""
    known = _action(session, action)
    cost = _cost(known, quantity)
    return Quote(action, known.name, quantity, known.credits, cost, balance(session, customer_id).available)


def spend(session: Session, customer_id: str, action: str, quantity: int = 1, *, key: str, actor: str) -> Spent:
    """Take what so many of an action cost now, once per key, from the grants that end first.

    The same key and content answer the first spend, whatever the action costs by then. Raises InsufficientFunds (with
    `available` and `needed`) rather than going below zero, UnknownAction, Invalid for the quantity, and
    IdempotencyKeyReused when the key came with another action or quantity. What is over is not spent, even where
    nobody has written it off yet.
    """
    own_key = key_of("spend", key)
    account = credits_of(customer_id)
    ledger.lock_account(session, account)
    before = ledger.find_entry(session, customer_id, own_key)
    if before is not None:
        return _again(before, customer_id, action, quantity)
    known = _action(session, action)
    cost = _cost(known, quantity)
    grants = expire.without_expired(session, burn_down.open_grants(session, customer_id), clock.now())
    entry = ledger.post(
        session,
        "credit_spend",
        {account: -cost, revenue(): cost},
        customer_id=customer_id,
        key=own_key,
        data={
            "description": known.name,
            "action": action,
            "quantity": quantity,
            "unit_cost": known.credits,
            "by": actor,
        },
    )
    burn_down.write(session, entry, burn_down.shares_of(grants, cost))
    return _spent(entry, customer_id, replayed=False)


def _again(before: ledger.Entry, customer_id: str, action: str, quantity: int) -> Spent:
    if (before.data.get("action"), before.data.get("quantity")) != (action, quantity):
        raise IdempotencyKeyReused("This key came before with another spend.", field="idempotency_key")
    return _spent(before, customer_id, replayed=True)


def _spent(entry: ledger.Entry, customer_id: str, *, replayed: bool) -> Spent:
    cost = -entry.leg(credits_of(customer_id)).amount
    return Spent(entry, entry.data["action"], entry.data["quantity"], cost, entry.balance_after or 0, replayed)


def _action(session: Session, key: str) -> Action:
    found = actions.offered(session, key)
    if found is None:
        raise UnknownAction("There is no such action.", field="action", action=key)
    return found


def _cost(action: Action, quantity: int) -> int:
    if not 0 < quantity <= MOST_AT_ONCE or action.credits * quantity > LARGEST:
        raise Invalid("Give a quantity above zero and within range.", field="quantity", maximum=MOST_AT_ONCE)
    return action.credits * quantity
