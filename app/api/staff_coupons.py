"""`/admin/billing/coupons`: staff read the coupons and make them by program, as SPEC §12.2 documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field, StringConstraints

from app import clock
from app.api import calls
from app.api.answers import Instant
from app.api.values import Answer, Body, Count, Moment
from app.clock import timestamp
from app.coupons import issue, reads
from app.coupons.models import Coupon
from app.coupons.reads import Listed
from app.coupons.terms import MOST_MONTHS, MOST_USES, Limits, Terms
from app.db import transaction
from app.errors import Invalid
from app.extensions import db

staff_coupons = calls.group("api_staff_coupons", "Coupons, by staff", "What takes something off, and making it.")


Key = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern="^[A-Za-z][A-Za-z0-9_-]*$")]
Keys = Annotated[list[Key], Field(max_length=200)]
Uses = Annotated[int, Field(ge=1, le=MOST_USES)]
Months = Annotated[int, Field(ge=1, le=MOST_MONTHS)]
_FIELDS = {
    "kind": "type",
    "most": "max_redemptions",
    "most_per_customer": "max_per_customer",
}


class CouponBody(Body):
    """A coupon. What it is good for is everything that is named; with nothing named, every plan and every pack."""

    code: Annotated[str, StringConstraints(min_length=2, max_length=40)] = Field(examples=["HARBOR20"])
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = Field(
        default=None, description="Shown on invoices; the code when it is left out."
    )
    type: Literal["percent", "amount", "credits"] = Field(examples=["percent"])
    value: Count = Field(description="Percent, cents, or credits.", examples=[20])
    duration: Literal["once", "repeating", "forever"] = Field(default="once", examples=["repeating"])
    months: Months | None = Field(default=None, description="For a repeating one.", examples=[6])
    max_redemptions: Uses | None = Field(default=None, description="In all; left out: no limit.", examples=[100])
    max_per_customer: Uses = Field(default=1, examples=[1])
    starts_at: Moment | None = Field(default=None, examples=["2026-11-21T00:00:00Z"])
    ends_at: Moment | None = Field(default=None, examples=["2026-12-31T00:00:00Z"])
    plans: Keys | None = Field(
        default=None, description="Keys of plans; an empty list is any plan.", examples=[["pro"]]
    )
    packs: Keys | None = Field(default=None, description="Keys of packs; an empty list is any pack.")
    topups: bool = Field(default=False, description="Top-ups: what it is worth comes on top of what is paid.")


class CouponAnswer(Answer):
    """A coupon, and what became of it so far."""

    id: str = Field(examples=["coup_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    code: str = Field(examples=["HARBOR20"])
    name: str = Field(examples=["20% off"])
    type: Literal["percent", "amount", "credits"]
    value: int = Field(examples=[20])
    currency: str | None = Field(examples=["usd"])
    duration: Literal["once", "repeating", "forever"]
    months: int | None
    max_redemptions: int | None
    max_per_customer: int
    redeemed: int = Field(description="Reservations included.", examples=[31])
    given: int = Field(description="So far: cents, or credits.", examples=[121460])
    starts_at: Instant | None
    ends_at: Instant | None
    plans: list[str] | None
    packs: list[str] | None
    topups: bool
    status: Literal["active", "waiting", "used_up", "ended"]


class CouponsAnswer(Answer):
    """All coupons, newest first."""

    success: Literal[True] = True
    data: list[CouponAnswer]


class OneCouponAnswer(Answer):
    """One coupon."""

    success: Literal[True] = True
    data: CouponAnswer


@staff_coupons.get("/admin/billing/coupons", responses={200: CouponsAnswer})
@calls.call("staff:read", kinds=("staff",), for_a_customer=False)
def index() -> Response:
    """All coupons, ended ones too"""
    return calls.reply(CouponsAnswer(data=[_told(each) for each in reads.listed(db.session())]))


@staff_coupons.post("/admin/billing/coupons", responses={201: OneCouponAnswer})
@calls.call("staff:admin", kinds=("staff",), for_a_customer=False)
def create(body: CouponBody) -> Response:
    """Make a coupon

    A code that exists, of an ended coupon too, is refused with 409.
    """
    code = body.code.strip().upper()
    limits = Limits(
        (body.name or code).strip(), body.max_redemptions, body.max_per_customer, body.starts_at, body.ends_at
    )
    currency = calls.currency() if body.type == "amount" else None
    terms = Terms(code, body.type, body.value, limits, currency, body.duration, body.months, _scope(body))
    _check(terms)
    with transaction(db.session):
        made = issue.make(db.session(), terms, actor=calls.caller().key_id)
    return calls.reply(OneCouponAnswer(data=_told(Listed(made, 0))), 201)


def _check(terms: Terms) -> None:
    """Raises Invalid with the name the field has in this call."""
    try:
        terms.check()
    except Invalid as wrong:
        field = str(wrong.field)
        raise Invalid(wrong.sentence, field=_FIELDS.get(field, field)) from wrong


def _scope(body: CouponBody) -> dict[str, Any]:
    named: dict[str, Any] = {"plans": body.plans, "packs": body.packs, "topups": body.topups or None}
    return {part: value for part, value in named.items() if value is not None}


def _told(each: Listed) -> CouponAnswer:
    coupon: Coupon = each.coupon
    everything = not coupon.scope
    return CouponAnswer(
        id=coupon.id,
        code=coupon.code,
        name=coupon.name,
        type=coupon.kind,  # type: ignore[arg-type]  # the table's CHECKs allow these words only
        value=coupon.value,
        currency=coupon.currency,
        duration=coupon.duration,  # type: ignore[arg-type]
        months=coupon.months,
        max_redemptions=coupon.most,
        max_per_customer=coupon.most_per_customer,
        redeemed=coupon.redeemed,
        given=each.given,
        starts_at=timestamp(coupon.starts_at) if coupon.starts_at else None,
        ends_at=timestamp(coupon.ends_at) if coupon.ends_at else None,
        plans=[] if everything else coupon.scope.get("plans"),
        packs=[] if everything else coupon.scope.get("packs"),
        topups=bool(coupon.scope.get("topups")),
        status=reads.state_of(coupon, clock.now()),  # type: ignore[arg-type]
    )
