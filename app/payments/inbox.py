"""The inbox: every verified event kept once, claimed by one worker at a time, and finished, retried or given up."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.errors import Conflict, Invalid, NotFound
from app.payments.models import ProviderEvent
from app.providers.values import Verified

LEASE = timedelta(seconds=30)  # an event of a killed worker waits this long; whoever is slower loses it unharmed
MOST_ATTEMPTS = 12  # with the waits below, about seven hours
ATTEMPTS_FOR_A_FAULT = 3  # an event that breaks our code breaks it every time
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=1)
_LONGEST_WHILE_AWAY = timedelta(minutes=10)  # a provider that is back shall not be waited for any longer than that
_KEPT_HEADERS = (
    *("content-type", "user-agent", "stripe-signature", "x-event-name", "x-signature", "creem-signature"),
    *("webhook-id", "webhook-timestamp", "webhook-signature"),
)
_ERROR_LENGTH = 500
MOST_TRIES = 20  # kept of one event, the newest: with the waits below all of a day, and of replays after it
_AT_ONCE = 500  # ids in one statement
READ_BY_US = {"user-agent": "purser reconciliation"}  # the headers of an event that was asked for and not sent


@dataclass(frozen=True, slots=True)
class Claim:
    """One event and the right to apply it, until the lease ends."""

    id: str
    lease: str
    provider: str
    body: bytes
    livemode: bool
    attempts: int  # including this one
    received_at: datetime
    due_at: datetime  # when its turn had come: what was read later than this needs no second reading
    object_id: str | None = None  # what it is about, in the provider's words


def keep(session: Session, *, provider: str, verified: Verified, body: bytes, headers: Mapping[str, str]) -> bool:
    """Store the event unless it is here already; whether it is new. What a repetition says is not taken over.

    Should the same id come with other content, the first stays and staff are told.
    """
    now, digest = clock.now(), hashlib.sha256(body).hexdigest()
    row: dict[str, Any] = {
        "id": ids.new("whe"),
        "provider": provider,
        "event_id": verified.event_id,
        "type": verified.raw_type,
        "object_id": verified.object_id,
        "occurred_at": verified.occurred_at,
        "livemode": verified.livemode,
        "api_version": verified.api_version,
        "body": body,
        "sha256": digest,
        "headers": {name.lower(): value for name, value in headers.items() if name.lower() in _KEPT_HEADERS},
        "received_at": now,
        "deliveries": 1,
        "state": "pending",
        "attempts": 0,
        "next_at": now,
        "effects": [],
    }
    unique = ["provider", "event_id"]
    statement = insert(ProviderEvent).values(row).on_conflict_do_nothing(index_elements=unique)
    if session.execute(statement.returning(ProviderEvent.id)).scalar_one_or_none() is not None:
        return True
    _came_again(session, provider, verified.event_id, digest)
    return False


def _came_again(session: Session, provider: str, event_id: str, digest: str) -> None:
    known = ProviderEvent.provider == provider, ProviderEvent.event_id == event_id
    counted = update(ProviderEvent).where(*known).values(deliveries=ProviderEvent.deliveries + 1)
    kept = session.execute(counted.returning(ProviderEvent.id, ProviderEvent.sha256, ProviderEvent.headers)).one()
    # What we asked for is written by us, with the time of asking in it: only the provider's own bytes must not differ.
    ours = event_id.startswith("poll:") or kept.headers == READ_BY_US
    if kept.sha256 != digest and not ours:
        activity.record(session, provider, "webhook.changed_content", kept.id, event=event_id, sha256=digest)


def claim(session: Session, *, limit: int) -> list[Claim]:
    """Up to `limit` due events, oldest first, leased to the caller alone. Needs a transaction of its own."""
    now, lease = clock.now(), secrets.token_hex(8)
    due = (
        select(ProviderEvent.id)
        .where(*_claimable(now))
        .order_by(ProviderEvent.occurred_at, ProviderEvent.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # SQLite ignores it: there the transaction is the only writer
    )
    chosen = list(session.scalars(due))
    if not chosen:
        return []
    leased = (
        update(ProviderEvent)
        .where(ProviderEvent.id.in_(chosen))
        .values(locked_until=now + LEASE, lease=lease, attempts=ProviderEvent.attempts + 1)
        .returning(
            ProviderEvent.id,
            ProviderEvent.provider,
            ProviderEvent.body,
            ProviderEvent.livemode,
            ProviderEvent.attempts,
            ProviderEvent.received_at,
            ProviderEvent.next_at,
            ProviderEvent.object_id,
        )
        .execution_options(synchronize_session=False)
    )
    rows = {row.id: row for row in session.execute(leased)}
    return [
        Claim(
            id=row.id,
            lease=lease,
            provider=row.provider,
            body=bytes(row.body),
            livemode=row.livemode,
            attempts=row.attempts,
            received_at=row.received_at,
            due_at=row.next_at,
            object_id=row.object_id,
        )
        for row in (rows[chosen_id] for chosen_id in chosen)
    ]


# The end of a claim: each is one guarded UPDATE, so a worker whose lease was taken over changes nothing.


def done(session: Session, claim: Claim, effects: list[Any]) -> bool:
    """Applied. Belongs in the transaction of the effects; when it says False, roll them back: another worker has it.

    What an earlier application did stays told: a replay adds what it did, which is mostly nothing.
    """
    return _finish(session, claim, "", effects, state="done", error=None, handled_at=clock.now())


def unused(session: Session, claim: Claim, why: str) -> bool:
    """There is nothing to do about it."""
    return _finish(session, claim, why, state="ignored", error=why[:_ERROR_LENGTH], handled_at=clock.now())


def retry(
    session: Session,
    claim: Claim,
    why: str,
    *,
    most: int = MOST_ATTEMPTS,
    counts: bool = True,
    is_missed: bool = True,
) -> bool:
    """Not now: again after 10 s, 20 s, 40 s … up to an hour, each with a little chance in it; dead after `most`, or put
    away where nobody misses it.

    With counts=False the try is not held against the event: the provider was away, which says nothing about it. Then
    the wait is as long as the event has waited already, up to ten minutes: it doubles without a count.
    """
    attempts, wait = claim.attempts, wait_after(claim.attempts)
    if not counts:
        attempts -= 1
        wait = max(wait, _with_chance(min(clock.now() - claim.received_at, _LONGEST_WHILE_AWAY)))
    if attempts >= most:
        return dead(session, claim, why) if is_missed else unused(session, claim, why)
    next_at = clock.now() + wait
    told = why[:_ERROR_LENGTH]
    return _finish(session, claim, why, state="pending", error=told, attempts=attempts, next_at=next_at)


def dead(session: Session, claim: Claim, why: str) -> bool:
    """Given up: staff are told, and may replay it."""
    finished = _finish(session, claim, why, state="dead", error=why[:_ERROR_LENGTH], handled_at=clock.now())
    if finished:
        activity.record(session, "system", "webhook.dead", claim.id, provider=claim.provider, why=why[:_ERROR_LENGTH])
    return finished


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many tries: doubling, at most an hour, plus up to a tenth by chance."""
    return _with_chance(min(_FIRST_WAIT * (1 << min(max(attempts - 1, 0), 20)), _LONGEST_WAIT))


def _with_chance(wait: timedelta) -> timedelta:
    return wait + wait * secrets.randbelow(1001) / 10_000


def _finish(session: Session, claim: Claim, why: str, did: Sequence[Any] = (), **values: Any) -> bool:
    known = select(ProviderEvent.effects, ProviderEvent.tries).where(ProviderEvent.id == claim.id)
    effects, tries = session.execute(known).one_or_none() or ([], [])
    if did:
        values["effects"] = [*effects, *did]
    this = {"at": clock.timestamp(clock.now()), "came_to": values["state"], "why": why[:_ERROR_LENGTH]}
    values["tries"] = [*tries, this][-MOST_TRIES:]
    finished = (
        update(ProviderEvent)
        .where(ProviderEvent.id == claim.id, ProviderEvent.state == "pending", ProviderEvent.lease == claim.lease)
        .values(locked_until=None, lease=None, **values)
        .returning(ProviderEvent.id)
        .execution_options(synchronize_session=False)
    )
    return session.execute(finished).scalar_one_or_none() is not None


def belongs(session: Session, event_id: str, *, customer_id: str, order_id: str | None) -> None:
    """Whose it is, and which order it is about; what was known of the order stays."""
    known = {"customer_id": customer_id} | ({"order_id": order_id} if order_id else {})
    told = update(ProviderEvent).where(ProviderEvent.id == event_id).values(**known)
    session.execute(told.execution_options(synchronize_session=False))


# What staff do by hand.


def replay(session: Session, event_id: str, *, actor: str) -> ProviderEvent:
    """Apply it again from the start, whatever became of it: its effects are unique, so nothing happens twice."""
    event = _for_staff(session, event_id)
    if event.state == "pending" and event.locked_until and event.locked_until > clock.now():
        raise Conflict("This event is being applied at this moment.", event=event_id)
    before, now = event.state, clock.now()
    event.state, event.attempts, event.next_at = "pending", 0, now
    event.locked_until = event.lease = event.handled_at = None
    activity.record(session, actor, "webhook.replayed", event.id, was=before)
    session.flush()
    return event


def ignore(session: Session, event_id: str, *, reason: str, actor: str) -> ProviderEvent:
    """Put it away for good, with a reason. Raises Invalid without one, Conflict for one that was applied."""
    reason = " ".join(reason.split())
    if not 3 <= len(reason) <= _ERROR_LENGTH or not reason.isprintable():
        raise Invalid(f"Give a reason of 3 to {_ERROR_LENGTH} printable characters.", field="reason")
    event = _for_staff(session, event_id)
    if event.state == "done":
        raise Conflict("This event was applied already.", event=event_id)
    event.state, event.error, event.handled_at = "ignored", reason, clock.now()
    event.locked_until = event.lease = None
    activity.record(session, actor, "webhook.ignored", event.id, reason=reason)
    session.flush()
    return event


def _for_staff(session: Session, event_id: str) -> ProviderEvent:
    found = session.scalars(
        select(ProviderEvent)
        .where(ProviderEvent.id == event_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such event.")
    return found


def hasten(session: Session, provider: str, event_ids: Sequence[str]) -> None:
    """Let these take their next turn now: what they waited for may be here."""
    waits = (ProviderEvent.provider == provider, ProviderEvent.state == "pending", ProviderEvent.locked_until.is_(None))
    for start in range(0, len(event_ids), _AT_ONCE):
        named = ProviderEvent.event_id.in_(event_ids[start : start + _AT_ONCE])
        session.execute(update(ProviderEvent).where(*waits, named).values(next_at=clock.now()))


def is_due(session: Session) -> bool:
    """Whether some event may be claimed now."""
    return session.scalar(select(ProviderEvent.id).where(*_claimable(clock.now())).limit(1)) is not None


def _claimable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(ProviderEvent.locked_until.is_(None), ProviderEvent.locked_until < now)
    return ProviderEvent.state == "pending", ProviderEvent.next_at <= now, free
