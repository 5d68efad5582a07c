"""webhooks: where payment providers post what happened."""

from __future__ import annotations

from flask import Flask

from app.extensions import csrf
from app.payments import unverified
from app.webhooks.receive import payment_webhooks


def register(app: Flask) -> None:
    """Bind the endpoints. Programs post here, without a session or a form's token: the signature is the proof."""
    app.extensions["unverified"] = unverified.Counts()
    csrf.exempt(payment_webhooks)
    app.register_blueprint(payment_webhooks)
