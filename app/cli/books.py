"""`purser books`: are the books right?"""

from __future__ import annotations

import click

from app.cli.answers import Answer, answering
from app.cli.connection import opened, read_settings
from app.flows import audit_books


@click.group()
def books() -> None:
    """Check the books."""


@books.command()
@answering
def audit() -> Answer:
    """Recompute every balance from its entries; one sentence per fault, and exit code 1 when there is any."""
    with opened(read_settings()) as session:
        found = audit_books.audit(session, full=True)
    if found.faults:
        return Answer(found.faults, {"ok": False, "faults": found.faults}, code=1)
    return Answer(
        ["The books are right: every entry balances and every balance is the sum of its entries."],
        {"ok": True, "faults": []},
    )
