"""Entries, holds and history lines as values, and the fingerprint by which a repeated request is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from app.errors import Conflict
from app.ledger.accounts import Account

_quoted = json.encoder.encode_basestring_ascii
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


class Leg(NamedTuple):
    """What one entry did to one account. House legs have no seq and no balance_after."""

    account: Account
    amount: int
    promo_amount: int = 0
    seq: int | None = None
    kind_seq: int | None = None
    balance_after: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement: two or more legs that sum to zero per asset. Never changed once written.

    `replayed` tells that this key had been posted before, and nothing was written now.
    """

    id: str
    customer_id: str
    kind: str
    key: str
    request_hash: str
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]
    legs: tuple[Leg, ...]
    reverses: str | None = None
    replayed: bool = field(default=False, compare=False)

    def leg(self, account: Account) -> Leg:
        """The leg that moved this account. Raises KeyError if there is none."""
        for leg in self.legs:
            if leg.account == account:
                return leg
        raise KeyError(str(account))

    @property
    def balance_after(self) -> int | None:
        """The running balance of the first customer account it moved; None when it moved the house's alone."""
        return next((leg.balance_after for leg in self.legs if leg.seq is not None), None)


@dataclass(frozen=True, slots=True)
class Hold:
    """Money or credits set aside until settled, released or expired (SPEC W7)."""

    id: str
    account: Account
    amount: int
    state: str
    key: str
    request_hash: str
    created_at: datetime
    expires_at: datetime
    data: dict[str, Any]
    ended_at: datetime | None = None
    settled_amount: int | None = None
    settled_entry: str | None = None
    replayed: bool = field(default=False, compare=False)

    @property
    def customer_id(self) -> str:
        return self.account.customer_id


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an account's history; `seq` is gapless per account, newest highest, and is the paging cursor."""

    seq: int
    entry_id: str
    kind: str
    amount: int
    balance_after: int
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]
    key: str


class AlreadyReversed(Conflict):
    """An entry can be reversed once. Details: entry_id, reversed_by."""

    code = "ALREADY_REVERSED"


class HoldEnded(Conflict):
    """The hold was settled, released or has expired. Details: hold_id, state."""

    code = "HOLD_ENDED"


def encoded(value: Any) -> str:
    """Canonical JSON in plain ASCII: the same text for the same content, and nothing a database chokes on."""
    return _encode(value)


def tallied(kept: Mapping[str, list[int]]) -> str:
    """Tallies as JSON; kinds are plain words of the chart."""
    return "{" + ",".join([f'"{kind}":[{n},{came},{went}]' for kind, (n, came, went) in kept.items()]) + "}"


def is_pair(entry: Entry) -> bool:
    """Whether an entry is a customer's leg and the house's, as nearly all are."""
    legs = entry.legs
    return len(legs) == 2 and (legs[0].seq is None) != (legs[1].seq is None)


def fingerprint(kind: str, legs: Mapping[Account, int], data: Mapping[str, Any], *more: Any) -> str:
    """32 hex digits that two requests share only if they ask for the same thing (SPEC R5).

    What is hashed is `encoded([kind, legs in ascending order, data, *more])`, and must stay so for the keys already
    written; putting it together by hand takes half the time.
    """
    moved = ",".join(
        [f"[{_quoted(who)},{_quoted(what)},{_quoted(asset)},{n}]" for (who, what, asset), n in sorted(legs.items())]
    )
    rest = "".join(["," + _encode(one) for one in more])
    content = f"[{_quoted(kind)},[{moved}],{_encode(data) if data else '{}'}{rest}]"
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
