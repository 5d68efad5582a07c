"""Collecting an invoice of ours: from the wallet, and where that is short from the saved card (SPEC P10, P11, R4).

The wallet's part is one transaction. The card's part is network, so it is answered as a next step, to be taken after
the commit; should the process end before that, the subscription is due again after the lease, and so is the step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.errors import InsufficientFunds, WalletFrozen
from app.flows import charge_card, owed
from app.invoices import Invoice
from app.providers import port
from app.providers.errors import ProviderError
from app.providers.port import Provider
from app.providers.values import Card, CustomerRef
from app.subscriptions import arrears, bills, lifecycle
from app.subscriptions.models import Subscription

log = logging.getLogger(__name__)

Providers = Mapping[str, Provider]
Next = Callable[[Session, Providers], None]

_NO_CARD = "no card is saved"
_STOPPED = "the saved card was declined for good"


@dataclass(frozen=True, slots=True)
class ByCard:
    """Try the customer's saved card. `short` says why the wallet could not pay. `by_hand`: a person asked for it."""

    customer_id: str
    invoice_id: str
    known_as: CustomerRef
    channel: str
    short: str
    grace_days: int
    actor: str
    by_hand: bool

    def __call__(self, session: Session, providers: Providers) -> None:
        provider = providers[self.channel]
        try:
            cards = port.cards_of(provider).list_cards(self.known_as)
        except ProviderError as away:
            log.warning("the cards of %s could not be read: %s", self.customer_id, away)
            with transaction(session):
                look_again(session, self.customer_id, charge_card.AWAY)
            return
        with transaction(session):
            charge = self._begin(session, provider, cards)
        if charge is not None:
            Charged(charge, self.channel)(session, providers)

    def _begin(self, session: Session, provider: Provider, cards: Sequence[Card]) -> charge_card.Charge | None:
        """Write the charge down, unless the invoice was paid meanwhile, or another worker is charging."""
        sub, invoice = _open(session, self.customer_id, self.invoice_id)
        if sub is None or invoice is None or charge_card.under_way(session, invoice):
            return None
        stopped = set() if self.by_hand else charge_card.stopped_cards(session, invoice)
        card = charge_card.choose(cards, stopped)
        if card is None:
            why = f"{self.short} And {_STOPPED if cards else _NO_CARD}."
            arrears.failed(session, sub, invoice, why=why, grace_days=self.grace_days)
            return None
        order = charge_card.begin(session, invoice, provider, card, actor=self.actor, grace_days=self.grace_days)
        sub.due_at = clock.now() + charge_card.LEASE
        return charge_card.charge_of(session, order)


@dataclass(frozen=True, slots=True)
class Charged:
    """Ask for a charge that is written down, and write down what came of it."""

    charge: charge_card.Charge
    channel: str

    def __call__(self, session: Session, providers: Providers) -> None:
        try:
            result = charge_card.ask(providers[self.channel], self.charge)
        except ProviderError as unknown:
            # It may have happened: after the lease it is asked for again, and is the same charge.
            log.warning("the outcome of order %s is not known: %s", self.charge.order_id, unknown)
            return
        charge_card.record(session, self.charge.order_id, result)


def attempt(
    session: Session,
    providers: Providers,
    sub: Subscription,
    invoice: Invoice,
    *,
    grace_days: int,
    actor: str = "system",
    by_hand: bool = False,
    is_new: bool = False,
) -> Next | None:
    """Try to collect the invoice now: from the wallet, or else the step that tries the card. Needs both locked.

    `is_new`: it was made in this transaction, so nobody can have begun to charge a card for it.
    """
    order = None if is_new else charge_card.under_way(session, invoice)
    if order is not None:
        sub.due_at = clock.now() + charge_card.patience(order)
        charge = charge_card.again(session, providers, order)
        return Charged(charge, order.channel) if charge is not None else None
    try:
        bills.pay_from_wallet(session, invoice, description=f"Invoice {invoice.number}")
    except (InsufficientFunds, WalletFrozen) as short:
        by_card = invoice.total_minor >= owed.LEAST_BY_CARD
        found = charge_card.channel_for(session, providers, sub.customer_id) if by_card else None
        if found is not None:
            channel, known = found
            sub.due_at = clock.now() + charge_card.LEASE
            ids = (sub.customer_id, invoice.id)
            return ByCard(*ids, known, channel, _first(short), grace_days, actor, by_hand)
        arrears.failed(session, sub, invoice, why=short.sentence, grace_days=grace_days, actor=actor)
        return None
    arrears.paid(session, sub, actor=actor)
    return None


def look_again(session: Session, customer_id: str, after: timedelta) -> None:
    sub = lifecycle.live(session, customer_id, lock=True)
    if sub is not None:
        sub.due_at = clock.now() + after


def _open(session: Session, customer_id: str, invoice_id: str) -> tuple[Subscription | None, Invoice | None]:
    sub = lifecycle.live(session, customer_id, lock=True)
    invoice = bills.open_one(session, sub) if sub is not None else None
    return sub, invoice if invoice is not None and invoice.id == invoice_id else None


def _first(short: InsufficientFunds | WalletFrozen) -> str:
    """What is missing or in the way, without the advice to pay by card, which is what is done next."""
    return short.sentence.removesuffix(short.details["remedy"]).strip()
