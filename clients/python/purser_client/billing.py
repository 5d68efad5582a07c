"""A customer's plan, payments and papers (SPEC §12.1, §12.2), for pages of your own; the portal has all of it ready."""

from __future__ import annotations

from typing import Any, Literal, cast

from purser_client.billing_answers import (
    BillingAnswer,
    CheckedIn,
    InvoiceAnswer,
    InvoicesAnswer,
    Method,
    OrderAnswer,
    PreviewAnswer,
    RefundAnswer,
    RetryAnswer,
    SavedCard,
    StateAnswer,
    TopUpAnswer,
)
from purser_client.transport import Transport, segment

Interval = Literal["month", "year"]


class Billing:
    """`purser.customer("team-42").billing`. `key` is the Idempotency-Key, as for `Customer`."""

    def __init__(self, transport: Transport, name: str) -> None:
        self._transport, self._name = transport, name

    def state(self) -> BillingAnswer:
        """Plan, status, what pays, what is going to change, and the saved card."""
        return cast("BillingAnswer", self._call("GET", ""))

    def subscribe(
        self,
        plan: str,
        *,
        payment_method: Method | None = None,
        interval: Interval | None = None,
        coupon: str | None = None,
        key: str | None = None,
    ) -> StateAnswer:
        """Begin a plan, or change to it. Raises PaymentNeeded; where nothing saved can pay, with `checkout_url`."""
        body = {"plan": plan, "paymentMethod": payment_method, "interval": interval, "coupon": coupon}
        return cast("StateAnswer", self._call("POST", "/subscribe", body, key=key))

    def checkout(
        self, plan: str, *, interval: Interval | None = None, coupon: str | None = None, key: str | None = None
    ) -> str:
        """The address of a page on which to pay for a plan."""
        body = {"plan": plan, "interval": interval, "coupon": coupon}
        return str(self._call("POST", "/checkout", body, key=key)["url"])

    def preview_change(self, plan: str, *, interval: Interval | None = None) -> PreviewAnswer:
        """What a change would cost now. `change_plan` with its `change_id` charges exactly that, for ten minutes."""
        query = {"plan": plan, "interval": interval}
        return cast("PreviewAnswer", self._call("GET", "/change-plan/preview", query=query))

    def change_plan(
        self, plan: str, *, interval: Interval | None = None, change_id: str | None = None, key: str | None = None
    ) -> StateAnswer:
        """Change the plan: to a dearer one at once, to a cheaper one with the next period."""
        body = {"plan": plan, "interval": interval, "change_id": change_id}
        return cast("StateAnswer", self._call("POST", "/change-plan", body, key=key))

    def undo_change(self) -> StateAnswer:
        """Take back a change that waits."""
        return cast("StateAnswer", self._call("DELETE", "/change-plan"))

    def cancel(
        self, *, when: Literal["period_end", "now"] = "period_end", reason: str | None = None, key: str | None = None
    ) -> StateAnswer:
        """Cancel the plan; `now` pays the unused share back."""
        return cast("StateAnswer", self._call("POST", "/cancel", {"when": when, "reason": reason}, key=key))

    def resume(self, *, key: str | None = None) -> StateAnswer:
        """Take a cancellation back, while the plan still runs."""
        return cast("StateAnswer", self._call("POST", "/resume", key=key))

    def pay_by(self, payment_method: Method, *, key: str | None = None) -> StateAnswer:
        """What pays from the next period on."""
        body = {"paymentMethod": payment_method}
        return cast("StateAnswer", self._call("POST", "/change-payment-method", body, key=key))

    def retry_payment(self, *, key: str | None = None) -> RetryAnswer:
        """Try the oldest open invoice again, and say what came of it."""
        return cast("RetryAnswer", self._call("POST", "/retry-payment", key=key))

    def top_up(self, amount_cents: int, *, key: str | None = None) -> TopUpAnswer:
        """A page on which to pay 1000 to 1000000 cents into the wallet."""
        return cast("TopUpAnswer", self._call("POST", "/topup", {"amount_cents": amount_cents}, key=key))

    def refund(self, transaction_id: str, *, amount_cents: int | None = None, key: str | None = None) -> RefundAnswer:
        """Pay a top-up of the last seven days back to what it was paid with: all that is not spent, or less of it."""
        path, body = f"/refund/{segment(transaction_id)}", {"amount_cents": amount_cents}
        return cast("RefundAnswer", self._call("POST", path, body, key=key))

    def setup_intent(self, *, key: str | None = None) -> str:
        """The client secret with which your page takes a card at the provider."""
        return str(self._call("POST", "/setup-intent", key=key)["clientSecret"])

    def keep_card(self, payment_method_id: str) -> SavedCard | None:
        """Make this saved card the one that is charged."""
        body = {"paymentMethodId": payment_method_id}
        return cast("SavedCard | None", self._call("POST", "/payment-method", body)["payment_method"])

    def forget_card(self) -> SavedCard | None:
        """Forget the card that is charged, and say which is now. Raises Conflict while the plan needs it."""
        return cast("SavedCard | None", self._call("DELETE", "/payment-method")["payment_method"])

    def provider_portal(self, *, return_url: str | None = None) -> str:
        """The address of the payment provider's own page for this customer, for one visit."""
        return str(self._call("POST", "/portal", {"returnUrl": return_url})["url"])

    def invoices(
        self,
        *,
        status: Literal["open", "paid", "refunded", "void", "uncollectible"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> InvoicesAnswer:
        """Invoices, newest first; go on with `cursor=` and the `next_cursor` of the page before."""
        query = {"status": status, "limit": limit, "cursor": cursor}
        return cast("InvoicesAnswer", self._call("GET", "/invoices", query=query))

    def invoice(self, invoice_id: str) -> InvoiceAnswer:
        """One invoice with its lines, taxes and payment. Raises NotFound."""
        return cast("InvoiceAnswer", self._call("GET", f"/invoices/{segment(invoice_id)}"))

    def orders(self, *, limit: int | None = None, offset: int | None = None) -> list[OrderAnswer]:
        """Everything bought through a payment provider, newest first."""
        answer = self._at("GET", "/orders", query={"limit": limit, "offset": offset})
        return cast("list[OrderAnswer]", answer["data"])

    def order(self, order_id: str) -> OrderAnswer:
        """One order. Raises NotFound."""
        return cast("OrderAnswer", self._at("GET", f"/orders/{segment(order_id)}")["data"])

    def buy_pack(
        self,
        pack: str,
        *,
        channel: str = "stripe",
        coupon: str | None = None,
        success_url: str | None = None,
        cancel_url: str | None = None,
        key: str | None = None,
    ) -> str:
        """The address of a page on which to pay for a credit pack."""
        body = {
            "channel": channel,
            "type": "credit_pack",
            "pack_id": pack,
            "coupon": coupon,
            "success_url": success_url,
            "cancel_url": cancel_url,
        }
        return str(self._at("POST", "/payment/create-session", body, key=key)["data"]["url"])

    def check_in(self, *, key: str | None = None) -> CheckedIn:
        """The daily check-in. Raises Conflict where today's was done."""
        return cast("CheckedIn", self._at("POST", "/checkin", key=key)["data"])

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None, **more: Any) -> Any:
        return self._at(method, "/v1/billing" + path, body, **more)

    def _at(self, method: str, path: str, body: dict[str, Any] | None = None, **more: Any) -> Any:
        return self._transport.call(method, path, customer=self._name, body=body, **more)
