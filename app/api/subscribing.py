"""What the subscription calls do: choose what pays, and hand over to the flow that knows how (SPEC §12.1, P5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy.orm import Session

from app.api import calls, channels
from app.catalogue import plan_keys
from app.customers import customers
from app.customers.models import Customer
from app.errors import InsufficientFunds, Invalid, NotFound, PaymentRefused, ProviderDown, WalletFrozen
from app.extensions import db
from app.flows import cards, change_plan, sold_by, subscribe, subscribe_from_wallet
from app.flows.top_up import ORDER_IN_URL
from app.providers import registry
from app.providers.port import Provider
from app.providers.values import Cap
from app.subscriptions import changes, sale, standing
from app.subscriptions.models import SubscriptionChange
from app.subscriptions.standing import Standing

PAGE_AFTER_CHECKOUT = f"/plan/orders/{ORDER_IN_URL}"


class PaymentRequired(PaymentRefused):
    """Nothing that is saved can pay for this. Details: checkout_url, the page to pay on."""

    code = "PAYMENT_REQUIRED"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The plan asked for. `pay_by` is WALLET, CARD or None for whichever can."""

    plan: str
    interval: str
    pay_by: str | None
    card_id: str | None
    coupon: str | None
    channel: str | None = None


def who() -> tuple[Session, Mapping[str, Provider], str]:
    """What every flow of a subscription takes first."""
    return db.session(), channels.all_of_them(), calls.customer_id()


def actor() -> str:
    """Who the activity log names."""
    return calls.caller().key_id


def customer() -> Customer:
    """For whom this is. Raises NotFound."""
    found = customers.by_id(db.session, calls.customer_id())
    if found is None:
        raise NotFound("There is no such customer.")
    return found


def form_key(key: str) -> str:
    """The flows' key for a request's: the same purchase, should we die before the answer is kept."""
    return "api:" + sha256(key.encode()).hexdigest()


def with_page() -> Provider:
    """Whose own page is the customer's: of who runs their plan, else of who keeps cards. Raises ProviderDown."""
    live = standing.of(db.session(), calls.customer_id()).subscription
    channel = live.channel if live is not None and live.paid_by == "card" else None
    db.session.rollback()  # a provider is asked next: no transaction stays open meanwhile
    if channel is None:
        return channels.keeper()
    found = channels.all_of_them().get(channel)
    if found is None:
        raise ProviderDown("The payment provider of this subscription is not set up here.", channel=channel)
    return found


def begin_or_change(wanted: Wanted, key: str) -> None:
    """Subscribe; or, for who is subscribed already, change the plan, which is nothing if they have it."""
    now = standing.of(db.session(), calls.customer_id())
    if now.subscription is None:
        _begin(wanted, key)
    elif not _has(now, wanted):
        confirm(preview(wanted.plan, wanted.interval).id)


def preview(plan: str, interval: str | None) -> SubscriptionChange:
    """What the change costs now; without an interval, the one the customer has."""
    now = standing.of(db.session(), calls.customer_id())
    every = interval or (now.interval.value if now.interval else "month")
    db.session.rollback()  # a provider may be asked: no transaction stays open meanwhile
    return change_plan.preview(*who(), plan, every, actor=actor())


def expect(change_id: str, plan: str, interval: str | None) -> None:
    """Raises Invalid where another plan or interval was previewed than is asked for, NotFound for no preview."""
    shown = changes.one(db.session(), calls.customer_id(), change_id)
    key = plan_keys.by_id(db.session())[shown.plan_id]
    same = key.lower() == plan.lower() and interval in (None, shown.interval)
    db.session.rollback()
    if not same:
        raise Invalid("This preview was for another plan.", field="change_id")


def confirm(change_id: str) -> None:
    """Carry out what was previewed."""
    change_plan.confirm(*who(), change_id, actor=actor())


def checkout_url(
    plan: str,
    interval: str,
    key: str,
    *,
    channel: str | None = None,
    return_url: str | None = None,
    cancel_url: str | None = None,
    coupon: str | None = None,
) -> str:
    """The provider's page on which to subscribe. Raises as `subscribe.start_checkout`."""
    base, sellers = calls.settings().base_url, _sellers(plan, interval)
    with channels.telling(sellers):
        order = subscribe.start_checkout(
            db.session(),
            channels.through(sellers, channel),
            customer(),
            plan,
            interval,
            form_key=form_key(key),
            return_url=return_url or base + PAGE_AFTER_CHECKOUT,
            cancel_url=cancel_url or base + "/plan",
            actor=actor(),
            coupon=coupon,
            others=channels.all_of_them(),
        )
    if order.checkout_url is None:
        raise ProviderDown("The payment page is not open. Send the request again with another key.", retry_after=2)
    return order.checkout_url


def _sellers(plan: str, interval: str) -> list[Provider]:
    """The channels that sell it. What is wrong with the plan itself the flow says, in its turn."""
    try:
        bought = sale.offered(db.session(), calls.customer_id(), plan, sale.every(interval))
        return sold_by.of_plan(db.session(), channels.all_of_them(), bought)
    except (Invalid, NotFound):
        return []
    finally:
        db.session.rollback()  # a provider is asked next: no transaction stays open meanwhile


def _has(now: Standing, wanted: Wanted) -> bool:
    plan, interval = now.plan, now.interval
    assert plan is not None, "who is subscribed has a plan"
    assert interval is not None, "who is subscribed has an interval"
    return (plan.key.lower(), interval.value) == (wanted.plan.lower(), wanted.interval) and now.pending is None


def _begin(wanted: Wanted, key: str) -> None:
    if wanted.pay_by == "WALLET":
        _from_wallet(wanted, key)
    elif wanted.card_id is not None or (wanted.channel in (None, _keeper_name()) and _has_card()):
        _with_card(wanted, key)
    elif wanted.pay_by == "CARD":
        _on_a_page(wanted, key)
    else:
        try:
            _from_wallet(wanted, key)
        except (InsufficientFunds, WalletFrozen):
            _on_a_page(wanted, key)


def _from_wallet(wanted: Wanted, key: str) -> None:
    subscribe_from_wallet.start(
        db.session(),
        customer(),
        wanted.plan,
        wanted.interval,
        form_key=form_key(key),
        actor=actor(),
        coupon=wanted.coupon,
    )


def _with_card(wanted: Wanted, key: str) -> None:
    subscribe.with_card(
        db.session(),
        channels.keeper(),
        customer(),
        wanted.plan,
        wanted.interval,
        form_key=form_key(key),
        actor=actor(),
        card_id=wanted.card_id,
        coupon=wanted.coupon,
    )


def _on_a_page(wanted: Wanted, key: str) -> None:
    url = checkout_url(wanted.plan, wanted.interval, key, coupon=wanted.coupon, channel=wanted.channel)
    raise PaymentRequired("Nothing saved can pay for this. Pay on the page of the provider.", checkout_url=url)


def _has_card() -> bool:
    provider = registry.able(channels.all_of_them(), Cap.SAVED_CARDS, Cap.OFF_SESSION)
    db.session.rollback()
    if provider is None:
        return False
    return cards.default_of(cards.listed(db.session(), provider, calls.customer_id())) is not None


def _keeper_name() -> str | None:
    keeper = registry.able(channels.all_of_them(), Cap.SAVED_CARDS)
    return keeper.name if keeper else None
