"""Which key calls the API, for which customer, and with what permissions (SPEC §12)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request

from app.customers import api_keys, customers
from app.customers.api_keys import Caller
from app.db import transaction
from app.errors import Forbidden, Invalid, NotFound, Unauthorized
from app.extensions import db
from app.http import limits, plan_limits

CUSTOMER_HEADER = "Purser-Customer"

# What the three staff roles mean for staff keys: support reads, finance adjusts and replays, admin everything.
_STAFF = {
    "support": frozenset({"staff:read"}),
    "finance": frozenset({"staff:read", "staff:money"}),
    "admin": frozenset({"staff:read", "staff:money", "staff:admin"}),
}


@dataclass(frozen=True)
class ApiCaller:
    """The key behind an API request. `customer_id` is None for staff keys, and for a service key that named nobody."""

    kind: str  # customer | service | staff
    key_id: str
    customer_id: str | None
    permissions: frozenset[str]
    is_live: bool = True  # False: a customer's test key

    def need(self, permission: str) -> None:
        """Raise Forbidden unless the key has this permission."""
        if permission not in self.permissions:
            raise Forbidden(f"This API key does not have the permission {permission}.", permission=permission)

    def need_customer(self) -> str:
        """The customer acted for. Raises Invalid when a service key named nobody, Forbidden for a staff key."""
        if self.kind == "staff":
            raise Forbidden("A staff key does not act for a customer.")
        if self.customer_id is None:
            raise Invalid(f"Name the customer in the {CUSTOMER_HEADER} header.", field=CUSTOMER_HEADER)
        return self.customer_id


def api_caller() -> ApiCaller:
    """The caller of this API request, found once.

    Raises Unauthorized without a living key, NotFound when the key may not know the customer it names,
    TooManyRequests. A service key names its customer, by our id or its own, in `Purser-Customer`.
    """
    known: ApiCaller | None = g.get("api_caller")
    if known is None:
        known = g.api_caller = _found()
    return known


def _found() -> ApiCaller:
    text = _bearer()
    caller = api_keys.caller(db.session, text)
    if caller is None:
        raise Unauthorized("This API key is wrong, revoked, or its maker is gone.")
    if caller.kind == "customer" and caller.customer_id is not None:
        plan_limits.spend(caller.customer_id, caller.key_id)
    elif caller.kind == "staff":  # the host product's own traffic is what we are here for
        limits.spend("api.key", caller.key_id)
    if not caller.used_lately:
        with transaction(db.session):
            api_keys.note_use(db.session, text)
    permissions = caller.permissions
    if caller.kind == "staff":
        permissions = frozenset().union(*(_STAFF[role] for role in permissions))
    return ApiCaller(caller.kind, caller.key_id, _customer_of(caller), permissions, caller.is_live)


def _bearer() -> str:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthorized("Send your API key as Authorization: Bearer KEY.")
    return text.strip()


def _customer_of(caller: Caller) -> str | None:
    named = request.headers.get(CUSTOMER_HEADER)
    if caller.kind == "staff" or named is None:
        return caller.customer_id
    if caller.kind == "customer":
        if named != caller.customer_id:
            raise NotFound("There is no such customer.")
        return caller.customer_id
    customer = customers.by_id(db.session, named) or customers.by_external_id(db.session, named)
    if customer is None:
        raise NotFound("There is no such customer.")
    return customer.id
