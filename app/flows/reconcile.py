"""Reconciliation: each channel's truth read again, and what a lost webhook left out repaired (SPEC V4).

One run reads one channel within limits of number and time, step by step as `reread` says, and leaves a report. What a
channel cannot tell is known by its capabilities and stands in the report too. A channel that is away stops its own
run alone, and the next one takes up where this one was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.flows import reread
from app.flows.reread import Reading
from app.payments import reconciliations
from app.payments.reconciliation_table import Reconciliation
from app.payments.reconciliations import Report
from app.providers.errors import AuthFailed, ProviderError, RateLimited, Unavailable
from app.providers.port import Provider
from app.providers.values import Cap
from app.subscriptions.dunning import GRACE_DAYS

log = logging.getLogger(__name__)

SessionFactory = Callable[[], Session]
EVERY = timedelta(hours=1)
_AT_START = timedelta(minutes=10)  # a worker that starts anew looks at once, unless another has just looked
_FIRST_LOOK = timedelta(days=7)  # how far back the first run of a channel asks
_OVERLAP = timedelta(hours=2)  # of two runs: an event may be told late there too
_MOST_TIME = timedelta(minutes=5)
_STEPS = (
    (reread.events, "events"),
    (reread.open_pages, "open payment pages"),
    (reread.apply, "events"),
    (reread.subscriptions, "subscriptions"),
    (reread.refunds, "refunds"),
    (reread.disputes, "disputes"),
    (reread.apply, "events"),
)
_AWAY = (Unavailable, AuthFailed, RateLimited)


class Hourly:
    """For a worker: what was asked for at once, every channel when the worker starts, and each again every hour."""

    def __init__(
        self, session_factory: SessionFactory, providers: Mapping[str, Provider], *, grace_days: int = GRACE_DAYS
    ) -> None:
        self._sessions, self._providers, self._grace_days = session_factory, providers, grace_days
        self._seen: set[str] = set()

    def __call__(self) -> int:
        """Run what is due; how many runs that were."""
        due = [channel for channel in self._providers if self._is_due(channel)]
        ran = [run(self._sessions, self._providers, name, grace_days=self._grace_days) for name in due]
        return sum(each is not None for each in ran)

    def _is_due(self, channel: str) -> bool:
        with self._sessions() as session:
            if reconciliations.is_asked_for(session, channel):
                return True
            last = reconciliations.last_begun(session, channel)
        wait = EVERY if channel in self._seen else _AT_START
        self._seen.add(channel)
        return last is None or clock.now() - last >= wait


def run(
    session_factory: SessionFactory,
    providers: Mapping[str, Provider],
    channel: str,
    *,
    actor: str = "system",
    grace_days: int = GRACE_DAYS,
) -> Reconciliation | None:
    """Read one configured channel and repair what was lost; None while another process does. Never raises for what
    the provider does."""
    with session_factory() as session:
        with transaction(session):
            begun = reconciliations.begin(session, channel, actor=actor)
            if begun is None:
                return None
            walked_to = reconciliations.walked_to(session, channel)
        run_id, now = begun.id, clock.now()
        since = (begun.since or now - _FIRST_LOOK) - _OVERLAP
        report = Report(walked_to=walked_to)
        reading = Reading(session_factory, session, providers, channel, report, since, now + _MOST_TIME, grace_days)
        _read(reading)
        report.told_until = now if not reading.feed_is_away else None
        with transaction(session):
            return reconciliations.end(session, run_id, report)


def _read(reading: Reading) -> None:
    reading.report.unread += untold(reading.provider)
    what = ""
    try:
        for step, name in _STEPS:
            what = name
            step(reading)
    except _AWAY as away:
        log.warning("%s could not be read: %s", reading.channel, away)
        reading.feed_is_away = True
        reading.report.missed(f"{reading.provider.title} was away when its {what} were read: {_sentence(away)}")
    except Exception as fault:  # a run that broke is told as one, and does not stop the other channels
        log.exception("the reconciliation of %s broke", reading.channel)
        reading.feed_is_away = True
        reading.report.missed(f"A fault of ours, {type(fault).__name__}, ended it at the {what}. The log has more.")
    reread.told(reading)


def untold(provider: Provider) -> list[str]:
    """What this channel never tells, so that what was lost of it stays lost, in sentences; none where all is told."""
    able, title = provider.capabilities, provider.title
    found = []
    if Cap.EVENT_LIST not in able:
        found.append(
            f"{title} lists no past events: what no order, subscription or payment here points to is not found."
        )
    if able.isdisjoint({Cap.EVENT_LIST, Cap.DISPUTE_POLL}):
        how = "by webhook alone" if Cap.DISPUTE_EVENTS in able else "on its own pages alone"
        found.append(f"{title} tells of disputes {how}: one whose news was lost has to be looked for there.")
    return found


def _sentence(error: ProviderError) -> str:
    said = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
    return said + "."
