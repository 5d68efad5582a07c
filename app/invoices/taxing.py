"""The tax on an amount for a customer: the rates of this moment, for where their invoices are made out to (SPEC I2)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import clock
from app.invoices import seller, tax
from app.invoices.models import Buyer, TaxRate
from app.invoices.tax import Place, TaxLine
from app.money import minor_to_micros


def quote_tax(session: Session, customer_id: str, net_minor: int, currency: str) -> list[TaxLine]:
    """The tax lines a net amount (minor units) would get on an invoice finalised now. Empty where no tax applies."""
    place = place_of(session.get(Buyer, customer_id))
    rates = rates_at(session, clock.now(), place.country)
    return tax.lines_of(rates, place, minor_to_micros(net_minor, currency), net_minor, currency)


def place_of(buyer: Buyer | None) -> Place:
    """Where a buyer is taxed: as a person in the seller's country, until they have told."""
    home = seller.current().country
    if buyer is None or not buyer.country:
        return Place(country=home)
    return Place(buyer.country, buyer.region, buyer.customer_type, buyer.tax_id, abroad=buyer.country != home)


def rates_at(session: Session, instant: datetime, country: str) -> list[TaxRate]:
    """The rates in force at an instant, in a country and everywhere."""
    return list(
        session.scalars(
            select(TaxRate).where(
                TaxRate.country.in_(("", country)),
                TaxRate.valid_from <= instant,
                or_(TaxRate.valid_until.is_(None), TaxRate.valid_until > instant),
            )
        )
    )
