"""`/healthz`: this process answers. `/readyz`: and it can do its work, because the database is there and up to date."""

from __future__ import annotations

from functools import cache

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import schema
from app.extensions import db

health = Blueprint("health", __name__)


@health.get("/healthz")
def alive() -> Response:
    """Says nothing about the database: restarting the process would not bring that back."""
    return jsonify(status="ok")


@health.get("/readyz")
def ready() -> tuple[Response, int]:
    """503 until the database answers and has the schema this program was written for."""
    try:
        db.session.execute(text("SELECT 1"))
        at = schema.current(db.engine)
    except SQLAlchemyError:
        return jsonify(status="unavailable", database="unreachable"), 503
    if at != _newest():
        return jsonify(status="unavailable", database="not migrated"), 503
    return jsonify(status="ok"), 200


@cache
def _newest() -> str:
    # Read from the migrations' files once: they do not change while the process lives.
    return schema.head()
