"""Guards around pages: who is let in, where the others are sent, and what a browser may keep."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.customers import members
from app.db import transaction
from app.people import staff
from app.people.models import User
from tests.support.people import Person
from tests.support.web import PageClient


def test_a_session_whose_customer_is_gone_goes_on_with_another(
    client_of, session: Session, ada: Person, bo: Person
) -> None:
    with transaction(session):
        members.join(session, ada.customer_id, session.get_one(User, bo.id), "read", actor=ada.id)
    browser = client_of(Person(session, bo.id, bo.name, bo.email, ada.customer_id))
    assert ada.email in browser.get("/team").text
    with transaction(session):
        members.remove(session, ada.customer_id, bo.id, actor=ada.id)

    written = browser.post("/api-keys", data={"name": "worker", "permissions": "billing:read"})
    looked = browser.get("/team?x=1")

    assert written.status_code == 403  # nothing is done to a customer that was not on the screen
    assert (looked.status_code, looked.location) == (303, "/team?x=1")
    assert bo.email in browser.get("/team").text


def test_htmx_is_moved_to_the_other_customer_as_a_whole_page(
    client_of, session: Session, ada: Person, bo: Person
) -> None:
    browser = client_of(Person(session, bo.id, bo.name, bo.email, ada.customer_id))

    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/wallet?type=topup"}
    answer = browser.get("/wallet/balance", headers=headers)

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/wallet?type=topup")


@pytest.mark.parametrize("path", ["/", "/wallet", "/team", "/api-keys"])
def test_someone_without_a_customer_is_told(client_of, session: Session, ada: Person, cy: Person, path: str) -> None:
    browser = client_of(cy)
    with transaction(session):
        members.remove(session, ada.customer_id, cy.id, actor=ada.id)

    answer = browser.get(path)

    assert answer.status_code == 403
    assert "You do not belong to this customer." in answer.text


@pytest.mark.parametrize("role", ["support", "finance", "admin"])
def test_a_role_that_is_taken_away_is_gone_at_once(client_of, session: Session, request, role: str) -> None:
    person = request.getfixturevalue(role)
    browser = client_of(person)
    assert browser.get("/admin/customers").status_code == 200

    with transaction(session):
        staff.set_role(session, session.get_one(User, person.id), None, actor="system")

    assert browser.get("/admin/customers").location == "/sign-in?next=/admin/customers"
    assert client_of(person).get("/admin/customers").status_code == 403


def test_no_browser_keeps_a_signed_in_page(client_of, ada: Person) -> None:
    answer = client_of(ada).get("/team")

    assert "no-store" in answer.headers["Cache-Control"]
    assert {"Cookie", "HX-Request"} <= set(answer.vary)


def test_the_cookie_is_for_us_alone(client: PageClient, ada: Person) -> None:
    cookie = client.post("/sign-in", data={"email": ada.email, "password": "violet harbour tandem"})

    told = cookie.headers["Set-Cookie"]
    assert "HttpOnly" in told
    assert "SameSite=Lax" in told
    assert len(told) < 4096


def test_the_person_is_found_in_one_query(app, client_of, session: Session, ada: Person) -> None:
    from sqlalchemy import event

    from app.extensions import db

    browser, asked = client_of(ada), []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    browser.get("/profile")

    assert sum("login_session" in statement and "user_account" in statement for statement in asked) == 1
