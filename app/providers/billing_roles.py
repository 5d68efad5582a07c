"""The roles of a provider that bills by itself: subscriptions, coupons, invoices. A part of the port (`port.py`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from app.money import Money
from app.providers.billing import (
    CancelReason,
    ChangePreview,
    CouponTerms,
    InvoiceDoc,
    RefundedUnused,
    SubscriptionState,
    UnusedValue,
)
from app.providers.values import Cap, ChargeResult, CustomerRef, DiscountRef, Interval, PlanRef, Redirect


class Subscriptions(Protocol):
    """Cap.SUBSCRIPTIONS and the CHANGE_*, CANCEL_*, RESUME, PREVIEW capabilities. Every answer is a whole snapshot.

    A verb takes up where an earlier call with the same key broke off. What the provider holds against a change (a
    pending one, for example) is cleared first.
    """

    def ensure_price(self, *, plan: str, version: int, interval: Interval, price: Money, name: str, key: str) -> str:
        """The provider's id of this price, made once and found again: by its terms, whatever the key."""

    def start_subscription(
        self,
        customer: CustomerRef,
        plan: PlanRef,
        *,
        card_id: str | None,
        starts_paid_at: datetime | None,
        metadata: Mapping[str, str],
        discount: DiscountRef | None,
        key: str,
    ) -> tuple[SubscriptionState, Redirect | None]:
        """Subscribe at once with a saved card (None: the default one), first charged at `starts_paid_at`, or now.

        A Redirect is where the customer confirms the payment; until then it is "incomplete", and lapses within a day.
        Raises Declined, and then nothing is left of it; InvalidRequest for a time that has passed.
        """

    def get_subscription(self, subscription_id: str) -> SubscriptionState:
        """Raises NotFound."""

    def list_subscriptions(self, customer: CustomerRef) -> Sequence[SubscriptionState]:
        """All there ever were, ended ones too, newest first."""

    def preview_change(self, sub: SubscriptionState, to: PlanRef, *, at: datetime) -> ChangePreview: ...

    def change_now(
        self, sub: SubscriptionState, to: PlanRef, *, at: datetime, key: str
    ) -> tuple[SubscriptionState, Redirect | None]:
        """Charge the difference, then change (SPEC P6). `at` is the preview's.

        With a Redirect the change is `pending` until the customer has confirmed the payment there. Raises Declined,
        and then the old plan stands and nothing is pending.
        """

    def change_at_period_end(self, sub: SubscriptionState, to: PlanRef, *, key: str) -> SubscriptionState:
        """Change at the end of the period (SPEC P7); replaces a pending change, takes back a cancellation."""

    def change_for_renewal(self, sub: SubscriptionState, to: PlanRef, *, key: str) -> SubscriptionState:
        """Cap.CHANGE_FOR_RENEWAL: another price from the next renewal on, for which nothing is charged or given back.

        It is there at once, though, so it is asked for just before. One it has already is no error.
        """

    def clear_pending_change(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:
        """Drop the pending change, of either kind; nothing to drop is no error."""

    def cancel_at_period_end(
        self, sub: SubscriptionState, *, reason: CancelReason | None, comment: str | None, key: str
    ) -> SubscriptionState:
        """Drops a pending change too."""

    def resume(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:
        """Take back the cancellation, before the period's end. Raises InvalidRequest once it has ended."""

    def cancel_now(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:
        """Ends access; never moves money by itself. One that has ended already is no error."""

    def unused_value(self, sub: SubscriptionState, *, at: datetime) -> UnusedValue:
        """What `refund_unused` will pay back. To be asked before `cancel_now`."""

    def refund_unused(
        self, customer: CustomerRef, unused: UnusedValue, *, our_refund_id: str, key: str
    ) -> RefundedUnused:
        """Pay back the unused share to the card it came from, capped at what it paid. Once per `our_refund_id`."""

    def set_subscription_card(self, sub: SubscriptionState, card_id: str | None, *, key: str) -> SubscriptionState:
        """Which card pays it; None: the customer's default. Raises NotFound for a card that is not this customer's."""


# What an adapter may lack of a role it has otherwise: the verb, and the capability that promises it.
OWN_CAPS: Mapping[str, Cap] = {
    "list_subscriptions": Cap.SUBSCRIPTION_LIST,
    "start_subscription": Cap.OFF_SESSION,
    "set_subscription_card": Cap.SAVED_CARDS,
    "preview_change": Cap.PREVIEW,
    "change_now": Cap.CHANGE_NOW,
    "change_at_period_end": Cap.CHANGE_AT_PERIOD_END,
    "change_for_renewal": Cap.CHANGE_FOR_RENEWAL,
    "cancel_at_period_end": Cap.CANCEL_AT_PERIOD_END,
    "resume": Cap.RESUME,
    "cancel_now": Cap.CANCEL_NOW,
    "retry_invoice": Cap.RETRY_PAYMENT,
    "void_invoice": Cap.RETRY_PAYMENT,
}


class Discounts(Protocol):
    """Cap.DISCOUNTS: our coupons, known to the provider."""

    def ensure_coupon(self, terms: CouponTerms, *, key: str) -> DiscountRef:
        """Made once per `terms.coupon_id`. Raises Conflict when it is known with other terms, or the code is taken."""


class Invoices(Protocol):
    """Cap.INVOICES: the provider's documents, mirrored (SPEC I1). Collecting and giving up need Cap.RETRY_PAYMENT."""

    def list_invoices(
        self, customer: CustomerRef, *, cursor: str | None, limit: int, subscription_id: str | None = None
    ) -> tuple[Sequence[InvoiceDoc], str | None]:
        """Newest first, at most `limit` (1 to 100), and the cursor of the next page or None. Not `complete` ones.

        With `subscription_id` others may be left out; a provider that lists by subscription alone raises InvalidRequest
        without.
        """

    def get_invoice(self, invoice_id: str) -> InvoiceDoc:
        """With all its lines, taxes by name, payments and credit notes. Raises NotFound."""

    def retry_invoice(self, invoice_id: str, *, card_id: str | None, key: str) -> ChargeResult:
        """Try to collect it now. A decline is a result; an invoice that is paid already is a success."""

    def void_invoice(self, invoice_id: str, *, key: str) -> InvoiceDoc:
        """Give up an open invoice. One that is void already is no error; raises InvalidRequest for a paid one."""
