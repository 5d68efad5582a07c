"""Ledger accounts as values: whose money it is, of what kind, in which asset; and the figures one shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

HOUSE = "house"


class Account(NamedTuple):
    """A ledger account. A customer's has a floor and a stored balance; the house's are sums and have neither.

    Assets: money is in micros of its currency ("usd"), credits are whole units ("credits").
    """

    customer_id: str
    kind: str
    asset: str

    @property
    def is_house(self) -> bool:
        return self.customer_id == HOUSE

    def __str__(self) -> str:
        return f"{self.kind} ({self.asset}) of {self.customer_id}"


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds now, in the asset's smallest unit.

    `available` is what can be spent: balance less what is held. `promo` is the part of the balance that was given
    rather than paid for. `debt` is how far below zero the available amount is allowed to be right now. From a `frozen`
    account nothing is spent or held, whatever is available (SPEC W5).
    """

    balance: int = 0
    held: int = 0
    debt: int = 0
    promo: int = 0
    entries: int = 0
    frozen: bool = False

    @property
    def available(self) -> int:
        return self.balance - self.held

    @property
    def paid(self) -> int:
        """The part that was paid for: all that can ever be refunded in cash (SPEC W4)."""
        return self.balance - self.promo
