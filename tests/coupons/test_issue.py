"""Making coupons: what makes no sense is refused at its field, and what people count on never changes."""

from __future__ import annotations

import pytest

from app import activity, coupons
from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.errors import Conflict, Invalid
from tests.coupons.conftest import usd


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("code", {"code": "a b"}),
        ("code", {"code": "X"}),
        ("value", {"value": 101}),
        ("value", {"value": 0}),
        ("kind", {"kind": "half"}),
        ("currency", {"kind": "amount"}),
        ("duration", {"duration": "always"}),
        ("months", {"duration": "repeating"}),
        ("months", {"months": 3}),
        ("duration", {"duration": "forever", "scope": {"packs": []}}),
        ("name", {"limits": Limits("")}),
        ("most", {"limits": Limits("A", most=0)}),
        ("most_per_customer", {"limits": Limits("A", most_per_customer=0)}),
    ],
)
def test_nonsense_is_refused_at_its_field(session, field, told):
    terms = Terms(**({"code": "OK10", "kind": "percent", "value": 10, "limits": Limits("Ten")} | told))

    with pytest.raises(Invalid) as refusal, transaction(session):
        issue.make(session, terms, actor="staff:usr_ann")

    assert refusal.value.field == field


def test_a_code_is_taken_for_good(session, coupon):
    made = coupon("OFF", percent=10)
    with transaction(session):
        issue.retire(session, made.id, actor="staff:usr_ann")

    with pytest.raises(Conflict) as refusal:
        coupon("OFF", percent=20)

    assert refusal.value.field == "code"


def test_its_limits_can_change_and_the_log_says_how(session, coupon, buyer):
    made = coupon("OFF", percent=10, most=5)
    first, second = buyer("a@example.com"), buyer("b@example.com")
    for who in (first, second):
        with transaction(session):
            coupons.reserve(session, "OFF", customer_id=who, what="plan:a", price=usd(100), key="k")

    with pytest.raises(Invalid) as refusal, transaction(session):
        issue.change(session, made.id, Limits("off", most=1), actor="staff:usr_ann")
    with transaction(session):
        changed = issue.change(session, made.id, Limits("Renamed", most=2), actor="staff:usr_ann")

    assert refusal.value.field == "most"
    assert (changed.name, changed.most) == ("Renamed", 2)
    [line] = activity.of_everyone(session, action="coupon.changed", limit=5).lines
    assert line.details["facts"] == {"most": [5, 2], "name": ["off", "Renamed"]}
