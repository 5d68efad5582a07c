"""Staff's page of disputes: the deadline, the evidence, the money and what it did; thawing a wallet by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select

from app import ledger
from app.activity.models import Activity
from app.extensions import db
from tests.support import disputed

HX = {"HX-Request": "true"}
HERE = "/admin/disputes"
DUE = int(datetime(2026, 3, 28, 12, tzinfo=UTC).timestamp())


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def case(session, ada):
    """Ada's top-up of $50, disputed."""
    disputed.tops_up(session, ada.customer_id)
    return disputed.disputes(session, fee=1500, due=DUE, evidence="saved")


def test_staff_see_the_deadline_the_evidence_and_what_it_did(as_support, ada, case):
    listed = as_support.get(HERE).text
    for words in ("Analytical Engines", "$50.00", "28\N{NO-BREAK SPACE}Mar\N{NO-BREAK SPACE}2026", "Open"):
        assert words in listed, words

    page = as_support.get(f"{HERE}/{case.id}").text

    for words in ("Saved, not sent", "Fraudulent", "Taken out of the wallet", "$15.00", case.entry_id, case.order_id):
        assert words in page, words
    assert f"/admin/customers/{ada.customer_id}" in page
    assert "Thaw the wallet" not in page, "support only reads"


def test_the_file_has_what_the_filter_leaves(as_support, case):
    open_ones = as_support.get(f"{HERE}.csv?phase=live").text

    assert f"{case.id},2026-03-14T09:30:00Z,{case.customer_id},wallet,open,fraudulent,50.00," in open_ones
    assert case.id not in as_support.get(f"{HERE}.csv?phase=won").text
    assert as_support.get(f"{HERE}.csv?phase=odd").status_code == 422
    assert f"{HERE}.csv?phase=live" in as_support.get(f"{HERE}?phase=live").text


def test_finance_thaws_a_wallet_with_a_reason(session, as_finance, ada, case):
    refused = as_finance.post(f"{HERE}/{case.id}/thaw", data={"reason": ""})
    assert refused.status_code == 422
    assert ledger.balance(session, ada.wallet).frozen

    done = as_finance.post(f"{HERE}/{case.id}/thaw", data={"reason": "They withdraw it"})

    assert done.status_code == 303
    session.rollback()
    assert not ledger.balance(session, ada.wallet).frozen
    told = session.scalars(select(Activity).where(Activity.action == "dispute.set_aside")).one()
    assert (told.details["reason"], told.actor[:6]) == ("They withdraw it", "staff:")
    assert as_finance.post(f"{HERE}/{case.id}/thaw", data={"reason": "Again"}).status_code == 409
    assert "Thaw the wallet" not in as_finance.get(f"{HERE}/{case.id}", headers=HX).text


def test_disputes_are_listed_by_state_page_by_page(session, as_support, ada, case):
    for number in range(26):
        disputed.disputes(session, "inquiry", payment="pay_1", dispute=f"dp_{number}")

    assert as_support.get(HERE + "?phase=open", headers=HX).text.count("<tr") == 2
    first = as_support.get(HERE + "?phase=inquiry", headers=HX).text
    assert (first.count("<tr"), "Older" in first) == (26, True)
    assert as_support.get(HERE + "?phase=strange").status_code == 422
    assert "No dispute has this status." in as_support.get(HERE + "?phase=won").text


def test_the_page_asks_a_fixed_number_of_questions(session, app, as_support, ada, case):
    def asked(address):
        statements = []

        def count(*args):
            statements.append(args[2])

        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", count)
            as_support.get(address)
            event.remove(db.engine, "before_cursor_execute", count)
        return len(statements)

    few = asked(HERE)
    for number in range(10):
        disputed.disputes(session, "inquiry", payment="pay_1", dispute=f"dp_{number}")

    assert asked(HERE) == few <= 12
    assert asked(f"{HERE}/{case.id}") <= 16
