"""The dashboard: its figures are what the rows come to, each leads to a list of the same, and all of it is cheap."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from app import ledger
from app.db import transaction
from app.extensions import db
from tests.admin.conftest import HX
from tests.support import dashboard_recount, random_business
from tests.web.test_wallet import queries


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between databases is tested where the sums are made."""
    return sqlite_url


def test_every_figure_and_every_list_behind_it_is_what_the_rows_come_to(session, plans, clock, as_support):
    random_business.live(session, clock, 11)

    dashboard_recount.check(as_support, session)


def test_it_says_so_where_there_is_nothing_yet(session, as_support):
    page = as_support.get("/admin").text

    assert "No paid subscriptions" in page
    assert "not audited by hand yet" in page
    dashboard_recount.check(as_support, session)


def test_it_stays_within_24_queries_whatever_there_is(app, session, plans, clock, as_support):
    few = queries(app, as_support, "/admin")
    random_business.live(session, clock, 3)

    assert few <= queries(app, as_support, "/admin") <= few + 2 <= 24


def test_a_list_of_it_stays_within_its_queries(app, session, plans, clock, as_support):
    random_business.live(session, clock, 5)
    with transaction(session):
        ledger.roll_up(session)

    for address, most in (
        ("/admin/transactions", 9),
        ("/admin/transactions?type=topup&account=wallet&least=1", 11),
        ("/admin/balances?account=wallet", 9),
        ("/admin/subscriptions?state=paying", 10),
        ("/admin/invoices?state=failed", 9),
    ):
        assert queries(app, as_support, address) <= most, address


def test_no_page_reads_the_books_as_a_whole(app, session, plans, clock, as_support):
    random_business.live(session, clock, 6)
    told: list[str] = []

    def explain(connection, _cursor, statement, parameters, *_rest):
        if statement.startswith(("SELECT", "WITH")):
            told.extend(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))

    whose = dashboard_recount.Rows(session).legs[0].customer_id
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", explain)
    try:
        for query in ("", "?type=topup&from=2026-03-01", "?account=wallet&least=5", "?entry=k1", f"?customer={whose}"):
            assert as_support.get(f"/admin/transactions{query}").status_code == 200
        for address in ("/admin", "/admin/balances", "/admin/subscriptions", "/admin/customers"):
            assert as_support.get(address).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", explain)  # other tests have the same engine

    assert any("ix_ledger_leg_recorded_at" in step for step in told)
    assert {"SCAN l", "SCAN ledger_leg", "SCAN ledger_entry"} & set(told) == set()


@pytest.mark.parametrize("name", ["transactions", "balances", "subscriptions", "invoices"])
def test_a_list_is_a_page_a_partial_and_a_file(name, as_support, client, bo, client_of):
    address = f"/admin/{name}"

    assert as_support.get(address).text.count("<h1") == 1
    assert as_support.get(address, headers=HX).text.lstrip().startswith('<section class="panel" id="rows"')
    assert as_support.get(f"{address}.csv").mimetype == "text/csv"
    assert client.get(address).status_code == 303
    assert client_of(bo).get(address).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "/admin/transactions?account=gold",
        "/admin/transactions?type=gold",
        "/admin/transactions?least=5",
        "/admin/transactions?account=wallet&most=1e3",
        "/admin/transactions?account=credits&least=1.5",
        "/admin/transactions?from=2026-02-30",
        "/admin/transactions?before=nonsense",
        "/admin/transactions.csv?type=gold",
        "/admin/balances?which=gold",
        "/admin/subscriptions?state=gold",
        "/admin/invoices?state=gold",
        "/admin/invoices?least=-1",
        "/admin/invoices.csv?most=x",
    ],
)
def test_a_filter_that_is_none_is_refused(address, as_support):
    assert as_support.get(address).status_code == 422


def test_each_page_of_the_transactions_goes_on_where_the_last_one_ended(session, plans, clock, as_support):
    random_business.live(session, clock, 9)
    seen, address = [], "/admin/transactions"

    while address:
        page = as_support.get(address, headers=HX).text
        seen += [part.partition('"')[0] for part in page.split('<tr id="')[1:]]
        before = page.partition('rel="next"')[0]
        address = before.rpartition('href="')[2].partition('"')[0].replace("&amp;", "&") if before != page else ""

    rows = dashboard_recount.Rows(session)
    assert len(seen) == len(set(seen)) == len(rows.legs)
    assert set(seen) == {f"{leg.entry_id}-{leg.account}" for leg in rows.legs}


def test_a_customer_without_a_match_says_so_and_leads_back(as_support, ada):
    page = as_support.get(f"/admin/transactions?customer={ada.customer_id}&least=900&account=wallet").text

    assert "Nothing matches" in page
    assert 'href="/admin/transactions">Clear filters' in page
