"""Staff: the books, their trial balance and the audit."""

from __future__ import annotations

from app import activity
from app.admin.books import AUDITED
from app.db import transaction
from tests.admin.conftest import HX


def test_signed_out_it_asks_to_sign_in(client):
    assert client.get("/admin/books").status_code == 303
    assert client.post("/admin/books/audit").status_code == 303


def test_customers_may_not_enter_and_support_may_only_read(client_of, ada, as_support):
    assert client_of(ada).get("/admin/books").status_code == 403
    assert as_support.get("/admin/books").status_code == 200
    assert as_support.post("/admin/books/audit").status_code == 403


def test_the_trial_balance_sums_to_zero(as_support, ada, bo):
    ada.gets(1_234)

    page = as_support.get("/admin/books").text

    for words in ("Trial balance, USD", "wallet", "promotions", "adjustments", "−$10.00", "$22.34", "The sum is zero"):
        assert words in page, words


def test_empty_books_say_so(as_support):
    page = as_support.get("/admin/books").text

    assert "No entries yet" in page
    assert "No full audit has been run" in page


def test_an_audit_is_kept_with_who_ran_it(as_finance, finance, ada):
    answer = as_finance.post("/admin/books/audit", follow_redirects=True)

    assert "The books are right" in answer.text
    assert finance.name in answer.text


def test_with_htmx_only_its_panel_comes_back(as_finance):
    answer = as_finance.post("/admin/books/audit", headers=HX)

    assert answer.text.lstrip().startswith('<section class="panel" id="audit"')


def test_faults_are_shown_as_sentences(session, as_support):
    faults = ["Entry wtxn_1 does not balance in usd: 5."]
    with transaction(session):
        activity.record(session, "system", AUDITED, "books", faults=faults, fault_count=1, checked={})

    page = as_support.get("/admin/books").text

    assert "1 fault" in page
    assert "Entry wtxn_1 does not balance in usd: 5." in page


def test_what_the_worker_found_wrong_is_shown_too(session, as_support):
    with transaction(session):
        activity.record(session, "system", "books.wrong", "house", count=7, faults=["Entry wtxn_2 has one leg."])

    page = as_support.get("/admin/books").text

    assert "7 faults" in page
    assert "Entry wtxn_2 has one leg." in page
    assert "And 6 more" in page
