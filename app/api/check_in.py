"""`POST /checkin`, and its rules for staff's programs at `/admin/checkin/config`, as SPEC §12.2 documents."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import BeforeValidator, Field

from app import checkin, credits
from app.api import calls
from app.api.answers import Instant
from app.api.values import Answer, Body, whole
from app.catalogue import check_in as rules
from app.catalogue.models import CheckInRules
from app.catalogue.terms import CheckInTerms
from app.checkin import situation
from app.checkin.models import CheckIn
from app.clock import timestamp
from app.db import transaction
from app.errors import Invalid
from app.extensions import db

daily_check_in = calls.group("api_check_in", "Check-in", "Free credits, once a day.")
staff_check_in = calls.group("api_staff_check_in", "Check-in, by staff", "What a day gives, and to whom.")

_FIELDS = {"credits": "daily_credits", "expires_days": "expires_after_days", "most": "max_balance", "day": "day_of"}

Given = Annotated[int, Field(ge=1, le=rules.MOST_CREDITS), BeforeValidator(whole)]
Row = Annotated[int, Field(ge=2, le=rules.LONGEST_ROW), BeforeValidator(whole)]
Lasting = Annotated[int, Field(ge=1, le=rules.LONGEST_EXPIRY), BeforeValidator(whole)]
Held = Annotated[int, Field(ge=1, le=10**15), BeforeValidator(whole)]


class CheckedIn(Answer):
    """A day that was checked in. At the cap `credits` may be 0: the row goes on all the same."""

    date: str = Field(description="The customer's day.", examples=["2026-11-21"])
    time_zone: str = Field(description="Where that day was counted.", examples=["UTC"])
    credits: int = Field(description="What it gave, bonus included.", examples=[40])
    bonus: int = Field(examples=[30])
    streak: int = Field(description="Days in a row.", examples=[7])
    balance: int = Field(description="Credits that can be spent now.", examples=[1540])
    next_at: Instant = Field(description="When the next check-in is possible.", examples=["2026-11-22T00:00:00Z"])


class CheckedInAnswer(Answer):
    """What a check-in gave."""

    success: Literal[True] = True
    data: CheckedIn


class BonusBody(Body):
    """More on every so-many-th day in a row."""

    every: Row = Field(examples=[7])
    credits: Given = Field(examples=[30])


class CheckInConfigBody(Body):
    """The rules. What is left out is as if it had never been set: no bonus, no end, no cap."""

    enabled: bool = Field(examples=[True])
    daily_credits: Given = Field(examples=[10])
    bonuses: Annotated[list[BonusBody], Field(max_length=rules.MOST_BONUSES)] = Field(
        default_factory=list, examples=[[{"every": 7, "credits": 30}]]
    )
    expires_after_days: Lasting | None = Field(default=None, description="Left out: never.", examples=[90])
    max_balance: Held | None = Field(default=None, description="What a customer may hold of it at once.")
    who: Literal["everyone", "verified", "payer", "paid_plan"] = Field(
        default="verified", description="verified: somebody has confirmed an address. payer: has paid for something."
    )
    day_of: Literal["customer", "utc"] = Field(default="customer", description="Whose midnight begins a day.")


class BonusAnswer(Answer):
    """More on every so-many-th day in a row."""

    every: int = Field(examples=[7])
    credits: int = Field(examples=[30])


class CheckInConfig(Answer):
    """The rules as staff last left them. Amounts count from each customer's next day, the rest at once."""

    enabled: bool
    daily_credits: int | None = Field(description="Null while nobody has set any rules.", examples=[10])
    bonuses: list[BonusAnswer]
    expires_after_days: int | None = Field(examples=[90])
    max_balance: int | None = Field(examples=[300])
    who: Literal["everyone", "verified", "payer", "paid_plan"]
    day_of: Literal["customer", "utc"]
    updated_at: Instant | None


class CheckInConfigAnswer(Answer):
    """The rules."""

    success: Literal[True] = True
    data: CheckInConfig


@daily_check_in.post("/checkin", responses={200: CheckedInAnswer})
@calls.call("billing:write", keyed=True)
def check_in() -> Response:
    """Check in for today

    Once a day. The second try is refused with 409 `ALREADY_CHECKED_IN` and `next_at`.
    """
    return calls.answer_once(["checkin"], calls.key(), _check_in)


@staff_check_in.get("/admin/checkin/config", responses={200: CheckInConfigAnswer})
@calls.call("staff:read", kinds=("staff",), for_a_customer=False)
def show() -> Response:
    """The rules of the check-in"""
    return _kept()


@staff_check_in.put("/admin/checkin/config", responses={200: CheckInConfigAnswer})
@calls.call("staff:admin", kinds=("staff",), for_a_customer=False)
def update(body: CheckInConfigBody) -> Response:
    """Change the rules of the check-in

    Amounts count from each customer's next day; switching off, who may and the cap count at once.
    """
    bonuses = tuple(sorted((bonus.every, bonus.credits) for bonus in body.bonuses))
    terms = CheckInTerms(body.daily_credits, bonuses, body.expires_after_days, body.max_balance, body.day_of, body.who)
    try:
        with transaction(db.session):
            rules.save(db.session(), terms, is_on=body.enabled, actor=calls.caller().key_id)
    except Invalid as wrong:
        field = str(wrong.field)
        raise Invalid(wrong.sentence, field=_FIELDS.get(field, field)) from wrong
    return _kept()


def _check_in() -> CheckedInAnswer:
    with transaction(db.session):
        day = checkin.check_in(db.session(), calls.customer_id(), actor=calls.caller().key_id)
    return CheckedInAnswer(data=_told(day))


def _told(day: CheckIn) -> CheckedIn:
    return CheckedIn(
        date=day.local_date.isoformat(),
        time_zone=day.zone,
        credits=day.amount,
        bonus=day.bonus,
        streak=day.streak,
        balance=credits.balance(db.session(), day.customer_id).available,
        next_at=timestamp(situation.of(db.session(), day.customer_id).turn.starts_at),
    )


def _kept() -> Response:
    return calls.reply(CheckInConfigAnswer(data=_config(rules.newest(db.session()))))


def _config(kept: CheckInRules | None) -> CheckInConfig:
    return CheckInConfig(
        enabled=kept is not None and kept.is_on,
        daily_credits=kept.credits if kept else None,
        bonuses=[BonusAnswer(every=days, credits=more) for days, more in kept.bonuses] if kept else [],
        expires_after_days=kept.expires_days if kept else None,
        max_balance=kept.most if kept else None,
        who=kept.who if kept else "verified",  # type: ignore[arg-type]  # the table's CHECKs allow these words only
        day_of=kept.day if kept else "customer",  # type: ignore[arg-type]
        updated_at=timestamp(kept.created_at) if kept else None,
    )
