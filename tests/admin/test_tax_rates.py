"""Staff: tax rates. Admins set and end them; what is in force is what an invoice would charge."""

from __future__ import annotations

import pytest

from app.invoices import rates
from tests.admin.conftest import saves

FORM = {"name": "VAT", "percent": "19", "country": "DE", "region": "", "customer_type": "", "number": "DE1"}


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def test_a_rate_is_charged_from_now_on_and_replaced_by_a_new_one(as_admin, session, clock):
    saves(as_admin, "/admin/tax-rates", FORM)
    clock.advance(hours=1)
    saves(as_admin, "/admin/tax-rates", FORM | {"percent": "20.5 %", "reverse_charge": "1"})

    [rate] = rates.listed(session)
    page = as_admin.get("/admin/tax-rates").text
    assert (rate.rate_ppm, rate.reverse_charge) == (205_000, True)
    for words in ("VAT", "Germany", "20.5%", "DE1, reverse charge", "Anyone"):
        assert words in page, words


def test_what_it_replaces_is_shown_before_it_is_charged(as_admin, session, admin, clock):
    saves(as_admin, "/admin/tax-rates", FORM)
    clock.advance(hours=1)

    looked = as_admin.post("/admin/tax-rates", data=FORM | {"percent": "21"}).text
    same = as_admin.post("/admin/tax-rates", data=FORM).text

    assert "<td>19%, DE1</td><td>21%, DE1</td>" in looked
    assert "It is charged so already" in same
    assert [rate.rate_ppm for rate in rates.listed(session)] == [190_000]
    session.rollback()
    saves(as_admin, "/admin/tax-rates", FORM | {"percent": "21"})
    page = as_admin.get("/admin/tax-rates").text
    assert "VAT 19%, DE1, now 21%, DE1" in page
    assert admin.name in page


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", {"name": ""}),
        ("percent", {"percent": "a fifth"}),
        ("percent", {"percent": "101"}),
        ("country", {"country": "Germany"}),
        ("region", {"country": "US", "region": "Bavaria"}),
        ("customer_type", {"customer_type": "robot"}),
    ],
)
def test_a_mistake_stands_at_its_field_and_nothing_typed_is_lost(as_admin, session, field, typed):
    answer = as_admin.post("/admin/tax-rates", data=FORM | typed)

    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert 'value="DE1"' in answer.text
    assert rates.listed(session) == []


def test_an_ended_one_is_charged_no_longer(as_admin, session, clock):
    saves(as_admin, "/admin/tax-rates", FORM)
    [rate] = rates.listed(session)
    session.rollback()
    clock.advance(hours=1)

    as_admin.post(f"/admin/tax-rates/{rate.id}/end")

    assert "No tax is charged" in as_admin.get("/admin/tax-rates").text
    assert as_admin.post("/admin/tax-rates/tax_x/end").status_code == 404


def test_support_and_finance_read(as_support, as_finance, as_admin, session):
    saves(as_admin, "/admin/tax-rates", FORM)
    [rate] = rates.listed(session)
    session.rollback()

    for browser in (as_support, as_finance):
        page = browser.get("/admin/tax-rates").text
        assert "Germany" in page
        assert "Charge a rate" not in page
        assert browser.post("/admin/tax-rates", data=FORM).status_code == 403
        assert browser.post(f"/admin/tax-rates/{rate.id}/end").status_code == 403
    assert len(rates.listed(session)) == 1
