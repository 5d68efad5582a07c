"""Buyers: who a customer's invoices are made out to, from now on. What is issued keeps what it said (SPEC I3)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy.orm import Session

from app import activity, clock
from app.errors import Invalid
from app.invoices import tax_ids
from app.invoices.countries import REGIONS, check_place
from app.invoices.models import CUSTOMER_TYPES, Buyer

LONGEST = 120


@dataclass(frozen=True, slots=True)
class Details:
    """What a buyer tells, as typed."""

    name: str
    customer_type: str
    line1: str = ""
    line2: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    tax_id: str = ""


def of(session: Session, customer_id: str) -> Buyer | None:
    """None until they have told."""
    return session.get(Buyer, customer_id)


def set_buyer(session: Session, customer_id: str, details: Details, *, actor: str) -> Buyer:
    """Make later invoices out to this buyer. Raises Invalid naming the field at fault."""
    told = _checked(details)
    buyer = session.get(Buyer, customer_id, with_for_update=True)
    if buyer is None:
        buyer = Buyer(customer_id=customer_id)
        session.add(buyer)
    changed = sorted(name for name, value in asdict(told).items() if getattr(buyer, name) != value)
    for name, value in asdict(told).items():
        setattr(buyer, name, value)
    buyer.updated_at = clock.now()
    session.flush()
    if changed:
        # The audit log can never be edited, so it holds which fields changed and not where somebody lives.
        activity.record(session, actor, "buyer.changed", customer_id, customer_id=customer_id, fields=changed)
    return buyer


def _checked(told: Details) -> Details:
    if told.customer_type not in CUSTOMER_TYPES:
        raise Invalid("Choose business or person.", field="customer_type")
    country, region = check_place(told.country, told.region)
    if not country:
        raise Invalid("Choose a country.", field="country")
    if country in REGIONS and not region:
        raise Invalid("Enter the state or province: tax depends on it.", field="region")
    return Details(
        name=_line(told.name, "name", "Enter the name invoices are made out to."),
        customer_type=told.customer_type,
        line1=_line(told.line1, "line1", "Enter the street and number."),
        line2=_line(told.line2, "line2"),
        postal_code=_line(told.postal_code, "postal_code"),
        city=_line(told.city, "city", "Enter the city."),
        region=region,
        country=country,
        tax_id=tax_ids.clean(told.tax_id, country),
    )


def _line(text: str, field: str, missing: str = "") -> str:
    line = " ".join(text.split())
    if missing and not line:
        raise Invalid(missing, field=field)
    if len(line) > LONGEST or (line and not line.isprintable()):
        raise Invalid(f"Use at most {LONGEST} characters.", field=field)
    return line
