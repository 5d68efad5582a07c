"""GET /v1/billing/invoices and /v1/billing/invoices/:id"""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app import invoices
from app.db import transaction
from app.invoices import NewLine, rates
from tests.support.people import Person
from tests.support.programs import Program, error

PATH = "/v1/billing/invoices"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def vat(session: Session) -> None:
    with transaction(session):
        rates.set_rate(session, country="", name="VAT", rate_ppm=200_000, number="GB 123", actor="system")


def test_the_list_is_exactly_what_is_documented(adas: Program, ada: Person, vat: None, invoice_for) -> None:
    invoice = invoice_for(ada, 24900, title="Growth, monthly")

    told = adas.get(PATH).get_json()

    [line] = told.pop("invoices")
    assert told == {"count": 1, "page": 1, "pages": 1, "limit": 50, "next_cursor": None}
    assert line == {
        "id": invoice.id, "number": "INV-2026-0001", "status": "paid", "type": "subscription_cycle",
        "description": "Growth, monthly", "currency": "usd", "subtotal_cents": 24900, "discount_cents": 0,
        "tax_cents": 4980, "total_cents": 29880, "due_cents": 0, "issued_at": "2026-03-14T09:30:00Z",
        "paid_at": "2026-03-14T09:30:00Z", "period_start": None, "period_end": None,
    }  # fmt: skip


def test_one_has_lines_taxes_payment_and_corrections(
    session, adas: Program, ada: Person, vat: None, invoice_for
) -> None:
    invoice = invoice_for(ada, 24900, 100)
    with transaction(session):
        invoices.credit(session, invoice, net_minor=1000, reason="Unused time", returned_to="wallet", key="k")

    told = adas.get(f"{PATH}/{invoice.id}").get_json()

    assert [line["amount_cents"] for line in told["lines"]] == [24900, 100]
    assert told["taxes"] == [
        {
            "name": "VAT", "percent": "20", "registration": "GB 123", "base_cents": 25000, "amount_cents": 5000,
            "reverse_charge": False,
        }
    ]  # fmt: skip
    assert told["payment"] == {
        "status": "paid", "paid_cents": 30000, "credited_cents": 1200, "method": "Wallet", "reference": "wtxn_1",
        "attempts": 0, "next_attempt_at": None, "failure": None, "url": None,
    }  # fmt: skip
    [note] = told["credit_notes"]
    assert (note["number"], note["total_cents"], note["returned_to"]) == ("CN-2026-0001", 1200, "wallet")
    assert told["buyer"]["name"] == "Analytical Engines"


@pytest.mark.parametrize(
    ("state", "status", "due"), [("open", "open", 100), ("failed", "failed", 100), ("void", "nothing_due", 0)]
)
def test_it_says_how_the_payment_stands(adas: Program, ada: Person, invoice_for, state, status, due) -> None:
    invoice = invoice_for(ada, 100, state=state)

    told = adas.get(f"{PATH}/{invoice.id}").get_json()

    assert (told["payment"]["status"], told["due_cents"]) == (status, due)
    assert (told["payment"]["failure"] is not None) is (state == "failed")


def test_pages_and_cursors_are_the_whole_and_no_invoice_twice(adas: Program, ada: Person, invoice_for) -> None:
    made = [invoice_for(ada, 100).id for _ in range(5)]
    by_page = [line["id"] for page in (1, 2, 3) for line in page_of(adas, f"?limit=2&page={page}")["invoices"]]
    by_cursor: list[str] = []
    query = "?limit=2"

    while query:
        told = page_of(adas, query)
        by_cursor += [line["id"] for line in told["invoices"]]
        invoice_for(ada, 1)  # what arrives meanwhile is newer and moves nothing
        query = f"?limit=2&cursor={told['next_cursor']}" if told["next_cursor"] else ""

    assert by_page == by_cursor == sorted(made, reverse=True)
    assert page_of(adas, "?limit=2&page=9")["invoices"] == []


def test_only_those_of_a_status(adas: Program, ada: Person, invoice_for) -> None:
    invoice_for(ada, 100)
    still_open = invoice_for(ada, 100, state="open")

    told = page_of(adas, "?status=open")

    assert (told["count"], [line["id"] for line in told["invoices"]]) == (1, [still_open.id])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?page=0", "page"),
        ("?page=1.5", "page"),
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?status=draft", "status"),
        ("?cursor=nonsense", "cursor"),
        ("?cursor=", "cursor"),
        ("?cursor=MjAyNi0wMy0xNFQwOTozMDowMCswMDowMH5pbnZf&page=2", "cursor"),
        ("?offset=2", "offset"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_field(adas: Program, query: str, field: str) -> None:
    answer = adas.get(PATH + query)

    assert answer.status_code == 422
    assert error(answer)["details"]["field"] == field


def test_drafts_and_other_customers_invoices_do_not_exist(session, adas: Program, ada, bo, invoice_for) -> None:
    theirs = invoice_for(bo, 100)
    with transaction(session):
        draft = invoices.make(
            session, customer_id=ada.customer_id, key="k", reason="other", currency="usd", lines=[NewLine("x", 100)]
        )

    for invoice_id in (theirs.id, draft.id, "inv_none"):
        assert adas.get(f"{PATH}/{invoice_id}").status_code == 404
    assert page_of(adas, "")["count"] == 0


def page_of(program: Program, query: str) -> dict:
    answer = program.get(PATH + query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()
