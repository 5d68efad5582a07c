"""Making coupons, changing what may be changed, and retiring them. Each is in the audit log (SPEC R10)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.coupons.models import Coupon
from app.coupons.terms import Limits, Terms
from app.errors import Conflict, Invalid, NotFound


def make(session: Session, terms: Terms, *, actor: str) -> Coupon:
    """A new coupon. Raises Invalid with the field, and Conflict where the code is taken, by a retired one too."""
    terms.check()
    row: dict[str, Any] = asdict(terms) | asdict(terms.limits) | {"scope": dict(terms.scope)}
    del row["limits"]
    row |= {"id": ids.new("coup"), "redeemed": 0, "provider_ids": {}, "created_by": actor, "created_at": clock.now()}
    made = insert(Coupon).values(row).on_conflict_do_nothing(index_elements=["code"]).returning(Coupon.id)
    coupon_id = session.execute(made).scalar_one_or_none()
    if coupon_id is None:
        raise Conflict(f"There is a coupon {terms.code} already.", field="code")
    activity.record(session, actor, "coupon.created", coupon_id, code=terms.code, **_told(terms))
    return session.get_one(Coupon, coupon_id)


def change(session: Session, coupon_id: str, limits: Limits, *, actor: str) -> Coupon:
    """Give it another name or other limits. Raises Invalid with the field, and NotFound.

    The limit in all is not set below what is used: the uses there are stay.
    """
    limits.check()
    coupon = locked(session, coupon_id)
    if limits.most is not None and limits.most < coupon.redeemed:
        raise Invalid(f"It has been used {coupon.redeemed:,} times already: enter that or more.", field="most")
    wanted = asdict(limits)
    before = {name: getattr(coupon, name) for name in wanted}
    changed = {name for name in wanted if wanted[name] != before[name]}
    if not changed:
        return coupon
    for name in changed:
        setattr(coupon, name, wanted[name])
    activity.record(
        session,
        actor,
        "coupon.changed",
        coupon.id,
        code=coupon.code,
        facts={name: [_plain(before[name]), _plain(wanted[name])] for name in sorted(changed)},
    )
    session.flush()
    return coupon


def retire(session: Session, coupon_id: str, *, actor: str) -> Coupon:
    """Nobody can use it any more; who has it keeps it for the invoices it was promised for."""
    coupon = locked(session, coupon_id)
    if coupon.retired_at is None:
        coupon.retired_at = clock.now()
        activity.record(session, actor, "coupon.retired", coupon.id, code=coupon.code)
        session.flush()
    return coupon


def locked(session: Session, coupon_id: str) -> Coupon:
    """The coupon, until the commit. Raises NotFound."""
    found = select(Coupon).where(Coupon.id == coupon_id).with_for_update()
    coupon = session.scalars(found.execution_options(populate_existing=True)).one_or_none()
    if coupon is None:
        raise NotFound("There is no such coupon.")
    return coupon


def _told(terms: Terms) -> dict[str, Any]:
    said = {"kind": terms.kind, "value": terms.value, "currency": terms.currency, "duration": terms.duration}
    said |= {"months": terms.months, "scope": dict(terms.scope)}
    return said | {name: _plain(value) for name, value in asdict(terms.limits).items()}


def _plain(value: Any) -> Any:
    return clock.timestamp(value) if hasattr(value, "tzinfo") else value
