"""API keys: shown once, kept as a hash, never stronger than who made them."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.customers import api_keys, members
from app.customers.models import ApiKey
from app.db import transaction
from app.errors import Forbidden, Invalid, NotFound
from app.people import staff
from app.people.models import User
from tests.support.people import Person


def made(session: Session, who: Person, *permissions: str) -> tuple[ApiKey, str]:
    with transaction(session):
        return api_keys.create_customer_key(
            session, who.customer_id, name="worker", permissions=permissions, made_by=who.id
        )


def test_only_its_ends_are_kept(session: Session, ada: Person) -> None:
    key, text = made(session, ada, "billing:read")

    kept = session.scalars(select(ApiKey)).one()

    assert text.startswith("pur_live_")
    assert (kept.prefix, kept.last4) == (text[:9], text[-4:])
    assert text[9:-4] not in " ".join(str(value) for value in vars(kept).values())
    assert kept.id == key.id


def test_a_typing_mistake_is_told_by_the_checksum(ada: Person) -> None:
    text = ada.key()

    assert api_keys.is_well_formed(text)
    assert not api_keys.is_well_formed(text[:-1] + ("A" if text[-1] != "A" else "B"))
    assert not api_keys.is_well_formed(text.replace("pur_live_", "pur_svc_"))
    assert not api_keys.is_well_formed("pur_live_ключ")
    assert not api_keys.is_well_formed("")


def test_nobody_makes_a_key_wider_than_themselves(session: Session, cy: Person, bo: Person, ada: Person) -> None:
    with pytest.raises(Forbidden):
        made(session, cy, "billing:read", "billing:write")
    with pytest.raises(Forbidden), transaction(session):
        api_keys.create_customer_key(
            session, ada.customer_id, name="worker", permissions=("billing:read",), made_by=bo.id
        )


@pytest.mark.parametrize("permissions", [(), ("owner",), ("billing:read", "wallet:write")])
def test_a_key_can_do_what_there_is(session: Session, ada: Person, permissions: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        made(session, ada, *permissions)


def test_a_demotion_narrows_the_keys_on_the_next_call(session: Session, ada: Person, di: Person) -> None:
    text = di.key("billing:read", "billing:write")

    with transaction(session):
        members.change(session, ada.customer_id, di.id, "read", actor=ada.id)

    caller = api_keys.caller(session, text)
    assert caller is not None
    assert caller.permissions == {"billing:read"}


def test_a_disabled_maker_stops_the_key(session: Session, ada: Person, di: Person) -> None:
    text = di.key()

    with transaction(session):
        staff.disable(session, session.get_one(User, di.id), actor="system")

    assert api_keys.caller(session, text) is None


def test_a_revoked_key_is_nobodys(session: Session, ada: Person) -> None:
    key, text = made(session, ada, "billing:read")

    with transaction(session):
        api_keys.revoke(session, ada.customer_id, key.id, actor=ada.id)

    assert api_keys.caller(session, text) is None


def test_nobody_revokes_another_customers_key(session: Session, ada: Person, bo: Person) -> None:
    key, text = made(session, ada, "billing:read")

    with pytest.raises(NotFound), transaction(session):
        api_keys.revoke(session, bo.customer_id, key.id, actor=bo.id)

    assert api_keys.caller(session, text)


def test_a_key_from_the_command_line_has_no_maker_to_bound_it(session: Session, ada: Person) -> None:
    with transaction(session):
        _, text = api_keys.create_customer_key(
            session, ada.customer_id, name="cron", permissions=("billing:write",), made_by=None
        )

    caller = api_keys.caller(session, text)

    assert caller is not None
    assert (caller.customer_id, caller.permissions) == (ada.customer_id, {"billing:write"})


def test_service_and_staff_keys_belong_to_no_customer(session: Session, service_key: str) -> None:
    with transaction(session):
        _, staff_key = api_keys.create_staff_key(session, name="exporter", role="finance")

    service, person = api_keys.caller(session, service_key), api_keys.caller(session, staff_key)

    assert service is not None
    assert person is not None
    assert (service.kind, service.customer_id) == ("service", None)
    assert (person.kind, person.customer_id, person.permissions) == ("staff", None, {"finance"})


def test_its_last_use_is_known_to_the_hour(session: Session, ada: Person, clock) -> None:
    key, text = made(session, ada, "billing:read")
    assert not api_keys.caller(session, text).used_lately

    with transaction(session):
        api_keys.note_use(session, text)

    session.refresh(key)
    assert key.last_used_at == clock.now.replace(minute=0)
    assert api_keys.caller(session, text).used_lately
