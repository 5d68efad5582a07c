"""Tax rates as rows: setting one, ending one. A rate that was charged stays as it was; a new one takes its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.errors import Invalid, NotFound
from app.invoices.countries import check_place
from app.invoices.models import CUSTOMER_TYPES, TaxRate

MOST_PPM = 1_000_000
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,4}))?\Z", re.ASCII)


def parse_percent(text: str) -> int:
    """A rate as a person types it, "8.25" or "19 %", in parts per million. Raises Invalid."""
    found = _PERCENT.match(text.strip().removesuffix("%").strip())
    ppm = int(found[1]) * 10_000 + int((found[2] or "").ljust(4, "0")) if found else MOST_PPM + 1
    if ppm > MOST_PPM:
        raise Invalid("Enter a percentage from 0 to 100, with at most four decimals, like 8.25.", field="percent")
    return ppm


def percent(rate_ppm: int) -> str:
    """A rate as people write it: 82,500 is "8.25"."""
    whole, part = divmod(rate_ppm, 10_000)
    return f"{whole}.{part:04d}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rate as somebody asks for it. '' is any country, any region, anyone. `number` is printed beside it."""

    name: str
    rate_ppm: int
    country: str = ""
    region: str = ""
    customer_type: str = ""
    number: str | None = None
    reverse_charge: bool = False

    def told(self) -> str:
        """`19%, DE1, reverse charge`."""
        parts = (f"{percent(self.rate_ppm)}%", self.number or "", "reverse charge" if self.reverse_charge else "")
        return ", ".join(part for part in parts if part)


def checked(wanted: Wanted) -> Wanted:
    """The same as it is kept. Raises Invalid with the field."""
    country, region = check_place(wanted.country, wanted.region)
    name = " ".join(wanted.name.split())
    if not 1 <= len(name) <= 40 or not name.isprintable():
        raise Invalid("Enter the tax's name as it is printed, such as VAT.", field="name")
    if wanted.customer_type not in ("", *CUSTOMER_TYPES):
        raise Invalid("Choose business, person or anyone.", field="customer_type")
    if not 0 <= wanted.rate_ppm <= MOST_PPM:
        raise Invalid("Enter a percentage from 0 to 100.", field="percent")
    number = (wanted.number or "").strip()[:40] or None
    return replace(wanted, country=country, region=region, name=name, number=number)


def replaced_by(session: Session, wanted: Wanted) -> list[Wanted]:
    """The rates in force that this one would end: of the same name, place and buyers."""
    now = clock.now()
    same = _same(session, wanted.country, wanted.region, wanted.customer_type, wanted.name)
    return [_as_wanted(old) for old in same if old.valid_until is None or old.valid_until > now]


def set_rate(
    session: Session,
    *,
    country: str,
    region: str = "",
    customer_type: str = "",
    name: str,
    rate_ppm: int,
    number: str | None = None,
    reverse_charge: bool = False,
    valid_from: datetime | None = None,
    actor: str,
) -> TaxRate:
    """Charge this rate to buyers in a place, from now on or a later instant; the one it replaces ends there.

    Rates with other names are taxes of their own. Raises Invalid with the field.
    """
    wanted = checked(Wanted(name, rate_ppm, country, region, customer_type, number, reverse_charge))
    before = "; ".join(old.told() for old in replaced_by(session, wanted))
    now = clock.now()
    starts = max(valid_from or now, now)
    for old in _same(session, wanted.country, wanted.region, wanted.customer_type, wanted.name):
        _end(session, old, starts)
    rate = TaxRate(
        id=ids.new("tax"), valid_from=starts, **{each.name: getattr(wanted, each.name) for each in fields(wanted)}
    )
    session.add(rate)
    session.flush()
    told: dict[str, Any] = {"name": wanted.name, "country": wanted.country, "region": wanted.region}
    told |= {"rate_ppm": rate_ppm, "facts": {wanted.name: [before, wanted.told()]}}
    activity.record(session, actor, "tax_rate.set", rate.id, **told)
    return rate


def end_rate(session: Session, rate_id: str, *, actor: str) -> TaxRate:
    """Charge it no longer, as of now. Raises NotFound."""
    rate = session.get(TaxRate, rate_id)
    if rate is None:
        raise NotFound("There is no such tax rate.")
    now = clock.now()
    if rate.valid_until is None or rate.valid_until > now:
        _end(session, rate, now)
        session.flush()
        activity.record(session, actor, "tax_rate.ended", rate_id, name=rate.name, country=rate.country)
    return rate


def listed(session: Session) -> Sequence[TaxRate]:
    """The rates in force and to come, by place and name."""
    now = clock.now()
    live = select(TaxRate).where(or_(TaxRate.valid_until.is_(None), TaxRate.valid_until > now))
    order = (TaxRate.country, TaxRate.region, TaxRate.name, TaxRate.customer_type, TaxRate.valid_from)
    return session.scalars(live.order_by(*order)).all()


def _same(session: Session, country: str, region: str, customer_type: str, name: str) -> list[TaxRate]:
    place = (TaxRate.country == country, TaxRate.region == region, TaxRate.customer_type == customer_type)
    return [rate for rate in session.scalars(select(TaxRate).where(*place)) if rate.name.casefold() == name.casefold()]


def _as_wanted(rate: TaxRate) -> Wanted:
    return Wanted(**{each.name: getattr(rate, each.name) for each in fields(Wanted)})


def _end(session: Session, rate: TaxRate, at: datetime) -> None:
    """End it at an instant; one that would only have begun then never was."""
    if rate.valid_from >= at:
        session.delete(rate)
    elif rate.valid_until is None or rate.valid_until > at:
        rate.valid_until = at
