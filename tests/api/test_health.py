"""/healthz and /readyz"""

from __future__ import annotations

from flask import Flask
from sqlalchemy import create_engine, text

from app.extensions import db
from tests.support.web import PageClient


def test_a_process_that_answers_is_healthy(client: PageClient) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_it_is_ready_with_its_database_up_to_date(client: PageClient) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_it_is_not_ready_when_the_schema_is_another(app: Flask, client: PageClient) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("DELETE FROM alembic_version"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('another')"))

    answer = client.get("/readyz")

    assert (answer.status_code, answer.get_json()) == (503, {"status": "unavailable", "database": "not migrated"})


def test_it_is_healthy_and_not_ready_without_its_database(own_app: Flask) -> None:
    app, client = own_app, own_app.test_client()
    gone = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/none", connect_args={"connect_timeout": 1})
    with app.app_context():
        db.engine.dispose()
        db.engines[None] = gone
        try:
            ready, healthy = client.get("/readyz"), client.get("/healthz")
        finally:
            gone.dispose()

    assert (ready.status_code, ready.get_json()["database"]) == (503, "unreachable")
    assert healthy.status_code == 200
