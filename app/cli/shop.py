"""What the demo sells: a shipped catalogue, coupons that work, tax rates. A shop that has goods is left alone."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.catalogue import file, publish, reads, shipped
from app.config import Settings
from app.coupons import issue
from app.coupons.models import Coupon
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.invoices import rates

CATALOGUE = "view"  # it has most to show: monthly and yearly prices, credits, packs, an action, a plan to ask about
ACTOR = "system"
TAXES = (  # country, region, name, parts per million, the seller's number
    ("GB", "", "VAT", 200_000, "GB123456789"),
    ("DE", "", "USt", 190_000, None),
    ("CA", "", "GST", 50_000, None),
    ("CA", "QC", "QST", 99_750, None),
)


def stock(session: Session, settings: Settings) -> None:
    """Put the shop's goods on offer where there are none yet."""
    with transaction(session):
        if not reads.offered_plans(session):
            wanted = file.read(shipped.text_of(CATALOGUE), currency=settings.currency, name=CATALOGUE)
            publish.apply(session, wanted, actor=ACTOR)
        if session.scalar(select(Coupon.id).limit(1)) is None:
            for terms in _coupons(settings.currency):
                issue.make(session, terms, actor=ACTOR)
        if not rates.listed(session):
            for country, region, name, ppm, number in TAXES:
                rates.set_rate(
                    session,
                    country=country,
                    region=region,
                    name=name,
                    rate_ppm=ppm,
                    number=number,
                    reverse_charge=country == "DE",
                    actor=ACTOR,
                )


def _coupons(currency: str) -> tuple[Terms, ...]:
    now = clock.now()
    ends = (now + timedelta(days=365)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        Terms(
            code="HARBOR20",
            kind="percent",
            value=20,
            limits=Limits("20% off for 6 months", most=100, ends_at=ends),
            duration="repeating",
            months=6,
            scope={"plans": []},
        ),
        Terms(
            code="TENOFF",
            kind="amount",
            value=1_000,
            currency=currency,
            limits=Limits("10.00 off the first invoice"),
            scope={"plans": [], "packs": []},
        ),
        Terms(
            code="WELCOME100",
            kind="credits",
            value=100,
            limits=Limits("100 bonus credits with a plan"),
            scope={"plans": []},
        ),
        Terms(
            code="LASTONE",
            kind="percent",
            value=50,
            limits=Limits("Half price, once in all", most=1),
            scope={"plans": []},
        ),
    )
