"""Rate limits: exact, whoever counts, and over when their window is."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import TooManyRequests
from app.extensions import db
from app.http import limits
from app.http.limit_storage import DatabaseStorage
from app.http.tables import RateCount


def test_the_limit_itself_is_allowed_and_one_more_is_not(app: Flask, clock) -> None:
    with app.test_request_context():
        for _ in range(5):
            limits.spend("reset.account", "ada@example.com")
        with pytest.raises(TooManyRequests) as refused:
            limits.spend("reset.account", "ada@example.com")
        limits.spend("reset.account", "bo@example.com")

        assert refused.value.details == {"retry_after": 3600}
        clock.advance(minutes=59, seconds=59)
        with pytest.raises(TooManyRequests):
            limits.spend("reset.account", "ada@example.com")
        clock.advance(seconds=1)
        limits.spend("reset.account", "ada@example.com")


def test_two_names_glued_together_are_not_a_third(app: Flask) -> None:
    with app.test_request_context():
        for _ in range(5):
            limits.spend("reset.account", "a/b")
        limits.spend("reset.account", "a", "b/")


def test_the_count_is_exact_however_many_count_at_once(app: Flask) -> None:
    through: list[int] = []
    start = threading.Barrier(8)

    def spend() -> None:
        with app.test_request_context():
            start.wait()
            for _ in range(5):
                try:
                    limits.spend("topup.customer", "cus_1")
                    through.append(1)
                except TooManyRequests:
                    pass

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(through) == 20


def test_two_applications_on_one_database_share_the_count(app: Flask, settings, session: Session) -> None:
    from app import create_app

    other = create_app(settings)
    for turn in range(20):
        with (app, other)[turn % 2].test_request_context():
            limits.spend("topup.customer", "cus_1")
    with other.test_request_context(), pytest.raises(TooManyRequests):
        limits.spend("topup.customer", "cus_1")
    with other.app_context():
        db.engine.dispose()

    assert session.scalar(select(func.count()).select_from(RateCount)) == 1


def test_a_storage_can_forget(app: Flask) -> None:
    with app.app_context():
        storage = DatabaseStorage(engine=db.engine)

    assert [storage.incr("a", 60), storage.incr("a", 60, amount=3), storage.get("a")] == [1, 4, 4]
    storage.clear("a")
    assert storage.get("a") == 0
    storage.incr("b", 60)
    assert (storage.reset(), storage.get("b"), storage.check()) == (1, 0, True)


def test_another_storage_counts_alike(app: Flask) -> None:
    app.extensions["rate_limiter"] = Limiter(get_remote_address, storage_uri="memory://", strategy="fixed-window")
    with app.app_context():
        app.extensions["rate_limiter"].init_app(Flask("another"))
        rule = limits.RULES["reset.account"]

        assert limits.look(rule, "reset.account", "ada").count == 0
        counted = [limits.count(rule, "reset.account", "ada") for _ in range(6)]

        assert [(window.left, window.is_over) for window in counted[-2:]] == [(0, False), (0, True)]
        assert limits.look(rule, "reset.account", "ada").count == 6
        with pytest.raises(TooManyRequests):
            limits.spend("reset.account", "ada")
