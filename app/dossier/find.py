"""Finding customers, for staff: by whatever name, number or card they have; newest first, by cursor, each with why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, collate, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app import clock
from app.catalogue.models import PlanVersion
from app.customers.models import Customer, Membership
from app.dossier import named
from app.payments.models import Dispute, KnownCard
from app.people.models import User
from app.subscriptions.models import Subscription
from app.wallet.models import WalletFreeze

LONGEST = 200
LAST_FOUR = re.compile(r"[0-9]{4}\Z")
STATUSES = {"active": ("active",), "past_due": ("past_due", "restricted"), "free": ()}
FREE = "free"
_LIVE_DISPUTES = ("inquiry", "open")
_BRANDS = {"amex": "American Express", "diners": "Diners Club", "jcb": "JCB", "unionpay": "UnionPay"}


@dataclass(frozen=True)
class Wanted:
    """What staff look for. `plan` is a plan's id or "free", `status` a word of STATUSES; "" and False for all."""

    text: str = ""
    plan: str = ""
    status: str = ""
    frozen: bool = False
    disputed: bool = False

    @property
    def is_all(self) -> bool:
        return self == Wanted()


@dataclass(frozen=True)
class FoundOne:
    """One line. `price_minor` is what one `interval` costs before tax, None on the free plan. `why` is in words."""

    id: str
    name: str
    email: str
    external_id: str | None
    created_at: datetime
    plan: str | None
    status: str
    interval: str | None
    price_minor: int | None
    currency: str | None
    ends_at: datetime | None
    why: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Found:
    """One page of customers, newest first. `older` is the id to go on below; None at the end."""

    rows: list[FoundOne]
    older: str | None


def find(session: Session, wanted: Wanted, *, before: str | None = None, limit: int = 25) -> Found:
    """One page of those who match. An exact id needs indexes alone; else names and addresses are looked through."""
    text = " ".join(wanted.text.replace("\0", "").split())[:LONGEST]
    known = named.customers(session, text)
    query = _listed().where(*_filtered(wanted))
    if text:
        exact = known and not LAST_FOUR.match(text)
        query = query.where(_exactly(known) if exact else _matching(session, text, known))
    if before:
        query = query.where(Customer.id < before)
    # Ids sort by time of making, so the primary key is the order: no other index, and no row is skipped or repeated.
    rows = session.execute(query.order_by(Customer.id.desc()).limit(limit + 1)).all()
    why = _why(session, text, known, rows[:limit]) if text else {}
    now = clock.now()
    return Found([_row(row, why, now) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


def _listed() -> Select[*tuple[Any, ...]]:
    live = and_(Subscription.customer_id == Customer.id, Subscription.ended_at.is_(None))
    version = and_(PlanVersion.plan_id == Subscription.plan_id, PlanVersion.number == Subscription.version)
    columns = (Customer.name, Customer.email, Customer.external_id, Customer.created_at)
    bought = (Subscription.status, Subscription.interval, Subscription.price_minor, Subscription.currency)
    ends = (Subscription.cancel_at_period_end, Subscription.period_end, Subscription.grace_ends_at)
    return (
        select(Customer.id, *columns, *bought, *ends, PlanVersion.name.label("plan"))
        .outerjoin(Subscription, live)
        .outerjoin(PlanVersion, version)
    )


def _filtered(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    over = and_(Subscription.cancel_at_period_end, Subscription.period_end <= clock.now())
    if FREE in (wanted.plan, wanted.status):
        found.append(or_(Subscription.id.is_(None), over))
    if wanted.plan not in ("", FREE):
        found += [Subscription.plan_id == wanted.plan, ~over]
    if wanted.status not in ("", FREE):
        of_status = select(Subscription.customer_id).where(
            Subscription.ended_at.is_(None), Subscription.status.in_(STATUSES[wanted.status])
        )
        found += [Customer.id.in_(of_status), ~over]
    if wanted.frozen:
        by_dispute = select(Dispute.customer_id).where(Dispute.freezes)
        by_staff = select(WalletFreeze.customer_id).where(WalletFreeze.thawed_at.is_(None))
        found.append(Customer.id.in_(by_dispute.union(by_staff)))
    if wanted.disputed:
        found.append(Customer.id.in_(select(Dispute.customer_id).where(Dispute.phase.in_(_LIVE_DISPUTES))))
    return found


def _exactly(known: named.Found) -> ColumnElement[bool]:
    return Customer.id.in_(sorted(known))


def _matching(session: Session, text: str, known: named.Found) -> ColumnElement[bool]:
    """Everybody's name and address is looked through once; of people too, before it is asked whose members they are."""
    people = select(User.id).where(_either(session, User.name, User.email, text))
    ways: list[ColumnElement[bool]] = [
        _either(session, Customer.name, Customer.email, text),
        Customer.id.in_(select(Membership.customer_id).where(Membership.user_id.in_(people))),
    ]
    if LAST_FOUR.match(text):
        ways.append(Customer.id.in_(select(KnownCard.customer_id).where(KnownCard.last4 == text)))
    if known:
        ways.append(_exactly(known))
    return or_(*ways)


def _either(
    session: Session, name: InstrumentedAttribute[str], email: InstrumentedAttribute[str], text: str
) -> ColumnElement[bool]:
    """Within the name or the address. To fold the case of a hundred thousand is what takes time.

    SQLite's LIKE folds what its lower() would, and need not be handed another string for it. On PostgreSQL both are
    folded as one, and the letters of all languages only for a text that has some.
    """
    if session.get_bind().dialect.name == "sqlite":
        return or_(name.contains(text, autoescape=True), email.contains(text, autoescape=True))
    both = name + "\n" + email
    if text.isascii():
        return func.strpos(func.lower(collate(both, "C")), text.lower()) > 0
    return both.icontains(text, autoescape=True)


def _why(session: Session, text: str, known: named.Found, rows: Sequence[Row[Any]]) -> dict[str, list[str]]:
    """For each customer of the page why it is there, in words; two SELECTs, of these customers alone."""
    found = {row.id: list(known.get(row.id, ())) for row in rows}
    if known and not LAST_FOUR.match(text):
        return found
    folded = text.casefold()
    for row in rows:
        found[row.id] += [f"{what} {value}" for what, value in (("name", row.name), ("mail", row.email))
                          if folded in value.casefold()]  # fmt: skip
    ids = [row.id for row in rows]
    members = select(Membership.customer_id, User.name, User.email).join(User, User.id == Membership.user_id)
    mine = members.where(Membership.customer_id.in_(ids), _either(session, User.name, User.email, text))
    for customer_id, name, email in session.execute(mine):
        found[customer_id].append(f"member {name}, {email}")
    if LAST_FOUR.match(text):
        cards = select(KnownCard.customer_id, KnownCard.brand, KnownCard.kind, KnownCard.reference)
        of_these = cards.where(KnownCard.customer_id.in_(ids), KnownCard.last4 == text)
        for customer_id, brand, kind, reference in session.execute(of_these.order_by(KnownCard.seen_at.desc())):
            reason = f"{brand_name(brand)} ending {text}"
            if kind == "paid" and not any(each.startswith(reason) for each in found[customer_id]):
                found[customer_id].append(f"{reason}, payment {reference}")
            elif kind == "saved" and reason not in found[customer_id]:
                found[customer_id].append(reason)
    return found


def brand_name(brand: str) -> str:
    """`visa` as `Visa`."""
    return _BRANDS.get(brand, brand.replace("_", " ").capitalize() or "Card")


def _row(row: Row[Any], why: dict[str, list[str]], now: datetime) -> FoundOne:
    over = row.status is None or (row.cancel_at_period_end and row.period_end <= now)
    status = FREE if over else row.status
    if status == "past_due" and row.grace_ends_at is not None and row.grace_ends_at <= now:
        status = "restricted"
    return FoundOne(
        id=row.id,
        name=row.name,
        email=row.email,
        external_id=row.external_id,
        created_at=row.created_at,
        plan=None if over else row.plan,
        status=status,
        interval=None if over else row.interval,
        price_minor=None if over else row.price_minor,
        currency=None if over else row.currency,
        ends_at=row.period_end if not over and row.cancel_at_period_end else None,
        why=why.get(row.id, []),
    )
