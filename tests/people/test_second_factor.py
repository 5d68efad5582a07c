"""Codes at the same moment, on both databases: the same code, or recovery code, lets one of two through."""

from __future__ import annotations

from threading import Barrier, Thread

import pyotp
import pytest
from sqlalchemy.orm import sessionmaker

from app import clock as the_clock
from app.db import transaction
from app.people import sealing, second_factor, users
from app.people.second_factor import CodeRefused

KEYS = ["a-secret-of-the-tests-and-nothing-else"]


@pytest.mark.both_databases
def test_one_of_two_who_send_the_same_code_gets_through(session, engine, finance, clock) -> None:
    with transaction(session):
        user = users.by_id(session, finance.id)
        second_factor.begin(session, user, KEYS[0])
        secret = second_factor.unconfirmed(session, user.id, KEYS)
        app = pyotp.TOTP(secret)
        recovery = second_factor.confirm(session, user, KEYS, app.at(the_clock.real_now()), keep_token="")
    clock.advance(minutes=5)

    def together(code: str) -> list[str]:
        gate, came_to = Barrier(2), []

        def send() -> None:
            with sessionmaker(engine, expire_on_commit=False)() as own:
                gate.wait(timeout=60)
                try:
                    with transaction(own):
                        came_to.append(second_factor.check(own, finance.id, KEYS, code))
                except CodeRefused:
                    came_to.append("refused")

        threads = [Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        return sorted(came_to)

    assert together(app.at(the_clock.real_now())) == ["app", "refused"]
    assert together(recovery[0]) == ["recovery", "refused"]


def test_what_is_sealed_opens_for_its_row_and_key_alone_and_not_when_it_was_touched() -> None:
    sealed = sealing.seal("key", "row 1", b"a secret of twenty b")

    assert sealing.unseal(["key"], "row 1", sealed) == (b"a secret of twenty b", False)
    assert sealing.unseal(["new", "key"], "row 1", sealed) == (b"a secret of twenty b", True)
    assert sealing.unseal(["key"], "row 2", sealed) is None
    assert sealing.unseal(["other"], "row 1", sealed) is None
    assert sealing.unseal(["key"], "row 1", sealed[:-4] + "AAA=") is None
    assert sealing.unseal(["key"], "row 1", "") is None
    assert sealing.seal("key", "row 1", b"a secret of twenty b") != sealed
