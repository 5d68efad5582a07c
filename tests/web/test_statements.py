"""Monthly statements: opening balance, every movement, closing balance; a closed month is the same file for good."""

from __future__ import annotations

import csv
import io
import sys
from datetime import UTC, datetime

import pytest

from app import credits
from app.db import transaction
from app.wallet import debit
from app.wallet.statements import Month, months, named
from tests.support.pages import page_faults

FORMATS = ("", ".csv", ".pdf")


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def spends(session, who, micros, key):
    with transaction(session):
        debit.debit(session, who.customer_id, micros, description="Summary of a contract", key=key, by="key_1")


@pytest.fixture
def march(session, ada, clock):
    """Ada's first month: $5.00 as a welcome, $50.00 given, $9.80 spent. Then April begins, with $1.00 spent."""
    ada.gets(5_000)
    clock.advance(hours=1)
    spends(session, ada, 9_800_000, "in March")
    clock.set(datetime(2026, 4, 1, tzinfo=UTC))
    spends(session, ada, 1_000_000, "at the first instant of April")
    clock.advance(hours=1)
    return "/wallet/statements/2026-03"


def test_a_month_opens_where_the_one_before_closed(session, ada, client_of, app, march):
    browser = client_of(ada)

    first, second = (browser.get(f"/wallet/statements/2026-0{number}").text for number in (3, 4))

    assert not page_faults(app, first)
    for words in ("Statement, March 2026", "1\N{NO-BREAK SPACE}Mar\N{NO-BREAK SPACE}2026 to 31",
                  "Summary of a contract", "−$9.80", "Opening balance", "$0.00", "Closing balance", "$45.20",
                  "in UTC"):  # fmt: skip
        assert words in first, words
    assert "not closed yet" not in first
    for words in ("$45.20", "−$1.00", "$44.20", "This month is not closed yet"):
        assert words in second, words


def test_the_csv_has_every_movement_between_two_balances(session, ada, client_of, march):
    rows = list(csv.DictReader(io.StringIO(client_of(ada).get(march + ".csv").text)))

    assert [(row["type"], row["amount"], row["balance_after"]) for row in rows if row["account"] == "wallet"] == [
        ("opening", "", "0.00"), ("signup_credit", "5.00", "5.00"), ("adjustment", "50.00", "55.00"),
        ("debit", "-9.80", "45.20"), ("closing", "", "45.20"),
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_a_closed_month_is_the_same_whenever_it_is_made(session, ada, client_of, clock, march, form):
    before = client_of(ada).get(march + form).data
    with transaction(session):
        credits.grant(session, ada.customer_id, 70, source="adjustment", key="later", actor="staff:usr_ann")
    ada.gets(1_234)
    clock.advance(days=40)
    spends(session, ada, 2_000_000, "later")

    after = client_of(ada).get(march + form).data

    if form:
        assert after == before
    else:
        assert after[after.index(b"<main") :] == before[before.index(b"<main") :]


def test_the_pdf_is_one_and_says_whose(ada, client_of, march):
    paper = client_of(ada).get(march + ".pdf")

    assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")
    assert paper.headers["Content-Disposition"] == 'inline; filename="statement-2026-03.pdf"'


def test_credits_have_a_section_of_their_own(session, ada, client_of, clock):
    with transaction(session):
        credits.grant(session, ada.customer_id, 1_500, source="adjustment", key="given", actor="staff:usr_ann")

    page = client_of(ada).get("/wallet/statements/2026-03").text

    assert "Credits" in page
    assert "+1,500" in page
    assert b"1500,credits" in client_of(ada).get("/wallet/statements/2026-03.csv").data


def test_the_months_are_those_since_the_customer_came(ada, client_of, clock):
    clock.set(datetime(2028, 5, 2, tzinfo=UTC))
    browser = client_of(ada)

    page = browser.get("/wallet/statements").text

    assert "May 2028" in page
    assert "Not closed yet" in page
    assert "March 2026" not in page
    assert "March 2026" in browser.get("/wallet/statements?skip=24").text


@pytest.mark.parametrize("name", ["2026-02", "2026-04", "2026-3", "2026-13", "march", "2026-03-01"])
def test_there_is_no_statement_of_a_month_before_or_to_come(ada, client_of, name):
    for form in FORMATS:
        assert client_of(ada).get(f"/wallet/statements/{name}{form}").status_code == 404


def test_a_long_month_is_read_page_by_page(session, ada, client_of, monkeypatch):
    monkeypatch.setattr(sys.modules["app.web.statements"], "ROWS", 3)
    for number in range(7):
        ada.gets(100 + number)
    browser = client_of(ada)

    pages = [browser.get(f"/wallet/statements/2026-03?skip={skip}").text for skip in (0, 3, 6)]

    assert [page.count("<td>") - page.count("<td></td>") for page in pages] == [3, 3, 2]
    assert ["Opening balance" in page for page in pages] == [True, False, False]
    assert ["Closing balance" in page for page in pages] == [False, False, True]
    assert browser.get("/wallet/statements/2026-03?skip=x").status_code == 422


def test_months_are_calendar_months_in_utc(clock):
    start = datetime(2025, 11, 30, 23, 30, tzinfo=UTC)

    assert [month.name for month in months(start)] == ["2026-03", "2026-02", "2026-01", "2025-12", "2025-11"]
    assert named("2025-12", start).end == datetime(2026, 1, 1, tzinfo=UTC)
    assert Month(datetime(2024, 2, 1, tzinfo=UTC)).end == datetime(2024, 3, 1, tzinfo=UTC)
    clock.set(datetime(2026, 4, 1, 0, 14, tzinfo=UTC))
    assert not named("2026-03", start).is_closed
    clock.advance(minutes=1)
    assert named("2026-03", start).is_closed
