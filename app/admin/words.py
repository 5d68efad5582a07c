"""The audit log in words: what was done, to what, by whom; one look-up for all the names on a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.activity.models import HOUSE, Activity
from app.customers import search
from app.http.filters import exact
from app.people.models import User

# The rest are worded by rule: "api_key.created" is "Api key created".
_TITLES = {
    "wallet.adjusted": "Balance adjusted",
    "wallet.topped_up": "Wallet topped up",
    "wallet.signup_credited": "Welcome credit given",
    "webhook.replayed": "Webhook replayed",
    "webhook.ignored": "Webhook ignored",
    "user.staff_role_changed": "Staff role changed",
}
_ACTORS = {"staff": "Staff", "usr": "Person", "key": "API key"}
_SHOWN_ELSEWHERE = {"before", "after", "amount_micros", "reason", "entry"}


@dataclass(frozen=True)
class Told:
    """One line of the audit log, ready to be shown. `change` is a pair, or an amount as text, or nothing."""

    title: str
    detail: str
    by: str
    by_kind: str
    at: datetime
    subject: str
    customer_id: str | None
    customer_name: str
    before: str
    after: str
    amount: str


def told(session: Session, lines: Sequence[Activity]) -> list[Told]:
    """The lines in words, in the same order."""
    people = _people(session, (_user_id(line.actor) for line in lines))
    customers = search.names(session, sorted({line.customer_id for line in lines} - {HOUSE}))
    return [_told(line, people, customers) for line in lines]


def title(action: str) -> str:
    """`wallet.adjusted` as `Balance adjusted`."""
    return _TITLES.get(action) or action.replace(".", " ").replace("_", " ").capitalize()


def _told(line: Activity, people: dict[str, str], customers: dict[str, str]) -> Told:
    details = line.details
    by_kind, by = _by(line.actor, people)
    amount = details.get("amount_micros")
    before, after = _text(details.get("before")), _text(details.get("after"))
    return Told(
        title=title(line.action),
        detail=_detail(details),
        by=by,
        by_kind=by_kind,
        at=line.at,
        subject=line.subject,
        customer_id=None if line.customer_id == HOUSE else line.customer_id,
        customer_name=customers.get(line.customer_id, ""),
        before=before if "before" in details else "",
        after=after if "after" in details else "",
        amount=exact(amount, sign=True) if isinstance(amount, int) else "",
    )


def _detail(details: dict[str, Any]) -> str:
    reason = details.get("reason")
    others = [f"{name.replace('_', ' ')} {_text(value)}" for name, value in details.items() if _plain(name, value)]
    return ", ".join(([str(reason)] if reason else []) + others)


def _plain(name: str, value: object) -> bool:
    return name not in _SHOWN_ELSEWHERE and value not in (None, "", [], {}) and not isinstance(value, dict)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "nothing" if value is None else str(value)


def _by(actor: str, people: dict[str, str]) -> tuple[str, str]:
    if actor == "system":
        return "System", "Purser"
    user_id = _user_id(actor)
    if user_id:
        return _ACTORS["staff" if actor.startswith("staff:") else "usr"], people.get(user_id, user_id)
    if actor.startswith("key_"):
        return _ACTORS["key"], actor
    return ("Command line", "Operator") if actor == "cli" else ("Provider", actor.capitalize())


def _user_id(actor: str) -> str:
    name = actor.removeprefix("staff:")
    return name if name.startswith("usr_") else ""


def _people(session: Session, ids: Iterable[str]) -> dict[str, str]:
    wanted = sorted(set(ids) - {""})
    if not wanted:
        return {}
    return {row.id: row.name for row in session.execute(select(User.id, User.name).where(User.id.in_(wanted)))}
