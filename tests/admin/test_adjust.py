"""Staff: adjusting a wallet. Before and after first, once per form, with a reason the customer reads."""

from __future__ import annotations

import re

import pytest

from app import ids
from app.db import transaction
from app.wallet import holds
from tests.admin.conftest import HX

CENT = 10_000


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What these pages ask of a database is tested on both where it is asked."""
    return sqlite_url


def address(who):
    return f"/admin/customers/{who.customer_id}/adjust"


def form(**typed):
    given = {"direction": "add", "amount": "5.00", "reason": "Goodwill", "form_key": ids.new("frm"), "confirmed": "500"}
    return {**given, **typed}


def test_signed_out_it_asks_to_sign_in(client, ada):
    assert client.get(address(ada)).status_code == 303
    assert client.post(address(ada), data=form()).status_code == 303
    assert ada.balance() == 500 * CENT


def test_neither_customers_nor_support_may(client_of, ada, as_support):
    for browser in (client_of(ada), as_support):
        assert browser.get(address(ada)).status_code == 403
        assert browser.get(address(ada) + "/preview?amount=5").status_code == 403
        assert browser.post(address(ada), data=form()).status_code == 403
    assert ada.balance() == 500 * CENT


@pytest.mark.parametrize("role", ["finance", "admin"])
def test_finance_and_admin_give(request, client_of, ada, role):
    browser = client_of(request.getfixturevalue(role))

    answer = browser.post(address(ada), data=form())

    assert answer.status_code == 303
    assert answer.location == f"/admin/customers/{ada.customer_id}"
    assert ada.balance() == 1_000 * CENT


def test_the_reason_is_on_the_statement_and_in_the_log(client_of, ada, as_finance, finance):
    as_finance.post(address(ada), data=form(reason="Slow renders on Monday", ticket="T-17"))

    statement = client_of(ada).get("/wallet").text
    log = as_finance.get("/admin/activity").text

    assert "Slow renders on Monday" in statement
    assert "T-17" not in statement
    assert "Balance adjusted" in log
    assert "Slow renders on Monday" in log
    assert finance.name in log


def test_without_script_the_result_is_shown_before_anything_is_done(as_finance, ada):
    page = as_finance.post(address(ada), data=form(confirmed="")).text

    assert ada.balance() == 500 * CENT
    for words in ("$5.00", "+$5.00", "$10.00", "Add $5.00", 'name="confirmed" value="500"', 'value="Goodwill"'):
        assert words in page, words


def test_a_changed_amount_is_shown_again_before_it_is_done(as_finance, ada):
    page = as_finance.post(address(ada), data=form(amount="50.00", confirmed="500")).text

    assert ada.balance() == 500 * CENT
    assert "Add $50.00" in page


def test_a_double_submit_adjusts_once(as_finance, ada):
    twice = form()

    answers = [as_finance.post(address(ada), data=twice) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert ada.balance() == 1_000 * CENT


def test_the_same_form_with_another_amount_is_refused(as_finance, ada):
    first = form()
    as_finance.post(address(ada), data=first)

    answer = as_finance.post(address(ada), data={**first, "amount": "7.00", "confirmed": "700"})

    assert answer.status_code == 409
    assert ada.balance() == 1_000 * CENT


def test_it_takes_but_never_below_zero(as_finance, ada):
    taken = as_finance.post(address(ada), data=form(direction="take", amount="2.00", confirmed="-200"))
    too_much = as_finance.post(address(ada), data=form(direction="take", amount="3.01", confirmed="-301"))

    assert taken.status_code == 303
    assert too_much.status_code == 422
    assert "3.01" in too_much.text
    assert ada.balance() == 300 * CENT


def test_held_money_cannot_be_taken_and_the_preview_says_so(session, as_finance, ada):
    with transaction(session):
        holds.authorise(session, ada.customer_id, 2_000_000, description="Job", key="job", by="test")

    page = as_finance.get(address(ada) + "/preview?direction=take&amount=4.00", headers=HX).text

    assert "Only $3.00 is available" in page
    assert "confirmed" not in page


@pytest.mark.parametrize("typed", ["", "-5", "1e3", "NaN", "0", "0.001", "1,00,0", "９", "9" * 40, "1000000.01", "<b>"])
def test_what_is_no_amount_is_refused_beside_the_field_with_what_was_typed(as_finance, ada, typed):
    answer = as_finance.post(address(ada), data=form(amount=typed))

    assert answer.status_code == 422
    assert 'id="amount-e"' in answer.text
    assert 'value="Goodwill"' in answer.text
    assert typed != "1e3" or 'value="1e3"' in answer.text
    assert ada.balance() == 500 * CENT


@pytest.mark.parametrize("reason", ["", "  ", "ab", "x" * 501, "with a \0 in it"])
def test_a_reason_is_required(as_finance, ada, reason):
    answer = as_finance.post(address(ada), data=form(reason=reason))

    assert answer.status_code == 422
    assert 'id="reason-e"' in answer.text
    assert ada.balance() == 500 * CENT


@pytest.mark.parametrize("key", ["", "x", "frm_" + "A" * 26, "seed", "\0"])
def test_a_form_key_that_is_not_ours_only_shows_the_result(as_finance, ada, key):
    answer = as_finance.post(address(ada), data=form(form_key=key))

    assert answer.status_code == 200
    assert ada.balance() == 500 * CENT


def test_a_direction_that_does_not_exist_is_refused(as_finance, ada):
    assert as_finance.post(address(ada), data=form(direction="burn")).status_code == 422


def test_for_a_customer_nobody_knows_it_is_not_found(as_admin):
    assert as_admin.get("/admin/customers/cus_nobody/adjust").status_code == 404
    assert as_admin.post("/admin/customers/cus_nobody/adjust", data=form()).status_code == 404


def test_the_preview_shows_before_and_after_and_names_the_sum_on_the_button(as_finance, ada):
    page = as_finance.get(address(ada) + "/preview?direction=add&amount=2.50", headers=HX).text

    assert re.search(r"Wallet now.*\$5\.00.*Wallet after.*\$7\.50", page, re.DOTALL)
    assert "Add $2.50" in page
    assert ada.balance() == 500 * CENT


def test_the_preview_of_a_half_typed_amount_is_quiet(as_finance, ada):
    answer = as_finance.get(address(ada) + "/preview?amount=2.x", headers=HX)

    assert answer.status_code == 200
    assert "Wallet after" not in answer.text


def test_with_htmx_it_answers_with_the_form_and_leaves_for_the_customer(as_finance, ada):
    empty = as_finance.get(address(ada), headers=HX)
    refused = as_finance.post(address(ada), data=form(amount="x"), headers=HX)
    done = as_finance.post(address(ada), data=form(), headers=HX)

    assert empty.text.lstrip().startswith('<form id="adjustment"')
    assert refused.status_code == 422
    assert refused.text.lstrip().startswith('<form id="adjustment"')
    assert done.headers["HX-Redirect"] == f"/admin/customers/{ada.customer_id}"
