"""Staff: whether the audit log holds, as its page and that of the books say it."""

from __future__ import annotations

import pytest

from app import activity
from app.activity import chain
from app.activity.models import Activity
from app.db import transaction
from tests.activity.test_chain import tampering
from tests.admin.conftest import HX

HERE = "/admin/activity"


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def test_the_page_seals_what_is_new_and_says_that_it_holds(session, as_support, ada):
    page = as_support.get(HERE).text

    session.rollback()
    number, head = chain.head(session)
    assert number == session.query(Activity).count()
    assert "The chain holds" in page
    assert head[:32] in page
    assert "Check all of it now" not in page
    assert "The chain holds" in as_support.get("/admin/books").text


def test_only_who_moves_money_checks_all_of_it(as_support):
    assert as_support.post(HERE + "/check").status_code == 403


def test_a_check_is_kept_with_who_asked_for_it(as_finance, finance, ada):
    answer = as_finance.post(HERE + "/check", follow_redirects=True)

    assert "The audit log holds." in answer.text
    assert f"by {finance.name}" in answer.text
    assert "Audit log checked" in answer.text
    assert as_finance.post(HERE + "/check", headers=HX).text.lstrip().startswith("<section")


def test_what_was_tampered_with_is_named(session, engine, as_finance, as_support):
    with transaction(session):
        line = activity.record(session, "system", "wallet.adjusted", "wtxn_1", customer_id="cus_1")
    assert "The chain holds" in as_support.get(HERE).text
    with tampering(engine) as connection:
        connection.exec_driver_sql("UPDATE activity SET actor = 'usr_9' WHERE action = 'wallet.adjusted'")

    page = as_support.get("/admin/books").text
    after = as_finance.post(HERE + "/check", follow_redirects=True).text

    for shown in (page, after):
        assert "1 fault" in shown
        assert f"Line {line.id} (wallet.adjusted of cus_1" in shown
    assert "Audit log found tampered with" in after
