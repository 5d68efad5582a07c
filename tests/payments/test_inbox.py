"""The inbox: kept once, leased to one, retried with longer waits, given up, and put right by staff."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock as the_clock
from app.activity.models import Activity
from app.db import transaction
from app.errors import Conflict, Invalid, NotFound
from app.payments import ProviderEvent, inbox, reads
from tests.support.fake_provider import heard, told

STAFF = "staff:usr_1"


def claim(session: Session, limit: int = 10) -> list[inbox.Claim]:
    with transaction(session):
        return inbox.claim(session, limit=limit)


def only(session: Session) -> ProviderEvent:
    with transaction(session):
        return session.scalars(select(ProviderEvent)).one()


def test_it_keeps_the_bytes_as_they_came(session: Session) -> None:
    news, raw = heard(told("paid", "ord_1")), b'{ "spaces" : "and \xc3\xa4" }\n'
    kept_headers = {"Stripe-Signature": "t=1", "Cookie": "no", "Authorization": "no"}
    with transaction(session):
        assert inbox.keep(session, provider="stripe", verified=news.verified, body=raw, headers=kept_headers)

    event = only(session)
    assert event.body == raw
    assert event.headers == {"stripe-signature": "t=1"}
    assert len(event.sha256) == 64


def test_ids_are_one_providers_own(session: Session, tells) -> None:
    assert tells("other", None, event_id="evt_1")
    assert not tells("other", None, event_id="evt_1")
    assert tells("other", None, event_id="evt_1", provider="polar")


def test_corpus_048_a_claimed_event_is_nobody_elses_until_the_lease_ends(session: Session, tells, clock) -> None:
    tells("other", None)

    assert len(claim(session)) == 1
    assert claim(session) == []
    clock.advance(seconds=121)
    (later,) = claim(session)
    assert later.attempts == 2


def test_the_oldest_comes_first(session: Session, tells, clock) -> None:
    for number in range(5):
        tells("other", None, event_id=f"evt_{number}", at=int(the_clock.now().timestamp()) - number)

    order = [session.get(ProviderEvent, each.id).event_id for each in claim(session)]

    assert order == ["evt_4", "evt_3", "evt_2", "evt_1", "evt_0"]


def test_the_waits_double_to_an_hour_with_a_little_chance() -> None:
    for attempts, seconds in [(1, 10), (2, 20), (3, 40), (8, 1280), (9, 2560), (10, 3600), (12, 3600), (99, 3600)]:
        waits = {inbox.wait_after(attempts) for _ in range(50)}
        assert min(waits) >= timedelta(seconds=seconds)
        assert max(waits) <= timedelta(seconds=seconds * 1.1)
        assert len(waits) > 1


def test_a_retry_waits_and_the_twelfth_is_the_last(session: Session, tells, clock) -> None:
    tells("other", None)
    for attempt in range(1, 13):
        (mine,) = claim(session)
        assert mine.attempts == attempt
        with transaction(session):
            assert inbox.retry(session, mine, "not yet")
        assert claim(session) == []
        clock.advance(hours=2)

    assert only(session).state == "dead"
    assert session.scalars(select(Activity.action)).all() == ["webhook.dead"]


def test_a_try_that_does_not_count_is_not_held_against_it(session: Session, tells, clock) -> None:
    tells("other", None)
    for _ in range(30):
        (mine,) = claim(session)
        with transaction(session):
            inbox.retry(session, mine, "away", counts=False)
        clock.advance(hours=2)

    assert (only(session).state, only(session).attempts) == ("pending", 0)


def test_while_the_provider_is_away_it_is_asked_less_and_less_often(session: Session, tells, clock) -> None:
    tells("other", None)
    waits = []
    for _ in range(12):
        (mine,) = claim(session)
        with transaction(session):
            inbox.retry(session, mine, "away", counts=False)
        waits.append((only(session).next_at - the_clock.now()).total_seconds())
        clock.advance(seconds=int(waits[-1]) + 1)

    assert 10 <= waits[0] <= 11
    assert all(later > 1.5 * earlier for earlier, later in pairwise(waits[1:6])), waits
    assert 600 <= waits[-1] <= 660


@pytest.mark.parametrize("verb", ["done", "unused", "retry", "dead"])
def test_a_lost_lease_ends_nothing(session: Session, tells, clock, verb: str) -> None:
    tells("other", None)
    (slow,) = claim(session)
    clock.advance(minutes=3)
    claim(session)

    with transaction(session):
        ended = getattr(inbox, verb)(session, slow, [] if verb == "done" else "why")

    assert ended is False
    assert only(session).state == "pending"


def test_staff_put_an_event_away_with_a_reason(session: Session, tells) -> None:
    tells("other", None)
    event = only(session)
    with pytest.raises(Invalid), transaction(session):
        inbox.ignore(session, event.id, reason="  ", actor=STAFF)
    with transaction(session):
        inbox.ignore(session, event.id, reason="A test of the provider's", actor=STAFF)

    assert (only(session).state, only(session).error) == ("ignored", "A test of the provider's")
    assert claim(session) == []


def test_what_was_applied_cannot_be_put_away(session: Session, tells) -> None:
    tells("other", None)
    (mine,) = claim(session)
    with transaction(session):
        inbox.done(session, mine, [])

    with pytest.raises(Conflict), transaction(session):
        inbox.ignore(session, mine.id, reason="too late", actor=STAFF)


def test_what_is_being_applied_is_not_replayed(session: Session, tells, clock) -> None:
    tells("other", None)
    (mine,) = claim(session)
    with pytest.raises(Conflict), transaction(session):
        inbox.replay(session, mine.id, actor=STAFF)
    clock.advance(minutes=3)

    with transaction(session):
        assert inbox.replay(session, mine.id, actor=STAFF).attempts == 0


@pytest.mark.parametrize("verb", ["replay", "ignore"])
def test_there_is_no_such_event(session: Session, verb: str) -> None:
    more = {"reason": "a reason"} if verb == "ignore" else {}
    with pytest.raises(NotFound), transaction(session):
        getattr(inbox, verb)(session, "whe_none", actor=STAFF, **more)


def test_corpus_043_pages_of_the_inbox_are_the_whole_inbox_even_at_one_instant(session: Session, tells) -> None:
    for number in range(25):
        tells("other" if number % 5 else "paid", None, event_id=f"evt_{number}")
    seen, before = [], None
    while True:
        page = reads.events(session, before=before, limit=7)
        seen += [event.event_id for event in page.events]
        if (before := page.older) is None:
            break

    assert len(seen) == len(set(seen)) == 25
    assert reads.counts(session) == {"pending": 25, "done": 0, "ignored": 0, "dead": 0}
    assert len(reads.events(session, type_starts="pa").events) == 5
    assert reads.events(session, state="dead").events == []
    assert reads.events(session, type_starts="%").events == []
    with pytest.raises(NotFound):
        reads.events(session, before="whe_none")
