"""Staff, for admins: letting people in, changing roles, taking them out, lost phones; and that an admin is left."""

from __future__ import annotations

import csv
import io

import pytest

from app import clock as the_clock
from app.activity.models import Activity
from app.customers import api_keys
from app.db import transaction
from app.notices.models import Mail
from app.people import second_factor, staff, users
from app.people.models import SecondFactor
from tests.support.people import PASSWORD
from tests.web.test_wallet import queries

LIST = "/admin/staff"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What these pages ask of a database is tested on both where it is asked."""
    return sqlite_url


def role_of(session, who) -> str | None:
    session.rollback()
    session.expire_all()
    return users.by_id(session, who.id).staff_role


def has_a_phone(session, who) -> None:
    now = the_clock.now()
    with transaction(session):
        session.add(SecondFactor(user_id=who.id, sealed="", created_at=now, confirmed_at=now, last_step=0))


def test_the_list_says_who_as_what_with_which_factor_and_since_when(session, as_admin, finance, support) -> None:
    has_a_phone(session, finance)

    page = as_admin.get(LIST).text
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(as_admin.get(LIST + ".csv").text))}

    for words in ("Ann, you", "Fay", "Sam", "Never", "<time"):
        assert words in page, words
    assert (rows["Fay"]["role"], bool(rows["Fay"]["second_factor_since"])) == ("finance", True)
    assert (rows["Sam"]["last_signed_in"], rows["Ann"]["last_signed_in"][:10]) == ("", "2026-03-14")
    assert "Sam" not in as_admin.get(f"{LIST}?role=finance").text
    assert as_admin.get(f"{LIST}?role=king").status_code == 422


def test_the_list_stays_within_its_queries(app, session, as_admin, finance, support) -> None:
    has_a_phone(session, finance)

    assert queries(app, as_admin, LIST) <= 5
    assert queries(app, as_admin, "/admin/settings") <= 5


def test_somebody_new_is_let_in_and_mailed_the_way(session, as_admin, client) -> None:
    typed = {"name": "Ola", "email": "ola@example.com", "role": "finance"}

    done = as_admin.post(LIST, data=typed)
    again = as_admin.post(LIST, data=typed)

    assert (done.status_code, again.status_code) == (303, 422)
    assert "staff already" in again.text
    assert 'value="ola@example.com"' in again.text
    mail = session.query(Mail).filter_by(template="staff_invited").one()
    path = mail.body.partition("http://localhost")[2].split()[0]
    client.post(path, data={"password": PASSWORD})
    signed_in = client.post("/sign-in", data={"email": "ola@example.com", "password": PASSWORD})
    assert signed_in.location == "/admin"
    line = session.query(Activity).filter_by(action="user.staff_role_changed").order_by(Activity.id.desc()).first()
    assert (line.actor.startswith("staff:usr_"), line.details["after"]) == (True, "finance")


def test_a_user_who_is_there_keeps_the_password_and_a_stranger_does_not(session, as_admin, ada, bo) -> None:
    with transaction(session):
        users.by_id(session, bo.id).email_verified_at = None

    for who in (ada, bo):
        as_admin.post(LIST, data={"name": who.name, "email": who.email, "role": "support"})

    assert [role_of(session, who) for who in (ada, bo)] == ["support", "support"]
    assert users.by_id(session, ada.id).password_hash is not None
    assert users.by_id(session, bo.id).password_hash is None


def test_a_changed_role_signs_out_at_once_and_stops_the_keys_they_made(session, as_admin, finance, client_of) -> None:
    browser = client_of(finance)
    with transaction(session):
        _, key = api_keys.create_staff_key(session, name="Reports", role="finance", made_by=finance.id)

    changed = as_admin.post(f"{LIST}/{finance.id}/role", data={"role": "support"})

    assert (changed.status_code, role_of(session, finance)) == (303, "support")
    assert browser.get("/admin/customers").location.startswith("/sign-in")
    assert api_keys.caller(session, key) is None


def test_who_leaves_is_out_at_once(session, as_admin, finance, client_of) -> None:
    browser = client_of(finance)

    gone = as_admin.post(f"{LIST}/{finance.id}/end")

    assert (gone.status_code, role_of(session, finance)) == (303, None)
    assert browser.get("/admin/customers").location.startswith("/sign-in")
    assert client_of(finance).get("/admin/customers").status_code == 403
    assert as_admin.post(f"{LIST}/{finance.id}/end").status_code == 404


def test_the_last_admin_stays(session, as_admin, admin, finance) -> None:
    demoted = as_admin.post(f"{LIST}/{admin.id}/role", data={"role": "finance"})
    ended = as_admin.post(f"{LIST}/{admin.id}/end")
    with transaction(session):
        staff.disable(session, users.by_id(session, finance.id), actor="cli")
        users.by_id(session, finance.id).staff_role = "admin"
    still = as_admin.post(f"{LIST}/{admin.id}/end")

    assert [answer.status_code for answer in (demoted, ended, still)] == [409, 409, 409]
    assert "last admin" in demoted.text
    assert role_of(session, admin) == "admin"


def test_an_admin_may_go_when_another_stays(session, as_admin, admin, finance) -> None:
    as_admin.post(f"{LIST}/{finance.id}/role", data={"role": "admin"})

    as_admin.post(f"{LIST}/{admin.id}/role", data={"role": "support"})

    assert (role_of(session, admin), role_of(session, finance)) == ("support", "admin")
    assert as_admin.get(LIST).status_code == 303


def test_a_lost_phone_is_reset_by_another_admin_and_never_ones_own(
    session, as_admin, admin, finance, client_of
) -> None:
    browser = client_of(finance)
    for who in (admin, finance):
        has_a_phone(session, who)

    own = as_admin.post(f"{LIST}/{admin.id}/reset-second-factor")
    other = as_admin.post(f"{LIST}/{finance.id}/reset-second-factor")

    session.rollback()
    assert (own.status_code, other.status_code) == (403, 303)
    assert second_factor.since(session, [admin.id, finance.id]).keys() == {admin.id}
    assert browser.get("/admin/customers").status_code == 303
    assert "by an administrator" in session.query(Mail).filter_by(template="second_factor_off").one().body
    line = session.query(Activity).filter_by(action="user.second_factor_off").one()
    assert (line.actor, line.subject) == (f"staff:{admin.id}", finance.id)


def test_each_asks_again_who_it_is(as_admin, finance, clock) -> None:
    clock.advance(minutes=16)

    for path in ("", f"/{finance.id}/role", f"/{finance.id}/end", f"/{finance.id}/reset-second-factor"):
        page = as_admin.post(LIST + path, data={"role": "admin"})
        assert (page.status_code, "Confirm it is you" in page.text) == (403, True), path
