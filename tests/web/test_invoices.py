"""The invoices' pages: the list with filters and sums, one as a sheet, its PDF, the CSV, the billing details."""

from __future__ import annotations

import csv
import io
import re
from types import SimpleNamespace

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import invoices
from app.db import transaction
from app.extensions import db
from app.invoices import NewLine, buyers, rates, seller
from app.money import Money
from app.payments import disputes
from app.providers.events import DisputeChanged
from tests.support.people import Person

HX = {"HX-Request": "true"}
FORMULA = '=HYPERLINK("http://example.com")'
PAYLOAD = '"><img src=x onerror=alert(1)>'
DETAILS = {
    "name": "Alder & Finch Ltd", "customer_type": "business", "line1": "48 Mill Road", "city": "Leeds",
    "postal_code": "LS9 8AX", "country": "GB", "tax_id": "987 6543 21",
}  # fmt: skip


@pytest.fixture
def vat(session: Session):
    """20 % in Great Britain, where the seller is."""
    before = seller.current()
    seller.use(seller.Seller("Purser Demo Ltd", ("12 Quay Street",), "GB", "GB123456789"))
    with transaction(session):
        rates.set_rate(session, country="GB", name="VAT", rate_ppm=200_000, number="GB 123", actor="system")
    yield
    seller.use(before)


def test_it_lists_them_with_tax_and_sums(ada, client_of, app, vat, invoice_for, clock):
    paid = invoice_for(ada, 4900)
    clock.advance(days=1)
    failed = invoice_for(ada, 15000, state="failed", title="Onboarding workshop", reason="other")

    page = client_of(ada).get("/invoices").text

    for words in (paid.number, "$49.00", "$9.80", "$58.80", "Paid", failed.number, "$180.00", "Payment failed"):
        assert words in page, words
    assert page.index(failed.number) < page.index(paid.number)
    assert '<dd class="figure">$180.00</dd><dd>1 invoice</dd>' in page
    assert '<dd class="figure">$58.80</dd>' in page
    assert "2 invoices, newest first" in page


def test_the_empty_list_says_what_will_be_here(ada, client_of):
    page = client_of(ada).get("/invoices").text

    assert "No invoices yet" in page
    assert "Download" not in page


def test_it_filters_by_status_type_and_days(ada, client_of, invoice_for, clock):
    first = invoice_for(ada, 100, reason="topup")
    clock.advance(days=1)
    second = invoice_for(ada, 100, state="open")
    browser = client_of(ada)

    def shown(query: str) -> list[str]:
        page = browser.get("/invoices" + query, headers=HX).text
        assert "<h1" not in page
        return [number for number in (first.number, second.number) if number in page]

    assert shown("?status=open") == [second.number]
    assert shown("?type=topup") == [first.number]
    assert shown("?from=2026-03-15") == [second.number]
    assert shown("?to=2026-03-14") == [first.number]
    assert shown("?status=void") == []
    assert "Nothing matches" in browser.get("/invoices?status=void").text


@pytest.mark.parametrize("query", ["status=x", "type=x", "from=x", "from=2026-03-15&to=2026-03-14"])
def test_a_filter_that_makes_no_sense_is_told_beside_itself(ada, client_of, invoice_for, query):
    invoice_for(ada, 100)

    for address in (f"/invoices?{query}", f"/invoices.csv?{query}"):
        answer = client_of(ada).get(address)
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text


def test_it_pages_by_cursor_and_stays_right_while_invoices_arrive(session, ada, client_of, invoice_for, clock):
    many(session, ada, 51)
    browser = client_of(ada)
    seen: list[str] = []
    address = "/invoices"

    while address:
        page = browser.get(address).text
        seen += re.findall(r">(INV-2026-\d{4})</a>", page)
        older = re.search(r'href="([^"]+)" rel="next"', page)
        address = older[1].replace("&amp;", "&") if older else ""
        clock.advance(seconds=1)
        invoice_for(ada, 1)

    assert sorted(seen) == [f"INV-2026-{number:04d}" for number in range(1, 52)]
    assert len(browser.get("/invoices.csv?type=other").text.splitlines()) == 1 + 51


def test_a_cursor_of_somebody_elses_making_is_refused(ada, client_of):
    assert client_of(ada).get("/invoices?before=nonsense").status_code == 422


def test_one_is_a_sheet_with_seller_buyer_lines_tax_and_what_is_to_be_paid(session, ada, client_of, vat, invoice_for):
    with transaction(session):
        buyers.set_buyer(session, ada.customer_id, buyers.Details(**DETAILS), actor=ada.id)
    invoice = invoice_for(ada, 4900, state="failed")

    page = client_of(ada).get(f"/invoices/{invoice.id}").text

    for words in (
        f"<h1>Invoice {invoice.number}</h1>", "Purser Demo Ltd", "12 Quay Street", "Tax ID GB123456789",
        "Alder &amp; Finch Ltd", "48 Mill Road", "Leeds LS9 8AX", "United Kingdom", "Tax ID GB987654321",
        "Starter plan, monthly", "VAT 20% on $49.00", "GB 123", "$9.80", "Total (USD)", "$58.80", "To pay",
        "Payment failed", "The wallet was $4.00 short.", "Pay $58.80",
    ):  # fmt: skip
        assert words in page, words


def test_a_discount_is_a_line_and_a_rate_below_a_cent_is_exact(session, ada, client_of):
    off = SimpleNamespace(code="HARBOR20", name="20% off", off=Money(100, "usd"))
    with transaction(session):
        draft = invoices.make(
            session, customer_id=ada.customer_id, key="k", reason="usage", currency="usd",
            lines=[NewLine("Proxy calls", quantity=12_345, unit_micros=400)],
            discount=off,
        )  # fmt: skip
        invoice = invoices.finalise(session, draft)

    page = client_of(ada).get(f"/invoices/{invoice.id}").text

    for words in ("12,345", "$0.0004", "$4.94", "Coupon HARBOR20, 20% off", "−$1.00", "$3.94"):
        assert words in page, words


def test_a_credit_note_is_shown_with_its_number_and_tax(session, ada, client_of, vat, invoice_for):
    invoice = invoice_for(ada, 4900)
    with transaction(session):
        note = invoices.credit(session, invoice, net_minor=900, reason="Unused time", returned_to="wallet", key="k")

    page = client_of(ada).get(f"/invoices/{invoice.id}").text

    for words in (note.number, "Unused time", "−$9.00", "−$1.80", "−$10.80", "to the wallet"):
        assert words in page, words
    paper = client_of(ada).get(f"/invoices/{invoice.id}/credit-notes/{note.id}.pdf")
    assert paper.data.startswith(b"%PDF-")
    assert paper.headers["Content-Disposition"] == 'inline; filename="CN-2026-0001.pdf"'
    assert client_of(ada).get(f"/invoices/{invoice.id}/credit-notes/cn_none.pdf").status_code == 404


def test_whoever_only_reads_is_offered_no_payment(ada, cy, client_of, invoice_for):
    invoice = invoice_for(ada, 4900, state="open")

    for address in ("/invoices", f"/invoices/{invoice.id}"):
        assert "Pay $" not in client_of(cy).get(address).text
    assert "Pay $49.00" in client_of(ada).get(f"/invoices/{invoice.id}").text


def test_a_draft_is_nobodys_to_see(session, ada, client_of):
    with transaction(session):
        draft = invoices.make(
            session, customer_id=ada.customer_id, key="k", reason="other", currency="usd", lines=[NewLine("x", 100)]
        )

    assert client_of(ada).get(f"/invoices/{draft.id}").status_code == 404
    assert "No invoices yet" in client_of(ada).get("/invoices").text


def test_the_pdf_is_the_same_file_each_time_and_holds_what_is_typed_inertly(session, ada, client_of, invoice_for):
    hostile = {**DETAILS, "name": '#read("/etc/passwd") $x^2$ <b>', "country": "GR", "tax_id": "", "city": "Αθήνα"}
    with transaction(session):
        buyers.set_buyer(session, ada.customer_id, buyers.Details(**hostile), actor=ada.id)
    invoice = invoice_for(ada, 4900)
    browser = client_of(ada)

    first, second = (browser.get(f"/invoices/{invoice.id}.pdf") for _ in range(2))

    assert first.mimetype == "application/pdf"
    assert first.data.startswith(b"%PDF-")
    assert first.data == second.data
    assert first.headers["Content-Disposition"] == f'inline; filename="{invoice.number}.pdf"'


def test_the_csv_has_every_invoice_with_exact_figures_and_no_formulas(ada, client_of, vat, invoice_for):
    invoice_for(ada, 4900, title=FORMULA)

    answer = client_of(ada).get("/invoices.csv")

    row = next(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert row["description"] == "'" + FORMULA
    assert (row["before_tax"], row["tax"], row["total"], row["paid"]) == ("49.00", "9.80", "58.80", "58.80")
    assert (row["number"], row["issued"]) == ("INV-2026-0001", "2026-03-14T09:30:00Z")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="invoices-2026-03-14.csv"'


def test_the_csv_keeps_the_filter(ada, client_of, invoice_for):
    for state in ("paid", "open", "paid"):
        invoice_for(ada, 100, state=state)

    assert len(client_of(ada).get("/invoices.csv?status=paid").text.splitlines()) == 1 + 2


def test_it_escapes_what_people_and_providers_write(session, ada, client_of, invoice_for):
    with transaction(session):
        buyers.set_buyer(session, ada.customer_id, buyers.Details(**{**DETAILS, "name": PAYLOAD}), actor=ada.id)
    invoice = invoice_for(ada, 100, title=PAYLOAD)

    for address in ("/invoices", f"/invoices/{invoice.id}", "/invoices/buyer"):
        assert "<img" not in client_of(ada).get(address).text


def test_details_are_kept_for_later_invoices(ada, client_of, invoice_for):
    before, browser = invoice_for(ada, 100), client_of(ada)

    answer = browser.post("/invoices/buyer", data=DETAILS)

    assert (answer.status_code, answer.location) == (303, "/invoices")
    assert "Billed to Alder &amp; Finch Ltd" in browser.get("/invoices").text
    assert 'value="GB987654321"' in browser.get("/invoices/buyer").text
    after = invoice_for(ada, 100)
    assert (before.buyer["name"], after.buyer["name"]) == ("Analytical Engines", "Alder & Finch Ltd")


@pytest.mark.parametrize(
    ("field", "typed"), [("name", ""), ("country", ""), ("tax_id", "123"), ("region", "x" * 41), ("customer_type", "")]
)
def test_details_that_make_no_sense_come_back_with_what_was_typed(ada, client_of, field, typed):
    answer = client_of(ada).post("/invoices/buyer", data={**DETAILS, field: typed})

    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert 'value="48 Mill Road"' in answer.text


def test_whoever_only_reads_may_not_change_them(cy, client_of):
    browser = client_of(cy)

    assert browser.post("/invoices/buyer", data=DETAILS).status_code == 403
    assert "Save billing details" not in browser.get("/invoices/buyer").text


def test_the_pages_need_as_many_statements_for_many_invoices_as_for_few(session, ada, client_of, app, invoice_for):
    browser, one = client_of(ada), invoice_for(ada, 100)
    few = statements(app, browser, "/invoices")
    many(session, ada, 20)

    assert statements(app, browser, "/invoices") == few <= 14
    assert statements(app, browser, f"/invoices/{one.id}") <= 10


def many(session: Session, who: Person, count: int) -> None:
    """So many invoices in one transaction."""
    with transaction(session):
        for number in range(count):
            invoices.finalise(
                session,
                invoices.make(
                    session, customer_id=who.customer_id, key=f"many:{number}", reason="other", currency="usd",
                    lines=[NewLine("Calls", 100), NewLine("More calls", 50)],
                ),
            )  # fmt: skip


def statements(app, browser, address: str) -> int:
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


@pytest.mark.parametrize(("phase", "words"), [("open", "until that is decided"), ("lost", "has taken the payment")])
def test_one_whose_payment_the_bank_took_back_says_disputed(session, ada, client_of, invoice_for, phase, words):
    invoice = invoice_for(ada, 4900)
    told = DisputeChanged(
        provider="stripe", event_id="evt_1", raw_type="charge.dispute.created", occurred_at=the_clock.now(),
        livemode=False, dispute_id="dp_1", payment_id="pi_1", amount=Money(4900, "usd"), phase="open", reason=None,
        due_by=None,
    )  # fmt: skip
    with transaction(session):
        dispute = disputes.keep(session, told, disputes.Paid(ada.customer_id, "invoice", 4900, 0, "usd"))
        dispute.invoice_id, dispute.phase = invoice.id, phase
    browser = client_of(ada)

    assert "Disputed" in browser.get("/invoices").text
    page = browser.get(f"/invoices/{invoice.id}").text
    assert words in page
    assert "Disputed" in page
