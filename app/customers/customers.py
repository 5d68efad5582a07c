"""Opening a customer, finding one, and claiming what a person may have once."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import activity, clock, ids, ledger
from app.customers.models import Customer, SignupClaim
from app.errors import Conflict, Invalid
from app.people import addresses
from app.people.users import clean_name

# Not of the form of our own ids: a call that names a customer looks for ours first, so a host product whose users
# choose these names themselves would let one of them act on another's wallet. And fit for a path of the API.
_EXTERNAL_ID = re.compile(r"(?!cus_|\.\.?\Z)[\x21-\x2e\x30-\x7e]{1,200}\Z", re.IGNORECASE)


def open_customer(
    session: Session, *, name: str, email: str, actor: str, currency: str = "usd", external_id: str | None = None
) -> Customer:
    """A new customer with an empty wallet and no members. Raises Invalid, AddressInvalid, Conflict."""
    if external_id is not None and not _EXTERNAL_ID.match(external_id):
        words = "An external id has 1 to 200 ASCII characters, no spaces or slashes, and does not begin with cus_."
        raise Invalid(words, field="external_id")
    customer = Customer(
        id=ids.new("cus"),
        name=clean_name(name, "company"),
        email=addresses.clean(email),
        external_id=external_id,
        time_zone="UTC",
        created_at=clock.now(),
    )
    session.add(customer)
    try:
        session.flush()
    except IntegrityError as taken:
        raise Conflict("Another customer has this external id.", field="external_id") from taken
    ledger.open_account(session, ledger.Account(customer.id, "wallet", currency))
    activity.record(session, actor, "customer.opened", customer.id, customer_id=customer.id)
    return customer


def by_id(session: Session, customer_id: str) -> Customer | None:
    return session.get(Customer, customer_id)


def by_external_id(session: Session, external_id: str) -> Customer | None:
    """The customer the host product calls so."""
    return session.scalar(select(Customer).where(Customer.external_id == external_id))


def set_time_zone(session: Session, customer: Customer, zone: str, *, actor: str) -> None:
    """In which zone this customer's days are counted from now on. What was counted stays (SPEC C5, R6).

    Raises Invalid for a zone that does not exist.
    """
    if zone not in available_timezones():
        raise Invalid("Choose a time zone from the list.", field="time_zone")
    before, customer.time_zone = customer.time_zone, zone
    told = {"before": before, "after": zone}
    activity.record(session, actor, "customer.time_zone_changed", customer.id, customer_id=customer.id, **told)


def claim_signup(session: Session, customer_id: str, email: str) -> bool:
    """Whether this person may have the sign-up credit: true once, whatever spelling of the address comes later (W1)."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    claimed = session.scalar(
        insert(SignupClaim)
        .values(person_hash=addresses.person_hash(email), customer_id=customer_id, claimed_at=clock.now())
        .on_conflict_do_nothing(index_elements=["person_hash"])
        .returning(SignupClaim.customer_id)
    )
    return claimed is not None
