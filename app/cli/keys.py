"""`purser keys`: API keys for a customer's programs, for the host product and for the back office's programs."""

from __future__ import annotations

import click
from sqlalchemy.orm import Session

from app.cli.answers import Answer, answering
from app.cli.connection import opened, read_settings
from app.customers import api_keys, customers
from app.customers.models import ApiKey
from app.db import transaction
from app.entitlements import production
from app.errors import Forbidden, NotFound
from app.people import addresses, users
from app.people.models import STAFF_ROLES, User


@click.group()
def keys() -> None:
    """Make API keys."""


@keys.command()
@click.option("--customer", "customer_id", metavar="ID", help="A key for this customer's programs.")
@click.option(
    "--permissions", default="billing:read", show_default=True, help="Of a customer key, with commas between."
)
@click.option(
    "--environment",
    type=click.Choice(api_keys.ENVIRONMENTS),
    default="live",
    show_default=True,
    help="Of a customer key; live needs a plan with production access.",
)
@click.option("--service", is_flag=True, help="A key for the host product's back end.")
@click.option("--scopes", default=",".join(api_keys.SERVICE_SCOPES), help="Of a service key; all when left out.")
@click.option("--staff", is_flag=True, help="A key for the back office's programs.")
@click.option("--role", help="Of a staff key: support, finance or admin.")
@click.option(
    "--for",
    "email",
    metavar="EMAIL",
    help="Of a staff key: who uses it. They never approve what it asks for, and it stops when they leave.",
)
@click.option("--name", default="Command line", show_default=True, help="What the list of keys calls it.")
@answering
def create(
    *,
    customer_id: str | None,
    permissions: str,
    environment: str,
    service: bool,
    scopes: str,
    staff: bool,
    role: str | None,
    email: str | None,
    name: str,
) -> Answer:
    """Make a key and print it: this once, for only its hash is kept."""
    if (customer_id is not None) + service + staff != 1:
        raise click.UsageError("Say whose key it is: --customer ID, --service or --staff.")
    if staff != (role is not None):
        raise click.UsageError("--staff and --role go together.")
    if email is not None and not staff:
        raise click.UsageError("--for goes with --staff.")
    with opened(read_settings()) as session, transaction(session):
        if customer_id is not None:
            key, text = _for_customer(session, customer_id, permissions, environment, name)
        elif service:
            key, text = api_keys.create_service_key(session, name=name, scopes=_listed(scopes))
        else:
            user = _colleague(session, email, role or "") if email is not None else None
            key, text = api_keys.create_staff_key(
                session, name=name, role=role or "", made_by=user.id if user else None
            )
    told = {"id": key.id, "kind": key.kind, "key": text, "permissions": key.permissions, "customer_id": customer_id}
    return Answer([text], told)


def _colleague(session: Session, email: str, role: str) -> User:
    user = users.by_email(session, addresses.clean(email))
    if user is None or user.staff_role is None or user.disabled_at is not None:
        raise NotFound("Nobody on the staff has this address.")
    if role in STAFF_ROLES and STAFF_ROLES.index(role) > STAFF_ROLES.index(user.staff_role):
        raise Forbidden(f"A key cannot do more than {user.name} may do: {user.staff_role}.", field="role")
    return user


def _for_customer(
    session: Session, customer_id: str, permissions: str, environment: str, name: str
) -> tuple[ApiKey, str]:
    if customers.by_id(session, customer_id) is None:
        raise NotFound(f"There is no customer {customer_id[:64]!r}.")
    can = _listed(permissions)
    return production.create_customer_key(
        session, customer_id, name=name, permissions=can, environment=environment, made_by=None
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
