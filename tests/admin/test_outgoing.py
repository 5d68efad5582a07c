"""Staff's page of outgoing webhooks: endpoints, their secret shown once, and the log."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.db import transaction
from app.outgoing import deliveries
from app.outgoing.models import WebhookDelivery, WebhookEndpoint

HX = {"HX-Request": "true"}
HERE = "/admin/outgoing"
TYPED = {"url": "https://example.com/hooks", "types": ["wallet.credited"]}


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def staff(admin, client_of):
    return client_of(admin)


def test_a_secret_is_shown_once(session, staff):
    answer = staff.post(HERE + "/endpoints", data=TYPED)

    endpoint = session.scalars(select(WebhookEndpoint)).one()
    assert answer.status_code == 201
    assert endpoint.secret in answer.text
    assert endpoint.secret not in staff.get(f"{HERE}/endpoints/{endpoint.id}").text
    assert "https://example.com/hooks" in staff.get(HERE).text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"url": "http://example.com/"}, "must begin with https://"),
        ({"url": "https://10.0.0.8/"}, "not on the public internet"),
        ({"url": "nonsense"}, "Enter a full address"),
        ({"types": []}, "Choose at least one."),
        ({"types": ["everything"]}, "Choose from"),
    ],
)
def test_what_makes_no_sense_comes_back(staff, wrong, sentence):
    answer = staff.post(HERE + "/endpoints", data={**TYPED, **wrong})

    assert answer.status_code == 422
    assert sentence in answer.text


def test_the_log_has_every_try_and_sends_again(session, ada, staff):
    staff.post(HERE + "/endpoints", data=TYPED)
    ada.gets(2_500)
    with transaction(session):
        parcel = deliveries.take(session, 1)[0]
        deliveries.record(session, parcel, deliveries.Answer(503, None, 12))
    address = f"{HERE}/{ada.customer_id}/{parcel.id}"

    one = staff.get(address, headers=HX)
    assert "Answered 503" in one.text
    assert "25000000" in one.text
    assert "Retrying" in staff.get(HERE + "?state=pending", headers=HX).text
    assert "Nothing matches" in staff.get(HERE + "?state=delivered", headers=HX).text

    assert parcel.id in staff.get(HERE + ".csv?state=pending").text
    assert parcel.id not in staff.get(HERE + ".csv?state=delivered").text
    assert staff.get(f"/admin/customers?q={parcel.id}").location == address

    assert staff.post(address + "/again", headers=HX).status_code == 200
    session.expire_all()
    assert session.scalars(select(WebhookDelivery.tries)).one() == 0


def test_one_that_is_off_is_switched_on_again(session, staff):
    staff.post(HERE + "/endpoints", data=TYPED)
    endpoint = session.scalars(select(WebhookEndpoint)).one()
    here = f"{HERE}/endpoints/{endpoint.id}"

    for step, state in (("off", "off"), ("on", "on"), ("remove", "removed")):
        assert staff.post(f"{here}/{step}").status_code == 303
        session.rollback()
        session.refresh(endpoint)
        assert endpoint.state == state
    assert staff.get(here).status_code == 404
