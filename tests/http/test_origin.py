"""Requests that other sites send through someone's browser change nothing."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.customers import members
from tests.support.people import Person
from tests.web.people_pages import sign_in


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What these pages ask of a database is tested on both where it is asked."""
    return sqlite_url


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "nonsense"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "https://localhost"},
    ],
)
def test_another_sites_form_is_refused(client_of, session, ada: Person, cy: Person, headers: dict[str, str]) -> None:
    answer = client_of(ada).post(f"/team/members/{cy.id}", data={"permission": "owner"}, headers=headers)

    assert answer.status_code == 403
    assert "came from another site" in answer.text
    assert members.permission_of(session, ada.customer_id, cy.id) == "read"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://localhost"}],
)
def test_our_own_form_passes(client_of, ada: Person, cy: Person, headers: dict[str, str]) -> None:
    answer = client_of(ada).post(f"/team/members/{cy.id}", data={"permission": "write"}, headers=headers)

    assert answer.status_code == 303


def test_looking_is_free(client_of, ada: Person) -> None:
    assert client_of(ada).get("/team", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


class TestWithTokens:
    @pytest.fixture
    def app(self, app: Flask) -> Flask:
        app.config["WTF_CSRF_ENABLED"] = True
        return app

    def test_a_form_without_a_token_is_refused(self, client_of, session, ada: Person, cy: Person) -> None:
        for data in ({"permission": "owner"}, {"permission": "owner", "csrf_token": "forged"}):
            answer = client_of(ada).post(f"/team/members/{cy.id}", data=data)

            assert answer.status_code == 400
            assert "older than your sign-in" in answer.text
        assert members.permission_of(session, ada.customer_id, cy.id) == "read"

    def test_a_form_of_ours_has_one_that_works(self, client, ada: Person) -> None:
        sign_in(client, ada.email, csrf_token=token_in(client.get("/sign-in").text))
        page = client.get("/team").text

        answer = client.post(
            "/team/invitations", data={"email": "new@example.com", "permission": "read", "csrf_token": token_in(page)}
        )

        assert answer.status_code == 303

    def test_the_token_of_another_session_does_not(self, app: Flask, client, ada: Person, client_of) -> None:
        theirs = token_in(app.test_client().get("/sign-in").text)

        answer = client_of(ada).post("/profile/sessions/end-others", data={"csrf_token": theirs})

        assert answer.status_code == 400


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]
