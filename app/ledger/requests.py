"""What can be asked of the books: a posting, a hold, its settlement or its end. Checked for shape before any lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app import ids
from app.clock import timestamp
from app.errors import Invalid
from app.ledger import chart
from app.ledger.accounts import HOUSE, Account
from app.ledger.chart import ChartViolation
from app.ledger.entries import fingerprint

MAX_AMOUNT = 10**15  # a billion dollars in micros, in one movement
MAX_BALANCE = 10**18  # keeps every sum of a page within 64 bits


@dataclass(slots=True)
class Posting:
    """One entry to write. `promo_back` is what each account's promotional part changes by, for a reversal."""

    customer_id: str
    kind: str
    key: str
    legs: dict[Account, int]
    data: dict[str, Any]
    occurred_at: datetime | None = None
    reverses: str | None = None
    promo_back: dict[Account, int] = field(default_factory=dict)
    id: str = ""
    hash: str = ""

    @property
    def accounts(self) -> list[Account]:
        return [account for account in self.legs if account.customer_id != HOUSE]


@dataclass(slots=True)
class Holding:
    """Money to set aside. `raises`: adds to the live hold that has the key, if there is one."""

    account: Account
    amount: int
    key: str
    expires_at: datetime
    data: dict[str, Any]
    id: str = ""
    hash: str = ""
    raises: bool = False

    @property
    def customer_id(self) -> str:
        return self.account.customer_id


@dataclass(slots=True)
class Settling:
    """The end of a hold by spending some of it, all, or a bounded little more."""

    customer_id: str
    hold_id: str
    amount: int
    kind: str
    to: dict[Account, int]
    data: dict[str, Any]


@dataclass(slots=True)
class Ending:
    """The end of a hold without spending: `state` is released or expired."""

    customer_id: str
    hold_id: str
    state: str = "released"
    at: datetime | None = None  # what counts as now, for an expiry


Request = Posting | Holding | Settling | Ending


def check_key(key: str) -> None:
    """Raises Invalid for a key that cannot be stored or told apart: empty, over 255 characters, or unprintable."""
    if not 0 < len(key) <= 255 or not key.isprintable():
        raise Invalid("An idempotency key has 1 to 255 printable characters.", field="idempotency_key")


def check_amount(amount: int) -> None:
    """Raises Invalid beyond a billion dollars in one movement; asserts it is an integer at all (SPEC R1)."""
    assert type(amount) is int, f"Money is an int, not {type(amount).__name__}."
    if not -MAX_AMOUNT <= amount <= MAX_AMOUNT:
        raise Invalid("This amount is too large.", field="amount", maximum=MAX_AMOUNT)


def posting(
    kind: str,
    legs: Mapping[Account, int],
    *,
    customer_id: str,
    key: str,
    data: Mapping[str, Any] | None = None,
    occurred_at: datetime | None = None,
) -> Posting:
    """A checked posting. Raises ChartViolation for what no program should ask, Invalid for what a person should not."""
    check_key(key)
    if kind == "reversal":
        raise ChartViolation("A reversal is made by ledger.reverse, which copies what it reverses.")
    wanted = Posting(customer_id, kind, key, dict(legs), dict(data or {}), occurred_at)
    check_legs(wanted)
    when = () if occurred_at is None else (timestamp(occurred_at),)
    wanted.hash = fingerprint(kind, wanted.legs, wanted.data, *when)
    wanted.id = ids.new("wtxn")
    return wanted


def check_legs(wanted: Posting) -> None:
    """Two or more legs that sum to zero per asset, along the chart, all of one customer and the house (SPEC R2, W9)."""
    rule = chart.entry_kind(wanted.kind)
    if len(wanted.legs) < 2:
        raise ChartViolation("An entry has two or more legs.")
    rest: dict[str, int] = {}
    for account, amount in wanted.legs.items():
        check_amount(amount)
        if amount == 0:
            raise ChartViolation(f"A leg of nothing on {account}.")
        if account.customer_id not in (wanted.customer_id, HOUSE):
            raise ChartViolation(
                f"{account} belongs to another customer than the entry: money never moves between them."
            )
        chart.check_movement(wanted.kind, rule, account, amount)
        rest[account.asset] = rest.get(account.asset, 0) + amount
    if any(rest.values()):
        raise ChartViolation(f"The legs do not sum to zero: {rest}.")


def holding(
    account: Account, amount: int, *, key: str, expires_at: datetime, data: Mapping[str, Any] | None = None
) -> Holding:
    """A checked hold. The expiry is not part of what makes two requests the same: a retry computes it anew."""
    check_key(key)
    chart.check_account(account)
    if account.is_house:
        raise ChartViolation("The house's accounts have no balance to hold.")
    check_amount(amount)
    if amount <= 0:
        raise Invalid("A hold is for more than nothing.", field="amount")
    if expires_at.tzinfo is None:
        raise ValueError("A time without a zone cannot be stored.")
    wanted = Holding(account, amount, key, expires_at, dict(data or {}), ids.new("hold"))
    wanted.hash = fingerprint("hold", {account: amount}, wanted.data)
    return wanted


def raising(
    account: Account, by: int, *, key: str, expires_at: datetime, data: Mapping[str, Any] | None = None
) -> Holding:
    """A checked raise. The account and the key are all that has to be the same each time."""
    wanted = holding(account, by, key=key, expires_at=expires_at, data=data)
    wanted.raises = True
    wanted.hash = fingerprint("raise_hold", {account: 0}, {})
    return wanted


def settling(
    customer_id: str,
    hold_id: str,
    amount: int,
    *,
    kind: str,
    to: Account | Mapping[Account, int],
    data: Mapping[str, Any] | None = None,
) -> Settling:
    """A checked settlement: `to` is who gets it, one account or several with their shares."""
    check_amount(amount)
    if amount < 0:
        raise Invalid("A settlement cannot be negative.", field="amount")
    shares = {to: amount} if isinstance(to, Account) else dict(to)
    if sum(shares.values()) != amount:
        raise ChartViolation(f"The shares {shares} are not the {amount} to settle.")
    chart.entry_kind(kind)
    return Settling(customer_id, hold_id, amount, kind, {a: n for a, n in shares.items() if n}, dict(data or {}))
