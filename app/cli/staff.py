"""`purser staff`: letting someone into the back office. There is no default password; they choose one by a link."""

from __future__ import annotations

import click

from app.cli.answers import OPERATOR, Answer, answering
from app.cli.connection import opened, read_settings
from app.db import transaction
from app.people import addresses, email_links, users
from app.people import staff as roles
from app.people.models import STAFF_ROLES


@click.group()
def staff() -> None:
    """Let people into the back office."""


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
        roles.set_role(session, user, role, actor=OPERATOR)
        link = f"{settings.base_url}/reset-password/{email_links.issue(session, user, 'reset', user.email)}"
    told = {"id": user.id, "email": user.email, "role": role, "set_password_url": link}
    return Answer([f"{user.email} is staff now, as {role}. Choose a password within an hour at", link], told)
