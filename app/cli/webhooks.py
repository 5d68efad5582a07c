"""`purser webhooks`: endpoints of the host product from a script; afterwards they are in the back office."""

from __future__ import annotations

import click

from app.cli.answers import OPERATOR, Answer, answering
from app.cli.connection import opened, read_settings
from app.db import transaction
from app.outgoing import EVENT_TYPES, endpoints


@click.group()
def webhooks() -> None:
    """Say where your product is told of what happens."""


@webhooks.command(name="open")
@click.option("--url", required=True, help="Where messages are posted to.")
@click.option("--types", default="", help=f"With commas between; all when left out: {', '.join(EVENT_TYPES)}.")
@answering
def open_endpoint(url: str, types: str) -> Answer:
    """Open an endpoint and print the secret its messages are signed with: this once."""
    settings = read_settings()
    wanted = [part.strip() for part in types.split(",") if part.strip()]
    with opened(settings) as session, transaction(session):
        endpoint, secret = endpoints.open_endpoint(
            session, url, wanted, private=settings.hooks_may_be_private, actor=OPERATOR
        )
    told = {"id": endpoint.id, "url": endpoint.url, "types": endpoint.types or list(EVENT_TYPES), "secret": secret}
    return Answer([secret], told)
