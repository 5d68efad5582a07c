"""Error pages and partials: what happened, in the frame of who is asking, with one way on."""

from __future__ import annotations

import re

import pytest

from app.errors import InsufficientFunds
from app.http import shortfall

HX = {"HX-Request": "true"}


def test_a_signed_in_person_stays_in_the_frame(ada, client_of):
    answer = client_of(ada).get("/nowhere")

    assert answer.status_code == 404
    assert '<nav class="side"' in answer.text
    assert '<a class="btn primary" href="/">Overview</a>' in answer.text


def test_a_signed_out_person_is_shown_the_way_in(client):
    answer = client.get("/nowhere")

    assert answer.status_code == 404
    assert '<nav class="side"' not in answer.text
    assert 'href="/sign-in">Sign in</a>' in answer.text


@pytest.mark.parametrize(("method", "address"), [("get", "/nowhere"), ("put", "/wallet")])
def test_the_words_under_the_heading_are_not_the_heading_again(ada, client_of, method, address):
    page = getattr(client_of(ada), method)(address).text

    heading = re.search(r"<h1[^>]*>([^<]+)</h1>", page)[1]
    below = re.search(r"</h1><p>([^<]+)</p>", page)[1]
    assert heading not in below
    assert "Nothing was changed" in below


def test_a_customer_at_a_staff_address_stays_among_their_own_pages(ada, client_of):
    answer = client_of(ada).get("/admin/customers")

    assert answer.status_code == 403
    assert 'href="/admin' not in answer.text
    assert '<body class="staff">' not in answer.text
    assert '<a class="btn primary" href="/">Overview</a>' in answer.text


def test_htmx_gets_the_words_without_a_page(ada, client_of):
    answer = client_of(ada).get("/wallet/topups/ord_none/status", headers=HX)

    assert answer.status_code == 404
    assert "<html" not in answer.text
    assert "data-focus" in answer.text


def test_402_shows_the_shortfall_as_a_bill(own_app):
    @own_app.get("/test/expensive")
    def expensive():
        raise InsufficientFunds("Nothing was charged.", available_micros=45_350_000, needed_micros=60_000_000)

    answer = own_app.test_client().get("/test/expensive")

    assert answer.status_code == 402
    for words in ("Available", "$45.35", "Needed", "−$60.00", "Short by", "$14.65"):
        assert words in answer.text


@pytest.mark.parametrize("details", [{}, {"field": "amount"}, {"available_micros": 1}])
def test_other_refusals_have_no_bill(details):
    assert shortfall.bill_of(details) == []


def test_a_shortfall_of_credits_has_no_currency():
    assert shortfall.bill_of({"available": 20, "needed": 1_050})[2] == ("Short by", "1,030", "")
