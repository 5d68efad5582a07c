"""Looking on as a customer: staff read what its members read, and nothing they send does anything."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from app import schema
from app.activity.models import Activity
from app.extensions import db
from app.people.models import LoginSession
from tests.admin.conftest import HX

SAFE = {"GET", "HEAD", "OPTIONS"}
PLACE = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")
OTHERS = ("/admin", "/gallery")  # what is opened there is no customer's
FOR_PROGRAMS = re.compile(r"api_(?!keys\.)|health|docs|payment_webhooks")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is refused here reaches no database."""
    return sqlite_url


@pytest.fixture
def looking(client_of, support, ada):
    """Sam of the support team, who looks on as Ada's company."""
    browser = client_of(support)
    assert browser.post(f"/admin/customers/{ada.customer_id}/sign-in-as").location == "/"
    return browser


def everything(app) -> dict[str, list[str]]:
    """Each row of each table, save when somebody was last seen."""
    schema.metadata()
    with app.app_context():
        found = {
            table.name: sorted(
                str({name: value for name, value in row._mapping.items() if name != "last_seen_at"})
                for row in db.session.execute(select(table))
            )
            for table in db.metadata.sorted_tables
        }
        db.session.rollback()
    return found


def routes(app, *, safe: bool) -> list[tuple[str, str]]:
    """Every address of a page with its method; what programs call with a key is none."""
    return [
        (method, PLACE.sub(lambda place: (place[2] or "x").split(",")[0], rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not FOR_PROGRAMS.match(rule.endpoint)
        for method in sorted(rule.methods or ())
        if (method in SAFE) is safe and method not in ("HEAD", "OPTIONS")
    ]


def test_nothing_that_is_sent_anywhere_does_anything(app, looking, ada):
    ada.gets(5_000)
    before, walked = everything(app), [each for each in routes(app, safe=False) if each[1] not in ALLOWED]

    told = {
        (method, path): (answer.status_code, "looking on" in answer.text)
        for method, path in walked
        for answer in [looking.open(path, method=method, headers=HX)]
    }

    assert len(walked) > 60
    assert {each: came for each, came in told.items() if came != (403, True)} == {}
    assert everything(app) == before


ALLOWED = ("/admin/looking/stop", "/sign-out")


def test_nothing_that_is_merely_opened_does_anything(app, looking, ada):
    before = everything(app)

    told = {path: looking.get(path).status_code for _, path in routes(app, safe=True) if not path.startswith(OTHERS)}

    assert {path: status for path, status in told.items() if status >= 500} == {}
    assert len(told) > 40
    assert everything(app) == before


def test_a_one_time_link_is_not_used_up(looking):
    for address in ("/portal/abc", "/invitations/abc", "/verify-email/abc", "/reset-password/abc"):
        assert looking.get(address).status_code == 403, address


def test_it_reads_what_a_reader_of_the_customer_reads(looking, ada):
    ada.gets(1_234)

    page = looking.get("/wallet").text

    assert "$17.34" in page
    assert "You are looking on as Analytical Engines" in page
    closed = looking.get("/plan/change?plan=studio")
    assert (closed.status_code, "Ask an owner" in closed.text) == (403, False)


def test_the_banner_with_its_button_is_on_every_page(looking, ada):
    for address in ("/", "/invoices", "/pricing", "/profile", "/api-keys", "/admin/customers", "/nowhere"):
        page = looking.get(address).text
        assert "You are looking on as" in page, address
        assert 'action="/admin/looking/stop"' in page, address


def test_the_back_office_stays_readable(looking, ada):
    assert looking.get(f"/admin/customers/{ada.customer_id}").status_code == 200


def test_stopping_makes_one_oneself_again(looking, ada):
    stopped = looking.post("/admin/looking/stop")

    assert stopped.location == f"/admin/customers/{ada.customer_id}"
    assert looking.get("/wallet").status_code == 403
    assert "You are looking on" not in looking.get("/admin/customers").text
    assert looking.post("/admin/looking/stop").status_code == 303


@pytest.mark.parametrize("ended_by", ALLOWED)
def test_start_and_end_are_in_the_customers_log_under_the_name_of_staff(session, looking, support, ada, ended_by):
    looking.post(ended_by)

    lines = session.scalars(
        select(Activity).where(Activity.customer_id == ada.customer_id, Activity.action.startswith("customer.looked"))
    ).all()

    assert sorted(line.action for line in lines) == ["customer.looked_on", "customer.looked_on_ended"]
    assert {line.actor for line in lines} == {f"staff:{support.id}"}


def test_the_customer_sees_that_somebody_looked(looking, client_of, ada):
    assert "Our support looked at your account" in client_of(ada).get("/").text


def test_it_ends_by_itself_after_half_an_hour(session, looking, clock, ada):
    clock.advance(minutes=31)
    assert looking.post("/notices/read").status_code == 403  # what was typed before is not for oneself

    answer = looking.get("/wallet")

    assert answer.location == f"/admin/customers/{ada.customer_id}"
    assert looking.get("/wallet").status_code == 403
    assert session.scalar(select(func.count()).where(LoginSession.viewing_customer_id.is_not(None))) == 0


def test_without_the_role_it_is_over(session, looking, support, ada):
    from app.db import transaction
    from app.people.models import User

    with transaction(session):
        session.get(User, support.id).staff_role = None

    assert looking.get("/wallet").status_code == 303
    assert looking.get("/wallet").status_code == 403


def test_a_program_with_a_key_is_not_concerned(looking, ada):
    sent = {"Authorization": f"Bearer {ada.key()}", "Idempotency-Key": "topup-1"}

    with_cookie, without = (
        looking.post("/v1/billing/topup", json={"amount_cents": 5}, headers=sent, buffered=True) for _ in range(2)
    )

    assert with_cookie.status_code == without.status_code == 422
    assert "LOOKING_ONLY" not in with_cookie.text


def test_only_staff_look_on(client_of, ada, bo):
    assert client_of(bo).post(f"/admin/customers/{ada.customer_id}/sign-in-as").status_code == 403
