"""Collecting invoices of overage that no subscription pays: from the saved card, else the wallet (SPEC U3, R4).

Of a plan paid from the wallet the invoice is the subscription's, and collected with its others. Here each invoice says
itself when it is to be looked at (`next_attempt_at`); a card's charge is an order, so that the same is asked for again
after a crash, and several workers come to one charge.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.flows import charge_card, owed
from app.flows.collect import Charged, Next, Providers
from app.invoices import Invoice
from app.providers import port
from app.providers.errors import ProviderError
from app.providers.values import CustomerRef

log = logging.getLogger(__name__)

_PUT_OFF = timedelta(minutes=15)  # one whose step broke: it must not hold up the others
_NO_CARD = "No card is saved."
_STOPPED = "The saved card was declined for good."


def collect_due(session_factory: Callable[[], Session], providers: Providers, *, limit: int = 20) -> int:
    """Take up to `limit` invoices that are due; how many that was. Never raises for what one of them does."""
    with session_factory() as session:
        for done in range(limit):
            if not _is_due(session) or not _one(session, providers):
                return done
    return limit


def collect_now(session: Session, providers: Providers, customer_id: str, invoice_id: str) -> None:
    """Try this one now, because a person asked for it."""
    with transaction(session):
        invoice = _locked(session, customer_id, invoice_id)
        then = _step(session, providers, invoice, by_hand=True) if invoice is not None else None
    if then is not None:
        then(session, providers)


def _one(session: Session, providers: Providers) -> bool:
    taken: tuple[str, str] | None = None
    try:
        with transaction(session):
            found = select(Invoice).where(*_due()).order_by(Invoice.next_attempt_at).limit(1)
            found = found.with_for_update(skip_locked=True).execution_options(populate_existing=True)
            invoice = session.scalars(found).one_or_none()
            if invoice is None:
                return False
            taken = invoice.customer_id, invoice.id
            then = _step(session, providers, invoice)
        if then is not None:
            then(session, providers)
    except Exception:
        if taken is None:
            raise
        log.exception("invoice %s could not be collected, and is put off", taken[1])
        with transaction(session):
            _look_again(session, *taken, _PUT_OFF)
    return True


def _is_due(session: Session) -> bool:
    """A look alone takes no write lock."""
    found = session.scalar(select(Invoice.id).where(*_due()).limit(1))
    session.rollback()
    return found is not None


def _due() -> tuple[ColumnElement[bool], ...]:
    return (
        Invoice.next_attempt_at <= clock.now(),
        Invoice.status == "open",
        owed.alone(),
    )


def _step(session: Session, providers: Providers, invoice: Invoice, *, by_hand: bool = False) -> Next | None:
    """What is to be done for this invoice, which is locked; what needs the network is answered."""
    order = charge_card.under_way(session, invoice)
    if order is not None:
        invoice.next_attempt_at = clock.now() + charge_card.patience(order)
        charge = charge_card.again(session, providers, order)
        return Charged(charge, order.channel) if charge is not None else None
    if invoice.total_minor < owed.LEAST_BY_CARD:
        owed.not_by_card(session, invoice, owed.TOO_SMALL)
        return None
    found = charge_card.channel_for(session, providers, invoice.customer_id)
    if found is None:
        owed.not_by_card(session, invoice, _NO_CARD)
        return None
    channel, known = found
    invoice.next_attempt_at = clock.now() + charge_card.LEASE
    return ByCard(invoice.customer_id, invoice.id, known, channel, by_hand)


@dataclass(frozen=True, slots=True)
class ByCard:
    """Try the customer's saved card."""

    customer_id: str
    invoice_id: str
    known_as: CustomerRef
    channel: str
    by_hand: bool

    def __call__(self, session: Session, providers: Providers) -> None:
        provider = providers[self.channel]
        try:
            cards = port.cards_of(provider).list_cards(self.known_as)
        except ProviderError as away:
            log.warning("the cards of %s could not be read: %s", self.customer_id, away)
            with transaction(session):
                _look_again(session, self.customer_id, self.invoice_id, charge_card.AWAY)
            return
        with transaction(session):
            invoice = _locked(session, self.customer_id, self.invoice_id)
            if invoice is None or charge_card.under_way(session, invoice):
                return  # paid meanwhile, or another worker is charging
            stopped = set() if self.by_hand else charge_card.stopped_cards(session, invoice)
            card = charge_card.choose(cards, stopped)
            if card is None:
                owed.not_by_card(session, invoice, _STOPPED if cards else _NO_CARD)
                return
            order = charge_card.begin(session, invoice, provider, card, actor="system", grace_days=0)
            invoice.next_attempt_at = clock.now() + charge_card.LEASE
            charge = charge_card.charge_of(session, order)
        Charged(charge, self.channel)(session, providers)


def _locked(session: Session, customer_id: str, invoice_id: str) -> Invoice | None:
    """The invoice, locked, while it is to be paid."""
    invoice = session.get_one(Invoice, (customer_id, invoice_id), with_for_update=True, populate_existing=True)
    return invoice if invoice.status == "open" and owed.is_owed(session, invoice) else None


def _look_again(session: Session, customer_id: str, invoice_id: str, after: timedelta) -> None:
    invoice = _locked(session, customer_id, invoice_id)
    if invoice is not None:
        invoice.next_attempt_at = clock.now() + after
