"""Applying what providers tell; effect and "handled" are one transaction (R3, V2). `reactions` says what each causes.

An event is claimed, what it names is read from the provider without a transaction, and it is applied in one. Whatever
is late, twice or out of order ends in the same state.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db import transaction
from app.flows import cards, follow, reactions, second, whose
from app.flows.news import News, NotOurs, NotYet
from app.payments import inbox, settling
from app.providers.errors import BadPayload, ProviderError
from app.providers.events import Event
from app.providers.port import Provider
from app.providers.values import Cap
from app.subscriptions.dunning import GRACE_DAYS

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another worker took the event over: what this one did must not stay."""


def apply_pending(
    session_factory: Callable[[], Session],
    providers: Mapping[str, Provider],
    limit: int = 20,
    *,
    grace_days: int = GRACE_DAYS,
) -> int:
    """Claim and apply up to `limit` due events; how many were claimed. Never raises for what one event does."""
    with session_factory() as session:
        if not inbox.is_due(session):  # a look alone takes no write lock, and this is asked every second
            return 0
        with transaction(session):
            claims = inbox.claim(session, limit=limit)
        for claim in claims:
            apply(session, providers, claim, grace_days=grace_days)
        return len(claims)


def apply(
    session: Session, providers: Mapping[str, Provider], claim: inbox.Claim, *, grace_days: int = GRACE_DAYS
) -> None:
    """Bring one claimed event to its end: done, ignored, dead, or another try later."""
    told: list[Event] = []
    try:
        _apply(session, providers, claim, grace_days, told)
    except NotYet as waiting:
        _end(session, inbox.retry, claim, told, str(waiting), is_missed=not isinstance(waiting, NotOurs))
    except (settling.Mismatch, BadPayload) as wrong:
        log.warning("webhook event %s is dead: %s", claim.id, wrong)
        _end(session, inbox.dead, claim, told, str(wrong))
    except LeaseLost:
        log.warning("webhook event %s was taken over by another worker", claim.id)
    except (ProviderError, OperationalError) as away:
        # The provider or the database was away, busy or locked: that says nothing about the event.
        log.warning("webhook event %s is put off: %s", claim.id, away)
        _end(session, inbox.retry, claim, told, type(away).__name__, counts=False)
    except Exception as fault:
        log.exception("webhook event %s breaks its reaction", claim.id)
        why = f"{type(fault).__name__}: {fault}"
        _end(session, inbox.retry, claim, told, why, most=inbox.ATTEMPTS_FOR_A_FAULT)


def _apply(
    session: Session, providers: Mapping[str, Provider], claim: inbox.Claim, grace_days: int, told: list[Event]
) -> None:
    """`told` is filled with what the event says, as soon as it could be read."""
    provider = providers.get(claim.provider)
    if provider is None:
        raise NotYet(f"The channel {claim.provider} is not configured here.")
    if claim.livemode != provider.livemode:
        _end(session, inbox.unused, claim, told, "It is of the other mode (test or live) than the configured key.")
        return
    told += provider.normalize(claim.body)
    news = [_news(session, provider, event, claim, grace_days) for event in told]
    with transaction(session):
        reasons = [reason for event in told if (reason := reactions.unused(event))]
        effects = [
            did for event, about in zip(told, news, strict=True) for did in reactions.react(session, event, about)
        ]
        if len(reasons) == len(told):
            kept = inbox.unused(session, claim, " ".join(reasons) or "It says nothing for us.")
        else:
            kept = inbox.done(session, claim, effects)
        if not kept:
            raise LeaseLost
        whose.note(session, claim, told, effects)


def _news(session: Session, provider: Provider, event: Event, claim: inbox.Claim, grace_days: int) -> News:
    """What the provider says now about what the event names: everything that takes the network, before applying it."""
    cards.take_in(session, provider, event)
    seen = follow.look(session, provider, event, due_at=claim.due_at)
    left = second.give_back(session, provider, seen)
    return News(claim.id, claim.provider, left, grace_days, Cap.IDEMPOTENCY_KEYS in provider.capabilities)


def _end(
    session: Session, verb: Callable[..., bool], claim: inbox.Claim, told: Sequence[Event], why: str, **how: Any
) -> None:
    with transaction(session):
        if verb(session, claim, why, **how):
            whose.note(session, claim, told)
