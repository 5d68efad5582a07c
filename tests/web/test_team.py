"""The team page: everyone on the team sees it, owners change it, and changes count from the next request on."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.customers import invitations, members
from app.db import transaction
from app.entitlements import team as seats
from app.errors import LimitReached
from tests.support.people import Person
from tests.support.plans import offer, put_on
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


class TestAPlanWithSeats:
    """Of the catalogue `oper`: one member on free, five on developer. Invitations count."""

    @pytest.fixture(autouse=True)
    def _plans(self, session: Session) -> None:
        offer(session, "oper")

    def test_a_full_team_says_so_and_refuses_with_the_way_on(self, client_of, session: Session, ada: Person) -> None:
        browser = client_of(ada)

        page = browser.get("/team").text
        answer = browser.post("/team/invitations", data={"email": "new@example.com", "permission": "read"})

        assert "1 of 1 member on Free. Invitations count." in page
        assert "The team is full" in page
        assert "Send invitation" not in page
        assert answer.status_code == 403
        assert '<h1 id="h">Free includes 1 team member</h1>' in answer.text
        assert "1 is in use. Move to Developer for up to 5 team members." in answer.text
        assert "Developer costs $29.00 a month, before tax." in answer.text
        assert 'href="/plan/change?plan=developer"' in answer.text
        assert invitations.open_of(session, ada.customer_id) == []
        assert mails(session, "new@example.com") == []

    def test_a_larger_plan_has_seats_and_open_invitations_take_them(self, client_of, session: Session, ada: Person):
        put_on(ada, "developer")
        browser = client_of(ada)

        answers = [
            browser.post("/team/invitations", data={"email": f"n{number}@example.com", "permission": "read"})
            for number in (1, 2, 3, 4, 4, 5)
        ]

        assert [answer.status_code for answer in answers] == [303, 303, 303, 303, 303, 403]  # the second one replaces
        assert "5 of 5 members on Developer." in browser.get("/team").text

    def test_who_cannot_change_the_plan_is_told_whom_to_ask(self, client_of, ada: Person) -> None:
        ada.hires("Eve", "owner")
        cy = ada.hires("Cy", "read")

        page = client_of(cy).get("/team").text

        assert "3 of 1 member on Free." in page
        assert "Remove someone, or move to Developer" in page

    def test_a_team_without_a_limit_counts_its_people(self, client_of, session: Session, ada: Person) -> None:
        offer(session, "agent")

        assert "1 member." in client_of(ada).get("/team").text


class TestTheLastSeatOnBothDatabases:
    @pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
    def database_url(self, request: pytest.FixtureRequest) -> str:
        return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "pg_url")

    def test_of_four_who_invite_at_once_one_gets_it(self, session: Session, engine: Engine, ada: Person) -> None:
        offer(session, "oper")
        put_on(ada, "developer")
        for name in ("Cy", "Di", "Eve"):
            ada.hires(name, "read")
        gate, came_to = Barrier(4), [""] * 4

        def invite(place: int) -> None:
            with Session(engine) as own:
                gate.wait(timeout=30)
                try:
                    with transaction(own):
                        seats.invite(own, ada.customer_id, f"n{place}@example.com", "read", actor=ada.id)
                    came_to[place] = "invited"
                except LimitReached:
                    came_to[place] = "full"

        threads = [Thread(target=invite, args=(place,)) for place in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)

        assert sorted(came_to) == ["full"] * 3 + ["invited"]
