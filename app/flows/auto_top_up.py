"""Topping up a wallet by itself from the saved card, within what the customer allowed (SPEC W6, R3, R4).

The intent is an order, written before the provider is asked and named to it as the idempotency key; so a charge whose
answer was lost is asked for again, and is the same one. A customer has at most one under way: their row says which.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, ledger, notices
from app.db import transaction
from app.flows import auto_top_up_outcome as outcome
from app.flows.charge_card import AWAY, LEASE, NEEDED, SURE_FOR, ask_for, choose
from app.money import Money
from app.payments import customers, inbox, orders
from app.payments.models import Order
from app.providers import port
from app.providers.errors import ProviderError
from app.providers.port import Provider
from app.providers.values import Card, ChargeResult, CustomerRef
from app.wallet import auto_top_up
from app.wallet.accounts import wallet_of
from app.wallet.auto_top_up import KIND
from app.wallet.models import AutoTopUp

log = logging.getLogger(__name__)

Providers = Mapping[str, Provider]

AT_ONCE = 200  # customers looked at by one query


@dataclass
class Round:
    """How far a worker has come among those who switched it on; each look takes it a bounded step further."""

    after: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """Ours to charge this customer, through this channel, as long as the row's `not_before` is still `until`."""

    channel: str
    customer: CustomerRef
    until: datetime


@dataclass(frozen=True, slots=True)
class Charge:
    """An order in plain values: reading the row after a commit would open a transaction around the network call."""

    order_id: str
    channel: str
    customer: CustomerRef
    amount: Money
    card_id: str


def top_up_due(session_factory: Callable[[], Session], providers: Providers, round_: Round, *, base_url: str) -> int:
    """Charge for the wallets that are low among the next few customers; how many charges were asked for.

    `base_url` is where the customer goes to confirm what their bank wants confirmed.
    """
    able = {channel: provider for channel, provider in providers.items() if provider.capabilities >= NEEDED}
    if not able:
        return 0
    with session_factory() as session:
        done = 0
        for customer_id in _next(session, round_):
            try:
                done += _one(session, able, customer_id, base_url)
            except Exception:
                # One customer's fault must not hold up those behind them; their next turn comes with the next round.
                log.exception("the wallet of %s could not be topped up automatically", customer_id)
        return done


def _next(session: Session, round_: Round) -> list[str]:
    """Who has something to do: a charge whose outcome is not known, or a wallet at or below its threshold."""
    on = (
        select(AutoTopUp)
        .where(AutoTopUp.customer_id > round_.after, (AutoTopUp.state == "on") | AutoTopUp.order_id.is_not(None))
        .order_by(AutoTopUp.customer_id)
        .limit(AT_ONCE)
    )
    rows, now = list(session.scalars(on)), clock.now()
    round_.after = rows[-1].customer_id if len(rows) == AT_ONCE else ""
    ready = [row for row in rows if row.not_before is None or row.not_before <= now]
    wallets = {row.customer_id: wallet_of(row.customer_id, row.currency) for row in ready}
    found = ledger.balances(session, list(wallets.values())) if wallets else {}
    return [
        row.customer_id
        for row in ready
        if row.order_id is not None or found[wallets[row.customer_id]].available <= row.threshold_micros
    ]


def _one(session: Session, providers: Providers, customer_id: str, base_url: str) -> int:
    then = None
    with transaction(session):
        row = _take(session, customer_id)
        if row is not None:
            then = _known(session, providers, row) if row.order_id is None else _again(session, providers, row)
    if isinstance(then, str):
        with transaction(session):
            outcome.give_up(session, then)
    charge = _begin(session, providers, then) if isinstance(then, Turn) else then
    if not isinstance(charge, Charge):
        return 0
    try:
        result = _ask(providers[charge.channel], charge)
    except ProviderError as unknown:
        # It may have happened: after the lease it is asked for again, and is the same charge.
        log.warning("the outcome of order %s is not known: %s", charge.order_id, unknown)
        return 1
    with transaction(session):
        outcome.record(session, charge.order_id, result, base_url=base_url)
    return 1


def _take(session: Session, customer_id: str) -> AutoTopUp | None:
    """The customer's row, locked, when something is to be done about it now and no other worker is doing it."""
    now = clock.now()
    mine = select(AutoTopUp).where(AutoTopUp.customer_id == customer_id).with_for_update(skip_locked=True)
    row = session.scalars(mine.execution_options(populate_existing=True)).one_or_none()
    if row is None or (row.not_before is not None and row.not_before > now):
        return None
    return row if row.order_id is not None or _is_low(session, row) else None


def _is_low(session: Session, row: AutoTopUp) -> bool:
    if row.state != "on" or auto_top_up.another_is_under_way(session, row.customer_id, clock.now()):
        return False
    found = ledger.balance(session, wallet_of(row.customer_id, row.currency))
    return not found.frozen and found.available <= row.threshold_micros


def _known(session: Session, providers: Providers, row: AutoTopUp) -> Turn | None:
    """The channel that may have a card of theirs; where none has, it is paused. Puts the next look off meanwhile."""
    for channel in providers:
        known = customers.known_as(session, row.customer_id, channel)
        if known is not None:
            row.not_before = clock.now() + LEASE  # another worker must not ask for the cards as well
            return Turn(channel, known, row.not_before)
    outcome.stop(session, row, "no_card", key=f"{row.made}")
    return None


def _begin(session: Session, providers: Providers, turn: Turn) -> Charge | None:
    """Write the charge down, unless the wallet was filled meanwhile. The network is asked for the cards first."""
    provider, known = providers[turn.channel], turn.customer
    try:
        cards = port.cards_of(provider).list_cards(known)
    except ProviderError as away:
        log.warning("the cards of %s could not be read: %s", known.customer_id, away)
        with transaction(session):
            row = _still(session, turn)
            if row is not None:
                row.not_before = clock.now() + AWAY
        return None
    with transaction(session):
        row = _still(session, turn)
        if row is None or not _is_low(session, row):
            return None
        card = choose(cards, set())
        if card is None:
            outcome.stop(session, row, "no_card", key=f"{row.made}")
            return None
        return _written_down(session, row, provider, known, card)


def _still(session: Session, turn: Turn) -> AutoTopUp | None:
    """The row, locked, while it is our turn: since then nobody began a charge, was declined or changed the rules."""
    row = auto_top_up.of(session, turn.customer.customer_id, lock=True)
    mine = row is not None and row.order_id is None and row.not_before == turn.until
    return row if mine else None


def _written_down(
    session: Session, row: AutoTopUp, provider: Provider, known: CustomerRef, card: Card
) -> Charge | None:
    now = clock.now()
    left = auto_top_up.left_of_ceiling(session, row, now)
    available = ledger.balance(session, wallet_of(row.customer_id, row.currency)).available
    amount = auto_top_up.charge_for(row, available, left)
    if amount == 0:
        _tell_ceiling(session, row)
        return None
    row.made += 1
    order = orders.open_order(
        session,
        customer_id=row.customer_id,
        kind=KIND,
        amount_minor=amount,
        currency=row.currency,
        channel=provider.name,
        form_key=f"{KIND}:{row.made}",
        created_by="system",
    )
    order.next_poll_at = None  # it has no page to ask about; the worker asks for the charge again
    words = f"{card.brand.capitalize()} ending in {card.last4}"
    orders.freeze(session, order, {"card": card.id, "words": words, "known_as": known.id})
    row.order_id, row.not_before = order.id, now + LEASE
    return _charge_of(order)


def _tell_ceiling(session: Session, row: AutoTopUp) -> None:
    resets_at = auto_top_up.next_month(clock.now())
    row.not_before = resets_at
    facts: dict[str, Any] = {"ceiling_minor": row.ceiling_minor, "currency": row.currency, "resets_at": resets_at}
    key = f"{KIND}:ceiling:{resets_at:%Y-%m}:{row.ceiling_minor}"
    notices.tell(session, row.customer_id, "auto_topup_ceiling", key=key, **facts)


def _again(session: Session, providers: Providers, row: AutoTopUp) -> Charge | str | None:
    """A charge whose outcome nobody wrote down: ask for the same again, as long as its key is good.

    The order's id where it is not any more: then it is given up, in a transaction that locks the order first.
    """
    order = orders.find(session, row.order_id or "")
    assert order is not None, "orders are never deleted"
    row.not_before = clock.now() + LEASE
    if order.is_final:
        row.order_id = None
    elif order.state == "processing":
        pass  # the provider tells when it has the money
    elif clock.now() - order.created_at > SURE_FOR:
        return None if inbox.is_due(session) else order.id  # what the provider told meanwhile comes first
    elif order.channel in providers:
        return _charge_of(order)
    return None


def _charge_of(order: Order) -> Charge:
    asked, amount = order.request, Money(order.amount_minor, order.currency)
    return Charge(order.id, order.channel, CustomerRef(asked["known_as"], order.customer_id), amount, asked["card"])


def _ask(provider: Provider, charge: Charge) -> ChargeResult:
    metadata = {"intent_id": charge.order_id, "kind": KIND}
    words = "Automatic wallet top-up"
    return ask_for(provider, charge.customer, charge.amount, card_id=charge.card_id, words=words, metadata=metadata)
