"""`purser customers`: opening a customer from a script or by hand."""

from __future__ import annotations

import click

from app.cli.answers import OPERATOR, Answer, answering
from app.cli.connection import opened, read_settings
from app.credits import welcome
from app.customers.customers import open_customer
from app.db import transaction


@click.group()
def customers() -> None:
    """Open customers."""


@customers.command()
@click.option("--name", required=True, help="The organisation's name.")
@click.option("--email", required=True, help="Where notices about money go.")
@click.option("--external-id", default=None, help="What your product calls this customer.")
@answering
def create(name: str, email: str, external_id: str | None) -> Answer:
    """Open a customer with an empty wallet and print its id."""
    settings = read_settings()
    with opened(settings) as session, transaction(session):
        customer = open_customer(
            session, name=name, email=email, actor=OPERATOR, currency=settings.currency, external_id=external_id
        )
        welcome.customer(session, customer.id)
    told = {"id": customer.id, "name": customer.name, "email": customer.email, "external_id": customer.external_id}
    return Answer([customer.id], told)
