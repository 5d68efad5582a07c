"""`purser staff`: who may enter the back office. There is no default password; people choose one by a link."""

from __future__ import annotations

import click

from app.cli.answers import OPERATOR, Answer, answering
from app.cli.connection import opened, read_settings
from app.customers import api_keys
from app.db import transaction
from app.errors import NotFound
from app.flows import second_factor
from app.people import addresses, email_links, users
from app.people import staff as roles
from app.people.models import STAFF_ROLES


@click.group()
def staff() -> None:
    """Let people into the back office, and take them out of it."""


@staff.command()
@click.option("--email", required=True)
@click.option("--role", required=True, type=click.Choice(STAFF_ROLES))
@click.option("--name", default=None, help="Their name; the front of the address when left out.")
@answering
def create(email: str, role: str, name: str | None) -> Answer:
    """Give a person a staff role, making the user if need be, and print a link to choose a password by.

    The link works once, for an hour: hand it over in person or by a channel you trust.
    """
    settings = read_settings()
    address = addresses.clean(email)
    with opened(settings) as session, transaction(session):
        user = users.create(
            session,
            name=name or address.partition("@")[0],
            email=address,
            password_hash=None,
            verified=True,
            actor=OPERATOR,
        ) or users.by_email(session, address)
        assert user is not None, "an address that is taken has a user"
        users.take_from_stranger(session, user, actor=OPERATOR)  # anyone can sign up with any address
        roles.set_role(session, user, role, actor=OPERATOR)
        link = f"{settings.base_url}/reset-password/{email_links.issue(session, user, 'reset', user.email)}"
    told = {"id": user.id, "email": user.email, "role": role, "set_password_url": link}
    return Answer([f"{user.email} is staff now, as {role}. Choose a password within an hour at", link], told)


@staff.command()
@click.option("--email", required=True)
@answering
def remove(email: str) -> Answer:
    """Take a person's staff role away: they are signed out, and staff keys they made stop. They stay a user."""
    with opened(read_settings()) as session, transaction(session):
        user = users.by_email(session, addresses.clean(email))
        if user is None or user.staff_role is None:
            raise NotFound("Nobody with this address is staff.")
        roles.set_role(session, user, None, actor=OPERATOR)
        revoked = api_keys.revoke_made_by(session, user.id, actor=OPERATOR, kinds=["staff", "service"])
    told = {"id": user.id, "email": user.email, "role": None, "keys_revoked": revoked}
    return Answer([f"{user.email} is no longer staff, and signed out everywhere."], told)


@staff.command("reset-totp")
@click.option("--email", required=True)
@answering
def reset_totp(email: str) -> Answer:
    """Take somebody's second factor off: they are signed out and mailed, and sign in with the password alone."""
    settings = read_settings()
    with opened(settings) as session:
        user = users.by_email(session, addresses.clean(email))
        if user is None or user.staff_role is None:
            raise NotFound("Nobody with this address is staff.")
        second_factor.turn_off(session, settings.base_url, user, actor=OPERATOR)
    told = {"id": user.id, "email": user.email}
    return Answer([f"{user.email} signs in with the password alone, and is signed out everywhere."], told)
