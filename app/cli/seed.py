"""`purser seed`: people with a story, for looking around and for tests. Their passwords are known to everyone."""

from __future__ import annotations

import click

from app.catalogue import publish
from app.cli import story
from app.cli.answers import OPERATOR, Answer, answering
from app.cli.catalogue import catalogue_named
from app.cli.connection import opened, read_settings
from app.config import Settings, SettingsError
from app.db import transaction


@click.command()
@click.option("--catalogue", default=None, metavar="NAME", help="The plans to begin with; view if none are on offer.")
@answering
def seed(catalogue: str | None) -> Answer:
    """Make Ada, Bo, Cy and the staff with their past. Safe to run twice."""
    settings = read_settings()
    require_harmless(settings)
    wanted = None if catalogue is None else catalogue_named(catalogue, settings)
    with opened(settings) as session:
        if wanted is not None:
            with transaction(session):
                publish.apply(session, wanted, actor=OPERATOR)
        told = story.tell(session, settings)
    sign_ins = [{"email": person.email, "password": story.PASSWORD, "about": person.about} for person in story.EVERYONE]
    made = f"{len(told.people)} people were made." if told.people else "Everyone was there already."
    lines = [made, *sign_in_lines(), *(f"API key of {name}: {key}" for name, key in told.keys.items())]
    return Answer(lines, {"made": told.people, "keys": told.keys, "sign_ins": sign_ins})


def require_harmless(settings: Settings) -> None:
    """Raises SettingsError in production."""
    if settings.is_production:
        raise SettingsError(
            ["Seeding makes people whose passwords everyone knows, so not in production: set PURSER_ENV=demo."]
        )


def sign_in_lines() -> list[str]:
    """Who can sign in, as a table; one password for all."""
    width = max(len(person.email) for person in story.EVERYONE)
    return [
        f"Sign in with the password {story.PASSWORD}",
        *(f"  {p.email:<{width}}  {p.about}" for p in story.EVERYONE),
    ]
