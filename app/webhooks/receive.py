"""Receiving a webhook: verify the raw bytes, keep the event once, answer at once; the worker applies it (SPEC V2)."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from app.db import transaction
from app.extensions import db
from app.payments import bell, inbox, unverified
from app.providers.errors import BadPayload, BadSignature
from app.providers.port import Provider

log = logging.getLogger(__name__)

MOST_BYTES = 512 * 1024
payment_webhooks = Blueprint("payment_webhooks", __name__)


@payment_webhooks.post("/payment/webhook/<channel>")
def receive(channel: str) -> ResponseReturnValue:
    """200 once the event is stored, and only then; 400 for a bad signature, 404 for a channel without keys."""
    provider: Provider | None = current_app.extensions["providers"].get(channel)
    if provider is None:
        return _refused(404, "NOT_FOUND", "There is nothing here.")
    request.max_content_length = MOST_BYTES
    body = request.get_data(cache=False)  # the bytes as sent: of some content types `request.data` would be empty
    headers = dict(request.headers.items())
    try:
        verified = provider.verify(body, headers)
    except (BadSignature, BadPayload) as error:
        # Never the body: whoever sent it chose what stands in it.
        log.warning("a webhook for %s was refused: %s", channel, error, extra={"channel": channel, "size": len(body)})
        code = "BAD_SIGNATURE" if isinstance(error, BadSignature) else "BAD_PAYLOAD"
        _count(channel, code)
        return _refused(400, code, str(error))
    with transaction(db.session()):
        new = inbox.keep(db.session(), provider=channel, verified=verified, body=body, headers=headers)
    bell.ring()
    return jsonify(received=True, new=new)


def _count(channel: str, code: str) -> None:
    """Staff see how many were refused, by channel; a stranger who sends many causes a write a minute at most."""
    counts: unverified.Counts = current_app.extensions["unverified"]
    counts.add(channel, code)
    if due := counts.due():
        with transaction(db.session()):
            unverified.keep(db.session(), due)


def _refused(status: int, code: str, message: str) -> tuple[Response, int]:
    return jsonify(success=False, error={"code": code, "message": message}), status
