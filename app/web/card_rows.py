"""Saved cards in words: what a person recognises them by, when they run out, and what they are charged for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from sqlalchemy.orm import Session

from app import clock
from app.errors import ProviderDown
from app.flows import cards as flow
from app.http.filters import MONTHS, NBSP
from app.providers import registry
from app.providers.port import Provider
from app.providers.values import Cap, Card
from app.subscriptions.standing import Standing

BRANDS = {"amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay", "diners": "Diners Club"}


@dataclass(frozen=True)
class Row:
    """A line of the table. `warning` says that it runs out, `purpose` what it is charged for."""

    id: str
    title: str
    expires: str
    warning: str
    purpose: str
    is_default: bool


@dataclass(frozen=True)
class Wallet:
    """The cards there are, or why they cannot be told: "down", or "none" where no provider keeps cards."""

    rows: Sequence[Row] = ()
    trouble: str = ""

    @property
    def default(self) -> Row | None:
        return next((row for row in self.rows if row.is_default), None)


def of(session: Session, customer_id: str, standing: Standing) -> Wallet:
    """The customer's cards, asked of the provider now. Its trouble is part of the answer, not an error."""
    chosen = keeper()
    if chosen is None:
        return Wallet(trouble="none")
    try:
        found = flow.listed(session, chosen, customer_id)
    except ProviderDown:
        return Wallet(trouble="down")
    return Wallet([_row(card, _purpose(card, standing, chosen.name)) for card in found])


def keeper() -> Provider | None:
    """The provider that keeps cards, the default before others; None while none is configured that does."""
    return registry.able(current_app.extensions["providers"], Cap.SAVED_CARDS)


def title_of(card: Card) -> str:
    """`Visa ending 4242`."""
    return f"{BRANDS.get(card.brand, card.brand.replace('_', ' ').capitalize())} ending {card.last4}"


def _row(card: Card, purpose: str) -> Row:
    expires = f"{MONTHS[card.exp_month - 1]}{NBSP}{card.exp_year}"
    return Row(card.id, title_of(card), expires, _warning(card), purpose, card.is_default)


def _warning(card: Card) -> str:
    now = clock.now()
    months = (card.exp_year - now.year) * 12 + card.exp_month - now.month
    if months < 0:
        return "Expired"
    return {0: "Expires this month", 1: "Expires next month"}.get(months, "")


def _purpose(card: Card, standing: Standing, channel: str) -> str:
    live = standing.subscription
    if not card.is_default:
        return "Nothing"
    if live is not None and (live.pays_next_by or live.paid_by) == "card" and live.channel != channel:
        return "Nothing yet"  # the plan runs elsewhere, and is charged there
    if live is None or standing.plan is None or standing.ends_at is not None:
        return "Nothing yet"
    if (live.pays_next_by or live.paid_by) == "card":
        return f"{standing.plan.name} plan"
    return f"{standing.plan.name} plan, when the wallet is short"
