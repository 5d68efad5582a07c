"""A provider for tests that keeps cards and charges them while nobody is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.money import Money
from app.providers.values import Cap, Card, ChargeResult, CustomerRef
from tests.support.fake_provider import FakeProvider
from tests.support.outgoing import refuse_inside_a_transaction

CAPS = frozenset({Cap.CUSTOM_AMOUNT, Cap.EXPIRE_CHECKOUT, Cap.SAVED_CARDS, Cap.OFF_SESSION})


@dataclass
class Charged:
    """One charge that was asked for, once per key."""

    key: str
    amount: Money
    card_id: str | None
    metadata: Mapping[str, str]
    result: ChargeResult


class CardProvider(FakeProvider):
    """`cards` by provider's customer; `declines(...)` makes the next charges fail."""

    def __init__(self) -> None:
        super().__init__(caps=CAPS)
        self.cards: dict[str, list[Card]] = {}
        self.charges: list[Charged] = []
        self._next: list[ChargeResult] = []

    def saves(self, customer: CustomerRef, card_id: str = "card_1") -> None:
        """Keep this card as the default one."""
        others = [Card(each.id, each.brand, each.last4, 12, 2030, False) for each in self.cards.get(customer.id, [])]
        self.cards[customer.id] = [Card(card_id, "visa", "4242", 12, 2030, True), *others]

    def declines(self, *, advice: Any = None, message: str = "Your card has insufficient funds.") -> None:
        self._next.append(ChargeResult(None, "failed", message=message, retry_advice=advice))

    def asks_for_a_person(self) -> None:
        """The next charge is one that the customer would have to confirm."""
        self._next.append(ChargeResult(None, "requires_action", message="Confirm it with your bank."))

    def list_cards(self, customer: CustomerRef) -> Sequence[Card]:
        refuse_inside_a_transaction("list_cards")
        self.before("list_cards")
        return self.cards.get(customer.id, [])

    def charge_saved_card(
        self,
        customer: CustomerRef,
        amount: Money,
        *,
        card_id: str | None,
        description: str,
        key: str,
        metadata: Mapping[str, str],
    ) -> ChargeResult:
        def make() -> ChargeResult:
            payment = f"pi_{len(self.charges) + 1}"
            result = self._next.pop(0) if self._next else ChargeResult(payment, "succeeded")
            self.charges.append(Charged(key, amount, card_id, metadata, result))
            return result

        return self._once("charge_saved_card", key, (customer, amount, card_id, description, dict(metadata)), make)

    @property
    def succeeded(self) -> list[Charged]:
        return [charge for charge in self.charges if charge.result.status == "succeeded"]
