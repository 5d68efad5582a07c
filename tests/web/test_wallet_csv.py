"""The CSV of a wallet: every line, exact, safe in a spreadsheet, and written in bounded memory."""

from __future__ import annotations

import csv
import io
import tracemalloc
import uuid

import pytest

from app.db import transaction
from app.wallet import adjust, debit
from tests.support import outgoing

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1+1)",
    '=HYPERLINK("http://example.com","click")',
    '=1+1","x',
]


def rows(browser, query=""):
    answer = browser.get("/wallet/transactions.csv" + query)
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def spend(session, who, micros, description, key=""):
    with transaction(session):
        key = key or uuid.uuid4().hex
        debit.debit(session, who.customer_id, micros, description=description, key=key, by="test")


def test_it_has_every_line_with_exact_amounts(session, ada, client_of):
    spend(session, ada, 100, "A call")

    call, welcome = rows(client_of(ada))

    assert (call["type"], call["title"], call["amount"], call["balance_after"], call["currency"]) == (
        "debit", "A call", "-0.0001", "4.9999", "USD",
    )  # fmt: skip
    assert (welcome["title"], welcome["amount"]) == ("Welcome credit", "5.00")
    assert welcome["time"] == "2026-03-14T09:30:00Z"


def test_it_is_a_download(ada, client_of):
    answer = client_of(ada).get("/wallet/transactions.csv")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="wallet-2026-03-14.csv"'
    assert answer.is_streamed


def test_it_keeps_the_filter(session, ada, client_of):
    spend(session, ada, 100, "A call")
    browser = client_of(ada)

    assert [row["title"] for row in rows(browser, "?type=debit")] == ["A call"]
    assert rows(browser, "?from=2026-03-15") == []
    assert len(rows(browser, "?from=2026-03-14&to=2026-03-14")) == 2


def test_a_bad_filter_is_no_download(ada, client_of):
    answer = client_of(ada).get("/wallet/transactions.csv?from=yesterday")

    assert answer.status_code == 422
    assert answer.mimetype == "text/html"


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_run_by_a_spreadsheet(session, ada, client_of, formula):
    spend(session, ada, 100, formula)
    with transaction(session):
        adjust.adjust(session, ada.customer_id, 100, reason=formula, actor="usr_x", key=uuid.uuid4().hex)

    for row in rows(client_of(ada)):
        for name in ("title", "detail", "type", "id"):
            assert not row[name].startswith(("=", "+", "-", "@", "\t", "\r")), row


def test_it_takes_many_lines_in_bounded_memory(session, ada, client_of, app):
    with transaction(session):
        for number in range(2_500):
            debit.debit(session, ada.customer_id, 100, description=f"Call {number}", key=f"k{number}", by="test")
    browser = client_of(ada)

    tracemalloc.start()
    answer = browser.get("/wallet/transactions.csv", buffered=False)
    count = sum(chunk.count(b"\n") for chunk in answer.iter_encoded())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 2_502
    assert peak < 20_000_000
    answer.close()


def test_signed_out_it_asks_to_sign_in(client):
    assert client.get("/wallet/transactions.csv").status_code == 303


def test_it_holds_no_transaction_open_while_it_is_fetched(session, ada, client_of):
    browser = client_of(ada)
    session.rollback()
    answer = browser.get("/wallet/transactions.csv", buffered=False)

    for _ in answer.iter_encoded():
        outgoing.refuse_inside_a_transaction("sending a line")
    answer.close()
