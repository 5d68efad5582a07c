"""The timeline: four sources in one order of time, whole, whatever the size of a page."""

from __future__ import annotations

import pytest

from app import activity, notices
from app.db import transaction
from app.dossier import timeline
from app.errors import Invalid
from app.payments import inbox
from app.payments.models import ProviderEvent
from app.providers.values import Verified
from tests.dossier.test_find import payment_of


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def eventful(session, ada, clock):
    """Ada's hour: at each of three instants a webhook, its payment, a line of the log and a notice."""
    for turn in range(3):
        with transaction(session):
            number = f"evt_{turn}"
            told = Verified(number, "checkout.session.completed", clock.now, False, f"cs_{turn}", None)
            inbox.keep(session, provider="stripe", verified=told, body=b"{}", headers={})
            event = session.query(ProviderEvent).filter_by(event_id=number).one()
            inbox.belongs(session, event.id, customer_id=ada.customer_id, order_id=None)
            payment_of(session, ada.customer_id, f"pi_{turn}")
            activity.record(session, "stripe", "wallet.topped_up", ada.customer_id, customer_id=ada.customer_id)
            facts = {"available_micros": 1, "threshold_micros": 2}
            notices.tell(session, ada.customer_id, "wallet_low", key=f"low-{turn}", **facts)
        clock.advance(minutes=20)
    return ada.customer_id


def walked(session, customer_id, limit, sources=()):
    lines, before = [], None
    while True:
        page = timeline.page(session, customer_id, sources=sources, before=before, limit=limit)
        lines += page.lines
        before = page.older
        if before is None:
            return [(line.source, line.id) for line in lines], [line.at for line in lines]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
def test_every_line_comes_once_newest_first_whatever_the_page(session, eventful, limit):
    whole, _ = walked(session, eventful, 500)

    lines, times = walked(session, eventful, limit)

    assert lines == whole
    assert len(set(lines)) == len(lines)
    assert times == sorted(times, reverse=True)
    assert {source for source, _ in lines} == set(timeline.SOURCES)


def test_one_source_alone(session, eventful):
    lines, _ = walked(session, eventful, 2, ["webhook"])

    assert len(lines) == 3
    assert {source for source, _ in lines} == {"webhook"}


def test_nothing_of_another_customer(session, eventful, bo):
    lines, _ = walked(session, bo.customer_id, 50)

    assert {source for source, _ in lines} == {"activity"}


@pytest.mark.parametrize("cursor", ["x", "2026-03-14T09:30:00~0~a", "2026-03-14T09:30:00+00:00~9~a", "~~", "a~b~c"])
def test_a_made_up_cursor_is_refused(session, ada, cursor):
    with pytest.raises(Invalid):
        timeline.page(session, ada.customer_id, before=cursor)
