"""The body of an event on the wire: JSON read strictly, its envelope checked before anything inside is believed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from app.providers.bodies import is_word, json_object
from app.providers.errors import BadPayload
from app.providers.lemonsqueezy.connection import Json
from app.providers.values import Verified

_LONGEST = 200  # of a word: what is put behind one must fit into 255 with it
POLLED = "poll:"  # what we read ourselves, in place of an event that was lost


def parsed(body: bytes) -> Json:
    """The event in these bytes. Raises BadPayload for anything that is not a whole event about one object."""
    event = json_object(body)
    meta, data = event.get("meta"), event.get("data")
    if not isinstance(meta, dict) or not isinstance(data, dict) or not isinstance(data.get("attributes"), dict):
        raise BadPayload("The body is not an event about one object.")
    if not (_is_word(meta.get("event_name")) and _is_word(data.get("type")) and _is_word(data.get("id"))):
        raise BadPayload("The event lacks its name, or its object's type or id.")
    if not isinstance(meta.get("test_mode"), bool):
        raise BadPayload("The event does not say whether it is a test.")
    try:
        _changed_at(event)
    except (ValueError, TypeError, KeyError) as error:
        raise BadPayload("The event does not say when.") from error
    event["digest"] = hashlib.sha256(body).hexdigest()
    return event


def verified(event: Json) -> Verified:
    """The envelope of a parsed event."""
    return Verified(
        event_id=event_id(event),
        raw_type=event["meta"]["event_name"],
        occurred_at=_changed_at(event),
        livemode=not event["meta"]["test_mode"],
        object_id=f"{event['data']['type']}/{event['data']['id']}"[:255],
    )


def event_id(event: Json) -> str:
    """What two deliveries of one event share.

    `webhook_id` is not documented: should it ever name the endpoint and not the event, the object and the instant of
    its change still tell events apart. Without it the bytes themselves do.
    """
    named = event["meta"].get("webhook_id")
    if not _is_word(named):
        return f"sha256:{event['digest']}"
    if named.startswith(POLLED):
        return str(named)
    changed = event["data"]["attributes"].get("updated_at") or ""
    return f"{named}:{event['meta']['event_name']}:{event['data']['id']}:{changed}"[:255]


def custom_of(event: Json) -> dict[str, str]:
    """What we gave the checkout to carry. Theirs is an empty list where there is nothing."""
    custom = event["meta"].get("custom_data")
    return {name: str(value) for name, value in custom.items()} if isinstance(custom, dict) else {}


def instant(text: str) -> datetime:
    """Raises ValueError for a text that names no instant."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant has a zone")
    return found.astimezone(UTC)


def maybe_instant(text: str | None) -> datetime | None:
    return None if text is None else instant(text)


def number(value: object) -> str:
    """An id of theirs as text: inside attributes it is an integer, elsewhere a text. Raises ValueError."""
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ValueError("an id is a number")
    return text


def _changed_at(event: Json) -> datetime:
    attributes = event["data"]["attributes"]
    return instant(attributes.get("updated_at") or attributes["created_at"])


def _is_word(value: object) -> bool:
    return is_word(value, most=_LONGEST)
