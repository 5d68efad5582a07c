"""`purser reconcile`: read the payment providers again now, and repair what a lost webhook left out."""

from __future__ import annotations

from typing import Any

import click

from app import clock
from app.cli.answers import OPERATOR, Answer, answering
from app.cli.connection import read_settings, sessions, take_up
from app.db import make_engine
from app.errors import Conflict, NotFound
from app.flows import reconcile as flow
from app.payments.reconciliation_table import Reconciliation
from app.providers import registry
from app.schema import make_directory


@click.command()
@click.option("--channel", default="", help="One channel; all that are configured when left out.")
@answering
def reconcile(channel: str) -> Answer:
    """Compare with what providers hold; exit code 1 when something could not be read."""
    settings = read_settings()
    take_up(settings)
    make_directory(settings.database_url)
    providers = registry.build(settings)
    if channel and channel not in providers:
        raise NotFound(f"No channel {channel} is configured here.", channel=channel)
    engine = make_engine(settings.database_url)
    try:
        chosen = [channel] if channel else list(providers)
        how: dict[str, Any] = {"actor": OPERATOR, "grace_days": settings.grace_days}
        runs = [flow.run(sessions(engine), providers, name, **how) for name in chosen]
    finally:
        engine.dispose()
    if channel and runs == [None]:
        raise Conflict("A reconciliation of this channel is under way already.", channel=channel)
    ended = [run for run in runs if run is not None]
    busy = [name for name, run in zip(chosen, runs, strict=True) if run is None]
    sentences = [sentence for run in ended for sentence in _sentences(run)]
    sentences += [f"{name}: one is under way already." for name in busy]
    well = all(run.state == "done" for run in ended)
    data = {"ok": well, "reconciliations": [_data(run) for run in ended], "under_way": busy}
    return Answer(sentences or ["No payment channel is configured."], data, code=0 if well else 1)


def _sentences(run: Reconciliation) -> list[str]:
    looked = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in run.looked_at.items()) or "nothing"
    found = [f"{run.channel}: {run.change_count} repaired; read were {looked}. The report is {run.id}."]
    found += [f"  {each['kind'].replace('.', ' ').replace('_', ' ')}: {_names(each)}" for each in run.changed]
    return found + [f"  {sentence}" for sentence in run.unread]


def _names(change: dict[str, Any]) -> str:
    return " ".join(str(value) for name, value in change.items() if name != "kind" and isinstance(value, str))


def _data(run: Reconciliation) -> dict[str, Any]:
    times = {"started_at": run.started_at, "ended_at": run.ended_at, "since": run.since}
    return {
        "id": run.id,
        "channel": run.channel,
        "state": run.state,
        **{name: clock.timestamp(at) if at else None for name, at in times.items()},
        "looked_at": run.looked_at,
        "change_count": run.change_count,
        "changed": run.changed,
        "unread": run.unread,
    }
