"""The steps of a reconciliation: events, open payment pages, subscriptions, refunds, disputes, each read once more.

Whatever an event can say goes through the inbox; the rest through the same reactions as an event. So reading again
what is known already changes nothing. Each step has a limit; where one is reached, the next run goes on or tells it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.errors import Refusal
from app.flows import catch_up, reread_refunds, settle
from app.flows.news import NotYet
from app.invoices import Invoice
from app.payments import inbox
from app.payments.models import WAITING, Order, ProviderEvent
from app.payments.reconciliations import Report
from app.providers import port
from app.providers.errors import AuthFailed, NotFound, ProviderError, RateLimited, Unavailable
from app.providers.events import CheckoutCompleted, PaymentSucceeded
from app.providers.port import Provider
from app.providers.values import FEED_MOST, Cap, Heard
from app.subscriptions.models import Subscription

MOST_ORDERS = 500
MOST_SUBSCRIPTIONS = 500
_MOST_ROUNDS = 500  # of twenty events
_AT_ONCE = 500  # ids in one question to the database
_AWAY = (Unavailable, AuthFailed, RateLimited)
_NO_TIME = "The time for one run was over before all was read. The next run goes on."
_NOTHING_NEW = ("payment.already_credited", "refund.known")
_STATE = ("plan_id", "version", "interval", "status", "period_start", "period_end", "cancel_at_period_end", "ended_at")


@dataclass(slots=True)
class Reading:
    """One run under way. `kept` are the inbox rows it made."""

    sessions: Callable[[], Session]
    session: Session
    providers: Mapping[str, Provider]
    channel: str
    report: Report
    since: datetime
    until: datetime  # when its time is over
    grace_days: int
    kept: list[str] = field(default_factory=list)
    feed_is_away: bool = False

    @property
    def provider(self) -> Provider:
        return self.providers[self.channel]

    def in_time(self) -> bool:
        """Whether to go on; that not all was read is told once."""
        if clock.now() <= self.until:
            return True
        self.report.missed(_NO_TIME)
        return False


def events(reading: Reading) -> None:
    """What the provider told since the last run, where it can be asked for that."""
    if Cap.EVENT_LIST in reading.provider.capabilities:
        _hear(reading, "events", port.event_feed_of(reading.provider).events_since(reading.since))


def disputes(reading: Reading) -> None:
    """The same of disputes that no event tells of. One may be of a payment that this run found."""
    if Cap.DISPUTE_POLL in reading.provider.capabilities:
        _hear(reading, "disputes", port.dispute_feed_of(reading.provider).disputes_since(reading.since))


def _hear(reading: Reading, what: str, heard: Sequence[Heard]) -> None:
    reading.report.looked(what, len(heard))
    if len(heard) >= FEED_MOST:
        told = f"{reading.provider.title} had more than {FEED_MOST} {what} to tell: the oldest were not read."
        reading.report.missed(told)
    _keep(reading, heard)


def _keep(reading: Reading, heard: Iterable[Heard]) -> None:
    """Through the same inbox as a webhook, so that there is one way for news to arrive. What is there stays there."""
    news = {each.verified.event_id: each for each in heard}
    ids = list(news)
    for start in range(0, len(ids), _AT_ONCE):
        with transaction(reading.session):
            here = _rows(reading, ProviderEvent.event_id.in_(ids[start : start + _AT_ONCE]))
            for name in ids[start : start + _AT_ONCE]:
                if name in here:
                    continue
                verified, body = news[name].verified, news[name].body
                inbox.keep(
                    reading.session, provider=reading.channel, verified=verified, body=body, headers=inbox.READ_BY_US
                )
                reading.kept.append(name)


def open_pages(reading: Reading) -> None:
    """Payment pages that can still be paid, and those that ended here since the last run: was one paid after all?"""
    with transaction(reading.session):
        late = and_(Order.state == "expired", Order.updated_at >= reading.since)
        waiting = or_(Order.state.in_(WAITING), late)
        mine = select(Order.provider_ref, Order.state).where(
            Order.channel == reading.channel, Order.provider_ref.is_not(None), waiting
        )
        found = reading.session.execute(mine.order_by(Order.created_at.desc()).limit(MOST_ORDERS)).all()
    if len(found) == MOST_ORDERS:
        reading.report.missed(f"More than {MOST_ORDERS} pages are open: the oldest are left to the next look at each.")
    for page, state in found:
        if not reading.in_time():
            return
        _ask_about(reading, str(page), ended=state == "expired")


def _ask_about(reading: Reading, page: str, *, ended: bool) -> None:
    reading.report.looked("open_pages")
    try:
        heard = reading.provider.recheck_checkout(page)
    except NotFound:
        return  # ended there too: the sweep ends the order
    except _AWAY:
        raise
    except ProviderError as error:
        reading.report.missed(f"The page {page} could not be read: {error}")
        return
    if heard is None:
        return
    if ended and not any(
        isinstance(each, CheckoutCompleted | PaymentSucceeded) for each in reading.provider.normalize(heard.body)
    ):
        return
    _keep(reading, [heard])


def apply(reading: Reading) -> None:
    """What was heard is applied now: the next steps look at what it made. What waited for something is tried again."""
    with transaction(reading.session):
        inbox.hasten(reading.session, reading.channel, reading.kept)
    for _ in range(_MOST_ROUNDS):
        if not settle.apply_pending(reading.sessions, reading.providers, grace_days=reading.grace_days):
            break


# Subscriptions.


def subscriptions(reading: Reading) -> None:
    """Every one that lives and is paid there, the longest unseen first, with the invoices of it that are not here."""
    if Cap.SUBSCRIPTIONS not in reading.provider.capabilities:
        return
    with transaction(reading.session):
        living = select(Subscription.customer_id, Subscription.id).where(
            Subscription.channel == reading.channel,
            Subscription.provider_id.is_not(None),
            Subscription.paid_by == "card",
            Subscription.ended_at.is_(None),
        )
        oldest = living.order_by(Subscription.provider_version.asc().nulls_first(), Subscription.id)
        found = reading.session.execute(oldest.limit(MOST_SUBSCRIPTIONS)).all()
    for customer_id, name in found:
        if not reading.in_time():
            return
        _look_again(reading, customer_id, name)


def _look_again(reading: Reading, customer_id: str, name: str) -> None:
    reading.report.looked("subscriptions")
    before = _standing(reading, customer_id, name)
    try:
        catch_up.look_again(reading.session, reading.providers, (customer_id, name), grace_days=reading.grace_days)
    except _AWAY:
        raise
    except (ProviderError, Refusal, NotYet) as trouble:
        reading.report.missed(f"The subscription {name} could not be read: {trouble}")
        return
    after = _standing(reading, customer_id, name)
    for about, state in after.items():
        if before.get(about) != state:
            kind, _, which = about.partition(" ")
            repaired = {"kind": f"{kind}.repaired", kind: which, "customer": customer_id, "status": state[0]}
            reading.report.changed.append(repaired)


def _standing(reading: Reading, customer_id: str, name: str) -> dict[str, tuple[Any, ...]]:
    """All that reading it again may change, its status first."""
    with transaction(reading.session):
        sub = reading.session.get_one(Subscription, (customer_id, name))
        known = {f"subscription {name}": (sub.status, *(getattr(sub, each) for each in _STATE))}
        of_it = select(Invoice.id, Invoice.status, Invoice.paid_minor, Invoice.credited_minor).where(
            Invoice.customer_id == customer_id, Invoice.subscription_id == name
        )
        rows = reading.session.execute(of_it).all()
    return {**known, **{f"invoice {row[0]}": tuple(row[1:]) for row in rows}}


# Refunds.


def refunds(reading: Reading) -> None:
    """What went back of each payment, of the newest and of some of the older ones in turn."""
    if Cap.REFUND_FULL not in reading.provider.capabilities:
        return
    with transaction(reading.session):
        chosen, reading.report.walked_to = reread_refunds.chosen(
            reading.session, reading.provider, reading.since, reading.report.walked_to
        )
    for payment_id in chosen:
        if not reading.in_time():
            return
        reading.report.looked("payments")
        try:
            did = reread_refunds.of_payment(reading.session, reading.provider, payment_id, reading.grace_days)
        except _AWAY:
            raise
        except (ProviderError, Refusal, NotYet) as trouble:
            reading.report.missed(f"The refunds of payment {payment_id} could not be read: {trouble}")
            continue
        reading.report.changed += did


# What came of it.


def told(reading: Reading) -> None:
    """Add to the report what the events of this run did."""
    waiting, done = 0, set()
    for start in range(0, len(reading.kept), _AT_ONCE):
        with transaction(reading.session):
            rows = _rows(reading, ProviderEvent.event_id.in_(reading.kept[start : start + _AT_ONCE]))
        for event in rows.values():
            waiting += event.state in ("pending", "dead")
            for did in event.effects:
                said = json.dumps(did, sort_keys=True)
                if did.get("kind") not in _NOTHING_NEW and said not in done:  # ten events may tell of one change
                    done.add(said)
                    reading.report.changed.append({**did, "event": event.id})
    if waiting:
        reading.report.missed(f"{waiting} of the events that were found could not be applied yet: see the inbox.")


def _rows(reading: Reading, chosen: Any) -> dict[str, ProviderEvent]:
    mine = select(ProviderEvent).where(ProviderEvent.provider == reading.channel, chosen)
    return {event.event_id: event for event in reading.session.scalars(mine)}
