"""The one notice over the plan's page: what is the matter, until when, and what to do (SPEC P7, P8, P9, P11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for
from sqlalchemy.orm import Session

from app.catalogue import reads
from app.http.filters import cents, day_text, moment_text
from app.invoices import reads as invoices
from app.people import users
from app.providers.values import Cap
from app.subscriptions import changes
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.standing import Standing
from app.web import plan_powers


@dataclass(frozen=True)
class Press:
    """A button that sends a form, or a link where `href` says where to."""

    label: str
    action: str = ""
    href: str = ""
    busy: str = ""


@dataclass(frozen=True)
class Notice:
    title: str
    text: str
    tone: str = ""
    presses: Sequence[Press] = ()


def of(session: Session, standing: Standing) -> Notice | None:
    """The most pressing thing there is to say, or None."""
    live, change = standing.subscription, standing.pending
    if live is None or standing.plan is None:
        return None
    name = standing.plan.name
    if change is not None and change.state == "in_flight":
        return _under_way(session, change)
    if standing.status in ("past_due", "restricted"):
        return _unpaid(session, standing, live, name)
    if standing.ends_at is not None:
        ends = day_text(standing.ends_at)
        text = "Until then everything stays. Your wallet and your credits stay yours after it, too."
        return Notice(f"{name} ends {ends}", text, "", [Press(f"Keep {name}", url_for("plan_actions.resume"))])
    if change is not None:
        return _scheduled(session, change, name)
    return None


def who_began(session: Session, change: SubscriptionChange) -> str:
    """Who is in the way, by name: a colleague, or a program."""
    person = users.by_id(session, change.created_by) if change.created_by.startswith("usr_") else None
    return person.name if person else "A program"


def told(session: Session, change: SubscriptionChange) -> str:
    """What a change is, in the middle of a sentence: `the upgrade to Growth`."""
    terms = reads.version_of(session, change.plan_id, change.version)
    words = {
        "upgrade": f"the change to {terms.name}",
        "downgrade": f"the change to {terms.name}",
        "cancel_now": "the cancellation",
        "pay_by": "the change of how it is paid",
    }
    return words[change.kind]


def _under_way(session: Session, change: SubscriptionChange) -> Notice:
    began = f"{who_began(session, change)} began it {moment_text(change.created_at)}."
    if change.action_url:
        confirm = Press("Confirm with your bank", href=change.action_url)
        text = f"Your bank wants you to confirm {cents(change.due_minor, change.currency)}. {began}"
        back = Press("Take it back", url_for("plan_actions.undo"))
        return Notice(_title(session, change), text, "warn", [confirm, back])
    text = f"{began} It finishes when the payment is confirmed, usually within a minute. Until then nothing changes."
    return Notice(_title(session, change), text, "warn")


def _title(session: Session, change: SubscriptionChange) -> str:
    words = told(session, change)
    return f"{words[0].upper()}{words[1:]} is under way"


def _unpaid(session: Session, standing: Standing, live: Subscription, name: str) -> Notice:
    due = invoices.oldest_open(session, live.customer_id, live.id)
    amount = cents(due.due_minor, due.currency) if due else ""
    why = f"{due.failure.rstrip('.')}. " if due and due.failure else ""
    presses = []
    if plan_powers.can(live, Cap.RETRY_PAYMENT):
        retry = url_for("plan_actions.retry")
        presses.append(Press(f"Pay {amount} now" if amount else "Try again now", retry, busy="Paying"))
    if live.paid_by == "wallet":
        presses.append(Press("Top up the wallet", href=url_for("wallet.show", _anchor="topup")))
    presses.append(Press("Change the card", href=url_for("payment_methods.show")))
    again = f" We try again {day_text(live.next_attempt_at)}." if live.next_attempt_at else ""
    if standing.status == "restricted":
        text = f"{why}The days of grace are over, so {name} is restricted until it is paid.{again}"
        return Notice(f"{name} is restricted", text, "neg", presses)
    until = f"You keep {name} until {day_text(standing.grace_ends_at)}." if standing.grace_ends_at else ""
    return Notice(f"{amount or 'A'} payment failed", f"{why}{until}{again}", "neg", presses)


def _scheduled(session: Session, change: SubscriptionChange, name: str) -> Notice:
    when, undo = day_text(change.effective_at), url_for("plan_actions.undo")
    if change.kind == "pay_by":
        return Notice(f"Paid another way from {when}", "Until then nothing changes.", "", [Press("Take it back", undo)])
    terms = reads.version_of(session, change.plan_id, change.version)
    each = "yearly" if change.interval == "year" else "monthly"
    price = f"{cents(change.price_minor, change.currency)} a {change.interval}"
    same = terms.name == name
    if changes.is_of_move(change):
        text = f"{price} from then on. If that does not suit you, choose another plan, or cancel before then."
        return Notice(f"{name} has new terms from {when}", text)
    title = f"{name} is paid {each} from {when}" if same else f"You move to {terms.name} on {when}"
    keep = "Take it back" if same else f"Keep {name}"
    return Notice(title, f"{price} from then on. Until then everything stays as it is.", "", [Press(keep, undo)])
