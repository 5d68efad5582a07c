"""The usage page: what was counted, what it costs and where it is heading, from counters alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from app import clock as the_clock
from app import ledger
from app.customers.models import Customer
from app.db import transaction
from app.extensions import db
from app.flows import close_usage, subscribe_from_wallet
from app.subscriptions import overrides
from app.subscriptions.models import Subscription
from app.subscriptions.overrides import Negotiated
from tests.support.page_figures import Figures

HX = {"HX-Request": "true"}
CEILINGS = {"/usage": 22, "/usage?view=table&meter=calls": 22, "/": 29}  # statements


@pytest.fixture
def page_of(client_of):
    """The usage page as this person sees it, parsed: `page_of(ada, meter="runs")`."""
    return lambda who, **asked: Figures(client_of(who).get("/usage", query_string=asked).text)


def test_signed_out_it_leads_to_the_sign_in_page(client):
    assert client.get("/usage").location.startswith("/sign-in")


def test_it_shows_what_went_over_what_it_cost_and_what_is_held(ada, uses, page_of):
    ada.gets(1_000)
    uses(ada, "calls", 1_200, "eu")

    page = page_of(ada)

    assert page.stats()["Overage so far"] == ["$0.08", "$0.00 charged, $0.08 held for today"]
    assert page.meters()["API calls"][0] == "200 over"
    assert page.meters()["API calls"][2:5] == ["1,200", "of 1,000", "$0.08"]


def test_yesterday_s_overage_is_charged_and_today_s_is_held(ada, uses, page_of, clock, sessions):
    ada.gets(1_000)
    uses(ada, "calls", 1_200)
    clock.advance(days=1)
    close_usage.settle_days(sessions)
    uses(ada, "calls", 50)

    page = page_of(ada, view="table")

    assert page.stats()["Overage so far"] == ["$0.10", "$0.08 charged, $0.02 held for today"]
    assert [(row[1], row[4], row[5]) for row in page.table("API calls by day")[1:3]] == [
        ("50", "$0.02", "Held"),
        ("1,200", "$0.08", "Charged"),
    ]


def test_a_projection_says_how_it_was_made_and_how_long_the_wallet_lasts(ada, uses, page_of, clock):
    clock.set(datetime(2026, 3, 10, 12, tzinfo=UTC))
    uses(ada, "calls", 1_000)
    for _ in range(7):
        clock.advance(days=1)
        uses(ada, "calls", 700)

    page = page_of(ada)

    # 5,200 in the last seven full days, and 15 days are left with today: 11,143 more than the 5,200.
    assert page.stats()["Projected overage by 31 Mar"] == ["$6.14", "From the average of the last 7 full days"]
    assert page.stats()["Wallet available"] == ["$3.04", "Covers about 10 days. Top up"]
    assert "Heading for 16,343 by 31 Mar." in page.meters()["API calls"][1]

    with transaction(ada.session):
        ledger.freeze(ada.session, ada.wallet)

    assert page_of(ada).stats()["Wallet frozen"] == ["$3.04", "What goes over is refused until it is thawed."]


def test_without_a_full_day_it_is_too_early_to_project(ada, uses, page_of):
    uses(ada, "calls", 10)

    assert page_of(ada).stats()["Projected overage by 31 Mar"][0] == "Too early"


def test_what_is_invoiced_says_so_and_offers_a_cap(session, ada, metered, uses, page_of):
    with transaction(session):
        only_runs = {f"allowance:{meter}": {"amount": None} for meter in ("calls", "views", "jobs")}
        overrides.set_override(session, ada.customer_id, Negotiated(limits=only_runs), reason="A test", actor="test")
    uses(ada, "runs", 130)

    page = page_of(ada, view="table", meter="runs")

    assert page.stats()["Overage so far"] == ["$1.50", "Lands on the invoice of 1 Apr"]
    assert page.stats()["Spend cap"] == ["None", "Overage is not limited. Set a cap"]
    assert page.table("Agent runs by day")[1][-1] == "On the invoice"


def test_charged_and_invoiced_are_told_apart_when_the_terms_changed(session, ada, uses, page_of):
    ada.gets(1_000)
    uses(ada, "calls", 1_100)
    with transaction(session):
        to_invoice = Negotiated(limits={"allowance:calls": {"overage_mode": "invoice"}})
        overrides.set_override(session, ada.customer_id, to_invoice, reason="A test", actor="test")
    uses(ada, "calls", 100)

    assert page_of(ada).stats()["Overage so far"] == [
        "$0.08",
        "$0.00 charged, $0.04 held for today, $0.04 on the invoice of 1 Apr",
    ]


def test_meters_that_stop_and_meters_without_a_limit_say_so(ada, uses, page_of):
    uses(ada, "jobs", 10)
    uses(ada, "views", 12_345)

    meters = page_of(ada).meters()

    assert meters["Jobs"] == ["All used", "Stops at 10.", "10", "of 10", "Fixed", "no overage"]
    assert meters["Views"] == ["No limit", "No limit in your plan.", "12,345", "no limit", "Included", "no overage"]


def test_fixed_limits_stand_beside_the_meters(ada, cy, uses, page_of):
    meters = page_of(ada).meters()

    assert meters["Team members"] == ["3 left", "A fixed limit.", "2", "of 5", "Fixed", "no overage"]
    assert meters["Stores"][0] == "2 left"


def test_nothing_used_and_no_meters_at_all_say_how_it_begins(ada, client_of, session):
    nothing = client_of(ada).get("/usage").text

    assert "No meters" in nothing
    assert "Overage so far" not in nothing


def test_a_meter_without_usage_says_what_is_included(ada, metered, client_of):
    page = client_of(ada).get("/usage").text

    assert "No usage yet" in page
    assert "1,000 API calls a month are included" in page
    assert ".csv" not in page


def test_units_reported_late_are_named(session, ada, uses, page_of, clock, sessions):
    clock.set(datetime(2026, 4, 2, 12, tzinfo=UTC))
    close_usage.close_due(sessions, {})
    uses(ada, "calls", 7, "eu", ago=5)
    uses(ada, "calls", 3)

    page = page_of(ada, view="table")

    assert [row[:2] for row in page.table("API calls by day")[1:]] == [
        ["2 Apr 2026, so far", "3"],
        ["1 Apr 2026", "0"],
        ["Before 1 Apr 2026, reported late", "7"],
        ["2 days", "10"],
    ]


def test_the_view_and_the_meter_are_in_the_address_and_work_without_script(ada, uses, client_of):
    uses(ada, "runs", 3)
    browser = client_of(ada)

    chart, table = (browser.get("/usage", query_string={"meter": "runs", "view": view}).text for view in ("", "table"))

    assert "<svg height" in chart
    assert 'href="/usage?meter=runs&amp;view=table#meter"' in chart
    assert "Running total" in table
    assert 'href="/usage?meter=calls&amp;view=table#meter"' in table


def test_htmx_gets_the_meter_alone(ada, uses, client_of):
    uses(ada, "calls", 3)
    browser = client_of(ada)

    for path in ("/usage", "/usage/days"):
        answer = browser.get(path, query_string={"view": "table"}, headers=HX)

        assert answer.text.lstrip().startswith('<div class="grid" id="meter">')
        assert "<h1" not in answer.text
        assert "HX-Request" in answer.vary


def test_what_there_is_not_is_not_found(ada, uses, client_of):
    uses(ada, "calls", 3)
    browser = client_of(ada)

    instants = ("2020-01-01T00:00:00Z", "march", "2026-03-01", "0001-01-01T00:00:00%2B14:00")
    for asked in ("meter=nothing", *(f"period={instant}" for instant in instants)):
        assert browser.get(f"/usage?{asked}").status_code == 404


def test_earlier_periods_have_the_same_page(ada, uses, client_of, page_of, clock, sessions):
    ada.gets(1_000)
    clock.set(datetime(2026, 2, 20, 12, tzinfo=UTC))
    uses(ada, "calls", 1_500, "eu")
    clock.set(datetime(2026, 3, 14, 12, tzinfo=UTC))
    close_usage.close_due(sessions, {})
    uses(ada, "calls", 5)

    now, then = page_of(ada), page_of(ada, period="2026-02-01T00:00:00Z")

    assert now.table("Earlier periods")[1] == ["1 Feb to 28 Feb 2026", "API calls: 1,500 of 1,000", "$0.20"]
    assert then.stats() == {
        "Overage": ["$0.20", "$0.20 charged"],
        "Busiest day": ["20 Feb", "1,500 calls"],
    }
    assert then.meters()["API calls"][-1] == "500 calls over"
    assert then.table("Other periods")[1][0] == "1 Mar to 31 Mar 2026"
    assert "Closed: nothing more counts in it." in client_of(ada).get("/usage?period=2026-02-01T00:00:00Z").text


def test_nobody_sees_another_customer_s_usage(ada, bo, uses, page_of, client_of):
    uses(ada, "calls", 321, "secret.example")

    assert page_of(bo).meters()["API calls"][2] == "0"
    assert "secret.example" not in client_of(bo).get("/usage.csv").text


def test_the_file_has_a_line_for_each_meter_day_and_source(ada, uses, client_of):
    ada.gets(1_000)
    uses(ada, "calls", 1_200, "=cmd()")

    lines = client_of(ada).get("/usage.csv").text.splitlines()

    assert lines[0] == "meter,day,source,quantity,over,cost,currency,period_start"
    assert lines[1:] == ["calls,2026-03-14,'=cmd(),1200,200,0.08,USD,2026-03-01T00:00:00Z"]


def test_sources_without_a_name_and_many_sources_add_up(ada, uses, page_of):
    for number in range(23):
        uses(ada, "calls", 10 + number, f"store-{number}" if number else "")

    rows = page_of(ada).table("API calls by source")

    assert rows[-2][:2] == ["All others", "33"]
    assert rows[-1][:2] == ["All sources", "483"]
    assert len(rows) == 23


def test_much_usage_needs_no_more_statements_and_events_are_never_read(ada, uses, client_of, app):
    browser = client_of(ada)
    uses(ada, "calls", 3, "eu")
    few = {path: statements(app, browser, path) for path in CEILINGS}
    for number in range(12):
        uses(ada, ("calls", "runs", "views")[number % 3], 3, f"store-{number}", ago=number)

    for path, most in CEILINGS.items():
        many = statements(app, browser, path)
        assert len(few[path]) == len(many) <= most
        assert not [one for one in many if "usage_event" in one]


def statements(app, browser, address: str) -> list[str]:
    """The statements one request runs."""
    with app.app_context():
        engine = db.engine
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        assert browser.get(address).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return [statement for statement in seen if not statement.startswith("BEGIN")]


def test_a_restricted_plan_says_so_over_its_meters(session, ada, metered, client_of):
    ada.gets(10_000)
    customer = session.get_one(Customer, ada.customer_id)
    session.rollback()
    subscribe_from_wallet.start(session, customer, "growth", "month", form_key="f", actor=ada.id)
    with transaction(session):
        live = session.scalars(select(Subscription).where(Subscription.customer_id == ada.customer_id)).one()
        live.status, live.grace_ends_at = "past_due", the_clock.now() - timedelta(days=1)
        live.past_due_since = the_clock.now() - timedelta(days=8)

    page = client_of(ada).get("/usage").text

    assert "Growth is restricted" in page
    assert "of 100,000" in page
