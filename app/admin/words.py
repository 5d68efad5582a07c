"""The audit log in words: what was done, to what, by whom; one look-up for all the names on a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity
from app.activity.models import Activity
from app.customers import search
from app.http.filters import cents, credit_count, exact
from app.ledger import HOUSE
from app.people.models import User

# The rest are worded by rule: "api_key.created" is "Api key created".
_TITLES = {
    "wallet.adjusted": "Balance adjusted",
    "adjustment.asked": "Adjustment asked for",
    "adjustment.approved": "Adjustment approved",
    "adjustment.denied": "Adjustment turned down",
    "adjustment.withdrawn": "Adjustment withdrawn",
    "session.proved": "Proved who they are again",
    "user.second_factor_on": "Second factor on",
    "user.second_factor_off": "Second factor off",
    "user.recovery_code_used": "Recovery code used",
    "user.recovery_codes_made": "New recovery codes",
    "wallet.topped_up": "Wallet topped up",
    "wallet.signup_credited": "Welcome credit given",
    "wallet.frozen": "Wallet frozen",
    "wallet.thawed": "Wallet thawed",
    "wallet.frozen_by_staff": "Wallet frozen by hand",
    "wallet.thawed_by_staff": "Freeze by hand taken back",
    "subscription.change_by_staff": "Plan changed for the customer",
    "subscription.cancel_by_staff": "Plan ended for the customer",
    "customer.looked_on": "Looked on as the customer",
    "customer.looked_on_ended": "Stopped looking on",
    "dispute.moved": "Dispute",
    "dispute.set_aside": "Dispute set aside",
    "refund.requested": "Balance asked for",
    "refund.reserved": "Refund begun",
    "refund.approved": "Refund approved",
    "refund.denied": "Refund turned down",
    "refund.sent": "Refund on its way",
    "refund.succeeded": "Refund paid",
    "refund.failed": "Refund failed",
    "refund.own_loss": "Refund beyond what was left",
    "reconciliation.asked": "Reconciliation asked for",
    "reconciliation.repaired": "Reconciliation repaired something",
    "audit.broken": "Audit log found tampered with",
    "audit.checked": "Audit log checked",
    "webhook.replayed": "Webhook replayed",
    "webhook.ignored": "Webhook ignored",
    "user.staff_role_changed": "Staff role changed",
    "order.opened": "Order opened",
    "order.processing": "Payment under way",
    "order.failed": "Payment failed",
    "webhook.dead": "Webhook gave up",
    "catalogue.new": "Put on offer",
    "catalogue.changed": "Changed",
    "catalogue.version": "New version",
    "catalogue.retired": "Retired",
    "catalogue.offered_again": "Offered again",
    "catalogue.drafted": "Draft saved",
    "catalogue.draft_discarded": "Draft thrown away",
    "catalogue.move_begun": "Subscribers moved to another version",
    "catalogue.move_stopped": "Move of subscribers taken back",
    "override.set": "Terms negotiated",
    "override.ended": "Negotiated terms ended",
    "credits.adjusted": "Credits adjusted",
    "credits.granted": "Credits granted",
    "credits.reversed": "Credits returned",
    "credits.revoked": "Credits taken back",
    "check_in.done": "Checked in",
    "customer.time_zone_changed": "Time zone of the customer changed",
    "notices.chosen": "Choice of notices changed",
    "outgoing.endpoint_off": "Outgoing endpoint switched off",
    "outgoing.endpoint_on": "Outgoing endpoint switched on",
    "outgoing.endpoint_secret_replaced": "Secret of an outgoing endpoint replaced",
    "outgoing.sent_again": "Outgoing webhook sent again",
    "portal_link.made": "Portal link made",
    "portal_link.followed": "Came in by a portal link",
    "user.password_dropped": "Password dropped, of an address never proved",
    "usage.cap_set": "Spend cap set",
    "wallet.auto_topup_on": "Automatic top-up switched on",
    "wallet.auto_topup_off": "Automatic top-up switched off",
    "wallet.auto_topup_paused": "Automatic top-up paused",
    "tax_rate.set": "Tax rate set",
    "tax_rate.ended": "Tax rate ended",
}
_ACTORS = {"staff": "Staff", "usr": "Person", "key": "API key"}
# What a person wants to read of the details; the file has all of them.
_TOLD = (
    "reason",
    "why",
    "phase",
    "name",
    "email",
    "permission",
    "permissions",
    "role",
    "channel",
    "ticket",
    "time_zone",
)


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


def told(session: Session, lines: Sequence[Activity], *, of_one: bool = False) -> list[Told]:
    """The lines in words, in the same order. `of_one` customer, whom the page names: their name is not looked up."""
    people = _people(session, (_user_id(line.actor) for line in lines))
    customers = {} if of_one else search.names(session, sorted({line.customer_id for line in lines} - {HOUSE}))
    return [_told(line, people, customers) for line in lines]


def of_subject(session: Session, subject: str, *, action: str = "catalogue.", limit: int = 8) -> list[Told]:
    """What was done last to a thing that is no customer's, such as `plan:studio`; newest first."""
    page = activity.of_everyone(session, customer_id=HOUSE, subject=subject, action=action, limit=limit)
    return told(session, page.lines)


def of_group(session: Session, action: str, *, limit: int = 8) -> list[Told]:
    """What was done last of what is no customer's, by the beginning of its action; newest first."""
    return told(session, activity.of_everyone(session, customer_id=HOUSE, action=action, limit=limit).lines)


def title(action: str) -> str:
    """`wallet.adjusted` as `Balance adjusted`."""
    return _TITLES.get(action) or action.replace(".", " ").replace("_", " ").capitalize().replace("Api key", "API key")


def names_of(session: Session, actors: Iterable[str]) -> dict[str, str]:
    """Actors to the names of the people behind them; an actor who is no person is worded."""
    wanted = list(actors)
    people = _people(session, (_user_id(actor) for actor in wanted))
    return {actor: _by(actor, people)[1] for actor in wanted}


def _told(line: Activity, people: dict[str, str], customers: dict[str, str]) -> Told:
    details = line.details
    by_kind, by = _by(line.actor, people)
    return Told(
        title=title(line.action),
        detail=_facts(details) or ", ".join(_text(details[name]) for name in _TOLD if details.get(name)),
        by=by,
        by_kind=by_kind,
        at=line.at,
        subject=line.subject,
        customer_id=None if line.customer_id == HOUSE else line.customer_id,
        customer_name=customers.get(line.customer_id, ""),
        before=_text(details["before"]) if "before" in details else "",
        after=_text(details["after"]) if "after" in details else "",
        amount=_amount(line.action, details),
    )


def _facts(details: dict[str, Any]) -> str:
    """What changed of a thing in the catalogue: `monthly 29.00 USD, now 39.00 USD; and 2 more`."""
    facts = details.get("facts")
    if not isinstance(facts, dict):
        return ""
    changed = [(what, *pair) for what, pair in facts.items() if pair[0] not in ("", None)]
    said = "; ".join(
        f"{what.replace('_', ' ')} {_text(old)}, now {_text(new or None)}" for what, old, new in changed[:2]
    )
    return said + (f"; and {len(changed) - 2} more" if len(changed) > 2 else "")


def _amount(action: str, details: dict[str, Any]) -> str:
    if action.startswith("credits.") and isinstance(details.get("amount"), int):
        return credit_count(details["amount"], sign=True)
    micros, minor = details.get("amount_micros"), details.get("amount_minor")
    if isinstance(micros, int):
        return exact(micros, sign=not action.endswith("_taken"))  # the word says which way it went
    return cents(minor, details.get("currency")) if isinstance(minor, int) else ""


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
