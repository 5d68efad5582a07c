"""The body of an event on the wire: JSON read strictly, its envelope checked before anything inside is believed.

Creem writes `eventType` and `object`; its own library reads `type` and `data` too, so both are.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.providers import bodies
from app.providers.bodies import is_word, json_object
from app.providers.creem.connection import Json
from app.providers.errors import BadPayload
from app.providers.values import Verified

_LAST_MOMENT = 253_402_300_799_999  # milliseconds: the end of the year 9999
_LIVE = ("live", "prod", "production")


def parsed(body: bytes) -> Json:
    """The event in these bytes as {id, kind, at, object}. Raises BadPayload for anything that is not one."""
    event = json_object(body)
    kind, about = event.get("eventType") or event.get("type"), event.get("object") or event.get("data")
    if not is_word(event.get("id")) or not is_word(kind) or not isinstance(about, dict):
        raise BadPayload("The event lacks its id, type or object.")
    try:
        at = moment(event.get("created_at"))
    except (ValueError, AssertionError, OverflowError) as error:
        raise BadPayload("The event lacks its time.") from error
    return {"id": event["id"], "kind": kind, "at": at, "object": about}


def verified(event: Json) -> Verified:
    """The envelope of a parsed event."""
    about = event["object"].get("id")
    return Verified(
        event_id=event["id"],
        raw_type=event["kind"],
        occurred_at=event["at"],
        livemode=is_live(event["object"]),
        object_id=about if is_word(about) else None,
    )


def written(event_id: str, kind: str, about: Json, *, at: datetime) -> bytes:
    """An event as Creem would have sent it, for what we asked ourselves."""
    stamp = int(at.timestamp()) * 1000 + at.microsecond // 1000
    told = {"id": event_id, "eventType": kind, "created_at": stamp, "object": about}
    return bodies.written(told)


def is_live(thing: Json) -> bool:
    return thing.get("mode") in _LIVE


def moment(told: Any) -> datetime:
    """An instant: milliseconds in envelopes, transactions and refunds, ISO elsewhere. Asserts that it is one."""
    if isinstance(told, str):
        return bodies.moment(told)
    assert type(told) is int, "an instant is a text, or milliseconds"
    assert 0 <= told <= _LAST_MOMENT, "an instant is within the calendar"
    return datetime.fromtimestamp(told // 1000, UTC).replace(microsecond=told % 1000 * 1000)


def instant(told: Any) -> datetime:
    """An instant on a whole second, as periods are counted."""
    return moment(told).replace(microsecond=0)


def maybe_instant(told: Any) -> datetime | None:
    return None if told is None else instant(told)


def id_of(known: Any) -> str:
    """A reference is an id here and a whole object there. Asserts that it names something."""
    return bodies.id_of(known.get("id") if isinstance(known, dict) else known)


def maybe_id(known: Any) -> str | None:
    return None if known is None else id_of(known)


def metadata(thing: Json) -> dict[str, str]:
    """What our own server gave the page to carry."""
    told = thing.get("metadata")
    return {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else {}
