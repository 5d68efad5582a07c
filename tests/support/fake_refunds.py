"""A provider for tests that pays money back: never more than was paid, once per key, and tells what it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app import clock as the_clock
from app.money import Money
from app.providers.errors import InvalidRequest
from app.providers.values import Cap, RefundResult
from tests.support.fake_provider import FakeProvider
from tests.support.outgoing import refuse_inside_a_transaction

PAYS_BACK = frozenset(
    {Cap.CUSTOM_AMOUNT, Cap.EXPIRE_CHECKOUT, Cap.REFUND_FULL, Cap.REFUND_PARTIAL, Cap.IDEMPOTENCY_KEYS}
)


class RefundProvider(FakeProvider):
    """`paid` is what each payment came to, in minor units. `status` is what it says of a refund at first.

    `is_nameless`: like vendors that take no key and tell no more than how much has gone back in all.
    """

    def __init__(self, name: str = "stripe", *, caps: frozenset[Cap] = PAYS_BACK, is_nameless: bool = False) -> None:
        super().__init__(name, caps=caps - {Cap.IDEMPOTENCY_KEYS} if is_nameless else caps)
        self.paid: dict[str, int] = {"pay_1": 5000}
        self.made: dict[str, list[RefundResult]] = {}
        self.status: Any = "succeeded"
        self.is_nameless = is_nameless

    def gone(self, payment_id: str = "pay_1") -> int:
        """How much went back of a payment."""
        return sum(each.amount.minor for each in self.made.get(payment_id, ()) if each.status != "failed")

    def refund(
        self,
        *,
        payment_id: str,
        amount: Money,
        reason: str,
        our_refund_id: str,
        key: str,
        invoice_id: str | None = None,
    ) -> RefundResult:
        def make() -> RefundResult:
            if not 0 < amount.minor <= self.paid[payment_id] - self.gone(payment_id):
                raise InvalidRequest("It has been refunded.", code="charge_already_refunded")
            known = self.made.setdefault(payment_id, [])
            ours = None if self.is_nameless else our_refund_id
            known.append(RefundResult(f"re_{payment_id}_{len(known)}", self.status, amount, ours))
            return known[-1]

        once = f"{key} at {the_clock.now()} {len(self.calls)}" if self.is_nameless else key
        return self._once("refund", once, (payment_id, amount, reason, our_refund_id, invoice_id), make)  # type: ignore[no-any-return]

    def list_refunds(self, payment_id: str) -> Sequence[RefundResult]:
        refuse_inside_a_transaction("list_refunds")
        self.before("list_refunds")
        self.calls.append(("list_refunds", payment_id))
        return list(self.made.get(payment_id, ()))

    def pays_back_unasked(self, payment_id: str, minor: int, name: str) -> None:
        """Somebody at the provider did, on its own pages."""
        self.made.setdefault(payment_id, []).append(RefundResult(name, "succeeded", Money(minor, "usd")))

    def fails(self, payment_id: str, name: str) -> None:
        """The bank sends it back."""
        made = self.made[payment_id]
        self.made[payment_id] = [replace(each, status="failed") if each.refund_id == name else each for each in made]
