"""`purser catalogue`: putting plans, meters, actions, packs and services on offer from a file (SPEC P3)."""

from __future__ import annotations

from pathlib import Path

import click

from app.catalogue import difference, file, publish, reads, shipped
from app.catalogue.difference import Change
from app.catalogue.terms import Catalogue
from app.cli.answers import OPERATOR, Answer, answering
from app.cli.connection import opened, read_settings
from app.config import Settings
from app.db import transaction


@click.group()
def catalogue() -> None:
    """What this installation sells."""


@catalogue.command()
@click.argument("source", metavar="FILE|NAME")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@answering
def apply(source: str, dry_run: bool) -> Answer:
    """Offer exactly what the file says; what it leaves out is offered no longer. NAME is a shipped catalogue."""
    settings = read_settings()
    wanted = catalogue_named(source, settings)
    with opened(settings) as session:
        if dry_run:
            changes = difference.between(reads.whole(session), wanted)
        else:
            with transaction(session):
                changes = publish.apply(session, wanted, actor=OPERATOR)
    lines = [line for change in changes for line in change.lines()]
    data = {"dry_run": dry_run, "changes": [change.data() for change in changes]}
    return Answer([*lines, _summary(changes, dry_run)], data)


def catalogue_named(source: str, settings: Settings) -> Catalogue:
    """A shipped catalogue by its name, or the one in a file. Raises click.UsageError or CatalogueWrong."""
    if source in shipped.names():
        return file.read(shipped.text_of(source), currency=settings.currency, name=source)
    try:
        text = Path(source).read_text(encoding="utf-8")
    except UnicodeDecodeError as wrong:
        raise click.UsageError(f"{source} is not a text in UTF-8.") from wrong
    except (OSError, ValueError) as wrong:
        known = ", ".join(shipped.names())
        raise click.UsageError(
            f"There is no file and no shipped catalogue {source!r}. Shipped are: {known}."
        ) from wrong
    return file.read(text, currency=settings.currency, name=source)


def _summary(changes: list[Change], dry_run: bool) -> str:
    if not changes:
        return "Nothing changes: the catalogue is as the file says."
    count = "1 change" if len(changes) == 1 else f"{len(changes)} changes"
    return f"{count} would be made; nothing was changed." if dry_run else f"{count} made."
