"""`purser keys create --staff --for …`: a key has a person behind it, who is no second person for what it asks."""

from __future__ import annotations

from app.customers import api_keys
from app.db import transaction
from app.flows import staff
from app.people.models import User


def test_a_staff_key_knows_who_uses_it_and_ends_with_their_role(purser, session):
    purser("staff", "create", "--email", "ola@example.com", "--role", "admin")
    purser("staff", "create", "--email", "fay@example.com", "--role", "finance")
    fay = session.query(User).filter_by(email="fay@example.com").one()
    made = purser("keys", "create", "--staff", "--role", "finance", "--for", "fay@example.com", "--json").json

    with transaction(session):
        assert api_keys.maker_of(session, made["id"]) == fay.id
        assert api_keys.caller(session, made["key"]) is not None
    staff.change_role(session, fay.id, "support", actor="staff:usr_1")
    with transaction(session):
        assert api_keys.caller(session, made["key"]) is None


def test_a_key_is_for_staff_alone_and_does_no_more_than_they_may(purser):
    purser("staff", "create", "--email", "sam@example.com", "--role", "support")

    wider = purser("keys", "create", "--staff", "--role", "finance", "--for", "sam@example.com")
    nobody = purser("keys", "create", "--staff", "--role", "support", "--for", "nobody@example.com")
    other = purser("keys", "create", "--service", "--for", "sam@example.com")

    assert (wider.code, nobody.code, other.code) == (1, 1, 2)
