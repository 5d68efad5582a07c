"""Staff: the list of customers and the page of one."""

from __future__ import annotations

import pytest
from sqlalchemy import event as sql_event

from app import ledger
from app.admin import customers as the_pages
from app.customers.customers import open_customer
from app.db import transaction
from app.extensions import db
from app.payments import known_cards
from tests.admin.conftest import HX
from tests.support import outgoing

STAFF = ("support", "finance", "admin")


def a_customer(session, name, email="a@example.com", external_id=None):
    with transaction(session):
        return open_customer(session, name=name, email=email, actor="system", external_id=external_id)


def test_signed_out_it_asks_to_sign_in(client, ada):
    for address in ("/admin", "/admin/customers", "/admin/customers.csv", f"/admin/customers/{ada.customer_id}"):
        answer = client.get(address)

        assert answer.status_code == 303, address
        assert answer.location.startswith("/sign-in")


def test_a_customers_people_may_not_enter(client_of, ada):
    for address in ("/admin", "/admin/customers", f"/admin/customers/{ada.customer_id}"):
        assert client_of(ada).get(address).status_code == 403, address


@pytest.mark.parametrize("role", STAFF)
def test_every_role_reads(request, client_of, ada, role):
    browser = client_of(request.getfixturevalue(role))

    assert browser.get("/admin", follow_redirects=True).status_code == 200
    assert "Analytical Engines" in browser.get("/admin/customers").text
    assert browser.get(f"/admin/customers/{ada.customer_id}").status_code == 200


def test_only_those_who_may_adjust_are_offered_it(as_support, as_finance, ada):
    address = f"/admin/customers/{ada.customer_id}"

    assert "Adjust balance" not in as_support.get(address).text
    assert "Adjust balance" in as_finance.get(address).text


@pytest.mark.parametrize("wanted", ["engines", "ADA@example.com", "cy@", "ext-77"])
def test_it_finds_by_name_address_member_and_external_id(session, as_support, ada, cy, bo, wanted):
    with transaction(session):
        session.get(the_pages.Customer, ada.customer_id).external_id = "ext-77"

    page = as_support.get("/admin/customers", query_string={"q": wanted}).text

    assert "Analytical Engines" in page
    assert "Bo&#39;s Boats" not in page


def test_it_finds_by_id(as_support, ada, bo):
    page = as_support.get("/admin/customers", query_string={"q": ada.customer_id}).text

    assert "Analytical Engines" in page
    assert "Bo&#39;s Boats" not in page


@pytest.mark.parametrize("odd", ["100%", "_", "'; DROP TABLE customer; --", "x" * 5000, "<script>"])
def test_strange_searches_find_nothing_and_break_nothing(as_support, ada, odd):
    answer = as_support.get("/admin/customers", query_string={"q": odd})

    assert answer.status_code == 200
    assert "Analytical Engines" not in answer.text


def test_it_pages_without_repeating_or_skipping(session, as_support, monkeypatch):
    monkeypatch.setattr(the_pages, "PER_PAGE", 2)
    for number in range(5):
        a_customer(session, f"Number {number}")
    seen, address = [], "/admin/customers"

    while address:
        page = as_support.get(address, headers=HX).text
        seen += [number for number in range(5) if f"Number {number}<" in page]
        address = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0] if 'rel="next"' in page else ""

    assert sorted(seen) == [0, 1, 2, 3, 4]  # ids of one millisecond come in any order


def test_it_shows_each_wallet_with_one_query_for_all(app, session, as_support, ada, bo):
    ada.gets(1_234)
    for number in range(10):
        a_customer(session, f"Number {number}")
    asked = []
    with app.app_context():
        sql_event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    page = as_support.get("/admin/customers").text

    assert "$17.34" in page
    assert len(asked) <= 12


def test_the_file_cannot_smuggle_a_formula_into_a_spreadsheet(session, as_support):
    a_customer(session, "=HYPERLINK(1)")

    answer = as_support.get("/admin/customers.csv")

    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert ",'=HYPERLINK(1)," in answer.text
    assert answer.text.startswith("id,name,email,external_id,created_at,plan,status,")


def test_one_customer_shows_wallet_members_keys_and_activity(as_finance, ada, cy):
    ada.gets(2_000)
    ada.key("billing:read")

    address = f"/admin/customers/{ada.customer_id}"
    page = as_finance.get(address).text + as_finance.get(f"{address}/latest", headers=HX).text

    for words in (
        "$25.00",
        "Money for a test",
        "Welcome credit",
        "cy@example.com",
        "A test&#39;s key",
        "Balance adjusted",
    ):
        assert words in page, words


def test_one_customer_stays_within_its_queries(app, as_finance, ada, cy):
    ada.gets(2_000)
    asked = []
    with app.app_context():
        sql_event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    as_finance.get(f"/admin/customers/{ada.customer_id}")

    assert len(asked) <= 25, "\n".join(asked)


def test_a_customer_nobody_knows_is_not_found(as_admin):
    for address in ("/admin/customers/cus_nobody", "/admin/customers/cus_nobody/transactions"):
        assert as_admin.get(address).status_code == 404


def test_its_transactions_are_a_partial_and_a_page(as_support, ada):
    address = f"/admin/customers/{ada.customer_id}/transactions"

    assert as_support.get(address).text.count("<h1") == 1
    assert as_support.get(address, headers=HX).text.lstrip().startswith('<section class="panel" id="transactions"')


def test_a_made_up_cursor_is_refused(as_support, ada):
    address = f"/admin/customers/{ada.customer_id}/transactions?before=nonsense"

    assert as_support.get(address).status_code == 422


def test_without_any_customer_it_says_how_to_get_one(as_support):
    assert "No customers yet" in as_support.get("/admin/customers").text


def test_a_file_holds_no_transaction_open_while_it_is_fetched(session, as_support, ada):
    session.rollback()
    answer = as_support.get("/admin/customers.csv", buffered=False)

    for _ in answer.iter_encoded():
        outgoing.refuse_inside_a_transaction("sending a line")
    answer.close()


def test_what_is_no_customer_is_led_to(session, as_support, ada, event):
    ada.gets(500)
    came = event()
    account = f"/admin/books/entries/{ada.customer_id}"
    [line] = ledger.history(session, ada.wallet, limit=1)

    def led(name):
        return as_support.get("/admin/customers", query_string={"q": name})

    assert led(f" {line.entry_id} ").location == f"{account}/{line.entry_id}"
    assert led(came.event_id).location == led(came.id).location == f"/admin/webhooks/{came.id}"
    shown = as_support.get("/admin/customers", query_string={"q": came.id}, headers=HX)
    assert shown.headers["HX-Redirect"] == f"/admin/webhooks/{came.id}"
    for unknown in ("wtxn_1", "wtxn_01m7zsc0j43c4n0m8dyhdzba5s", "dlv_1", "evt_none"):
        assert "No customer matches" in led(unknown).text


def test_a_payment_method_finds_whose_it_is(session, as_support, ada, bo):
    with transaction(session):
        known_cards.keep(session, bo.customer_id, "stripe", "pm_77", kind="saved", brand="visa", last4="4242")

    page = as_support.get("/admin/customers?q=pm_77").text

    assert "Found by payment method pm_77" in page
    assert "Analytical Engines" not in page
