"""What every API call goes through before its own code: who calls, whether they may, for whom, and a readable body."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

from flask import Flask, Response, current_app, g, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import ValidationError

from app.api import reading
from app.api.values import Answer, OptionalBody
from app.config import Settings
from app.errors import Forbidden, Invalid
from app.extensions import csrf, db
from app.flows.count_usage import Counter
from app.http import auth, idempotency, plan_limits
from app.ledger import Committer

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Terms:
    """Who may make a call. `for_a_customer`: it acts on one customer's things. `keyed`: it takes an Idempotency-Key.
    `pays`: it may be refused because something cannot be paid. `asks`: it waits for somebody else, who may fail.
    `largest`: bytes of its body. `scope`: what a service key needs instead of the permission, where that differs."""

    permission: str
    kinds: frozenset[str]
    for_a_customer: bool
    keyed: bool
    pays: bool
    asks: bool
    largest: int
    scope: str

    def permission_of(self, kind: str) -> str:
        """What a key of this kind needs."""
        return self.scope if kind == "service" else self.permission


def call(
    permission: str,
    *,
    kinds: tuple[str, ...] = ("customer", "service"),
    for_a_customer: bool = True,
    keyed: bool = False,
    pays: bool = False,
    asks: bool = False,
    largest: int = reading.LARGEST_BODY,
    scope: str = "",
) -> Callable[[View], View]:
    """Marks a view with its terms. A view without any is refused when the application starts."""

    def mark(view: View) -> View:
        who = frozenset(kinds)
        terms = Terms(permission, who, for_a_customer, keyed, pays, asks, largest, scope or permission)
        view.terms = terms  # type: ignore[attr-defined]
        return view

    return mark


def group(name: str, title: str, about: str) -> APIBlueprint:
    """A group of calls that belong together in the documents."""
    made = APIBlueprint(name, __name__, abp_tags=[Tag(name=title, description=about)])
    made.before_request(_admit)
    return made


def register(app: Flask, groups: list[APIBlueprint]) -> None:
    """Bind the groups. Raises AssertionError for a view that says nothing about who may call it."""
    # flask-openapi3 looks this hook up on the application when a model refuses its input.
    app.validation_error_callback = _refuse  # type: ignore[attr-defined]
    for made in groups:
        csrf.exempt(made)  # a key in a header is nothing a browser sends by itself
        app.register_blueprint(made)
    names = {made.name for made in groups}
    for endpoint, view in app.view_functions.items():
        assert endpoint.partition(".")[0] not in names or hasattr(view, "terms"), f"{endpoint} has no terms"


def caller() -> auth.ApiCaller:
    """Who makes this call."""
    return auth.api_caller()


def customer_id() -> str:
    """For whom this call is made: the key's own customer, or the one a service key names."""
    return str(g.api_customer_id)


def currency() -> str:
    return settings().currency


def settings() -> Settings:
    return cast("Settings", current_app.extensions["settings"])


def committer() -> Committer:
    """The group committer, with the request's own reading ended: waiting in line must not hold a connection."""
    db.session.rollback()
    return cast("Committer", current_app.extensions["committer"])


def counter() -> Counter:
    """What counts usage, with the request's own reading ended, as for the committer."""
    db.session.rollback()
    return cast("Counter", current_app.extensions["counter"])


def key() -> str:
    """The request's Idempotency-Key (SPEC R5)."""
    return idempotency.read_key(request.headers.get(idempotency.HEADER))


def reply(answer: Answer, status: int = 200, *, replayed: bool = False) -> Response:
    """The answer as JSON; `Idempotent-Replayed: true` says that nothing was done now."""
    response = current_app.response_class(answer.to_json(), status, mimetype="application/json")
    if replayed:
        response.headers[idempotency.REPLAYED] = "true"
    return response


def answer_once(request_content: list[Any], key: str, do: Callable[[], Answer]) -> Response:
    """The answer of `do`, kept under the key: for calls that do more than one ledger entry (SPEC R5)."""
    kept = idempotency.answer_once(
        db.session,
        customer_id=customer_id(),
        key=key,
        request=request_content,
        do=lambda: (200, do().model_dump(mode="json")),
    )
    response = current_app.make_response((kept.body, kept.status))
    if kept.replayed:
        response.headers[idempotency.REPLAYED] = "true"
    return response


def _admit() -> None:
    """Default deny, in this order: key and its rate limit, kind of key, permission, customer, plan, body."""
    if request.endpoint is None:
        return  # no such address or method: the error handlers say so
    view: Any = current_app.view_functions[request.endpoint]
    terms: Terms = view.terms
    who = auth.api_caller()
    if who.kind not in terms.kinds:
        raise Forbidden(f"This call needs a {' or '.join(sorted(terms.kinds))} key.", needed=sorted(terms.kinds))
    who.need(terms.permission_of(who.kind))
    if terms.for_a_customer:
        g.api_customer_id = who.need_customer()
    if who.kind == "customer" and who.customer_id is not None and who.is_live:
        plan_limits.need_production(who.customer_id)
    takes = inspect.get_annotations(view)
    reading.read_names(expected="query" in takes)
    if request.method in ("POST", "PUT", "DELETE"):
        given = reading.read_body(needed=needs_body(view), largest=terms.largest)
        if given and "body" not in takes:
            raise Invalid("This call takes no body.", field=next(iter(given)))


@cache
def needs_body(view: Any) -> bool:
    """Whether a view has a body that may not be left out."""
    model = get_type_hints(view).get("body")
    return model is not None and not issubclass(model, OptionalBody)


def _refuse(error: ValidationError) -> Response:
    raise reading.first_fault(error)
