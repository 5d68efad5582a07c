"""Coupons' tables: the coupons staff make, and their redemptions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base

KINDS = ("percent", "amount", "credits")
DURATIONS = ("once", "repeating", "forever")
REDEMPTION_STATES = ("reserved", "redeemed", "released")
_WAITING = text("granted_at IS NULL")


class Coupon(Base):
    """Percent, amount or bonus credits (SPEC P15). `redeemed` counts reservations too: its guard in the UPDATE decides
    a race for the last one.

    `value`: percent 1 to 100, minor units of `currency`, or credits. `duration` counts invoices: `once`, `repeating`
    for `months`, `forever`. `scope`: {"plans": [key…], "packs": [key…], "topups": true}; an absent part is not covered,
    an empty object covers plans and packs.
    """

    __tablename__ = "coupon"

    id: Mapped[str] = mapped_column(primary_key=True)  # coup_…
    code: Mapped[str] = mapped_column(String(40), unique=True)  # upper case
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(7))
    value: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    duration: Mapped[str] = mapped_column(String(9))
    months: Mapped[int | None]
    most: Mapped[int | None]  # redemptions in all
    most_per_customer: Mapped[int]
    redeemed: Mapped[int]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    scope: Mapped[dict[str, Any]]
    provider_ids: Mapped[dict[str, Any]]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"duration IN {DURATIONS}", name="duration"),
        CheckConstraint("value > 0 AND (kind <> 'percent' OR value <= 100)", name="value"),
        CheckConstraint("(kind = 'amount') = (currency IS NOT NULL)", name="currency"),
        CheckConstraint("(duration = 'repeating') = (months IS NOT NULL)", name="months"),
        CheckConstraint("most IS NULL OR redeemed <= most", name="redeemed"),
        CheckConstraint("redeemed >= 0 AND most_per_customer > 0", name="counts"),
    )


class Redemption(Base):
    """One use of a coupon. reserved: the purchase is under way; released: it came to nothing and the use is free again.

    `key` names the purchase (an order, a change, a subscription), which takes one coupon. `left` is how many more
    months of invoices it covers; None is forever. `off_minor` is what it takes off the first price, `given` is what it
    gave so far, in minor units, or in credits where the coupon gives those. `taken_back` is what of a bonus went with
    payments that went back: in micros of `currency`, or in credits.
    """

    __tablename__ = "coupon_redemption"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)  # red_…
    coupon_id: Mapped[str] = mapped_column(ForeignKey("coupon.id"))
    key: Mapped[str]
    what: Mapped[str]  # "plan:studio", "pack:small", "topup"
    person: Mapped[str] = mapped_column(String(64))  # hash: the same person as another customer has had it too
    subscription_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(String(8))
    left: Mapped[int | None]
    off_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    given: Mapped[int] = mapped_column(BigInteger)
    taken_back: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    invoices: Mapped[list[Any]]  # later invoices it was used for, so that each counts once
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]  # when a reservation ends by itself
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"state IN {REDEMPTION_STATES}", name="state"),
        CheckConstraint("off_minor >= 0 AND given >= 0", name="amounts"),
        CheckConstraint("(state = 'reserved') = (expires_at IS NOT NULL)", name="reserved"),
        UniqueConstraint("customer_id", "key"),
        Index("ix_coupon_redemption_coupon_id_person", "coupon_id", "person"),
        Index("ix_coupon_redemption_subscription_id", "customer_id", "subscription_id"),
        Index("ix_coupon_redemption_expires_at", "expires_at"),
    )


class CouponBonus(Base):
    """Credits a redeemed coupon promised, once per redemption and occasion (an invoice; "" is the purchase itself).

    Whoever grants credits takes up those that wait: `granted_at` is None.
    """

    __tablename__ = "coupon_bonus"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    redemption_id: Mapped[str] = mapped_column(primary_key=True)
    occasion: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40))
    credits: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    granted_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("credits > 0", name="credits"),
        Index("ix_coupon_bonus_waiting", "created_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )
