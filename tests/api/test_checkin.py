"""`POST /checkin` and its rules at `/admin/checkin/config`."""

from __future__ import annotations

import pytest

from app.catalogue import check_in as rules
from app.catalogue import file, publish, shipped
from app.db import transaction

CONFIG = {"enabled": True, "daily_credits": 10, "bonuses": [{"every": 7, "credits": 30}], "who": "everyone"}


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def put(app, staff):
    def send(body):
        headers = {"Authorization": f"Bearer {staff.secret}"}
        return app.test_client().put("/admin/checkin/config", json=body, headers=headers)

    return send


def test_a_check_in_answers_what_it_gave_and_when_the_next_is(adas, put):
    put(CONFIG)

    answer = adas.post("/checkin")

    assert answer.get_json() == {
        "success": True,
        "data": {
            "date": "2026-03-14",
            "time_zone": "UTC",
            "credits": 10,
            "bonus": 0,
            "streak": 1,
            "balance": 10,
            "next_at": "2026-03-15T00:00:00Z",
        },
    }


def test_a_second_one_is_409_with_the_time_of_the_next(adas, put):
    put(CONFIG)
    adas.post("/checkin")

    again = adas.post("/checkin")

    assert again.status_code == 409
    error = again.get_json()["error"]
    assert (again.get_json()["success"], error["code"]) == (False, "ALREADY_CHECKED_IN")
    assert error["details"]["next_at"] == "2026-03-15T00:00:00Z"


def test_the_same_key_gets_the_first_answer_again(adas, put):
    put(CONFIG)
    first, again = adas.post("/checkin", key="today"), adas.post("/checkin", key="today")

    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert again.headers["Idempotent-Replayed"] == "true"


def test_off_and_not_allowed_are_told_apart(adas, put):
    off = adas.post("/checkin")
    put(CONFIG | {"who": "paid_plan"})
    refused = adas.post("/checkin")

    assert (off.status_code, off.get_json()["error"]["code"]) == (409, "CHECK_IN_OFF")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (403, "CHECK_IN_NOT_ALLOWED")


def test_the_host_checks_in_for_a_customer_and_a_reader_does_not(app, host, ada, put, program):
    put(CONFIG)

    assert program(ada.key("billing:read")).post("/checkin").status_code == 403
    assert host.post("/checkin").status_code == 200


def test_the_config_is_read_back_as_it_was_put(staff, put):
    before = staff.get("/admin/checkin/config").get_json()["data"]
    put(CONFIG | {"expires_after_days": 90, "max_balance": 300, "day_of": "utc"})
    after = staff.get("/admin/checkin/config").get_json()["data"]

    assert (before["enabled"], before["daily_credits"], before["updated_at"]) == (False, None, None)
    assert after == CONFIG | {
        "expires_after_days": 90,
        "max_balance": 300,
        "day_of": "utc",
        "updated_at": "2026-03-14T09:30:00Z",
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"daily_credits": 0}, "daily_credits"),
        ({"daily_credits": 10.5}, "daily_credits"),
        ({"max_balance": 5}, "max_balance"),
        ({"bonuses": [{"every": 1, "credits": 30}]}, "bonuses.0.every"),
        ({"bonuses": [{"every": 7, "credits": 1}, {"every": 7, "credits": 2}]}, "bonuses"),
        ({"who": "anyone"}, "who"),
        ({"streak": True}, "streak"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_by_its_field(put, session, change, field):
    answer = put(CONFIG | change)

    assert (answer.status_code, answer.get_json()["error"]["details"]["field"]) == (422, field)
    assert rules.newest(session) is None


def test_the_cred_catalogue_switches_it_on(adas, session):
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("cred"), currency="usd"), actor="cli")

    assert adas.post("/checkin").get_json()["data"]["credits"] == 10
