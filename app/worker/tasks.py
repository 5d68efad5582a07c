"""What the worker does, as one table: each task is a function that says how much it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.config import Settings
from app.flows import (
    auto_top_up,
    close_usage,
    deliver,
    deliver_hooks,
    grant_credits,
    hear_disputes,
    move_subscribers,
    proxy_llm,
    reconcile,
    refund,
    renew,
    settle,
    sweep,
)
from app.payments import bell
from app.providers.port import Provider
from app.worker import audit_log, books
from app.worker.wallets import Watch

SessionFactory = Callable[[], Session]


@dataclass(frozen=True, slots=True)
class Task:
    """`run` does some of what is due and says how much that was; with nothing due it is asked after a pause.

    The pause doubles from `shortest` to `longest` seconds. `wake`, if given, waits in its stead and may end early.
    """

    name: str
    run: Callable[[], int]
    shortest: float
    longest: float
    wake: Callable[[float], bool] | None = None


def tasks(session_factory: SessionFactory, settings: Settings, providers: Mapping[str, Provider]) -> list[Task]:
    """Every task of a worker, each to be run beside the others: a provider that is away must not hold up the mail."""
    return [
        # First, and so the last of a single round: what is left to find then is what nothing else found.
        Task(
            "reconcile",
            reconcile.Hourly(session_factory, providers, grace_days=settings.grace_days),
            1.0,
            5.0,
        ),
        Task(
            "events",
            lambda: settle.apply_pending(session_factory, providers, grace_days=settings.grace_days),
            0.2,
            1.0,
            bell.wait,
        ),
        Task("mail", lambda: deliver.pending_mail(session_factory, settings), 0.5, 4.0),
        Task(
            "hooks", lambda: deliver_hooks.deliver_due(session_factory, private=settings.hooks_may_be_private), 0.5, 4.0
        ),
        Task("renewals", lambda: renew.renew_due(session_factory, providers, grace_days=settings.grace_days), 1.0, 8.0),
        Task("credits", lambda: grant_credits.grant_due(session_factory), 1.0, 8.0),
        Task("moves", lambda: move_subscribers.move_due(session_factory, providers), 1.0, 8.0),
        Task("usage", lambda: close_usage.close_due(session_factory, providers), 5.0, 60.0),
        Task("sweep", lambda: sweep.sweep(session_factory, providers, grace_days=settings.grace_days), 5.0, 20.0),
        Task("calls", lambda: proxy_llm.end_overdue(session_factory), 5.0, 20.0),
        Task("wallets", Watch(session_factory, settings.currency), 2.0, 10.0),
        Task("top_ups", _auto_top_ups(session_factory, settings, providers), 1.0, 8.0),
        Task("refunds", lambda: refund.continue_due(session_factory, providers), 5.0, 60.0),
        Task("disputes", lambda: hear_disputes.hear(session_factory, providers), 900.0, 3600.0),
        Task("sums", lambda: books.roll_up(session_factory), 5.0, 60.0),
        Task("audit", lambda: books.audit(session_factory), 60.0, 900.0),
        Task("log", audit_log.Keeper(session_factory, real_time=settings.is_production), 2.0, 30.0),
    ]


def _auto_top_ups(
    session_factory: SessionFactory, settings: Settings, providers: Mapping[str, Provider]
) -> Callable[[], int]:
    walk = auto_top_up.Round()
    return lambda: auto_top_up.top_up_due(session_factory, providers, walk, base_url=settings.base_url)
