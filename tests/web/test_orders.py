"""The orders: every purchase with its state, by filter and by cursor, as CSV, and one with its papers."""

from __future__ import annotations

import csv
import io
import sys

import pytest
from sqlalchemy import event as sql_event

from app.db import transaction
from app.extensions import db
from app.payments import orders

HX = {"HX-Request": "true"}
PAGE = sys.modules["app.web.orders"]  # the name app.web.orders is its blueprint's
SAID = {
    "pack": {"pack": "medium", "name": "500 credits", "credits": 500, "due_minor": 3_600, "price_minor": 4_500,
             "coupon": "PACK20"},
    "subscription": {"plan": "studio", "name": "Studio", "interval": "month"},
    "invoice": {"invoice": "inv_none", "number": "INV-2026-0001"},
}  # fmt: skip


@pytest.fixture
def made(session, ada, clock):
    """An order of a kind in a state, a minute after the one before."""

    def make(kind="topup", state="open", *, who=None, minor=5_000, failure=None, said=None):
        clock.advance(minutes=1)
        with transaction(session):
            order = orders.open_order(
                session,
                customer_id=(who or ada).customer_id,
                kind=kind,
                amount_minor=minor,
                currency="usd",
                channel="stripe",
                form_key=f"{kind}{clock.now}",
                created_by=ada.id,
            )
            orders.freeze(session, order, said or SAID.get(kind, {}))
            if state == "paid":
                orders.pay(session, order, f"pi_{order.id}", at=clock.now)
            elif state != "pending":
                orders.move(session, order, state, failure=failure)
        return order

    return make


def test_nobody_has_ordered_yet(ada, client_of):
    text = client_of(ada).get("/invoices/orders").text

    assert "No orders yet" in text
    assert 'class="filters"' not in text


def test_every_purchase_is_listed_with_its_state(ada, bo, client_of, made):
    made("topup", "failed", failure="Your card was declined.")
    made("subscription", "paid", minor=14_900)
    made("invoice", "processing")
    made("pack", "paid", minor=3_600)
    made("topup", "paid", who=bo, minor=77_700)

    text = client_of(ada).get("/invoices/orders").text.partition("<tbody>")[2]

    places = [text.index(words) for words in ("500 credits", "Invoice INV-2026-0001", "Studio plan", "Wallet top-up")]
    assert places == sorted(places), "newest first"
    for words in ("$36.00", "$149.00", "Your card was declined.", "Payment failed", "Processing"):
        assert words in text
    assert "$777.00" not in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [("kind=pack", 2), ("kind=topup", 2), ("state=paid", 2), ("state=waiting", 1), ("kind=pack&state=closed", 1)],
)
def test_the_filters_choose(ada, client_of, made, query, shown):
    made("pack", "paid")
    made("pack", "expired")
    made("topup", "pending")
    made("auto_topup", "paid")

    answer = client_of(ada).get(f"/invoices/orders?{query}", headers=HX)

    assert answer.text.count('class="lead"') == shown
    assert "<h1" not in answer.text


def test_a_filter_without_matches_can_be_cleared_and_a_strange_one_is_told(ada, client_of, made):
    made("pack", "paid")
    browser = client_of(ada)

    assert "Nothing matches" in browser.get("/invoices/orders?state=failed").text
    strange = browser.get("/invoices/orders?kind=car")
    assert (strange.status_code, 'id="kind-e"' in strange.text) == (422, True)
    assert browser.get("/invoices/orders.csv?kind=car").status_code == 422
    assert browser.get("/invoices/orders?before=ord_none").status_code == 404


def test_the_older_ones_are_on_the_next_page(ada, client_of, made, monkeypatch):
    monkeypatch.setattr(PAGE, "ROWS", 2)
    mine = [made().id for _ in range(3)]
    browser = client_of(ada)

    first = browser.get("/invoices/orders").text
    second = browser.get(f"/invoices/orders?before={mine[1]}").text

    assert (mine[2] in first, mine[1] in first, mine[0] in first) == (True, True, False)
    assert f"before={mine[1]}" in first
    assert (mine[0] in second, mine[1] in second) == (True, False)


def test_the_csv_has_all_of_them_however_many(ada, client_of, made, monkeypatch):
    monkeypatch.setattr(PAGE, "ROWS", 2)
    for kind in ("topup", "pack", "subscription"):
        made(kind, "paid", minor=3_600)

    rows = list(csv.DictReader(io.StringIO(client_of(ada).get("/invoices/orders.csv").text)))

    assert [row["description"] for row in rows] == ["Studio plan", "500 credits", "Wallet top-up"]
    assert {row["amount"] for row in rows} == {"36.00"}
    assert {row["status"] for row in rows} == {"paid"}


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        ("topup", "processing", ("Wallet top-up", "The payment is on its way")),
        ("subscription", "open", ("Studio plan", "Waiting for your payment")),
        ("auto_topup", "paid", ("Automatic top-up", "The card was charged", "See the wallet")),
        ("invoice", "failed", ("Invoice INV-2026-0001", "The card was not charged")),
        ("pack", "expired", ("500 credits", "−$9.00", "Coupon PACK20", "$36.00")),
    ],
)
def test_one_says_what_it_is_and_how_it_stands(ada, bo, client_of, made, kind, state, words):
    order = made(kind, state, minor=3_600)

    text = client_of(ada).get(f"/invoices/orders/{order.id}").text

    for each in (*words, "Ordered", order.id):
        assert each in text
    assert client_of(bo).get(f"/invoices/orders/{order.id}").status_code == 404


def test_a_paid_one_leads_to_its_invoice(ada, client_of, made, invoice_for):
    invoice = invoice_for(ada, 3_600)
    order = made("invoice", "paid", said={"invoice": invoice.id, "number": invoice.number})

    for address in ("/invoices/orders", f"/invoices/orders/{order.id}"):
        assert f'href="/invoices/{invoice.id}"' in client_of(ada).get(address).text


def test_the_list_stays_within_its_queries(app, ada, client_of, made):
    for _ in range(4):
        made("pack", "paid")
        made("topup", "paid")
    browser, asked = client_of(ada), []
    with app.app_context():
        sql_event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    browser.get("/invoices/orders")

    assert len(asked) <= 7, "\n".join(asked)


def test_the_invoices_lead_here(ada, client_of):
    assert 'href="/invoices/orders"' in client_of(ada).get("/invoices").text
