"""The audit log's chain: whatever is done to the log behind Purser's back is found, and named."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import activity, clock, ids
from app.activity import chain, checking
from app.activity.models import Activity, Seal
from app.db import transaction
from app.flows import audit_log

pytestmark = pytest.mark.both_databases
TABLES = ("activity", "activity_seal")


@contextmanager
def tampering(engine: Engine) -> Iterator[Connection]:
    """A connection with the triggers down, as only somebody with the database in hand could have."""
    with create_engine(engine.url, poolclass=NullPool).begin() as connection:
        if engine.dialect.name == "sqlite":
            for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                if name.startswith("activity"):
                    connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            for table in TABLES:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield connection
        if engine.dialect.name == "postgresql":
            for table in TABLES:
                connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


@pytest.fixture
def lines(session: Session) -> list[Activity]:
    """Five lines of the log, sealed; in the order of their seals, which among those of one millisecond is chance."""
    written = [writes(session, f"wtxn_{number}") for number in range(1, 6)]
    audit_log.seal_all(session)
    return sorted(written, key=lambda line: line.id)


def writes(session: Session, subject: str) -> Activity:
    with transaction(session):
        return activity.record(session, "system", "wallet.adjusted", subject, customer_id="cus_1", why="x")


def found(session: Session, **asked) -> checking.Checked:
    session.rollback()
    return audit_log.verify(session, real_time=False, by="cli", **asked)


def test_what_nobody_touched_holds(session: Session, lines: list[Activity]) -> None:
    checked = found(session)

    assert checked.holds
    assert checked.sealed == 5
    kept = checking.last(session)
    assert kept is not None
    assert (kept.by, kept.sealed, kept.head, kept.faults) == ("cli", 5, checked.head, [])


def test_an_empty_log_holds(session: Session) -> None:
    checked = found(session)

    assert checked.holds
    assert checked.sealed == 0


def test_seals_can_neither_be_edited_nor_deleted(session: Session, lines: list[Activity]) -> None:
    for edit in ("UPDATE activity_seal SET hash = 'x'", "DELETE FROM activity_seal"):
        with pytest.raises(DBAPIError, match="append-only"), transaction(session):
            session.execute(text(edit))


@pytest.mark.parametrize(("column", "value"), [("actor", "system "), ("details", '{"why": "y"}')])
def test_a_changed_line_is_named(
    session: Session, engine: Engine, lines: list[Activity], column: str, value: str
) -> None:
    with tampering(engine) as connection:
        change = text(f"UPDATE activity SET {column} = :value WHERE id = :id")
        connection.execute(change, {"value": value, "id": lines[2].id})

    (fault,) = found(session).faults

    assert lines[2].id in fault
    assert "not what was sealed as number 3" in fault


def test_a_line_moved_in_time_is_named(session: Session, engine: Engine, lines: list[Activity]) -> None:
    with tampering(engine) as connection:
        earlier = (lines[2].at - timedelta(seconds=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
        at = earlier if engine.dialect.name == "sqlite" else earlier + "+00"
        connection.execute(text("UPDATE activity SET at = :at WHERE id = :id"), {"at": at, "id": lines[2].id})

    (fault,) = found(session).faults

    assert "not what was sealed as number 3" in fault


def test_a_deleted_line_is_named(session: Session, engine: Engine, lines: list[Activity]) -> None:
    gone = lines[1].id
    with tampering(engine) as connection:
        connection.execute(text("DELETE FROM activity WHERE id = :id"), {"id": gone})

    assert found(session).faults == [f"Line {gone} of cus_1, sealed as number 2, is missing."]


def test_a_line_deleted_with_its_seal_leaves_a_gap(session: Session, engine: Engine, lines: list[Activity]) -> None:
    with tampering(engine) as connection:
        connection.execute(text("DELETE FROM activity WHERE id = :id"), {"id": lines[1].id})
        connection.execute(text("DELETE FROM activity_seal WHERE number = 2"))

    assert found(session).faults == ["Seal 2 is missing from the chain."]


def test_closing_the_gap_breaks_the_chain(session: Session, engine: Engine, lines: list[Activity]) -> None:
    with tampering(engine) as connection:
        connection.execute(text("DELETE FROM activity WHERE id = :id"), {"id": lines[1].id})
        connection.execute(text("DELETE FROM activity_seal WHERE number = 2"))
        for number in (3, 4, 5):
            connection.execute(text(f"UPDATE activity_seal SET number = {number - 1} WHERE number = {number}"))

    faults = found(session).faults

    assert faults[0].startswith("Seal 2 does not follow from the one before it")


def test_two_lines_exchanged_are_both_named(session: Session, engine: Engine, lines: list[Activity]) -> None:
    first, second = lines[1].id, lines[3].id
    with tampering(engine) as connection:
        for old, new in ((first, "act_aside"), (second, first), ("act_aside", second)):
            connection.execute(text("UPDATE activity SET id = :new WHERE id = :old"), {"new": new, "old": old})

    faults = found(session).faults

    assert [first in faults[0], "number 2" in faults[0], second in faults[1], "number 4" in faults[1]] == [True] * 4
    assert len(faults) == 2


def test_two_seals_exchanged_break_the_chain(session: Session, engine: Engine, lines: list[Activity]) -> None:
    with tampering(engine) as connection:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            connection.execute(text(f"UPDATE activity_seal SET number = {new} WHERE number = {old}"))

    faults = found(session).faults

    assert any("Seal 2 does not follow" in fault for fault in faults)
    assert any("Seal 3 does not follow" in fault for fault in faults)


@pytest.mark.parametrize("column", ["hash", "sealed_at"])
def test_a_broken_seal_is_named_alone(session: Session, engine: Engine, lines: list[Activity], column: str) -> None:
    with tampering(engine) as connection:
        value = "f" * 64 if column == "hash" else "2020-01-01 00:00:00+00"
        if column == "sealed_at" and engine.dialect.name == "sqlite":
            value = "2020-01-01 00:00:00.000000"
        connection.execute(text(f"UPDATE activity_seal SET {column} = :value WHERE number = 3"), {"value": value})

    (fault,) = found(session).faults

    assert fault.startswith("Seal 3 does not follow from the one before it")


def test_a_line_changed_and_sealed_anew_breaks_the_chain(
    session: Session, engine: Engine, lines: list[Activity]
) -> None:
    with tampering(engine) as connection:
        connection.execute(text("UPDATE activity SET actor = 'usr_2' WHERE id = :id"), {"id": lines[2].id})
    session.rollback()
    changed = session.get(Activity, ("cus_1", lines[2].id), populate_existing=True)
    before, seal = session.get(Seal, 2), session.get(Seal, 3)
    assert before is not None
    assert seal is not None
    digest = chain.line_hash(changed)
    forged = chain.link(before.hash, 3, clock.timestamp(seal.sealed_at), digest)
    session.rollback()
    with tampering(engine) as connection:
        new = text("UPDATE activity_seal SET line_hash = :digest, hash = :hash WHERE number = 3")
        connection.execute(new, {"digest": digest, "hash": forged})

    (fault,) = found(session).faults

    assert fault.startswith("Seal 4 does not follow from the one before it")


def test_a_line_put_in_behind_the_others_is_named(session: Session, lines: list[Activity]) -> None:
    old = ids.earliest("act", clock.real_now() - timedelta(days=40))
    long_ago = {"id": old, "at": clock.now() - timedelta(days=40)}
    forged = Activity(
        customer_id="cus_1", actor="staff:usr_1", action="wallet.adjusted", subject="x", details={}, **long_ago
    )
    with transaction(session):
        session.add(forged)

    (fault,) = found(session).faults

    assert old in fault
    assert "came in behind" in fault


def test_a_new_line_that_tells_of_long_ago_is_named_where_time_is_real(session: Session, clock) -> None:
    clock.advance(days=-40)
    line = writes(session, "wtxn_1")

    assert audit_log.verify(session, real_time=False, by="cli").holds, "the seed tells of the past, in the demo"
    (fault,) = audit_log.verify(session, real_time=True, by="cli").faults

    assert line.id in fault
    assert "before it was made" in fault


def test_an_id_of_elsewhere_is_named(session: Session, lines: list[Activity]) -> None:
    with transaction(session):
        session.add(
            Activity(customer_id="c", id="by-hand", at=clock.now(), actor="a", action="b", subject="s", details={})
        )

    (fault,) = found(session).faults

    assert "an id that Purser does not make" in fault


def test_a_rewritten_log_does_not_have_the_head_that_was_kept(
    session: Session, engine: Engine, lines: list[Activity]
) -> None:
    kept = chain.head(session)
    assert found(session, kept=kept).holds
    session.rollback()

    # when the newest line and all seals are removed, and everything is sealed again
    with tampering(engine) as connection:
        connection.execute(text("DELETE FROM activity WHERE id = :id"), {"id": lines[4].id})
        connection.execute(text("DELETE FROM activity_seal"))

    assert found(session).holds, "the chain alone cannot tell"
    (fault,) = found(session, kept=kept).faults
    assert "Seal 5 does not have the hash that was kept" in fault


def test_new_faults_are_told_in_the_log_once(session: Session, engine: Engine, lines: list[Activity]) -> None:
    with tampering(engine) as connection:
        connection.execute(text("DELETE FROM activity WHERE id = :id"), {"id": lines[1].id})

    for _ in range(3):
        found(session)

    told = activity.of_everyone(session, action="audit.broken").lines
    assert len(told) == 1
    assert told[0].details["fault_count"] == 1


def test_two_sealers_at_once_seal_each_line_once(session: Session, engine: Engine) -> None:
    # given many lines, and batches small enough that the sealers take turns
    with transaction(session):
        for number in range(60):
            activity.record(session, "system", "thing.done", f"thing_{number}")
    ready, faults = threading.Barrier(2), []

    def seals() -> None:
        try:
            with Session(engine, expire_on_commit=False) as own:
                ready.wait(30)
                last: str | None = ""
                while last is not None:
                    with transaction(own):
                        last = chain.seal(own, limit=3)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=seals) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert faults == []
    checked = found(session)
    assert checked.holds
    assert checked.sealed == 60


def test_a_transaction_that_commits_late_is_sealed_once(
    session: Session, engine: Engine, lines: list[Activity], later: Callable[[Session], None]
) -> None:
    with Session(engine, expire_on_commit=False) as slow:
        later(slow)
        line = activity.record(slow, "system", "thing.done", "late", customer_id="cus_2")
        slow.flush()
        if engine.dialect.name == "postgresql":  # on SQLite there is one writer at a time
            writes(session, "wtxn_6")
            audit_log.seal_new(session)
            assert found(session).sealed == 6
        slow.commit()
    for _ in range(3):
        audit_log.seal_new(session)

    checked = found(session)

    assert checked.holds
    assert session.query(Seal).filter_by(activity_id=line.id).count() == 1


@pytest.fixture
def later() -> Callable[[Session], None]:
    """Begins a writing transaction that somebody else will have to wait for, or not."""

    def begins(slow: Session) -> None:
        slow.connection(execution_options={"writes": True})

    return begins
