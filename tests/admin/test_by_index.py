"""How staff's lists are read: deep pages, rare words and states enter an index where they begin."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event as events

from app import activity
from app.db import transaction
from app.extensions import db
from tests.admin.conftest import HX

# Tables that grow with the business. To walk over one is to read all of it, or all that is newer than what is wanted.
LARGE = (
    "activity",
    "provider_event",
    "invoice",
    "subscription",
    "user_account",
    "ledger_leg",
    "ledger_entry",
    "customer",
)
READ_WHOLE = "ix_subscription_counted|ix_user_account_staff"  # narrow: what is counted, and the few who are staff
WALKS = re.compile(rf"SCAN ({'|'.join(LARGE)})\b(?! USING (COVERING )?INDEX ({READ_WHOLE}))")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Whose plans are the same for little as for much, since nothing counts for its planner."""
    return sqlite_url


@pytest.fixture
def walked(app):
    """The steps of a page's statements that walk over a large table."""

    def walked(browser, address):
        with app.app_context():
            engine = db.engine
        asked = []

        def note(_connection, _cursor, statement, parameters, *_rest):
            asked.append((statement, parameters))

        events.listen(engine, "before_cursor_execute", note)
        try:
            assert browser.get(address, headers=HX).status_code == 200
        finally:
            events.remove(engine, "before_cursor_execute", note)
        with engine.connect() as connection:
            plans = [
                connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                for statement, parameters in asked
                if statement.startswith(("SELECT", "WITH"))
            ]
        return [step[-1] for plan in plans for step in plan if WALKS.match(step[-1])]

    return walked


@pytest.mark.parametrize(
    "address",
    [
        "/admin",
        "/admin/activity?action=wallet.",
        "/admin/staff",
        "/admin/subscriptions?state=past_due",
        "/admin/webhooks?type=invoice.",
        "/admin/invoices?state=open",
        "/admin/customers?q=ada@example.com",
    ],
)
def test_a_page_walks_over_no_large_table(walked, as_admin, ada, event, address):
    event("invoice.paid", effects=[])

    assert walked(as_admin, address) == []


def test_a_deep_page_begins_where_the_last_one_ended(session, walked, as_support, event):
    kept = event("invoice.paid", effects=[])
    place = activity.of_everyone(session, limit=1).older
    session.rollback()

    assert walked(as_support, f"/admin/activity?before={place.replace('+', '%2B')}") == []
    assert walked(as_support, f"/admin/webhooks?before={kept.id}") == []


def test_a_beginning_finds_all_its_words_and_no_other(session, as_support):
    with transaction(session):
        for number, action in enumerate(("x.a", "x.b", "xy.a", "x.a", "w.x.a", "x_.a")):
            activity.record(session, "system", action, f"n{number}")

    def found(action, **asked):
        return sorted(line.subject for line in activity.of_everyone(session, action=action, **asked).lines)

    assert found("x.") == ["n0", "n1", "n3"]
    assert found("x.a") == ["n0", "n3"]
    assert found("x%") == found("x.c") == []
    assert found("x.", actor="system") == ["n0", "n1", "n3"]
    assert len(found("x.", limit=2)) == 2
    assert found("x.", customer_id="house") == ["n0", "n1", "n3"]
    assert found("x.", customer_id="cus_1") == []
