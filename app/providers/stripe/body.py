"""The body of an event on the wire: JSON read strictly, its envelope checked before anything inside is believed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.providers import bodies
from app.providers.bodies import is_word, json_object
from app.providers.errors import BadPayload
from app.providers.stripe.connection import Json
from app.providers.values import Verified

_LAST_SECOND = 253_402_300_799  # the end of the year 9999: a later time has no datetime


def parsed(body: bytes) -> Json:
    """The event in these bytes. Raises BadPayload for anything that is not a whole snapshot event."""
    event = json_object(body)
    if event.get("object") != "event":
        raise BadPayload("The body is not a snapshot event; a thin event destination must not point here.")
    data = event.get("data")
    whole = (
        is_word(event.get("id"))
        and is_word(event.get("type"))
        and _is_instant(event.get("created"))
        and isinstance(event.get("livemode"), bool)
        and isinstance(data, dict)
        and isinstance(data.get("object"), dict)
    )
    if not whole:
        raise BadPayload("The event lacks its id, type, time, mode or object.")
    return event


def verified(event: Json) -> Verified:
    """The envelope of a parsed event."""
    told = event["data"]["object"]
    return Verified(
        event_id=event["id"],
        raw_type=event["type"],
        occurred_at=instant(event["created"]),
        livemode=event["livemode"],
        object_id=told["id"] if is_word(told.get("id")) else None,
        api_version=event["api_version"] if is_word(event.get("api_version")) else None,
    )


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def maybe_instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else instant(seconds)


def id_of(reference: Any) -> str | None:
    """Stripe gives a reference as an id, or as the whole object when it was expanded. Asserts that it is one."""
    if reference is None:
        return None
    return bodies.id_of(reference["id"] if isinstance(reference, dict) else reference)


def _is_instant(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST_SECOND
