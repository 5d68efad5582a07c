"""Opening the portal for the host product: it names a customer and a person, and gets a link that signs them in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.customers import customers, portal_links
from app.customers.models import Customer, Membership, PortalLink
from app.db import transaction
from app.entitlements import team
from app.errors import Conflict, NotFound
from app.people import addresses, users
from app.people.models import User


@dataclass(frozen=True)
class Wish:
    """What the host product asks for; its addresses are checked already.

    Without an e-mail address the owner is meant. `permission` (None: write) is for somebody who is no member yet.
    """

    customer: str  # our id or the host product's own
    path: str
    actor: str
    email: str | None = None
    name: str | None = None
    permission: str | None = None
    return_url: str | None = None


def open_portal(session: Session, wish: Wish) -> tuple[PortalLink, str]:
    """A link and its secret. Somebody new becomes a member, where the plan has a seat for them.

    Raises NotFound, AddressInvalid, Invalid, Conflict for a person who is switched off, and as `team.join`.
    """
    with transaction(session):
        customer = customers.by_id(session, wish.customer) or customers.by_external_id(session, wish.customer)
        if customer is None:
            raise NotFound("There is no such customer.", field="customer")
        user = _user(session, customer, wish)
        if user.disabled_at is not None:
            raise Conflict("This person's account is switched off.", field="email")
        if session.get(Membership, (customer.id, user.id)) is None:
            # Else whoever signs up with another's address beforehand is let into their customer with them.
            users.take_from_stranger(session, user, actor=wish.actor)
            team.join(session, customer.id, user, wish.permission, actor=wish.actor)
        return portal_links.issue(
            session, customer.id, user, path=wish.path, return_url=wish.return_url, made_by=wish.actor
        )


def _user(session: Session, customer: Customer, wish: Wish) -> User:
    """The person who is meant, made if need be: not confirmed, and without a password until they choose one."""
    owner = None if wish.email else _owner(session, customer.id)
    if owner is not None:
        return owner
    address = addresses.clean(wish.email or customer.email)
    name = wish.name or address.partition("@")[0]
    made = users.create(session, name=name, email=address, password_hash=None, actor=wish.actor)
    found = made or users.by_email(session, address)
    assert found is not None, "an address that is taken has a user"
    return found


def _owner(session: Session, customer_id: str) -> User | None:
    """The owner of the longest standing who may sign in; any owner when none may."""
    mine = select(User).join(Membership, Membership.user_id == User.id)
    mine = mine.where(Membership.customer_id == customer_id, Membership.permission == "owner")
    return session.scalars(mine.order_by(User.disabled_at.is_not(None), Membership.created_at, User.id)).first()
