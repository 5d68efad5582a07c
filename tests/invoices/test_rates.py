"""Tax rates as staff set them, and buyers as they describe themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, invoices
from app.db import transaction
from app.errors import Invalid
from app.invoices import buyers, rates, tax_ids
from app.invoices.models import TaxRate
from tests.invoices.conftest import Desk, figures


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def quoted(session: Session, desk: Desk) -> list[tuple[str, int]]:
    return [(line.name, line.amount_minor) for line in invoices.quote_tax(session, desk.customer_id, 10_000, "usd")]


def test_a_quote_is_what_the_invoice_will_say(session: Session, desk: Desk) -> None:
    desk.rate("VAT", "8.25")

    assert quoted(session, desk) == figures(desk.taxes(desk.invoice(10_000))) == [("VAT", 825)]


def test_a_new_rate_takes_the_old_ones_place_and_leaves_what_was_charged(session: Session, desk: Desk, clock) -> None:
    desk.rate("VAT", "17.5")
    before = desk.invoice(10_000)
    clock.advance(days=1)
    desk.rate("vat", "20")

    assert quoted(session, desk) == [("vat", 2000)]
    assert desk.taxes(before)[0].rate_ppm == 175_000
    assert len(rates.listed(session)) == 1
    assert len(session.scalars(select(TaxRate)).all()) == 2


def test_a_rate_that_is_to_come_waits_for_its_day(session: Session, desk: Desk, clock) -> None:
    desk.rate("VAT", "16")
    clock.advance(days=1)
    with transaction(session):
        rates.set_rate(
            session, country="GB", name="VAT", rate_ppm=190_000, valid_from=clock.now + timedelta(days=1), actor="x"
        )

    assert quoted(session, desk) == [("VAT", 1600)]
    clock.advance(days=1)
    assert quoted(session, desk) == [("VAT", 1900)]


def test_an_ended_rate_is_charged_no_more(session: Session, desk: Desk, clock) -> None:
    desk.rate("VAT", "20")
    clock.advance(days=1)
    with transaction(session):
        rates.end_rate(session, rates.listed(session)[0].id, actor="staff:usr_1")

    assert quoted(session, desk) == []
    assert activity.of_everyone(session, action="tax_rate.").lines[0].actor == "staff:usr_1"


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("country", {"country": "XX"}),
        ("country", {"country": "EU"}),
        ("country", {"country": "", "region": "BC"}),
        ("region", {"country": "US", "region": "Bavaria"}),
        ("name", {"name": " "}),
        ("percent", {"rate_ppm": 1_000_001}),
        ("customer_type", {"customer_type": "robot"}),
    ],
)
def test_a_rate_that_makes_no_sense_is_refused(session: Session, field: str, told: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refusal, transaction(session):
        rates.set_rate(session, **{"country": "GB", "name": "VAT", "rate_ppm": 1, "actor": "system", **told})  # type: ignore[arg-type]
    assert refusal.value.field == field


@pytest.mark.parametrize(("typed", "ppm"), [("19", 190_000), ("8.25 %", 82_500), ("0", 0), ("100", 1_000_000)])
def test_a_percentage_is_read_as_typed(typed: str, ppm: int) -> None:
    assert rates.parse_percent(typed) == ppm
    assert rates.parse_percent(rates.percent(ppm)) == ppm


@pytest.mark.parametrize("typed", ["", "-1", "1e1", "100.1", "8,25", "1.23456", "٣"])
def test_what_is_no_percentage_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        rates.parse_percent(typed)


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("gb 987 6543 21", "GB", "GB987654321"),
        ("987 6543 21", "GB", "GB987654321"),
        ("DE-123.456.789", "DE", "DE123456789"),
        ("094259216", "GR", "EL094259216"),
        ("CHE-123.456.789 MWST", "CH", "CHE123456789MWST"),
        ("12-3456789", "US", "123456789"),
        ("", "DE", ""),
        ("ABN 1/2", "BR", "ABN1/2"),
    ],
)
def test_a_tax_id_is_kept_as_its_country_writes_it(typed: str, country: str, kept: str) -> None:
    assert tax_ids.clean(typed, country) == kept


@pytest.mark.parametrize(("typed", "country"), [("DE12345678", "DE"), ("FR12", "FR"), ("<b>", "BR"), ("x" * 31, "BR")])
def test_a_tax_id_of_another_form_is_refused(typed: str, country: str) -> None:
    with pytest.raises(Invalid) as refusal:
        tax_ids.clean(typed, country)
    assert refusal.value.field == "tax_id"


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("name", {"name": ""}),
        ("country", {"country": ""}),
        ("region", {"country": "US"}),
        ("line1", {"line1": " "}),
        ("city", {"city": "x" * 121}),
        ("customer_type", {"customer_type": ""}),
        ("tax_id", {"tax_id": "12"}),
    ],
)
def test_a_buyer_who_cannot_be_invoiced_is_refused(
    session: Session, desk: Desk, field: str, told: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refusal:
        desk.buyer(**told)
    assert refusal.value.field == field
    session.rollback()
    assert buyers.of(session, desk.customer_id) is None


def test_the_audit_log_says_what_changed_and_not_to_what(session: Session, desk: Desk) -> None:
    desk.buyer()
    desk.buyer(city="York")
    desk.buyer(city="York")

    told = [
        line.details
        for line in activity.of_everyone(session, customer_id=desk.customer_id).lines
        if line.action == "buyer.changed"
    ]
    assert len(told) == 2
    assert {"fields": ["city"]} in told
