"""Proving again who one is: asked when the last proof is old, nothing typed is lost, and it is done once."""

from __future__ import annotations

import re
from html import unescape

import pytest
from werkzeug.test import TestResponse

from app import ids
from app.customers import api_keys, portal_links
from app.db import transaction
from app.people import sessions, users
from app.people.models import LoginSession
from tests.support.people import PASSWORD

HX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/admin/customers?q=ada"}
CENT = 10_000


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What these pages ask of a database is tested on both where it is asked."""
    return sqlite_url


@pytest.fixture
def as_finance(client_of, finance):
    return client_of(finance)


@pytest.fixture
def as_stale(as_finance, clock):
    """Finance, who signed in sixteen minutes ago."""
    clock.advance(minutes=16)
    return as_finance


def address(who) -> str:
    return f"/admin/customers/{who.customer_id}/adjust"


def form(**typed: str) -> dict[str, str]:
    key = ids.new("frm")
    reason = 'Goodwill, "slow" <renders>'
    return {"direction": "add", "amount": "5.00", "reason": reason, "form_key": key, "confirmed": "500", **typed}


def carried(page: TestResponse) -> dict[str, str]:
    """What the form of the asking page would send."""
    inputs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    return {name: unescape(value) for name, value in inputs if name != "csrf_token"}


def test_after_a_while_it_asks_keeps_what_was_typed_and_does_nothing(as_stale, ada) -> None:
    sent = form()

    page = as_stale.post(address(ada), data=sent)

    assert page.status_code == 403
    assert "Confirm it is you" in page.text
    assert carried(page) == sent
    assert f'action="{address(ada)}"' in page.text
    assert ada.balance() == 500 * CENT


def test_with_the_password_it_is_carried_out_once_under_its_own_key(as_stale, ada) -> None:
    asked = carried(as_stale.post(address(ada), data=form()))

    done = as_stale.post(address(ada), data={**asked, "proof_password": PASSWORD})
    again = as_stale.post(address(ada), data=asked)

    assert (done.status_code, again.status_code) == (303, 303)
    assert ada.balance() == 1_000 * CENT


def test_a_wrong_password_changes_nothing_and_loses_nothing(as_stale, ada) -> None:
    asked = carried(as_stale.post(address(ada), data=form()))

    page = as_stale.post(address(ada), data={**asked, "proof_password": "wrong"})

    assert page.status_code == 422
    assert 'id="proof_password-e"' in page.text
    assert carried(page) == asked
    assert "wrong" not in page.text
    assert ada.balance() == 500 * CENT


def test_wrong_passwords_are_counted_and_what_was_typed_stays(as_stale, ada) -> None:
    sent = {**form(), "proof_password": "wrong"}
    for _ in range(10):
        assert as_stale.post(address(ada), data=sent).status_code == 422

    page = as_stale.post(address(ada), data={**sent, "proof_password": PASSWORD})

    assert page.status_code == 429
    assert page.headers["Retry-After"]
    assert carried(page)["form_key"] == sent["form_key"]
    assert ada.balance() == 500 * CENT


def test_with_htmx_the_asking_page_takes_the_place_of_the_whole_page(as_stale, ada) -> None:
    page = as_stale.post(address(ada), data=form(), headers=HX)

    assert page.status_code == 200
    assert (page.headers["HX-Retarget"], page.headers["HX-Reswap"]) == ("body", "innerHTML")
    assert "hx-post" not in page.text.partition('id="proof"')[2].partition("</form>")[0]
    assert 'href="/admin/customers?q=ada"' in page.text
    assert ada.balance() == 500 * CENT


def test_the_way_back_is_a_page_of_ours(as_stale, ada) -> None:
    for seen in ("https://evil.test/x", "http://localhost//evil.test", "http://[", ""):
        page = as_stale.post(address(ada), data=form(), headers={"Referer": seen})

        assert "evil" not in page.text, seen
        assert '<a class="btn" href="/">Leave it</a>' in page.text, seen


def test_a_proof_lasts_fifteen_minutes_and_is_for_this_browser_alone(as_stale, client_of, finance, ada, clock) -> None:
    other = client_of(finance)
    clock.advance(minutes=16)
    as_stale.post(address(ada), data={**form(), "proof_password": PASSWORD})

    clock.advance(minutes=15)
    mine, theirs = as_stale.post(address(ada), data=form()), other.post(address(ada), data=form())
    clock.advance(seconds=1)

    assert (mine.status_code, theirs.status_code) == (303, 403)
    assert as_stale.post(address(ada), data=form()).status_code == 403


def test_a_copied_cookie_is_dead_once_its_owner_proved_who_they_are(app, as_stale, ada) -> None:
    with as_stale.session_transaction() as cookie:
        token = cookie["_user_id"]
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie["_user_id"] = token

    as_stale.post(address(ada), data={**form(), "proof_password": PASSWORD})

    assert thief.get("/admin/customers").status_code == 303
    assert as_stale.get("/admin/customers").status_code == 200


def test_who_may_not_is_not_asked(client_of, support, ada, clock) -> None:
    browser = client_of(support)
    clock.advance(minutes=16)

    page = browser.post(address(ada), data={**form(), "proof_password": PASSWORD})

    assert page.status_code == 403
    assert "Confirm it is you" not in page.text
    assert ada.balance() == 500 * CENT


def test_every_action_of_staff_that_moves_money_asks_before_it_looks(as_stale, ada) -> None:
    there = f"/admin/customers/{ada.customer_id}"
    others = ("/admin/refunds/ref_none/approve", "/admin/refunds/new?order=ord_none", "/admin/disputes/dsp_none/thaw")
    for path in (there + "/adjust-credits", *others):
        page = as_stale.post(path, data={"reason": "Goodwill"})

        assert "Confirm it is you" in page.text, path
        assert f'action="{path}"' in page.text, path


def test_an_api_key_is_made_after_the_proof_and_shown(session, client_of, ada, clock) -> None:
    browser = client_of(ada)
    clock.advance(minutes=16)
    wanted = {"name": "Worker", "environment": "test", "permissions": ["billing:read", "billing:write"]}

    asked = browser.post("/api-keys", data=wanted)
    made = browser.post("/api-keys", data={**wanted, "proof_password": PASSWORD})

    assert (asked.status_code, made.status_code) == (403, 201)
    assert asked.text.count('name="permissions"') == 2
    assert "pur_test_" in made.text
    [(key, _)] = api_keys.of_customer(session, ada.customer_id)
    assert key.permissions == ["billing:read", "billing:write"]


def test_a_session_the_host_product_opened_makes_no_key_whatever_it_sends(session, app, ada) -> None:
    with transaction(session):
        user = users.by_id(session, ada.id)
        _, token = portal_links.issue(
            session, ada.customer_id, user, path="/api-keys", return_url=None, made_by="key_x"
        )
    browser = app.test_client()
    browser.get(f"/portal/{token}")

    page = browser.get("/api-keys")
    refused = browser.post("/api-keys", data={"name": "Worker", "permissions": "billing:read", "environment": "test"})
    proved = browser.post("/api-keys", data={"name": "Worker", "proof_password": PASSWORD})

    assert page.status_code == 200
    assert "sign in with your own password" in page.text
    assert 'name="environment"' not in page.text
    assert (refused.status_code, proved.status_code) == (403, 403)
    assert "own sign in required" in refused.text
    assert api_keys.of_customer(session, ada.customer_id) == []


def test_a_sign_in_counts_as_proof_and_a_session_of_before_does_not(session, client_of, finance, ada) -> None:
    old, new = client_of(finance), client_of(finance)
    with old.session_transaction() as cookie:
        token = cookie["_user_id"]
    with transaction(session):  # as the migration leaves the sessions it meets
        session.query(LoginSession).filter_by(token_hash=sessions.tokens.hashed(token)).update({"proved_at": None})

    assert new.post(address(ada), data=form()).status_code == 303
    assert old.post(address(ada), data=form()).status_code == 403


def test_the_form_of_the_asking_page_needs_a_token_of_ours_too(own_app, session, finance, ada, clock) -> None:
    own_app.config["WTF_CSRF_ENABLED"] = True
    with transaction(session):
        token = sessions.begin(session, users.by_id(session, finance.id))
    browser = own_app.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = token
    clock.advance(minutes=16)

    answer = browser.post(address(ada), data={**form(), "proof_password": PASSWORD})

    assert answer.status_code == 400
    assert ada.balance() == 500 * CENT
