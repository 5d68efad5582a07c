"""Opening a customer for the host product: once per external id, however often it asks."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.credits import welcome
from app.customers import customers
from app.customers.models import Customer
from app.db import transaction
from app.errors import Conflict
from app.people import addresses
from app.people.users import clean_name


def open_customer(
    session: Session, *, name: str, email: str, external_id: str | None, actor: str, currency: str
) -> tuple[Customer, bool]:
    """The customer, with an empty wallet and the free plan's welcome credits, and whether it is new.

    The same external id with the same name and address is the customer there is. Raises Invalid, AddressInvalid, and
    Conflict where the external id is another customer's, or the customer's name or address is another by now.
    """
    name, email = clean_name(name), addresses.clean(email)
    known = _known(session, external_id)
    if known is None:
        try:
            with transaction(session):
                made = customers.open_customer(
                    session, name=name, email=email, external_id=external_id, actor=actor, currency=currency
                )
                welcome.customer(session, made.id)
            return made, True
        except Conflict:  # of two who ask at once, the second finds what the first made
            known = _known(session, external_id)
            if known is None:
                raise
    if (known.name, addresses.key(known.email)) != (name, addresses.key(email)):
        words = "There is a customer with this external id, and it has another name or address."
        raise Conflict(words, field="external_id", customer=known.id)
    return known, False


def _known(session: Session, external_id: str | None) -> Customer | None:
    session.rollback()  # what another request committed is to be seen
    return customers.by_external_id(session, external_id) if external_id else None
