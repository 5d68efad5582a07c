"""Payment methods: made from a test card or account, attached to a customer, taken off again."""

from __future__ import annotations

import hashlib
from typing import Any

from app.sandbox.blanks import Object
from app.sandbox.engine.cards import BankAccount, Card, Source, source
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

_NOWHERE = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}


def make(tx: Tx, of: Source, *, email: str | None = None, name: str | None = None) -> Object:
    """A payment method nobody owns yet."""
    details = {"address": _NOWHERE, "email": email, "name": name, "phone": None, "tax_id": None}
    shown: dict[str, Any] = {"card": _card(of)} if isinstance(of, Card) else {"us_bank_account": _account(of)}
    kind = next(iter(shown))
    return tx.new("payment_method", hidden={"number": of.number}, billing_details=details, type=kind, **shown)


def source_of(tx: Tx, method: Object) -> Source:
    """The test card or account behind a payment method."""
    found = source(tx.hidden(method["id"])["number"])
    assert found is not None, "payment methods are made from known numbers only"
    return found


def attach(tx: Tx, method: Object, customer: str, *, redisplay: str | None = None) -> None:
    """Save it with a customer; doing so twice changes nothing."""
    if method["customer"] == customer and redisplay in (None, method["allow_redisplay"]):
        return
    tx.change(method, customer=customer, **({"allow_redisplay": redisplay} if redisplay else {}))
    emit(tx, "payment_method.attached", method)


def detach(tx: Tx, method: Object) -> None:
    """Take it off its customer, for good: Stripe does not let it be attached again."""
    owner = tx.find(method["customer"])
    before = tx.change(method, customer=None)
    tx.hide(method["id"], detached=True)
    emit(tx, "payment_method.detached", method, before)
    if owner is not None and owner["invoice_settings"]["default_payment_method"] == method["id"]:
        make_default(tx, owner, None)


def make_default(tx: Tx, customer: Object, method: str | None) -> None:
    """The card that invoices are charged to."""
    settings = {**customer["invoice_settings"], "default_payment_method": method}
    before = tx.change(customer, invoice_settings=settings)
    emit(tx, "customer.updated", customer, before)


def describe(method: Object) -> str:
    """Visa ending 4242."""
    if method["type"] == "card":
        return f"{str(method['card']['brand']).capitalize()} ending {method['card']['last4']}"
    return f"{method['us_bank_account']['bank_name']} ending {method['us_bank_account']['last4']}"


def fingerprint(number: str) -> str:
    """The same for the same number, whoever uses it."""
    return hashlib.sha256(number.encode()).hexdigest()[:16]


def _card(card: Card) -> Object:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": fingerprint(card.number),
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _account(account: BankAccount) -> Object:
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": fingerprint(account.number),
        "last4": account.last4,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": None,
    }
