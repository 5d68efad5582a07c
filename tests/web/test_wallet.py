"""The wallet page: the balance as a bill, the transactions with filter, paging and totals."""

from __future__ import annotations

import re
import uuid

import pytest
from sqlalchemy import event

from app import ledger
from app.db import transaction
from app.extensions import db
from app.http import paging
from app.people import users
from app.wallet import adjust, debit, holds
from tests.support.model_calls import billed

HX = {"HX-Request": "true"}
PAYLOAD = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


def spend(session, who, micros, description="Summary of a contract"):
    with transaction(session):
        return debit.debit(session, who.customer_id, micros, description=description, key=uuid.uuid4().hex, by="test")


def give(session, who, micros, reason):
    with transaction(session):
        adjust.adjust(session, who.customer_id, micros, reason=reason, actor="usr_x", key=uuid.uuid4().hex)


def test_signed_out_it_asks_to_sign_in(client):
    for address in ("/wallet", "/wallet/balance", "/wallet/transactions", "/wallet/transactions.csv", "/wallet/quote"):
        answer = client.get(address)

        assert answer.status_code == 303, address
        assert answer.location.startswith("/sign-in")


def test_it_shows_the_balance_with_each_hold_by_name(session, ada, client_of):
    ada.gets(4_959)
    with transaction(session):
        for name, micros in (("Batch job 4471", 2_000_000), ("Compute, agent run", 7_240_000)):
            holds.authorise(session, ada.customer_id, micros, description=name, key=uuid.uuid4().hex, by="test")

    page = client_of(ada).get("/wallet").text

    for words in ("$45.35", "$54.59", "Batch job 4471", "−$2.00", "Compute, agent run", "−$7.24", "Held until"):
        assert words in page, words
    assert "14\N{NO-BREAK SPACE}Mar\N{NO-BREAK SPACE}2026,\N{NO-BREAK SPACE}09:45" in page


def test_it_shows_amounts_below_a_cent_exactly_and_the_figure_rounded_down(session, ada, client_of):
    spend(session, ada, 100)

    page = client_of(ada).get("/wallet").text

    assert "−$0.0001" in page
    assert "$4.9999" in page
    assert '<p class="figure">$4.99</p>' in page


def test_a_model_call_says_its_model_its_tokens_and_what_its_provider_took(session, ada, client_of):
    billed(session, ada, 1_234)

    page = client_of(ada).get("/wallet").text

    told = "gpt-5-mini: 1,200 prompt (200 cached) and 310 completion tokens. Provider cost $0.001234"
    assert f'<td class="lead">Model call <small>{told}</small></td>' in page
    assert told in client_of(ada).get("/wallet/transactions.csv").text


def test_it_shows_a_million_dollars_with_separators(session, ada, client_of):
    give(session, ada, 999_999_999_900, "A large deposit")
    give(session, ada, 234_567_885_000, "Another one")

    page = client_of(ada).get("/wallet").text

    assert "$1,234,572.88" in page


def test_it_answers_htmx_with_the_transactions_alone(ada, client_of):
    answer = client_of(ada).get("/wallet", headers=HX)

    assert answer.text.lstrip().startswith('<section class="panel" id="ledger"')
    assert "HX-Request" in answer.headers["Vary"]


def test_a_boosted_or_restored_page_is_the_whole_page(ada, client_of):
    browser = client_of(ada)

    for header in ("HX-Boosted", "HX-History-Restore-Request"):
        assert browser.get("/wallet", headers={**HX, header: "true"}).text.lstrip().startswith("<!doctype html>")


def test_balance_and_transactions_have_addresses_of_their_own(ada, client_of):
    browser = client_of(ada)

    assert 'id="balance"' in browser.get("/wallet/balance", headers=HX).text
    assert 'id="ledger"' in browser.get("/wallet/transactions", headers=HX).text


def test_the_balance_fetches_itself_again_when_the_wallet_changed(ada, client_of):
    page = client_of(ada).get("/wallet").text

    assert 'hx-get="/wallet/balance" hx-trigger="wallet-changed from:body"' in page


def test_it_pages_older_and_back_to_newer(session, ada, client_of):
    for number in range(120):
        spend(session, ada, 100, f"Call number {number}.")
    browser = client_of(ada)

    first = browser.get("/wallet").text
    second = browser.get(link(first, "next")).text
    third = browser.get(link(second, "next")).text
    back = browser.get(link(second, "prev")).text

    assert "Call number 119." in first
    assert "Call number 70." in first
    assert "Call number 69." in second
    assert "Call number 20." in second
    assert "Call number 19." in third
    assert "Welcome credit" in third
    assert 'rel="next"' not in third
    assert "Call number 119." in back
    assert 'rel="prev"' not in back
    assert "121 transactions" in first


def test_paging_stays_right_while_rows_arrive(session, ada, client_of):
    for number in range(60):
        spend(session, ada, 100, f"Call number {number}.")
    browser = client_of(ada)
    older = link(browser.get("/wallet").text, "next")

    spend(session, ada, 100, "A newcomer")

    assert "Call number 9." in browser.get(older).text
    assert "Call number 10." not in browser.get(older).text


@pytest.mark.parametrize("cursor", ["x", "-1", "é", "czA", "c0", "' OR 1=1", "A" * 500, "cy0x"])
def test_a_strange_cursor_is_refused(ada, client_of, cursor):
    answer = client_of(ada).get("/wallet", query_string={"before": cursor})

    assert answer.status_code == 422
    assert "Start again from the newest" in answer.text


def test_it_filters_by_type_and_totals_what_it_shows(session, ada, client_of):
    ada.gets(2_000)
    spend(session, ada, 3_000_000)

    page = client_of(ada).get("/wallet?type=debit").text

    assert "Summary of a contract" in page
    assert '<td class="lead">Credit from us' not in page
    assert "−$3.00 out" in page
    assert "1 transactions" in page or "1 transaction" in page


def test_it_totals_everything_without_a_filter(session, ada, client_of):
    ada.gets(2_000)
    spend(session, ada, 3_000_000)

    page = client_of(ada).get("/wallet").text

    assert "+$25.00 in, −$3.00 out" in page
    assert "$22.00" in page


def test_it_filters_by_the_readers_days_and_leaves_the_total_out(session, ada, client_of, clock):
    with transaction(session):
        users.set_time_zone(session, users.by_id(session, ada.id), "Pacific/Auckland")
    clock.advance(days=1, hours=2)  # 11:30 UTC on the 15th is the 16th in Auckland
    spend(session, ada, 1_000_000, "On the sixteenth there")
    browser = client_of(ada)

    with_it = browser.get("/wallet?from=2026-03-16&to=2026-03-16").text
    without = browser.get("/wallet?from=2026-03-15&to=2026-03-15").text

    assert "On the sixteenth there" in with_it
    assert "16\N{NO-BREAK SPACE}Mar\N{NO-BREAK SPACE}2026,\N{NO-BREAK SPACE}00:30" in with_it
    assert "Net" not in with_it
    assert "Nothing matches" in without
    assert "Clear filters" in without


@pytest.mark.parametrize("address", ["/wallet", "/wallet/balance", "/"])
def test_a_payment_on_its_way_is_named_until_it_has_arrived(ada, client_of, order_of, pay, address):
    browser, order = client_of(ada), order_of(ada, "processing", cents=25_000)
    order_of(ada, "failed", cents=7_500)

    before = browser.get(address).text
    pay(order.id)
    after = browser.get(address).text

    assert f'<a href="/wallet/topups/{order.id}">Top-up of $250.00</a>, begun' in before
    assert before.count("Processing") == 1
    assert "Processing" not in after


def test_the_filter_offers_each_type_once_and_only_what_the_wallet_has_had(session, ada, client_of):
    spend(session, ada, 1_000_000)

    page = client_of(ada).get("/wallet?type=refund").text

    offered = re.findall(r'<option value="([^"]*)"( selected)?>', page)
    assert offered == [("", ""), ("credit", ""), ("debit", ""), ("refund", " selected")]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"type": "gift"}, "Unknown type"),
        ({"from": "yesterday"}, "Enter a date like 2026-12-04."),
        ({"to": "2026-02-30"}, "Enter a date like 2026-12-04."),
        ({"from": "0001-01-01"}, "Enter a year from 2000 to 2999."),
        ({"to": "9999-12-31"}, "Enter a year from 2000 to 2999."),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "Choose a day on or after the first one."),
        ({"from": PAYLOAD}, "Enter a date like 2026-12-04."),
    ],
)
def test_a_bad_filter_is_told_beside_the_field_and_kept(ada, client_of, query, words):
    answer = client_of(ada).get("/wallet", query_string=query)

    assert answer.status_code == 422
    assert words in answer.text
    assert PAYLOAD not in answer.text


def test_a_new_wallet_says_what_will_stand_there(session, ada, client_of, settings):
    answer = client_of(ada).get("/wallet?type=topup")

    assert "Nothing matches" in answer.text


def test_it_shows_nothing_of_another_customer(session, ada, bo, client_of):
    spend(session, bo, 1_230_000, "Bo's own secret")

    browser = client_of(ada)

    for address in ("/wallet", "/wallet/transactions", "/wallet/transactions.csv", "/"):
        assert "secret" not in browser.get(address).text


def test_names_that_are_markup_stay_text(session, person, client_of):
    eve = person("Eve", PAYLOAD)
    spend(session, eve, 1_000_000, PAYLOAD)
    give(session, eve, 1_000_000, PAYLOAD)

    for address in ("/", "/wallet"):
        page = client_of(eve).get(address).text
        assert "<img" not in page
        assert "<script>alert" not in page


def test_twelve_queries_are_enough_with_few_transactions_and_with_many(session, ada, client_of, app):
    few = queries(app, client_of(ada), "/wallet")
    for number in range(100):
        spend(session, ada, 100, f"Call {number}")

    many = queries(app, client_of(ada), "/wallet")
    deep = queries(app, client_of(ada), f"/wallet?type=debit&before={paging.cursor(60)}")

    assert few == many < deep <= 12


def test_the_overview_stays_within_28_queries(ada, client_of, app):
    assert queries(app, client_of(ada), "/") <= 28


def test_times_are_utc_until_a_zone_is_chosen(ada, client_of):
    page = client_of(ada).get("/wallet").text

    assert "Times in UTC." in page
    assert re.search(r'<time datetime="2026-03-14T09:30:00Z">', page)


def link(page: str, rel: str) -> str:
    found = re.search(rf'<a class="btn small" href="([^"]+)" rel="{rel}"', page)
    assert found, f"no {rel} link"
    return found[1].replace("&amp;", "&")


def queries(app, browser, address) -> int:
    """How many statements one request runs."""
    with app.app_context():
        engine = db.engine
    seen: list[str] = []

    def count(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        assert browser.get(address).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", count)
    return len([statement for statement in seen if not statement.startswith("BEGIN")])


def test_debt_is_explained(session, ada, client_of):
    with transaction(session):
        hold = holds.authorise(session, ada.customer_id, 4_000_000, description="A run", key="h", by="test")
        holds.settle(session, hold, 7_000_000, key="s", by="test")

    page = client_of(ada).get("/wallet").text

    assert "−$2.00" in page
    assert "Below zero" in page


def test_ended_holds_leave_the_bill(session, ada, client_of):
    with transaction(session):
        hold = holds.authorise(session, ada.customer_id, 1_000_000, description="Gone soon", key="h", by="test")
    with transaction(session):
        ledger.release(session, ada.customer_id, hold.id)

    assert "Gone soon" not in client_of(ada).get("/wallet").text
