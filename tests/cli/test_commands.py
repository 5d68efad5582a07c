"""The commands that do one thing and end: what they make, how they refuse, and that each speaks JSON."""

from __future__ import annotations

import pytest

from app import clock as the_clock
from app import ledger
from app.cli import purser as the_group
from app.customers import api_keys
from app.customers.models import Customer
from app.db import transaction
from app.notices.models import Mail
from app.outgoing.models import WebhookEndpoint
from app.people import email_links, users
from app.people.models import SecondFactor
from tests.support.plans import offer

SECRET = "a-long-enough-secret-key-for-production-use"


def test_every_command_takes_json():
    def commands(group):
        for each in group.commands.values():
            yield from commands(each) if hasattr(each, "commands") else [each]

    without = [each.name for each in commands(the_group) if not any("--json" in option.opts for option in each.params)]

    assert without == []


def test_a_customer_is_made_and_its_id_printed(purser, session):
    said = purser("customers", "create", "--name", "Analytical Engines", "--email", "ada@example.com")

    made = session.get(Customer, said.out.strip())
    assert said.code == 0
    assert made.name == "Analytical Engines"
    assert ledger.balance(session, ledger.Account(made.id, "wallet", "usd")).balance == 0


def test_a_customer_is_made_in_json(purser):
    said = purser("customers", "create", "--name", "A", "--email", "a@example.com", "--external-id", "ext-1", "--json")

    assert said.json["id"].startswith("cus_")
    assert said.json["external_id"] == "ext-1"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("customers", "create", "--name", "A", "--email", "nonsense"), 1, "email"),
        (("customers", "create", "--name", "", "--email", "a@example.com"), 1, "name"),
        (("customers", "create", "--name", "A"), 2, "--email"),
        (("nonsense",), 2, "nonsense"),
        (("keys", "create"), 2, "whose"),
        (("keys", "create", "--service", "--role", "admin"), 2, "--role"),
        (("keys", "create", "--customer", "cus_nobody"), 1, "cus_nobody"),
        (("keys", "create", "--staff", "--role", "king"), 1, "support"),
        (("keys", "create", "--service", "--scopes", "everything"), 1, "billing:read"),
        (("staff", "create", "--email", "a@example.com", "--role", "king"), 2, "king"),
        (("staff", "create", "--email", "nonsense", "--role", "admin"), 1, "email"),
        (("staff", "remove", "--email", "nobody@example.com"), 1, "staff"),
        (("staff", "reset-totp", "--email", "nobody@example.com"), 1, "staff"),
        (("users", "disable", "--email", "nobody@example.com"), 1, "nobody"),
        (("users", "enable", "--email", "nobody@example.com"), 1, "nobody"),
        (("wallet", "adjust", "--customer", "cus_nobody", "--amount", "1.00", "--reason", "Because"), 1, "cus_nobody"),
        (("clock", "advance", "31d"), 2, "demo"),
        (("seed", "--catalogue", "nonsense"), 2, "nonsense"),
        (("serve", "--port", "0"), 2, "port"),
        (("webhooks", "open", "--url", "http://10.0.0.1/"), 1, "https"),
        (("webhooks", "open", "--url", "https://example.com/", "--types", "nonsense"), 1, "invoice.paid"),
    ],
)
def test_a_fault_is_one_sentence_and_an_exit_code(purser, words, code, sentence):
    said, in_json = purser(*words), purser(*words, "--json")

    assert (said.code, said.out) == (code, "")
    assert sentence.lower() in said.err.lower()
    assert len(said.err.strip().splitlines()) == 1
    assert in_json.code == code
    assert sentence.lower() in in_json.json["error"]["message"].lower()


def test_a_customers_key_works_and_is_printed_once(purser, session, ada):
    said = purser("keys", "create", "--customer", ada.customer_id, "--permissions", "billing:read,billing:write")

    session.rollback()  # end an older read, so that what the command committed is seen
    caller = api_keys.caller(session, said.out.strip())
    assert caller.customer_id == ada.customer_id
    assert caller.permissions == {"billing:read", "billing:write"}


def test_a_service_key_and_a_staff_key(purser, session):
    service = purser("keys", "create", "--service", "--json").json
    staff = purser("keys", "create", "--staff", "--role", "finance", "--json").json

    assert api_keys.caller(session, service["key"]).kind == "service"
    assert api_keys.caller(session, staff["key"]).permissions == {"finance"}


def test_a_webhook_endpoint_is_opened_and_its_secret_printed(purser, session):
    said = purser("webhooks", "open", "--url", "https://example.com/hooks", "--types", "invoice.paid, wallet.low")

    session.rollback()
    endpoint = session.query(WebhookEndpoint).one()
    assert said.out.strip() == endpoint.secret
    assert (endpoint.url, endpoint.types) == ("https://example.com/hooks", ["invoice.paid", "wallet.low"])


def test_staff_get_a_link_instead_of_a_password(purser, session):
    said = purser("staff", "create", "--email", "ola@example.com", "--role", "admin", "--json").json

    token = said["set_password_url"].rpartition("/")[2]
    user = users.by_email(session, "ola@example.com")
    assert (user.staff_role, user.password_hash) == ("admin", None)
    assert email_links.works(session, token, "reset")


def test_a_user_who_is_there_already_becomes_staff(purser, session, ada):
    said = purser("staff", "create", "--email", ada.email, "--role", "support")

    session.rollback()
    assert said.code == 0
    assert users.by_email(session, ada.email).staff_role == "support"


@pytest.mark.parametrize("is_theirs", [False, True])
def test_who_signed_up_with_a_future_colleagues_address_is_not_staff(purser, session, ada, client_of, is_theirs):
    browser = client_of(ada)
    with transaction(session):
        user = users.by_email(session, ada.email)
        user.email_verified_at = the_clock.now() if is_theirs else None
        before = user.password_hash

    purser("staff", "create", "--email", ada.email, "--role", "admin")

    session.rollback()
    session.refresh(user)
    assert user.password_hash == (before if is_theirs else None)
    assert browser.get("/admin/customers").status_code in (302, 303)


def test_staff_who_leave_lose_the_role_their_sessions_and_their_staff_keys(purser, session, admin, client_of):
    # given somebody in the back office, with a key for its programs
    browser = client_of(admin)
    with transaction(session):
        _, key = api_keys.create_staff_key(session, name="Reports", role="finance", made_by=admin.id)

    # when they leave
    said = purser("staff", "remove", "--email", admin.email, "--json")

    # then nothing of theirs opens the back office
    session.rollback()
    session.expire_all()
    assert said.json == {"id": admin.id, "email": admin.email, "role": None, "keys_revoked": 1}
    assert users.by_email(session, admin.email).staff_role is None
    assert api_keys.caller(session, key) is None
    assert browser.get("/admin/customers").status_code in (302, 303)


def test_a_lost_phone_is_taken_off_its_account(purser, session, admin, client_of):
    browser, now = client_of(admin), the_clock.now()
    with transaction(session):
        session.add(SecondFactor(user_id=admin.id, sealed="", created_at=now, confirmed_at=now, last_step=0))

    said = purser("staff", "reset-totp", "--email", admin.email)
    again = purser("staff", "reset-totp", "--email", admin.email)

    session.rollback()
    assert (said.code, again.code) == (0, 1)
    assert session.query(SecondFactor).count() == 0
    assert browser.get("/admin/customers").status_code == 303
    assert session.query(Mail).filter_by(template="second_factor_off").one().recipient == admin.email


def test_a_person_is_switched_off_and_on_again(purser, session, ada, client_of):
    # given Ada, signed in, with a key
    browser, key = client_of(ada), ada.key()

    # when she is switched off
    said = purser("users", "disable", "--email", ada.email, "--json")

    # then neither her browser nor her key gets in, and switching her on brings back neither
    session.rollback()
    assert said.json == {"id": ada.id, "email": ada.email, "disabled": True, "keys_revoked": 1}
    assert browser.get("/wallet").status_code in (302, 303)
    assert purser("users", "enable", "--email", ada.email, "--json").json["disabled"] is False
    session.rollback()
    session.expire_all()
    assert users.by_email(session, ada.email).disabled_at is None
    assert api_keys.caller(session, key) is None
    assert browser.get("/wallet").status_code in (302, 303)


def test_a_wallet_is_adjusted_once_per_key(purser, ada):
    words = (
        "wallet",
        "adjust",
        "--customer",
        ada.customer_id,
        "--amount",
        "10.00",
        "--reason",
        "Goodwill",
        "--key",
        "k1",
    )

    first, again = purser(*words, "--json").json, purser(*words, "--json").json

    assert first["balance_micros"] == again["balance_micros"] == 15_000_000
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert ada.balance() == 15_000_000


@pytest.mark.parametrize("amount", ["1e3", "NaN", "--5", "0", "0.001", "", "5,0", "-"])
def test_what_is_no_amount_is_refused(purser, ada, amount):
    said = purser("wallet", "adjust", "--customer", ada.customer_id, "--amount", amount, "--reason", "Goodwill")

    assert said.code in (1, 2)
    assert ada.balance() == 5_000_000


def test_taking_never_goes_below_zero(purser, ada):
    taken = purser("wallet", "adjust", "--customer", ada.customer_id, "--amount", "-2.00", "--reason", "Correction")
    too_much = purser("wallet", "adjust", "--customer", ada.customer_id, "--amount", "-3.01", "--reason", "Correction")

    assert (taken.code, too_much.code) == (0, 1)
    assert ada.balance() == 3_000_000


def test_an_audit_log_that_holds_says_its_head_which_can_be_held_against_it_later(purser, ada):
    said = purser("audit", "verify", "--json").json
    assert said["ok"]
    assert said["sealed"] > 0

    later = purser("audit", "verify", "--head", said["head"])
    other = purser("audit", "verify", "--head", "1:" + "0" * 64)

    assert (later.code, other.code) == (0, 1)
    assert said["head"] in later.out
    assert "Seal 1 does not have the hash that was kept" in other.out
    assert purser("audit", "verify", "--head", "nonsense").code == 2


def test_right_books_are_said_to_be_right(purser, ada):
    assert purser("books", "audit").code == 0
    assert purser("books", "audit", "--json").json == {"ok": True, "faults": []}


def test_migrating_again_changes_nothing(purser):
    first, again = purser("migrate", "--json").json, purser("migrate", "--json").json

    assert first == again
    assert first["revision"]


def test_a_database_without_tables_is_told_so(purser, tmp_path):
    said = purser("books", "audit", PURSER_DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}")

    assert said.code == 2
    assert "purser migrate" in said.err


def test_the_demos_clock_moves_forward(purser, tmp_path):
    file = str(tmp_path / "clock")

    purser("clock", "advance", "2h", PURSER_CLOCK_FILE=file)
    purser("clock", "advance", "31d", PURSER_CLOCK_FILE=file)

    assert (tmp_path / "clock").read_text() == str(31 * 86400 + 7200)
    assert purser("clock", "show", "--json", PURSER_CLOCK_FILE=file).json["now"].endswith("Z")


@pytest.mark.parametrize("step", ["", "31", "d", "-1d", "1y", "99999w", "0d", "1.5d"])
def test_a_step_the_clock_cannot_take_is_refused(purser, tmp_path, step):
    said = purser("clock", "advance", "--", step, PURSER_CLOCK_FILE=str(tmp_path / "clock"))

    assert said.code == 2
    assert not (tmp_path / "clock").exists()


def test_the_worker_does_once_what_is_due(purser, ada):
    assert {"events", "mail", "sweep"} <= purser("work", "--once", "--json").json.keys()


def test_doctor_says_what_is_missing(purser):
    said = purser("doctor", "--json")

    sentences = [check["sentence"] for check in said.json["checks"]]
    assert said.code == 1
    assert any("STRIPE_SECRET_KEY" in sentence for sentence in sentences)
    assert any("The database answers" in sentence for sentence in sentences)


@pytest.mark.parametrize("command", [("serve",), ("work",), ("work", "--once")])
@pytest.mark.parametrize("secret", ["", "dev", "changeme", "secret", "x" * 31])
def test_production_refuses_a_missing_or_default_secret_and_says_which(purser, command, secret):
    said = purser(*command, PURSER_ENV="production", PURSER_SECRET_KEY=secret)

    assert said.code == 2
    assert said.err == "PURSER_SECRET_KEY is missing, a default or shorter than 32 characters.\n"


def test_production_names_every_setting_at_fault(purser):
    said = purser(
        "serve",
        PURSER_ENV="production",
        STRIPE_SECRET_KEY="sk_live_1",
        STRIPE_API_BASE="http://127.0.0.1:9",
        PURSER_CLOCK_FILE="clock",
    )

    for name in ("PURSER_SECRET_KEY", "STRIPE_API_BASE", "STRIPE_WEBHOOK_SECRET", "PURSER_CLOCK_FILE"):
        assert name in said.err, name


def test_production_takes_no_seed_and_no_moved_clock(purser):
    seed = purser("seed", PURSER_ENV="production", PURSER_SECRET_KEY=SECRET)
    clock = purser("clock", "advance", "1d", PURSER_ENV="production", PURSER_SECRET_KEY=SECRET)

    assert (seed.code, clock.code) == (2, 2)
    assert "not in production" in seed.err


def test_a_live_key_needs_a_plan_with_production_access(purser, session, ada):
    offer(session, "agent")

    refused = purser("keys", "create", "--customer", ada.customer_id, "--json")
    made = purser("keys", "create", "--customer", ada.customer_id, "--environment", "test")

    assert refused.code == 1
    assert refused.json["error"]["details"]["upgrade"] == "STARTER"
    assert made.out.startswith("pur_test_")
