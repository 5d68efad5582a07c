"""Checkout sessions: from the moment somebody pays, saves a card, leaves, or is too late."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from app.sandbox.blanks import Object
from app.sandbox.engine import collection, fates, methods, payments, receipts, setups, subscriptions
from app.sandbox.engine.cards import Decline
from app.sandbox.engine.checkout_totals import offers_of
from app.sandbox.engine.discounts import redeem
from app.sandbox.engine.subscriptions import Order
from app.sandbox.fault import refused
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

_PAYS = {
    "payment_method_options": None,
    "payment_method_types": None,
    "save_default_payment_method": "on_subscription",
}


@dataclass(frozen=True)
class Payer:
    """What somebody typed on the checkout page beside the card."""

    email: str | None = None
    name: str | None = None
    save: bool = False


def submit(tx: Tx, session: Object, method: Object, payer: Payer) -> Object | None:
    """Pay or save with this method. Returns the intent, whose status tells how it went; None when nothing was due."""
    _must_be_open(session)
    customer = _customer(tx, session, payer)
    tx.hide(session["id"], payer={"email": payer.email, "name": payer.name, "save": payer.save}, customer=customer)
    intent = _intent(tx, session, customer)
    if intent is not None:
        _engine_of(intent).attempt(tx, intent, method)
    _conclude(tx, session, intent, method)
    return intent


def authenticate(tx: Tx, session: Object, *, approved: bool) -> Object:
    """The answer of the 3-D Secure page. Returns the intent like `submit`; a second answer changes nothing."""
    _must_be_open(session)
    intent = intent_of(tx, session)
    if intent is None or intent["status"] != "requires_action":
        raise refused("Nothing is waiting to be authenticated in this session.")
    method = tx.get("payment_method", intent["payment_method"])
    if approved:
        _engine_of(intent).attempt(tx, intent, method, authenticated=True)
    else:
        _engine_of(intent).authentication_failed(tx, intent)
    _conclude(tx, session, intent, method)
    return intent


def intent_of(tx: Tx, session: Object) -> Object | None:
    """The PaymentIntent or SetupIntent of a session, if there is one yet. A subscription's is no field of it."""
    return tx.find(session["setup_intent"] or session["payment_intent"] or tx.hidden(session["id"]).get("intent"))


def expire(tx: Tx, session: Object) -> None:
    """Nobody can pay this any more. Raises a Fault unless it is open."""
    if session["status"] != "open":
        words = 'Only Checkout Sessions with a status in ["open"] can be expired.'
        raise refused(f"{words} This Checkout Session has a status of {session['status']}.")
    tx.change(session, status="expired", url=None)
    emit(tx, "checkout.session.expired", session)


def debit_settled(tx: Tx, intent: Object) -> None:
    """The bank paid a debit: tell it through the session it came from, if any."""
    if not payments.settle_debit(tx, intent):
        return
    if session := _session_of(tx, intent):
        tx.change(session, payment_status="paid")
        _receipt(tx, session, intent)
        emit(tx, "checkout.session.async_payment_succeeded", session)


def debit_failed(tx: Tx, intent: Object, decline: Decline) -> None:
    """The bank refused a debit: tell it through the session it came from, if any."""
    if payments.fail_debit(tx, intent, decline) and (session := _session_of(tx, intent)):
        emit(tx, "checkout.session.async_payment_failed", session)


def _must_be_open(session: Object) -> None:
    if session["status"] != "open":
        raise refused(f"This Checkout Session is {session['status']}.", code="checkout_session_not_open")


def _session_of(tx: Tx, intent: Object) -> Object | None:
    return next(iter(tx.every("checkout.session", payment_intent=intent["id"])), None)


def _customer(tx: Tx, session: Object, payer: Payer) -> str | None:
    """The customer paid for, made now where the session says so; otherwise the payer stays a guest."""
    if session["customer"]:
        return str(session["customer"])
    known = tx.hidden(session["id"])
    if known.get("customer"):
        return str(known["customer"])
    data, receipt = known["intent_data"], session["invoice_creation"] or {}
    keeps = session["mode"] == "subscription" or data.get("setup_future_usage") or receipt.get("enabled")
    if session["customer_creation"] != "always" and not keeps:
        return None
    customer = tx.new("customer", email=session["customer_email"] or payer.email, name=payer.name)
    emit(tx, "customer.created", customer)
    return str(customer["id"])


def _engine_of(intent: Object) -> ModuleType:
    return setups if intent["object"] == "setup_intent" else payments


def _intent(tx: Tx, session: Object, customer: str | None) -> Object | None:
    if session["mode"] == "setup":
        return _setup_of(tx, session, customer)
    if session["mode"] == "subscription":
        return _intent_of_subscription(tx, session, customer)
    return _payment_of(tx, session, customer) if session["amount_total"] else None


def _intent_of_subscription(tx: Tx, session: Object, customer: str | None) -> Object:
    """Money or, for a trial, just a card first: there is no subscription until that went through."""
    known = intent_of(tx, session)
    if known is not None and known.get("amount", session["amount_total"]) == session["amount_total"]:
        return known
    if session["amount_total"]:
        intent = payments.open_intent(
            tx,
            amount=session["amount_total"],
            currency=session["currency"],
            customer=customer,
            description="Subscription creation",
            setup_future_usage="off_session",
        )
    else:
        intent = setups.open_setup(tx, customer=customer, usage="off_session")
    tx.hide(session["id"], intent=intent["id"])
    return intent


def _payment_of(tx: Tx, session: Object, customer: str | None) -> Object:
    """The session's PaymentIntent, opened at the first attempt. Its metadata is its own, never the session's."""
    if session["payment_intent"]:
        intent = tx.get("payment_intent", session["payment_intent"])
        tx.change(intent, amount=session["amount_total"])  # a code may have been entered since
        return intent
    data = tx.hidden(session["id"])["intent_data"]
    wanted = {
        name: data[name]
        for name in ("description", "metadata", "receipt_email", "setup_future_usage", "statement_descriptor_suffix")
        if name in data
    }
    intent = payments.open_intent(
        tx,
        amount=session["amount_total"],
        currency=session["currency"],
        customer=customer,
        automatic_payment_methods={"allow_redirects": "always", "enabled": True},
        **wanted,
    )
    tx.change(session, payment_intent=intent["id"])
    return intent


def _setup_of(tx: Tx, session: Object, customer: str | None) -> Object:
    setup = tx.get("setup_intent", session["setup_intent"])
    if customer and not setup["customer"]:
        tx.change(setup, customer=customer)
    return setup


def _conclude(tx: Tx, session: Object, intent: Object | None, method: Object) -> None:
    """Complete the session if the intent went through; a refusal leaves it open for another try."""
    if intent is not None and intent["status"] not in ("succeeded", "processing"):
        return
    known = tx.hidden(session["id"])
    payer, customer = known["payer"], known["customer"]
    _save(tx, session, intent, method, customer, payer["save"])
    status = "no_payment_required"
    if intent is not None and intent["object"] == "payment_intent":
        status = "paid" if intent["status"] == "succeeded" else "unpaid"
    tx.change(
        session,
        status="complete",
        payment_status=status,
        url=None,
        customer=customer,
        customer_details=_details(tx, session, payer, customer),
    )
    if session["mode"] == "subscription":
        _subscribe(tx, session, intent, method)
    else:
        _redeem(tx, session)
    if status == "paid" and intent is not None:
        _receipt(tx, session, intent)
    emit(tx, "checkout.session.completed", session)


def _subscribe(tx: Tx, session: Object, intent: Object | None, method: Object) -> None:
    """The subscription that was bought, its first invoice paid by what was just paid."""
    known = tx.hidden(session["id"])
    paid = intent if intent and intent["object"] == "payment_intent" else None
    order = Order(
        customer=session["customer"],
        prices=[(line["price"], line["quantity"]) for line in known["lines"]],
        method=method["id"],
        taxed=bool(session["automatic_tax"]["enabled"]),
        offers=offers_of(tx, session),
        trial_end=known["subscription"]["trial_end"],
        more={**known["subscription"]["more"], "payment_settings": _PAYS},
    )
    subscription, invoice = subscriptions.start(tx, order, paid)
    if paid is None:
        collection.collect(tx, invoice, None)
    else:
        collection.conclude(tx, invoice, paid)
    fates.follow(tx, invoice)
    tx.change(session, subscription=subscription["id"], invoice=invoice["id"])


def _redeem(tx: Tx, session: Object) -> None:
    for offer in offers_of(tx, session):
        made = redeem(tx, offer, customer=session["customer"], checkout_session=session["id"])
        tx.hide(session["id"], redeemed=made["id"])


def _save(tx: Tx, session: Object, intent: Object | None, method: Object, customer: str | None, asked: bool) -> None:
    if customer is None or intent is None or session["mode"] == "setup":
        return
    if asked:
        methods.attach(tx, method, customer, redisplay="always")
    elif session["mode"] == "subscription" or intent["setup_future_usage"]:
        methods.attach(tx, method, customer, redisplay=None if method["customer"] else "limited")


def _details(tx: Tx, session: Object, payer: Object, customer: str | None) -> Object:
    known = tx.find(customer) or {}
    return {
        "address": known.get("address"),
        "business_name": None,
        "email": known.get("email") or session["customer_email"] or payer["email"],
        "individual_name": None,
        "name": known.get("name") or payer["name"],
        "phone": known.get("phone"),
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _receipt(tx: Tx, session: Object, intent: Object) -> None:
    if (session["invoice_creation"] or {}).get("enabled"):
        invoice = receipts.write(tx, session, intent, tx.hidden(session["id"])["lines"])
        tx.change(session, invoice=invoice["id"])
