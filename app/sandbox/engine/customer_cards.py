"""A customer's cards and what they pay: which one from now on, and what becomes of a subscription whose card goes."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.engine import methods, standing
from app.sandbox.tx import Tx


def use_card(tx: Tx, customer: Object, method: str) -> None:
    """Charge this card from now on: for the customer, and for each subscription that has a card of its own."""
    methods.make_default(tx, customer, method)
    for subscription in live_subscriptions(tx, customer["id"]):
        if subscription["default_payment_method"]:
            standing.amend(tx, subscription, default_payment_method=method)


def forget_card(tx: Tx, method: Object) -> None:
    """Take a card off its customer and off every subscription that it pays; the customer's default pays instead."""
    owner = method["customer"]
    methods.detach(tx, method)
    for subscription in live_subscriptions(tx, owner):
        if subscription["default_payment_method"] == method["id"]:
            standing.amend(tx, subscription, default_payment_method=None)


def live_subscriptions(tx: Tx, customer: str) -> list[Object]:
    """Those of a customer that go on, newest first."""
    return [each for each in tx.every("subscription", customer=customer) if each["status"] in standing.LIVE]
