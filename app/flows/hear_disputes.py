"""Asking about disputes where the provider tells of them only when asked (SPEC W5). What is new goes into the inbox."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.payments import bell, inbox
from app.providers import port
from app.providers.errors import ProviderError
from app.providers.port import Provider
from app.providers.values import Cap, Heard

log = logging.getLogger(__name__)

LOOKS_BACK = timedelta(days=7)  # a worker that stood still for longer is a matter for the reconciliation


def hear(session_factory: Callable[[], Session], providers: Mapping[str, Provider]) -> int:
    """Ask every such provider what began or changed of late; how much of it was news. Trouble waits for next time."""
    new = 0
    for provider in providers.values():
        if Cap.DISPUTE_POLL not in provider.capabilities:
            continue
        try:
            heard = port.dispute_feed_of(provider).disputes_since(clock.now() - LOOKS_BACK)
        except ProviderError as error:
            log.warning("%s could not be asked about disputes: %s", provider.name, error)
            continue
        new += sum(_is_new(session_factory, provider.name, each) for each in heard)
    if new:
        bell.ring()
    return new


def _is_new(session_factory: Callable[[], Session], channel: str, heard: Heard) -> bool:
    """Through the same inbox as a webhook: asked twice, it is kept once."""
    with session_factory() as session, transaction(session):
        return inbox.keep(session, provider=channel, verified=heard.verified, body=heard.body, headers={})
