"""The audit log: what is written stays as it was written."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import activity
from app.db import transaction
from app.errors import Invalid


def test_it_keeps_who_did_what_to_which_row(session: Session, clock) -> None:
    with transaction(session):
        activity.record(session, "staff:usr_1", "wallet.adjusted", "wtxn_1", customer_id="cus_1", reason="A gift")

    (line,) = activity.of_everyone(session, customer_id="cus_1").lines

    assert (line.actor, line.action, line.subject) == ("staff:usr_1", "wallet.adjusted", "wtxn_1")
    assert line.details == {"reason": "A gift"}
    assert line.at == clock.now


@pytest.mark.parametrize("edit", ["UPDATE activity SET actor = 'someone else'", "DELETE FROM activity"])
def test_it_cannot_be_edited_or_deleted(session: Session, edit: str) -> None:
    with transaction(session):
        activity.record(session, "system", "customer.opened", "cus_1", customer_id="cus_1")

    with pytest.raises(DBAPIError, match="append-only"), transaction(session):
        session.execute(text(edit))

    assert len(activity.of_everyone(session, customer_id="cus_1").lines) == 1


def test_it_is_gone_with_the_change_it_tells_of(session: Session) -> None:
    def fails() -> None:
        with transaction(session):
            activity.record(session, "system", "customer.opened", "cus_1", customer_id="cus_1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()

    assert activity.of_everyone(session).lines == []


def test_a_customer_sees_only_their_own(session: Session) -> None:
    with transaction(session):
        activity.record(session, "system", "customer.opened", "cus_1", customer_id="cus_1")
        activity.record(session, "system", "customer.opened", "cus_2", customer_id="cus_2")
        activity.record(session, "system", "user.disabled", "usr_1")

    assert [line.subject for line in activity.of_everyone(session, customer_id="cus_1").lines] == ["cus_1"]
    assert len(activity.of_everyone(session).lines) == 3


def test_pages_hold_every_line_once_newest_first(session: Session, clock) -> None:
    for number in range(7):
        clock.advance(seconds=number % 2)  # some share an instant
        with transaction(session):
            activity.record(session, "system", "thing.done", f"thing_{number}")

    seen, before = [], None
    while True:
        page = activity.of_everyone(session, before=before, limit=3)
        seen += [(line.at, line.id) for line in page.lines]
        before = page.older
        if before is None:
            break

    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("cursor", ["x", "2026-01-01", "2026-01-01T00:00:00~act_1", "~", "2026-13-01T00:00:00+00:00~a"])
def test_a_cursor_that_is_none_of_ours_is_refused(session: Session, cursor: str) -> None:
    with pytest.raises(Invalid):
        activity.of_everyone(session, before=cursor)
