"""Checking a code of the second factor: counted against limits, read with the application's secret key."""

from __future__ import annotations

from flask import current_app

from app import activity
from app.db import transaction
from app.extensions import db
from app.http import limits
from app.people import second_factor
from app.people.second_factor import CodeRefused


def keys() -> list[str]:
    """What secrets are sealed under: the secret key, and older ones while they are being replaced."""
    return [str(current_app.config["SECRET_KEY"]), *current_app.config["SECRET_KEY_FALLBACKS"]]


def check(user_id: str, code: str, *, field: str) -> str:
    """Use a code of theirs up: "app" or "recovery". Raises CodeRefused beside `field`, and TooManyRequests.

    A million codes, of which three count: forty tries in a day find one in eight thousand.
    """
    limits.spend("code.account", user_id)
    limits.spend("code.account.day", user_id)
    try:
        with transaction(db.session):
            return second_factor.check(db.session(), user_id, keys(), code)
    except CodeRefused as refusal:
        with transaction(db.session):  # by then somebody has the password, or the browser: its owner can read of it
            activity.record(db.session(), user_id, "user.code_refused", user_id)
        raise CodeRefused(refusal.sentence, field=field) from refusal
