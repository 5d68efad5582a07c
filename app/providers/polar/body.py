"""The body of an event on the wire: JSON read strictly, its envelope checked before anything inside is believed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.providers import bodies
from app.providers.bodies import id_of, is_word, json_object, moment
from app.providers.errors import BadPayload
from app.providers.polar.connection import VERSION, Json
from app.providers.values import Verified


def parsed(body: bytes) -> Json:
    """The event in these bytes. Raises BadPayload for anything that is not one."""
    event = json_object(body)
    if not is_word(event.get("type")) or not isinstance(event.get("data"), dict):
        raise BadPayload("The event lacks its type or object.")
    try:
        moment(event.get("timestamp"))
    except (ValueError, AssertionError, OverflowError) as error:
        raise BadPayload("The event lacks its time.") from error
    return event


def verified(event: Json, event_id: str, *, livemode: bool) -> Verified:
    """The envelope of a parsed event. Its id travels in a header, its mode is the mode of the server that sent it."""
    about, version = event["data"].get("id"), event.get("api_version")
    return Verified(
        event_id=event_id,
        raw_type=event["type"],
        occurred_at=moment(event["timestamp"]),
        livemode=livemode,
        object_id=about if is_word(about) else None,
        api_version=version if is_word(version) else None,
    )


def written(kind: str, data: Json, *, at: datetime) -> bytes:
    """An event as Polar would have sent it, for what we asked ourselves. The same at the same instant."""
    told = {"type": kind, "timestamp": at.isoformat(), "api_version": VERSION, "data": data}
    return bodies.written(told)


def instant(text: Any) -> datetime:
    """An instant on a whole second, as periods are counted."""
    return moment(text).replace(microsecond=0)


def maybe_instant(text: Any) -> datetime | None:
    return None if text is None else instant(text)


def maybe_id(known: Any) -> str | None:
    return None if known is None else id_of(known)


def metadata(thing: Json) -> dict[str, str]:
    """What we, or others, wrote on it. Polar takes numbers too; we never write any."""
    return {str(name): str(value) for name, value in (thing.get("metadata") or {}).items()}
