"""`purser users`: switching a person off, and on again."""

from __future__ import annotations

import click
from sqlalchemy.orm import Session

from app.cli.answers import OPERATOR, Answer, answering
from app.cli.connection import opened, read_settings
from app.customers import api_keys
from app.db import transaction
from app.errors import NotFound
from app.people import addresses, staff
from app.people import users as people
from app.people.models import User


@click.group()
def users() -> None:
    """Switch people off and on."""


@users.command()
@click.option("--email", required=True)
@answering
def disable(email: str) -> Answer:
    """Sign a person out everywhere, let them in no more, and revoke the API keys they made, for good."""
    with opened(read_settings()) as session, transaction(session):
        user = _known(session, email)
        staff.disable(session, user, actor=OPERATOR)
        revoked = api_keys.revoke_made_by(session, user.id, actor=OPERATOR)
    told = {"id": user.id, "email": user.email, "disabled": True, "keys_revoked": revoked}
    return Answer([f"{user.email} is switched off and signed out everywhere; API keys revoked: {revoked}."], told)


@users.command()
@click.option("--email", required=True)
@answering
def enable(email: str) -> Answer:
    """Let a person sign in again. Their API keys stay revoked."""
    with opened(read_settings()) as session, transaction(session):
        user = _known(session, email)
        staff.enable(session, user, actor=OPERATOR)
    return Answer([f"{user.email} may sign in again."], {"id": user.id, "email": user.email, "disabled": False})


def _known(session: Session, email: str) -> User:
    user = people.by_email(session, addresses.clean(email))
    if user is None:
        raise NotFound("Nobody has this address.")
    return user
