"""Staff: coupons. Admins make, change and retire them; everyone in the back office sees what they gave away."""

from __future__ import annotations

import pytest

from app import coupons
from app.catalogue import file, publish, shipped
from app.coupons import issue, reads
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.money import Money
from tests.admin.conftest import HX, saves


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def made(session):
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")
        return issue.make(
            session,
            Terms("HARBOR20", "percent", 20, Limits("20% off", most=100), None, "repeating", 6, {"plans": []}),
            actor="system",
        )


FORM = {
    "code": "spring10",
    "name": "Spring",
    "kind": "amount",
    "value": "10.00",
    "duration": "once",
    "scope-plan-growth": "1",
    "scope-packs": "1",
    "most": "50",
    "most_per_customer": "1",
    "starts_on": "2026-04-01",
    "ends_on": "2026-04-30",
}


def test_what_was_used_and_given_away_is_on_the_list_and_on_its_page(as_support, session, ada, made):
    with transaction(session):
        coupons.reserve(
            session,
            "HARBOR20",
            customer_id=ada.customer_id,
            what="plan:growth",
            price=Money(9_900, "usd"),
            key="ord_1",
        )
        coupons.redeem(session, ada.customer_id, "ord_1")

    listed, page = as_support.get("/admin/coupons").text, as_support.get(f"/admin/coupons/{made.id}").text

    for words in ("HARBOR20", "First 6 months", "20%", "1 of 100", "$19.80", "Active", "1 coupon. Given away $19.80"):
        assert words in listed, words
    for words in ("Analytical Engines", "Plan growth", "$19.80", "of 100, 1 per customer"):
        assert words in page, words
    assert "Name and limits" in page
    assert 'name="most"' not in page


def test_what_is_good_for_top_ups_alone_counts_once_and_not_for_invoices(as_support, session):
    with transaction(session):
        terms = Terms("BONUS20", "percent", 20, Limits("Bonus"), scope={"topups": True})
        only = issue.make(session, terms, actor="system")

    for address in ("/admin/coupons", f"/admin/coupons/{only.id}"):
        page = as_support.get(address).text
        assert "Once" in page
        assert "First invoice" not in page


def test_the_list_is_filtered_and_is_a_file(as_support, session, made):
    ended = as_support.get("/admin/coupons?state=ended", headers=HX).text
    active = as_support.get("/admin/coupons?state=active").text
    file = as_support.get("/admin/coupons.csv?state=active").text

    assert "None has this status now" in ended
    assert "HARBOR20" in active
    assert "/admin/coupons.csv?state=active" in active
    assert file.splitlines()[1].startswith("HARBOR20,20% off,20%,First 6 months,Plans,0,100,0,")


def test_a_new_coupon_works(as_admin, session, ada, made, clock):
    answer = as_admin.post("/admin/coupons", data=FORM)

    coupon = next(each.coupon for each in reads.listed(session) if each.coupon.code == "SPRING10")
    assert answer.location == f"/admin/coupons/{coupon.id}"
    assert coupon.scope == {"plans": ["growth"], "packs": []}
    assert (f"{coupon.starts_at:%F %T}", f"{coupon.ends_at:%F %T}") == ("2026-04-01 00:00:00", "2026-05-01 00:00:00")
    clock.advance(days=30)
    asked = {"customer_id": ada.customer_id, "what": "plan:growth", "price": Money(9_900, "usd")}
    assert coupons.quote(session, "SPRING10", **asked).off == Money(1_000, "usd")


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("code", {"code": "!"}),
        ("code", {"code": "harbor20"}),
        ("name", {"name": ""}),
        ("kind", {"kind": "x"}),
        ("value", {"value": ""}),
        ("value", {"kind": "percent", "value": "101"}),
        ("value", {"value": "9" * 30}),
        ("months", {"duration": "repeating"}),
        ("duration", {"duration": "forever", "scope-plan-growth": ""}),
        ("scope", {"scope-plan-growth": "", "scope-packs": ""}),
        ("most", {"most": "-1"}),
        ("ends_on", {"ends_on": "2026-03-01"}),
        ("starts_on", {"starts_on": "soon"}),
    ],
)
def test_a_mistake_stands_at_its_field_and_nothing_typed_is_lost(as_admin, session, made, field, typed):
    answer = as_admin.post("/admin/coupons", data=FORM | typed)

    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}-e"' in answer.text
    assert 'value="2026-04-30"' in answer.text or field == "ends_on"
    assert len(reads.listed(session)) == 1


def test_limits_change_and_an_end_in_the_middle_of_a_day_stays(as_admin, session, made, clock):
    with transaction(session):
        issue.change(session, made.id, Limits("20% off", ends_at=clock.advance(hours=5)), actor="system")
    page = f"/admin/coupons/{made.id}"
    form = {"name": "Renamed", "most": "7", "most_per_customer": "2", "starts_on": "", "ends_on": "2026-03-14"}

    wrong = as_admin.post(page, data=form | {"most_per_customer": "none"})
    looked = as_admin.post(page, data=form)
    saved = saves(as_admin, page, form)

    session.expire_all()
    assert (wrong.status_code, looked.status_code, saved.status_code) == (422, 200, 303)
    assert "<td>20% off</td><td>Renamed</td>" in looked.text
    now = reads.find(session, made.id)
    assert (now.name, now.most, now.most_per_customer, now.ends_at) == ("Renamed", 7, 2, clock.now)
    assert "most 100, now nothing" in as_admin.get("/admin/activity").text
    assert "name 20% off, now Renamed" in as_admin.get(page).text


def test_a_retired_one_is_not_for_sale(as_admin, session, made):
    as_admin.post(f"/admin/coupons/{made.id}/retire")

    page = as_admin.get(f"/admin/coupons/{made.id}").text
    assert "Ended" in page
    assert "Retire…" not in page
    assert as_admin.get("/admin/coupons/coup_x").status_code == 404


def test_support_and_finance_change_nothing(as_support, as_finance, session, made):
    for browser in (as_support, as_finance):
        assert browser.get("/admin/coupons/new").status_code == 403
        assert browser.post("/admin/coupons", data=FORM).status_code == 403
        assert browser.post(f"/admin/coupons/{made.id}").status_code == 403
        assert browser.post(f"/admin/coupons/{made.id}/retire").status_code == 403
        assert "New coupon" not in browser.get("/admin/coupons").text
