"""The team page: everyone on the team sees it, owners change it, and changes count from the next request on."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.customers import invitations, members
from tests.support.people import Person
from tests.support.web import PageClient
from tests.web.people_pages import mails

HX = {"HX-Request": "true"}


def test_a_reader_sees_the_team_and_no_buttons(client_of, ada: Person, cy: Person) -> None:
    page = client_of(cy).get("/team").text

    assert ada.email in page
    assert "/team/invitations" not in page
    assert f"/team/members/{ada.id}" not in page


def test_signed_out_people_are_sent_to_sign_in(client: PageClient, ada: Person) -> None:
    assert client.get("/team").location == "/sign-in?next=/team"
    assert client.post("/team/invitations").location == "/sign-in?next=/"


@pytest.mark.parametrize("path", ["/team/invitations", "/team/members/{cy}", "/team/members/{ada}/remove"])
def test_only_owners_change_it(client_of, session: Session, ada: Person, cy: Person, di: Person, path: str) -> None:
    address = path.format(cy=cy.id, ada=ada.id)

    for who in (cy, di):
        answer = client_of(who).post(address, data={"permission": "owner", "email": "x@example.com"})
        assert answer.status_code == 403

    assert members.permission_of(session, ada.customer_id, cy.id) == "read"
    assert invitations.open_of(session, ada.customer_id) == []


def test_an_invitation_is_mailed_and_listed(client_of, session: Session, ada: Person) -> None:
    browser = client_of(ada)

    answer = browser.post("/team/invitations", data={"email": "new@example.com", "permission": "read"})

    assert answer.status_code == 303
    assert "new@example.com" in browser.get("/team").text
    (mail,) = mails(session, "new@example.com")
    assert mail.subject == "Ada invites you to Analytical Engines"


@pytest.mark.parametrize(
    ("email", "permission", "sentence"),
    [
        ("", "read", "Enter their email address."),
        ("nonsense", "read", "Enter an email address like name@example.com."),
        ("new@example.com", "root", "Choose what this person may do."),
        ("new@example.com", "", "Choose what this person may do."),
        ("ada@example.com", "read", "This person is a member already."),
    ],
)
def test_a_mistake_is_told_beside_its_field(client_of, ada: Person, email: str, permission: str, sentence: str) -> None:
    answer = client_of(ada).post("/team/invitations", data={"email": email, "permission": permission})

    assert answer.status_code == 422
    assert sentence in answer.text


def test_a_withdrawn_invitation_is_gone(client_of, session: Session, ada: Person) -> None:
    browser = client_of(ada)
    browser.post("/team/invitations", data={"email": "new@example.com", "permission": "read"})
    (waiting,) = invitations.open_of(session, ada.customer_id)

    assert browser.post(f"/team/invitations/{waiting.id}/withdraw").status_code == 303

    session.rollback()
    assert invitations.open_of(session, ada.customer_id) == []


def test_a_role_counts_from_the_next_request(client_of, ada: Person, cy: Person) -> None:
    owner, reader = client_of(ada), client_of(cy)
    assert reader.post("/api-keys", data={"name": "worker", "permissions": "billing:read"}).status_code == 403

    owner.post(f"/team/members/{cy.id}", data={"permission": "write"})

    assert reader.post("/api-keys", data={"name": "worker", "permissions": "billing:read"}).status_code == 201

    owner.post(f"/team/members/{cy.id}/remove")

    assert reader.get("/team").status_code == 403


def test_htmx_gets_the_members_and_a_word(client_of, session: Session, ada: Person, cy: Person) -> None:
    answer = client_of(ada).post(f"/team/members/{cy.id}", data={"permission": "owner"}, headers=HX)

    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<section class="panel" id="members"')
    assert "The role is now Owner." in answer.text


def test_the_last_owner_stays_and_is_told_why(client_of, ada: Person, cy: Person) -> None:
    browser = client_of(ada)

    for path, headers in (("", {}), ("/remove", {}), ("", HX), ("/remove", HX)):
        answer = browser.post(f"/team/members/{ada.id}{path}", data={"permission": "read"}, headers=headers)
        assert answer.status_code == 422
        assert "A customer needs an owner." in answer.text


def test_a_member_may_leave(client_of, session: Session, ada: Person, cy: Person) -> None:
    assert client_of(cy).post(f"/team/members/{cy.id}/remove").location == "/"

    assert members.permission_of(session, ada.customer_id, cy.id) is None


def test_another_customers_people_do_not_exist(
    client_of, session: Session, ada: Person, cy: Person, bo: Person
) -> None:
    browser = client_of(bo)

    for path in (f"/team/members/{cy.id}", f"/team/members/{cy.id}/remove", "/team/invitations/inv_none/withdraw"):
        assert browser.post(path, data={"permission": "owner"}).status_code == 404

    assert members.permission_of(session, ada.customer_id, cy.id) == "read"


def test_one_switches_between_ones_own_customers_only(client_of, session: Session, ada: Person, bo: Person) -> None:
    browser = client_of(bo)
    assert browser.post("/customer", data={"customer_id": ada.customer_id}).status_code == 404

    client_of(ada).post("/team/invitations", data={"email": bo.email, "permission": "read"})
    browser.post(mails(session, bo.email)[0].body.split("http://localhost")[1].split()[0])
    assert "Analytical Engines" in browser.get("/team").text
    assert browser.post("/customer", data={"customer_id": bo.customer_id}).status_code == 303

    assert ada.email not in browser.get("/team").text
