"""The lists of one customer: orders, notices, members, keys, timeline; each whole, with filters and as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy.orm import Session

from app.admin import happenings, missing_words, words
from app.admin.customers import load
from app.admin.roles import staff_reads
from app.customers import api_keys, members
from app.dossier import missing, timeline
from app.errors import Invalid
from app.extensions import db
from app.http import csv_file, hx
from app.http.filters import cents
from app.notices import reads as notices
from app.payments import reads as payments
from app.payments.titles import title_of

pages = Blueprint("admin_customer_lists", __name__)

PER_PAGE = 50
IN_A_FILE = 500
HEADING = ("at", "what", "detail", "status", "amount", "by", "id")
ORDER_STATES = {
    "pending": "Waiting",
    "open": "Open",
    "processing": "Processing",
    "paid": "Paid",
    "failed": "Payment failed",
    "expired": "Expired",
    "canceled": "Canceled",
}
PERMISSIONS = {"owner": "Owner", "write": "Can spend", "read": "Can read"}


@dataclass(frozen=True)
class Entry:
    """A line of any of these lists. `link` leads to more of it: address and words."""

    id: str
    what: str
    at: datetime | None
    detail: str = ""
    status: str = ""
    amount: str = ""
    by: str = ""
    link: tuple[str, str] = ("", "")


Chosen = Mapping[str, str]
Choices = Sequence[tuple[str, str]]
Read = Callable[[Session, str, Chosen, str | None, int], tuple[list[Entry], str | None]]


@dataclass(frozen=True)
class Listed:
    """A list: its title, its filters (name, label, choices), how it is read, and what an empty one says."""

    title: str
    icon: str
    filters: Sequence[tuple[str, str, Choices]]
    read: Read
    empty: str


def _orders(
    session: Session, customer_id: str, chosen: Chosen, before: str | None, limit: int
) -> tuple[list[Entry], str | None]:
    page = payments.order_page(
        session, customer_id, kind=chosen["kind"], state=chosen["state"], before=before, limit=limit
    )
    said = missing_words.of_orders(page.orders, missing.events(session, customer_id, page.orders))
    people = words.names_of(session, [order.created_by for order in page.orders])
    return [
        Entry(
            id=order.id,
            what=f"{title_of(order)}, {order.channel.capitalize()}",
            at=order.created_at,
            detail=said[order.id].text if order.id in said else "",
            status=ORDER_STATES[order.state],
            amount=cents(order.due_minor, order.currency),
            by=people[order.created_by],
            link=(said[order.id].href, "Open the webhook") if order.id in said else ("", ""),
        )
        for order in page.orders
    ], page.older


def _notices(
    session: Session, customer_id: str, chosen: Chosen, before: str | None, limit: int
) -> tuple[list[Entry], str | None]:
    page = notices.page(session, customer_id, before=before, limit=limit, unread_only=chosen["state"] == "unread")
    return [
        Entry(id=one.id, what=one.title, at=one.at, detail=one.sentence, status="Read" if one.read_at else "Unread")
        for one in page.notices
    ], page.older


def _members(
    session: Session, customer_id: str, chosen: Chosen, _before: str | None, _limit: int
) -> tuple[list[Entry], str | None]:
    found = members.of_customer(session, customer_id)
    return [
        Entry(id=one.user_id, what=one.name, at=None, detail=one.email, status=PERMISSIONS[one.permission])
        for one in found
        if chosen["permission"] in ("", one.permission)
    ], None


def _keys(
    session: Session, customer_id: str, chosen: Chosen, _before: str | None, _limit: int
) -> tuple[list[Entry], str | None]:
    wanted = {"": (True, False), "living": (True,), "revoked": (False,)}[chosen["state"]]
    return [
        Entry(
            id=key.id,
            what=key.name,
            at=key.created_at,
            detail=f"{key.prefix}…{key.last4}, {', '.join(key.permissions)}",
            status="Revoked" if key.revoked_at else "Live",
            by=maker or "",
        )
        for key, maker in api_keys.of_customer(session, customer_id)
        if (key.revoked_at is None) in wanted
    ], None


def _timeline(
    session: Session, customer_id: str, chosen: Chosen, before: str | None, limit: int
) -> tuple[list[Entry], str | None]:
    sources = [chosen["source"]] if chosen["source"] else []
    page = timeline.page(session, customer_id, sources=sources, before=before, limit=limit)
    return [
        Entry(line.id, line.title, line.at, line.detail, happenings.SOURCES[line.source], line.amount, line.by,
              (line.href, "Open the webhook") if line.href else ("", ""))
        for line in happenings.told(session, page.lines)
    ], page.older  # fmt: skip


_ANY = ("", "Any")
_KINDS = {"plan": "Plans", "pack": "Packs", "topup": "Top-ups", "invoice": "Invoices"}
LISTS: Mapping[str, Listed] = {
    "orders": Listed(
        "Orders",
        "card",
        (
            ("kind", "Bought", (_ANY, *_KINDS.items())),
            ("state", "Status", (_ANY, *((state, state.capitalize()) for state in payments.STATES))),
        ),
        _orders,
        "What is bought through a payment provider appears here as soon as its page is asked for.",
    ),
    "notices": Listed(
        "Notices", "bell", (("state", "Status", (_ANY, ("unread", "Unread"))),), _notices, "They were told nothing yet."
    ),
    "members": Listed(
        "Members",
        "team",
        (("permission", "May", (_ANY, *PERMISSIONS.items())),),
        _members,
        "Nobody can sign in for this customer.",
    ),
    "keys": Listed(
        "API keys",
        "key",
        (("state", "Status", (_ANY, ("living", "Live"), ("revoked", "Revoked"))),),
        _keys,
        "No program of theirs has a key.",
    ),
    "timeline": Listed(
        "Timeline", "clock", (("source", "Kind", (_ANY, *happenings.SOURCES.items())),), _timeline, "Nothing yet."
    ),
}  # fmt: skip
_WHAT = "/admin/customers/<customer_id>/<any(" + ",".join(LISTS) + "):what>"


@pages.get(_WHAT)
@staff_reads
def index(customer_id: str, what: str) -> Response:
    """One list of this customer, newest first."""
    customer, chosen, listed = load(customer_id), _chosen(LISTS[what]), LISTS[what]
    before = request.args.get("before") or None
    entries, older = listed.read(db.session(), customer.id, chosen, before, PER_PAGE)
    kept: dict[str, Any] = {name: value or None for name, value in chosen.items()}
    here: dict[str, Any] = {"customer_id": customer.id, "what": what}
    shown = {
        "customer": customer,
        "what": what,
        "listed": listed,
        "chosen": chosen,
        "entries": entries,
        "older": url_for(".index", before=older, **here, **kept) if older else "",
        "newest": url_for(".index", **here, **kept) if before else "",
        "csv": url_for(".index_csv", **here, **kept),
    }
    template = "admin/customers/_list.html" if hx.is_partial() else "admin/customers/list.html"
    return hx.answer(render_template(template, **shown))


@pages.get(_WHAT + ".csv")
@staff_reads
def index_csv(customer_id: str, what: str) -> Response:
    """The same list as a file, whole."""
    customer, chosen, listed = load(customer_id), _chosen(LISTS[what]), LISTS[what]
    session, whose = db.session(), customer.id  # one session throughout: the file is read after the request's is gone
    rows = csv_file.walked(session, lambda place: listed.read(session, whose, chosen, place, IN_A_FILE))
    return csv_file.answer(f"{what}.csv", HEADING, map(_csv_row, rows))


def _chosen(listed: Listed) -> dict[str, str]:
    chosen = {name: request.args.get(name, "") for name, _, _ in listed.filters}
    for name, _, choices in listed.filters:
        if chosen[name] not in dict(choices):
            raise Invalid("Choose one of these.", field=name)
    return chosen


def _csv_row(entry: Entry) -> Sequence[object]:
    at = entry.at.isoformat() if entry.at else ""
    amount = entry.amount.removeprefix("+")  # a leading plus would be the beginning of a formula
    return at, entry.what, entry.detail, entry.status, amount, entry.by, entry.id
