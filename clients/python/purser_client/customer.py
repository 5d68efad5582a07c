"""One customer of yours: what their plan allows, what they use, and their wallet and credits (SPEC §12.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from purser_client.answers import (
    BalanceAnswer,
    CheckAnswer,
    CreditTransaction,
    EntitlementsAnswer,
    HoldAnswer,
    QuoteAnswer,
    ResourceAnswer,
    SpendAnswer,
    Transaction,
    UsageAnswer,
    UsageEvent,
)
from purser_client.billing import Billing
from purser_client.transport import Transport, segment


class Customer:
    """Made by `Purser.customer`. `name` is what you gave there.

    Calls that move money take `key`, the Idempotency-Key: the same key and arguments do it once, however often they are
    sent, also days later. Without one each call stands for itself; its own retries are still safe.
    """

    def __init__(self, transport: Transport, name: str) -> None:
        self._transport, self.name = transport, name
        self.billing = Billing(transport, name)

    # What the plan allows

    def entitlements(self) -> EntitlementsAnswer:
        """Every limit, with what is used and left of it."""
        return cast("EntitlementsAnswer", self._call("GET", "/v1/entitlements"))

    def check(self, feature: str, quantity: int = 1) -> CheckAnswer:
        """Whether they may: look at `allowed`, then at `message`, `remedy` and `upgrade`. Uses nothing up but rates."""
        return cast(
            "CheckAnswer", self._call("POST", "/v1/entitlements/check", {"feature": feature, "quantity": quantity})
        )

    def acquire(self, kind: str, resource_id: str) -> ResourceAnswer:
        """Take one of what the plan counts, before you make it. Twice is once. Raises LimitReached."""
        return cast("ResourceAnswer", self._call("POST", f"/v1/resources/{segment(kind)}", {"id": resource_id}))

    def release(self, kind: str, resource_id: str) -> None:
        """Give it back, after it is gone. Twice is once."""
        self._call("DELETE", f"/v1/resources/{segment(kind)}/{segment(resource_id)}")

    # What they use

    def report_usage(self, events: Iterable[UsageEvent]) -> UsageAnswer:
        """Report 1 to 1,000 events. Each one's `id` is counted once, so send the same again when in doubt.

        Look at `refused`: the others are counted all the same.
        """
        return cast("UsageAnswer", self._call("POST", "/v1/usage", {"events": list(events)}))

    # The wallet

    def balance(self) -> BalanceAnswer:
        """What is in the wallet, and what was used this period."""
        return cast("BalanceAnswer", self._call("GET", "/v1/billing/balance"))

    def transactions(self, *, type: str | None = None, page_size: int = 100) -> Iterator[Transaction]:  # noqa: A002
        """The wallet's movements, newest first, fetched page by page as you read on."""
        cursor: str | None = None
        while True:
            query = {"limit": page_size, "type": type, "cursor": cursor}
            page = self._call("GET", "/v1/billing/transactions", query=query)
            yield from cast("list[Transaction]", page["transactions"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def charge(
        self,
        service: str,
        *,
        list_price_micros: int | None = None,
        cost_micros: int | None = None,
        description: str | None = None,
        publisher: str | None = None,
        key: str | None = None,
    ) -> Transaction:
        """Charge a service at its list price, or its cost plus the markup: say one of the two. Raises PaymentNeeded."""
        body = {
            "service": service,
            "list_price_micros": list_price_micros,
            "cost_micros": cost_micros,
            "description": description,
            "publisher": publisher,
        }
        return cast("Transaction", self._call("POST", "/v1/charges", body, key=key))

    def debit(
        self,
        description: str,
        *,
        amount_cents: int | None = None,
        amount_micros: int | None = None,
        key: str | None = None,
    ) -> Transaction:
        """Take an amount, in cents or in micros. Raises PaymentNeeded."""
        body = {"amount_cents": amount_cents, "amount_micros": amount_micros, "description": description}
        return cast("Transaction", self._call("POST", "/v1/wallet/debits", body, key=key))

    def hold(
        self,
        *,
        amount_cents: int | None = None,
        amount_micros: int | None = None,
        expires_in: int | None = None,
        description: str | None = None,
        key: str | None = None,
    ) -> HoldAnswer:
        """Set money aside before you give a service; it comes back by itself after `expires_in` seconds."""
        body = {
            "amount_cents": amount_cents,
            "amount_micros": amount_micros,
            "expires_in": expires_in,
            "description": description,
        }
        return cast("HoldAnswer", self._call("POST", "/v1/wallet/holds", body, key=key))

    def get_hold(self, hold_id: str) -> HoldAnswer:
        """How a hold stands. Raises NotFound."""
        return cast("HoldAnswer", self._call("GET", f"/v1/wallet/holds/{segment(hold_id)}"))

    def settle_hold(self, hold_id: str, amount_micros: int, *, key: str | None = None) -> HoldAnswer:
        """Take what it really cost; the rest is free again. Raises Conflict for a hold that ended otherwise."""
        path, body = f"/v1/wallet/holds/{segment(hold_id)}/settle", {"amount_micros": amount_micros}
        return cast("HoldAnswer", self._call("POST", path, body, key=key))

    def release_hold(self, hold_id: str, *, key: str | None = None) -> HoldAnswer:
        """Give all of it back."""
        return cast("HoldAnswer", self._call("POST", f"/v1/wallet/holds/{segment(hold_id)}/release", key=key))

    # Credits

    def credits(self) -> int:
        """How many credits they have."""
        return int(self._call("GET", "/credits/balance")["data"]["balance"])

    def credit_transactions(self, *, limit: int | None = None, offset: int | None = None) -> list[CreditTransaction]:
        """What happened to the credits, newest first."""
        answer = self._call("GET", "/credits/transactions", query={"limit": limit, "offset": offset})
        return cast("list[CreditTransaction]", answer["data"])

    def quote(self, action: str, quantity: int = 1) -> QuoteAnswer:
        """What an action would cost, and whether the credits are there."""
        return cast("QuoteAnswer", self._call("POST", "/v1/credits/quote", {"action": action, "quantity": quantity}))

    def spend(self, action: str, quantity: int = 1, *, key: str | None = None) -> SpendAnswer:
        """Spend credits on an action. Raises PaymentNeeded."""
        body = {"action": action, "quantity": quantity}
        return cast("SpendAnswer", self._call("POST", "/v1/credits/spend", body, key=key))

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        query: dict[str, Any] | None = None,
        key: str | None = None,
    ) -> Any:
        return self._transport.call(method, path, customer=self.name, body=body, query=query, key=key)
