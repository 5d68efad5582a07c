"""One's own second factor: set up, signed in with, used once, lost and turned off; and every way around it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from werkzeug.test import TestResponse

from app import clock as the_clock
from app.activity.models import Activity
from app.customers import portal_links
from app.db import transaction
from app.errors import Refusal
from app.http import second_step
from app.notices.models import Mail
from app.people import email_links, second_factor, users
from app.people.models import HalfSignIn, LoginSession, RecoveryCode, SecondFactor
from tests.support.people import PASSWORD

HERE = "/profile/second-factor"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What these pages ask of a database is tested on both where it is asked."""
    return sqlite_url


@pytest.fixture
def code(clock) -> Callable[..., str]:
    """What the app on their phone shows, `steps` of 30 seconds from now."""
    return lambda secret, steps=0: pyotp.TOTP(secret).at(the_clock.real_now() + timedelta(seconds=30 * steps))


@pytest.fixture
def phone(app, session, finance, code, clock) -> tuple[str, list[str]]:
    """Fay's app: its secret, and her recovery codes. She set it up a while ago."""
    keys = [app.config["SECRET_KEY"]]
    with transaction(session):
        user = users.by_id(session, finance.id)
        second_factor.begin(session, user, keys[0])
        secret = second_factor.unconfirmed(session, user.id, keys)
        recovery = second_factor.confirm(session, user, keys, code(secret), keep_token="")
    clock.advance(hours=1)
    return secret, recovery


def begun(browser) -> str:
    browser.post(HERE + "/begin", data={"password": PASSWORD})
    return re.search(r"type the key: <code>([A-Z2-7 ]+)</code>", browser.get(HERE).text)[1].replace(" ", "")


def first_step(client, who, password: str = PASSWORD, **more: str) -> TestResponse:
    return client.post("/sign-in", data={"email": who.email, "password": password, **more})


def test_it_is_set_up_with_a_code_and_other_browsers_are_signed_out(session, client_of, finance, code) -> None:
    browser, other = client_of(finance), client_of(finance)

    secret = begun(browser)
    shown = browser.get(HERE).text
    wrong = browser.post(HERE, data={"code": "000000"})
    done = browser.post(HERE, data={"code": code(secret)})

    assert "<path" in shown
    assert "otpauth://totp/" in shown
    assert (wrong.status_code, done.status_code) == (422, 201)
    assert len(re.findall(r"<li><code>[a-z2-9]{4}(?:-[a-z2-9]{4}){3}</code>", done.text)) == 10
    assert browser.get(HERE).status_code == 200
    assert other.get(HERE).status_code == 303
    assert session.query(Mail).filter_by(template="second_factor_on").one().recipient == finance.email


def test_setting_it_up_asks_for_the_password_however_fresh_the_session_is(session, client_of, finance) -> None:
    browser = client_of(finance)

    for password in ("", "wrong"):
        assert browser.post(HERE + "/begin", data={"password": password}).status_code == 422

    assert session.query(SecondFactor).count() == 0


def test_the_password_that_began_it_is_not_asked_for_again(client_of, finance, clock, code) -> None:
    browser = client_of(finance)
    clock.advance(minutes=16)

    secret = begun(browser)
    done = browser.post(HERE, data={"code": code(secret)})

    assert done.status_code == 201


def test_the_secret_and_the_codes_cannot_be_read_in_the_database(session, phone) -> None:
    secret, recovery = phone
    row = session.query(SecondFactor).one()
    kept = [one.code_hash for one in session.query(RecoveryCode)]

    assert secret not in row.sealed
    assert not any(one.replace("-", "") in "".join(kept) for one in recovery)
    assert (
        second_factor.sealing.unseal(
            ["another key, of thirty-two letters"], f"second factor of {row.user_id}", row.sealed
        )
        is None
    )


def test_a_password_alone_opens_nothing(session, client, finance, phone) -> None:
    answer = first_step(client, finance)

    assert (answer.status_code, answer.location) == (303, "/sign-in/code")
    assert session.query(LoginSession).count() == 0
    for path in ("/", "/admin/customers", "/profile", HERE, "/api-keys"):
        assert client.get(path).status_code == 303, path
    assert client.post(HERE + "/off", data={"code": "000000"}).location.startswith("/sign-in")


def test_password_and_code_sign_in_and_lead_where_they_wanted(client, finance, phone, code) -> None:
    asked = first_step(client, finance, next="/admin/books")
    page = client.get(asked.location).text

    done = client.post("/sign-in/code", data={"code": code(phone[0]), "next": "/admin/books"})

    assert 'name="next" value="/admin/books"' in page
    assert (done.status_code, done.location) == (303, "/admin/books")
    assert client.get("/admin/books").status_code == 200


def test_the_way_on_is_a_page_of_ours_at_both_steps(app, finance, phone, code, clock) -> None:
    for target in ("https://evil.test", "//evil.test", "/\\evil.test", "/sign-in/code"):
        client = app.test_client()
        asked = first_step(client, finance, next=target)
        done = client.post("/sign-in/code", data={"code": code(phone[0]), "next": target})
        clock.advance(minutes=15)

        assert asked.location in ("/sign-in/code", "/sign-in/code?next=/")
        assert done.location in ("/", "/admin")


def test_a_code_counts_once_and_so_does_an_older_one(app, finance, phone, code) -> None:
    one, two, three = app.test_client(), app.test_client(), app.test_client()
    for browser in (one, two, three):
        first_step(browser, finance)

    first = one.post("/sign-in/code", data={"code": code(phone[0])})
    again = two.post("/sign-in/code", data={"code": code(phone[0])})
    before = three.post("/sign-in/code", data={"code": code(phone[0], -1)})

    assert [answer.status_code for answer in (first, again, before)] == [303, 422, 422]
    assert "used already" in again.text


def test_a_clock_half_a_minute_off_is_borne(app, session, finance, phone, code, clock) -> None:
    def counts(steps: int) -> bool:
        clock.advance(minutes=5)
        try:
            with transaction(session):
                second_factor.check(session, finance.id, [app.config["SECRET_KEY"]], code(phone[0], steps))
        except second_factor.CodeRefused:
            return False
        return True

    assert [counts(steps) for steps in (-2, -1, 0, 1, 2)] == [False, True, True, True, False]


def test_a_recovery_code_signs_in_once_however_it_is_typed(session, app, finance, phone) -> None:
    _, recovery = phone
    one, two = app.test_client(), app.test_client()
    for browser in (one, two):
        first_step(browser, finance)

    first = one.post("/sign-in/code", data={"code": recovery[3].upper().replace("-", " ")})
    again = two.post("/sign-in/code", data={"code": recovery[3]})

    assert (first.status_code, again.status_code) == (303, 422)
    assert "9 left" in one.get("/admin/customers").text
    assert session.query(Activity).filter_by(action="user.recovery_code_used").count() == 1


def test_codes_are_guessed_five_times_whatever_browser_guesses(session, app, finance, phone, code, clock) -> None:
    for _ in range(5):
        browser = app.test_client()
        first_step(browser, finance)
        assert browser.post("/sign-in/code", data={"code": "000000"}).status_code == 422

    refused = browser.post("/sign-in/code", data={"code": code(phone[0])})
    clock.advance(minutes=9)
    clock.advance(minutes=6)
    first_step(browser, finance)

    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    assert session.query(Activity).filter_by(action="user.code_refused").count() == 5
    assert browser.post("/sign-in/code", data={"code": code(phone[0])}).status_code == 303


def test_the_limit_of_a_day_holds_where_the_short_one_has_ended(app, finance, phone, clock) -> None:
    refused = []
    for _ in range(9):
        clock.advance(minutes=15)
        with app.test_request_context():
            for _ in range(5):
                with pytest.raises(Refusal) as told:
                    second_step.check(finance.id, "000000", field="code")
                refused.append(told.value.code)

    assert refused == ["CODE_REFUSED"] * 40 + ["RATE_LIMITED"] * 5


def test_half_a_sign_in_ends_after_ten_minutes_and_with_a_new_password(
    session, client, finance, phone, code, clock
) -> None:
    first_step(client, finance)
    clock.advance(minutes=10)
    late = client.post("/sign-in/code", data={"code": code(phone[0])})
    first_step(client, finance)
    with transaction(session):
        token = email_links.issue(session, users.by_id(session, finance.id), "reset", finance.email)
    client.post(f"/reset-password/{token}", data={"password": "another harbour tandem"})

    after = client.post("/sign-in/code", data={"code": code(phone[0])})

    assert (late.location, after.location) == ("/sign-in", "/sign-in")
    assert session.query(HalfSignIn).count() == 0


def test_a_new_password_by_mail_does_not_go_around_it(session, client, finance, phone) -> None:
    with transaction(session):
        token = email_links.issue(session, users.by_id(session, finance.id), "reset", finance.email)

    reset = client.post(f"/reset-password/{token}", data={"password": "another harbour tandem"})
    answer = first_step(client, finance, "another harbour tandem")

    assert reset.location.startswith("/sign-in")
    assert answer.location == "/sign-in/code"
    assert client.get("/admin/customers").status_code == 303


def test_neither_a_remember_cookie_nor_the_half_token_is_a_session(app, client, finance, phone) -> None:
    first_step(client, finance)
    with client.session_transaction() as cookie:
        half = cookie["half_signed_in"]
        assert "_user_id" not in cookie
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = half, True
    thief.set_cookie("remember_token", half)

    assert thief.get("/admin/customers").status_code == 303


def test_a_link_of_the_host_product_opens_no_back_office_and_no_profile(session, app, person, code) -> None:
    eve = person("Eve", "Eve's Orchard")
    with transaction(session):
        user = users.by_id(session, eve.id)
        _, token = portal_links.issue(session, eve.customer_id, user, path="/", return_url=None, made_by="key_x")
    browser = app.test_client()
    browser.get(f"/portal/{token}")

    assert browser.get(HERE).status_code == 403
    assert browser.post(HERE + "/begin", data={"password": PASSWORD}).status_code == 403


def test_what_the_browser_carried_before_is_dropped_at_both_steps(app, client_of, ada, finance, phone, code) -> None:
    browser = client_of(ada)
    first_step(browser, finance)
    with browser.session_transaction() as cookie:
        assert "_user_id" not in cookie
        before = dict(cookie)

    browser.post("/sign-in/code", data={"code": code(phone[0])})

    with browser.session_transaction() as cookie:
        assert "half_signed_in" not in cookie
        assert cookie["_user_id"] not in before.values()


def test_moving_money_asks_for_a_code_and_not_for_the_password(
    session, client, finance, ada, phone, code, clock
) -> None:
    first_step(client, finance)
    client.post("/sign-in/code", data={"code": code(phone[0])})
    clock.advance(minutes=16)
    where, wish = (
        f"/admin/customers/{ada.customer_id}/adjust",
        {"amount": "5", "direction": "add", "reason": "Goodwill"},
    )

    page = client.post(where, data=wish)
    by_password = client.post(where, data={**wish, "proof_password": PASSWORD})
    by_code = client.post(where, data={**wish, "proof_code": code(phone[0])})

    assert 'name="proof_code"' in page.text
    assert (page.status_code, by_password.status_code, by_code.status_code) == (403, 422, 200)
    assert "Wallet after" in by_code.text


def test_it_is_turned_off_with_a_code_alone(session, client, finance, phone, code) -> None:
    first_step(client, finance)
    client.post("/sign-in/code", data={"code": code(phone[0])})

    wrong = client.post(HERE + "/off", data={"code": "000000"})
    done = client.post(HERE + "/off", data={"code": code(phone[0], 1)})

    assert (wrong.status_code, done.status_code) == (422, 303)
    assert client.get(HERE).text.count("Set it up") >= 1
    assert session.query(RecoveryCode).count() == 0
    assert session.query(Mail).filter_by(template="second_factor_off").count() == 1


def test_new_recovery_codes_take_the_place_of_the_old_ones(app, client, finance, phone, code) -> None:
    first_step(client, finance)
    client.post("/sign-in/code", data={"code": code(phone[0])})

    page = client.post(HERE + "/codes", data={"code": code(phone[0], 1)})

    fresh = re.findall(r"<li><code>([^<]+)</code>", page.text)
    assert (page.status_code, len(fresh), set(fresh) & set(phone[1])) == (201, 10, set())
    other = app.test_client()
    first_step(other, finance)
    assert other.post("/sign-in/code", data={"code": phone[1][0]}).status_code == 422
    assert other.post("/sign-in/code", data={"code": fresh[0]}).status_code == 303


def test_codes_outlive_a_change_of_the_secret_key_and_are_sealed_anew(session, finance, phone, code) -> None:
    old = "a-secret-of-the-tests-and-nothing-else"

    with transaction(session):
        second_factor.check(session, finance.id, ["the-new-secret-key-of-the-tests-here", old], code(phone[0]))
    with transaction(session):
        second_factor.check(session, finance.id, ["the-new-secret-key-of-the-tests-here"], code(phone[0], 1))


class TestWhereStaffNeedIt:
    """PURSER_STAFF_TOTP=required, as in production."""

    @pytest.fixture
    def settings(self, settings):
        return replace(settings, staff_totp="required")

    def test_staff_are_led_to_setting_it_up_and_to_nothing_else(self, client_of, finance, ada, code) -> None:
        browser = client_of(finance)

        led = [browser.get(path).location for path in ("/admin", "/admin/customers", "/admin/adjustments.csv")]
        done = browser.post(f"/admin/customers/{ada.customer_id}/adjust", data={"amount": "5"})
        hx = browser.get("/admin/customers", headers={"HX-Request": "true"})

        assert {*led, done.location} == {HERE}
        assert hx.headers["HX-Redirect"] == HERE
        assert "The back office asks for it" in browser.get(HERE).text
        browser.post(HERE, data={"code": code(begun(browser))})
        assert browser.get("/admin/customers").status_code == 200

    def test_customers_are_not_asked_for_it(self, client_of, ada) -> None:
        assert client_of(ada).get("/wallet").status_code == 200


@pytest.mark.parametrize(
    ("env", "chosen", "needed"), [("production", "", True), ("production", "optional", False), ("demo", "", False)]
)
def test_production_needs_it_unless_told_otherwise(settings, env: str, chosen: str, *, needed: bool) -> None:
    assert replace(settings, env=env, staff_totp=chosen).staff_needs_code is needed


def test_who_signed_up_with_anothers_address_leaves_no_phone_behind(session, app, finance, phone) -> None:
    with transaction(session):
        user = users.by_id(session, finance.id)
        user.email_verified_at = None
        token = email_links.issue(session, user, "reset", finance.email)
    owner = app.test_client()

    owner.post(f"/reset-password/{token}", data={"password": "another harbour tandem"})

    assert first_step(owner, finance, "another harbour tandem").location != "/sign-in/code"
