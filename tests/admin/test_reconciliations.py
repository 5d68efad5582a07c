"""Staff: reconciliations, from the button to the report."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from app.db import transaction
from app.extensions import db
from app.flows import reconcile
from app.payments import reconciliations
from app.payments.reconciliations import Report
from tests.admin.conftest import HX
from tests.support.fake_provider import FakeProvider


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Pages, no locks."""
    return sqlite_url


@pytest.fixture
def channel(app):
    before = dict(app.extensions["providers"])
    fake = FakeProvider()
    app.extensions["providers"] = {"stripe": fake}
    yield fake
    app.extensions["providers"] = before


def ended(session, **found):
    with transaction(session):
        run = reconciliations.begin(session, "stripe", actor="system")
        return reconciliations.end(session, run.id, Report(**found)).id


def test_the_button_asks_and_the_worker_runs_it(session, sessions, as_finance, as_support, finance, channel):
    asked = as_finance.post("/admin/reconciliations")

    waiting = as_finance.get(asked.location)
    assert "Waiting" in waiting.text
    assert "every 2s" in waiting.text
    assert finance.name in waiting.text
    assert "under way already" in as_finance.post("/admin/reconciliations", follow_redirects=True).text
    assert reconcile.Hourly(sessions, {"stripe": channel})() == 1
    report = as_support.get(asked.location, headers=HX).text
    assert "Nothing was missing" in report
    assert "every 2s" not in report
    assert "Stripe lists no past events" in report
    assert "Reconciliation asked for" in as_finance.get("/admin/activity").text


def test_support_reads_and_asks_for_none(session, as_support, channel):
    ended(session)

    page = as_support.get("/admin/reconciliations").text

    assert "Done" in page
    assert "Reconcile now" not in page
    assert ",stripe,done,system," in as_support.get("/admin/reconciliations.csv?channel=stripe").text
    assert "done" not in as_support.get("/admin/reconciliations.csv?channel=creem").text
    assert as_support.post("/admin/reconciliations").status_code == 403


def test_a_report_links_to_what_was_repaired(session, as_finance, ada, channel):
    refund = {"kind": "refund.made_at_provider", "refund": "ref_1", "customer": ada.customer_id, "event": "whe_1"}
    run = ended(session, changed=[refund], unread=["Stripe was <away>."], looked_at={"open_pages": 3}, is_whole=False)

    page = as_finance.get(f"/admin/reconciliations/{run}").text

    for words in (
        "Incomplete",
        "/admin/refunds/ref_1",
        "/admin/webhooks/whe_1",
        "Stripe was &lt;away&gt;.",
        "Open pages",
    ):
        assert words in page, words
    assert f'/admin/customers/{ada.customer_id}"' in page


def test_the_list_is_paged_with_few_queries(app, session, as_finance, channel):
    for _ in range(26):
        ended(session)
    asked = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    page = as_finance.get("/admin/reconciliations").text

    assert len(asked) <= 8, asked
    assert page.count("#run") >= 25
    assert 'rel="next"' in page


def test_nothing_to_reconcile_says_so(as_finance):
    assert "No reconciliations" in as_finance.get("/admin/reconciliations").text
    assert as_finance.get("/admin/reconciliations/rec_none").status_code == 404
    assert as_finance.post("/admin/reconciliations", data={"channel": "nowhere"}).status_code == 422
