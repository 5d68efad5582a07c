"""Stripe's HTTP protocol: who asks, what for, whether it may be asked, and the answer in Stripe's form."""

from __future__ import annotations

import hmac
import json
import re
import time
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request

from app.sandbox import idempotency
from app.sandbox.api import ENDPOINTS, Call
from app.sandbox.core import NotAsDescribed, Sandbox
from app.sandbox.engine.due import run_due
from app.sandbox.expand import expand
from app.sandbox.fault import Fault, not_built
from app.sandbox.idempotency import Answer
from app.sandbox.ids import random_text
from app.sandbox.spec import decode_form
from app.sandbox.spec.check import Operation
from app.sandbox.tx import Cause, Tx

protocol = Blueprint("protocol", __name__)


@dataclass(frozen=True)
class Asked:
    """A request that passed the checks which need no database."""

    operation: Operation
    params: dict[str, Any]
    ids: dict[str, str]
    key: str | None
    request_id: str


def register(app: Flask) -> None:
    """Answer /v1/…"""
    app.register_blueprint(protocol)


@protocol.route("/v1/<path:rest>", methods=["GET", "POST", "DELETE"])
def answer(rest: str) -> Response:
    """Any call of the API."""
    sandbox: Sandbox = current_app.extensions["sandbox"]
    request_id = f"req_{random_text(14)}"
    try:
        asked = _asked(sandbox, f"/v1/{rest}", request_id)
        with idempotency.in_flight(sandbox, asked.key):
            return _response(_answer(sandbox, asked), request_id, asked.key)
    except Fault as fault:
        return _response(Answer(fault.status, _text(fault.body), request_id), request_id)
    except NotAsDescribed as problem:
        error = {"type": "api_error", "message": f"The sandbox is not what Stripe describes: {problem}"}
        return _response(Answer(500, _text({"error": error}), request_id), request_id)


def _asked(sandbox: Sandbox, path: str, request_id: str) -> Asked:
    _authenticate(sandbox.config.secret_key)
    version = request.headers.get("Stripe-Version", sandbox.spec.version)
    if version != sandbox.spec.version:
        raise Fault(
            400, "invalid_request_error", f"This sandbox speaks API version {sandbox.spec.version}, not {version}."
        )
    verb = request.method.lower()
    operation = sandbox.spec.operation(verb, path)
    if operation is None:
        raise Fault(404, "invalid_request_error", f"Unrecognized request URL ({request.method}: {path}).")
    try:
        form = decode_form(request.get_data() if verb == "post" else request.query_string)
    except ValueError as problem:
        raise Fault(400, "invalid_request_error", str(problem)) from problem
    if faults := sandbox.spec.request(verb, path, form):
        raise _param_fault(faults[0])
    found = operation.pattern.match(path)
    assert found is not None, "the operation was found by this pattern"
    key = request.headers.get("Idempotency-Key") if verb == "post" else None
    return Asked(operation, sandbox.spec.typed(operation, form), found.groupdict(), key, request_id)


def _authenticate(secret_key: str) -> None:
    authorization = request.authorization
    given = ""
    if authorization is not None:
        given = (authorization.token if authorization.type == "bearer" else authorization.username) or ""
    if not given:
        raise Fault(
            401,
            "invalid_request_error",
            "You did not provide an API key. Provide it in the Authorization header, using Bearer auth.",
        )
    if not hmac.compare_digest(given.encode(), secret_key.encode()):
        shown = f"{given[:8]}{'*' * 8}{given[-4:]}" if len(given) > 12 else "*" * len(given)
        raise Fault(401, "invalid_request_error", f"Invalid API Key provided: {shown}")


def _answer(sandbox: Sandbox, asked: Asked) -> Answer:
    run_due(sandbox)
    if asked.operation.verb == "get":
        with sandbox.reading(request.url_root) as tx:
            return _worked(sandbox, tx, asked)
    if sandbox.config.latency_ms:
        time.sleep(sandbox.config.latency_ms / 1000)
    fingerprint = idempotency.fingerprint(request.path, asked.params)
    cause = Cause(asked.request_id, asked.key)
    try:
        with sandbox.writing(cause, request.url_root) as tx:
            if known := idempotency.stored(tx, asked.key, fingerprint):
                return known
            made = _worked(sandbox, tx, asked)
            idempotency.keep(tx, asked.key, fingerprint, made)
            return made
    except Fault as fault:
        if fault.error["type"] != "idempotency_error":  # nothing of it is kept but the answer itself
            with sandbox.writing(cause) as tx:
                idempotency.keep(tx, asked.key, fingerprint, Answer(fault.status, _text(fault.body), asked.request_id))
        raise


def _worked(sandbox: Sandbox, tx: Tx, asked: Asked) -> Answer:
    """Do it. A refusal that keeps what came before it, such as a decline, is an answer like any other."""
    verb, path = asked.operation.verb, asked.operation.path
    endpoint = ENDPOINTS.get((verb, path))
    if endpoint is None:
        raise not_built(f"{verb.upper()} {path}")
    status = 200
    try:
        body = endpoint(Call(tx, asked.params, asked.ids))
        body = expand(tx, body, asked.params.get("expand", []))
    except Fault as fault:
        if not fault.keeps:
            raise
        status, body = fault.status, fault.body
    sandbox.report([f"{verb} {path}: {each}" for each in sandbox.spec.response(verb, request.path, status, body)])
    return Answer(status, _text(body), asked.request_id)


def _response(made: Answer, request_id: str, key: str | None = None) -> Response:
    response = Response(made.body, made.status, mimetype="application/json")
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = current_app.extensions["sandbox"].spec.version
    response.headers["Cache-Control"] = "no-cache, no-store"
    if key is not None:
        response.headers["Idempotency-Key"] = key
        response.headers["Original-Request"] = made.request_id
    if made.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _param_fault(sentence: str) -> Fault:
    """A sentence of the check as Stripe would say it, about one parameter."""
    where, _, what = sentence.partition(": ")
    head, *tail = re.split(r"\.", where)
    param = head + "".join(f"[{part}]" if "[" not in part else "[" + part.replace("[", "][", 1) for part in tail)
    if param == "payment_method_types":
        words = "`payment_method_types` is no longer supported. Use `allowed_payment_method_types` or nothing."
        return Fault(400, "invalid_request_error", words, code="payment_method_types_no_longer_supported", param=param)
    if what.startswith("unknown parameter"):
        return Fault(
            400, "invalid_request_error", f"Received unknown parameter: {param}", code="parameter_unknown", param=param
        )
    if what == "required":
        return Fault(
            400, "invalid_request_error", f"Missing required param: {param}.", code="parameter_missing", param=param
        )
    if what.startswith("expected an integer"):
        return Fault(
            400, "invalid_request_error", f"Invalid integer: {param}", code="parameter_invalid_integer", param=param
        )
    if what:
        return Fault(400, "invalid_request_error", f"Invalid {param}: {what}", param=param)
    return Fault(400, "invalid_request_error", sentence)


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body)
