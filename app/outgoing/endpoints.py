"""Endpoints: where the host product is told. Opened, changed, switched off and on, given a new secret, removed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.errors import Conflict, Invalid, NotFound
from app.outgoing import addresses, signing
from app.outgoing.event_types import EVENT_TYPES
from app.outgoing.models import WebhookDelivery, WebhookEndpoint

MOST = 20
OVERLAP = timedelta(hours=24)  # the old secret goes on signing for so long, so that no message is refused meanwhile
GONE = "The receiver answered 410: it does not want to be told any more."
FAILING = "No delivery went through for three days."


def open_endpoint(
    session: Session, url: str, types: Sequence[str], *, private: bool, actor: str
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which is shown this once. No types: all. Raises Invalid, Conflict."""
    checked, chosen = addresses.check(url.strip(), private=private), _types(types)
    count = select(func.count()).select_from(WebhookEndpoint).where(WebhookEndpoint.state != "removed")
    if (session.scalar(count) or 0) >= MOST:
        raise Conflict(f"There are {MOST} endpoints already. Remove one first.", field="url")
    now, secret = clock.now(), signing.new_secret()
    endpoint = WebhookEndpoint(
        id=ids.new("hook"),
        url=checked,
        secret=secret,
        types=chosen,
        state="on",
        created_by=actor,
        created_at=now,
        changed_at=now,
    )
    session.add(endpoint)
    activity.record(session, actor, "outgoing.endpoint_opened", endpoint.id, url=checked, types=chosen)
    return endpoint, secret


def change(
    session: Session, endpoint_id: str, url: str, types: Sequence[str], *, private: bool, actor: str
) -> WebhookEndpoint:
    """Another address, other types. What waits goes to the new address. Raises NotFound, Invalid."""
    endpoint = _locked(session, endpoint_id)
    endpoint.url, endpoint.types = addresses.check(url.strip(), private=private), _types(types)
    _changed(session, endpoint, actor, "changed", url=endpoint.url, types=endpoint.types)
    return endpoint


def switch_off(session: Session, endpoint_id: str, *, why: str | None, actor: str) -> WebhookEndpoint:
    """Nothing is sent there any more; what waits is kept for when it is on again. Raises NotFound."""
    endpoint = _locked(session, endpoint_id)
    if endpoint.state == "on":
        endpoint.state, endpoint.why = "off", why
        _stop(session, endpoint)
        _changed(session, endpoint, actor, "off", why=why)
    return endpoint


def switch_on(session: Session, endpoint_id: str, *, actor: str) -> WebhookEndpoint:
    """It is told again, at once of what was waiting when it was switched off. Raises NotFound."""
    endpoint = _locked(session, endpoint_id)
    if endpoint.state == "off":
        endpoint.state, endpoint.why, endpoint.failing_since = "on", None, None
        waiting = update(WebhookDelivery).where(
            WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == "stopped"
        )
        session.execute(waiting.values(state="pending", tries=0, due_at=clock.now()))
        _changed(session, endpoint, actor, "on")
    return endpoint


def replace_secret(session: Session, endpoint_id: str, *, actor: str) -> tuple[WebhookEndpoint, str]:
    """A new secret, shown this once; for a day the old one signs as well. Raises NotFound."""
    endpoint = _locked(session, endpoint_id)
    endpoint.old_secret, endpoint.old_secret_until = endpoint.secret, clock.now() + OVERLAP
    endpoint.secret = signing.new_secret()
    _changed(session, endpoint, actor, "secret_replaced")
    return endpoint, endpoint.secret


def remove(session: Session, endpoint_id: str, *, actor: str) -> WebhookEndpoint:
    """It is told nothing any more, for good. Its log stays. Raises NotFound."""
    endpoint = _locked(session, endpoint_id)
    endpoint.state, endpoint.secret, endpoint.old_secret = "removed", "", None
    _stop(session, endpoint)
    _changed(session, endpoint, actor, "removed", url=endpoint.url)
    return endpoint


def keys_of(endpoint: WebhookEndpoint) -> list[str]:
    """The secrets that sign now, the newest first."""
    overlaps = endpoint.old_secret_until is not None and clock.now() < endpoint.old_secret_until
    return [endpoint.secret, endpoint.old_secret] if overlaps and endpoint.old_secret else [endpoint.secret]


def _stop(session: Session, endpoint: WebhookEndpoint) -> None:
    waiting = update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == "pending"
    )
    session.execute(waiting.values(state="stopped"))


def _locked(session: Session, endpoint_id: str) -> WebhookEndpoint:
    found = session.get(WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True)
    if found is None or found.state == "removed":
        raise NotFound("There is no such endpoint.")
    return found


def _types(types: Sequence[str]) -> list[str]:
    if set(types) - set(EVENT_TYPES):
        raise Invalid(f"Choose from: {', '.join(EVENT_TYPES)}.", field="types", allowed=list(EVENT_TYPES))
    return [] if set(types) == set(EVENT_TYPES) else sorted(set(types))


def _changed(session: Session, endpoint: WebhookEndpoint, actor: str, what: str, **details: Any) -> None:
    endpoint.changed_at = clock.now()
    session.flush()
    activity.record(session, actor, f"outgoing.endpoint_{what}", endpoint.id, **details)
