"""`purser audit`: is the audit log as it was written?"""

from __future__ import annotations

import re

import click

from app.cli.answers import OPERATOR, Answer, answering
from app.cli.connection import opened, read_settings
from app.flows import audit_log

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})\Z", re.ASCII)


@click.group()
def audit() -> None:
    """Check the audit log."""


@audit.command()
@click.option("--head", default=None, metavar="NUMBER:HASH", help="A head that was printed earlier and kept elsewhere.")
@answering
def verify(head: str | None) -> Answer:
    """Check every line against its seal; one sentence per fault, and exit code 1 when there is any."""
    kept, settings = read_head(head), read_settings()
    with opened(settings) as session:
        found = audit_log.verify(session, real_time=settings.is_production, by=OPERATOR, kept=kept)
    data = {"ok": found.holds, "sealed": found.sealed, "head": f"{found.sealed}:{found.head}", "faults": found.faults}
    if not found.holds:
        more = found.fault_count - len(found.faults)
        return Answer([*found.faults, *([f"And {more:,} more."] if more else [])], data, code=1)
    lines = "1 line is" if found.sealed == 1 else f"{found.sealed:,} lines are"
    whole = f"The audit log is as it was written: {lines} sealed in one chain."
    return Answer([whole, f"Its head, to keep elsewhere: {found.sealed}:{found.head}"], data)


def read_head(text: str | None) -> tuple[int, str] | None:
    """Number and hash. Raises click.BadParameter for what was never printed."""
    if text is None:
        return None
    found = _HEAD.match(text.strip())
    if not found:
        raise click.BadParameter(
            "Give the head as it was printed: a number, a colon and 64 figures.", param_hint="--head"
        )
    return int(found[1]), found[2]
