"""API keys: what programs sign in with. Shown once, kept as a hash, never stronger than the person who made them."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.customers import members
from app.customers.models import ApiKey, Membership
from app.errors import Forbidden, Invalid, NotFound
from app.ledger import HOUSE
from app.people import tokens
from app.people.models import STAFF_ROLES, User
from app.people.users import clean_name

PREFIXES = {"live": "pur_live_", "test": "pur_test_", "service": "pur_svc_", "staff": "pur_staff_"}
ENVIRONMENTS = ("live", "test")  # of a customer's keys
KINDS = ("customer", "service", "staff")
CUSTOMER_PERMISSIONS = ("billing:read", "billing:write")
SERVICE_SCOPES = (
    "billing:read",
    "billing:write",
    "wallet:write",
    "charges:write",
    "credits:write",
    "customers:write",
    "llm:use",
    "portal:write",
    "resources:write",
    "usage:write",
    "webhooks:write",
)
USED_EVERY = timedelta(hours=1)  # how coarse "last used" is: a call must not cost a write

_NEEDS = {"billing:read": "read", "billing:write": "write"}
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Caller:
    """Who a key speaks for, as of this request."""

    kind: str
    key_id: str
    customer_id: str | None  # a customer key's own; the others name it elsewhere
    permissions: frozenset[str]
    used_lately: bool
    is_live: bool  # False: a customer's test key


def create_customer_key(
    session: Session,
    customer_id: str,
    *,
    name: str,
    permissions: Collection[str],
    made_by: str | None,
    environment: str = "live",
) -> tuple[ApiKey, str]:
    """A key for the customer's programs, and its text to show once. `made_by` None: the command line.

    Raises Invalid, and Forbidden when the maker lacks what the key should do (never wider than its maker). Whether the
    plan allows a live key is asked by `entitlements.production`.
    """
    if environment not in ENVIRONMENTS:
        raise Invalid(f"Choose one of {', '.join(ENVIRONMENTS)}.", field="environment")
    wanted = _chosen(permissions, CUSTOMER_PERMISSIONS)
    if made_by is not None:
        held = members.permission_of(session, customer_id, made_by)
        if not all(members.allows(held, _NEEDS[permission]) for permission in wanted):
            raise Forbidden("A key cannot do more than you may do yourself.", field="permissions")
    return _create(session, "customer", customer_id, name, wanted, made_by=made_by, environment=environment)


def create_service_key(
    session: Session, *, name: str, scopes: Collection[str] = SERVICE_SCOPES, made_by: str | None = None
) -> tuple[ApiKey, str]:
    """A key for the host product's back end, and its text to show once. Raises Invalid."""
    return _create(session, "service", HOUSE, name, _chosen(scopes, SERVICE_SCOPES), made_by=made_by)


def create_staff_key(session: Session, *, name: str, role: str, made_by: str | None = None) -> tuple[ApiKey, str]:
    """A key for the back office's programs, with a staff role, and its text to show once. Raises Invalid."""
    return _create(session, "staff", HOUSE, name, _chosen([role], STAFF_ROLES), made_by=made_by)


def revoke(session: Session, customer_id: str, key_id: str, *, actor: str) -> ApiKey:
    """Calls with this key fail from the next one on. Twice is once. Raises NotFound."""
    key = session.get(ApiKey, (customer_id, key_id))
    if key is None:
        raise NotFound("There is no such API key.")
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        activity.record(session, actor, "api_key.revoked", key.id, customer_id=_owner(key), name=key.name)
    return key


def revoke_made_by(session: Session, user_id: str, *, actor: str, kinds: Collection[str] = KINDS) -> int:
    """Revoke the living keys this person made, for the customers they belong to and for the house; says how many."""
    theirs = select(Membership.customer_id).where(Membership.user_id == user_id)
    living = select(ApiKey).where(
        or_(ApiKey.customer_id == HOUSE, ApiKey.customer_id.in_(theirs)),
        ApiKey.created_by == user_id,
        ApiKey.revoked_at.is_(None),
        ApiKey.kind.in_(kinds),
    )
    keys = list(session.scalars(living.order_by(ApiKey.customer_id, ApiKey.id)))
    for key in keys:
        revoke(session, key.customer_id, key.id, actor=actor)
    return len(keys)


def of_customer(session: Session, customer_id: str) -> list[tuple[ApiKey, str | None]]:
    """The customer's keys, living ones first, the newest first, each with the name of who made it."""
    mine = select(ApiKey, User.name).outerjoin(User, User.id == ApiKey.created_by)
    mine = mine.where(ApiKey.customer_id == customer_id).order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    rows = [(row.ApiKey, row.name) for row in session.execute(mine.limit(500))]
    return sorted(rows, key=lambda row: row[0].revoked_at is not None)


def names_of(session: Session, customer_id: str, key_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Of those that are the customer's own: the name, and how the key begins and ends."""
    mine = select(ApiKey).where(ApiKey.customer_id == customer_id, ApiKey.id.in_(list(key_ids)))
    return {key.id: (key.name, f"{key.prefix}…{key.last4}") for key in session.scalars(mine)}


def maker_of(session: Session, key_id: str) -> str | None:
    """Which user made this key of the house; None for one from the command line."""
    mine = select(ApiKey.created_by).where(ApiKey.customer_id == HOUSE, ApiKey.id == key_id)
    return session.scalar(mine)


def caller(session: Session, text: str) -> Caller | None:
    """Who calls with this key, or None. One indexed query; the maker's permissions are read anew each time."""
    if not is_well_formed(text):
        return None
    row = session.execute(
        select(ApiKey, Membership.permission.label("held"))
        .outerjoin(User, User.id == ApiKey.created_by)
        .outerjoin(
            Membership,
            (Membership.customer_id == ApiKey.customer_id) & (Membership.user_id == ApiKey.created_by),
        )
        .where(ApiKey.key_hash == tokens.hashed(text), ApiKey.revoked_at.is_(None), _maker_is_active())
    ).first()
    if row is None:
        return None
    key: ApiKey = row.ApiKey
    permissions = set(key.permissions)
    if key.kind == "customer" and key.created_by is not None:
        permissions = {one for one in permissions if members.allows(row.held, _NEEDS[one])}
    lately = key.last_used_at is not None and key.last_used_at > clock.now() - USED_EVERY
    customer_id = key.customer_id if key.kind == "customer" else None
    return Caller(key.kind, key.id, customer_id, frozenset(permissions), lately, key.environment == "live")


def note_use(session: Session, text: str) -> None:
    """Remember that the key was used, to the hour."""
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    session.execute(update(ApiKey).where(ApiKey.key_hash == tokens.hashed(text)).values(last_used_at=now))


def is_well_formed(text: str) -> bool:
    """Whether the text could be one of our keys: prefix, length and checksum. Also what a secret scanner asks."""
    prefix = next((prefix for prefix in PREFIXES.values() if text.startswith(prefix)), None)
    return prefix is not None and len(text) == len(prefix) + 49 and text.isascii() and _checksum(text[:-6]) == text[-6:]


def _create(
    session: Session,
    kind: str,
    customer_id: str,
    name: str,
    permissions: list[str],
    *,
    made_by: str | None,
    environment: str | None = None,
) -> tuple[ApiKey, str]:
    prefix = PREFIXES[environment or kind]
    body = prefix + _base62(secrets.randbits(256), 43)
    text = body + _checksum(body)
    key = ApiKey(
        customer_id=customer_id,
        id=ids.new("key"),
        kind=kind,
        name=clean_name(name),
        prefix=prefix,
        last4=text[-4:],
        key_hash=tokens.hashed(text),
        permissions=permissions,
        created_by=made_by,
        created_at=clock.now(),
    )
    session.add(key)
    actor = made_by or "system"
    activity.record(
        session, actor, "api_key.created", key.id, customer_id=_owner(key), name=key.name, permissions=permissions
    )
    return key, text


def _chosen(wanted: Collection[str], possible: Collection[str]) -> list[str]:
    if not wanted or not set(wanted) <= set(possible):
        raise Invalid(f"Choose what the key can do: {', '.join(possible)}.", field="permissions")
    return [one for one in possible if one in wanted]


def _maker_is_active() -> ColumnElement[bool]:
    # A disabled person's keys stop with them; keys from the command line have no person.
    return or_(ApiKey.created_by.is_(None), (User.id.is_not(None)) & User.disabled_at.is_(None))


def _owner(key: ApiKey) -> str | None:
    return key.customer_id if key.kind == "customer" else None


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), 6)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits
