"""Staff: the audit log. Every change by staff, customers, providers and the system; it cannot be edited or removed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from app import activity, clock
from app.admin import audit_chain, words
from app.admin.roles import staff_reads
from app.extensions import db
from app.http import csv_file, hx

pages = Blueprint("admin_activity", __name__)

PER_PAGE = 50
IN_A_FILE = 500  # lines fetched at once while a file is streamed
GROUPS = {
    "wallet.": "Wallets",
    "credits.": "Credits",
    "order.": "Orders",
    "adjustment.": "Adjustments",
    "refund.": "Refunds",
    "dispute.": "Disputes",
    "check_in.": "Check-ins",
    "usage.": "Spend caps",
    "resource.": "Resources",
    "notices.": "Choices of notices",
    "webhook.": "Webhooks",
    "reconciliation.": "Reconciliations",
    "outgoing.": "Outgoing webhooks",
    "books.": "Books",
    "audit.": "Audit log",
    "subscription.": "Subscriptions",
    "invoice.": "Invoices",
    "catalogue.": "Catalogue",
    "coupon.": "Coupons",
    "override.": "Negotiated terms",
    "tax_rate.": "Tax rates",
    "customer.": "Customers",
    "member.": "Members",
    "invitation.": "Invitations",
    "api_key.": "API keys",
    "user.": "People",
    "session.": "Sessions",
}


@pages.get("/admin/activity")
@staff_reads
def index() -> Response | str:
    """The audit log, newest first, by kind of action, person and customer."""
    filters = _filters()
    before = request.args.get("before") or None
    page = activity.of_everyone(db.session, before=before, limit=PER_PAGE, **_asked(filters))
    kept: dict[str, Any] = {name: value or None for name, value in filters.items()}
    shown: dict[str, Any] = {
        "lines": words.told(db.session, page.lines),
        "filters": filters,
        "groups": [("", "All actions"), *GROUPS.items()],
        "older": url_for(".index", before=page.older, **kept) if page.older else "",
        "newest": url_for(".index", **kept) if before else "",
        "csv": url_for(".index_csv", **kept),
    }
    if hx.is_partial():
        return hx.answer(render_template("admin/activity/_rows.html", **shown))
    return hx.answer(render_template("admin/activity/index.html", chain=audit_chain.state(), **shown))


@pages.get("/admin/activity.csv")
@staff_reads
def index_csv() -> Response:
    """The same lines as a file."""
    heading = ("at", "action", "subject", "customer_id", "actor", "by", "details")
    return csv_file.answer("activity.csv", heading, _csv_rows(_asked(_filters())))


def _filters() -> dict[str, str]:
    return {name: request.args.get(name, "").strip()[:100] for name in ("action", "actor", "customer")}


def _asked(filters: dict[str, str]) -> dict[str, str | None]:
    return {
        "action": filters["action"] or None,
        "actor": filters["actor"] or None,
        "customer_id": filters["customer"] or None,
    }


def _csv_rows(asked: dict[str, str | None]) -> Iterator[Sequence[object]]:
    session = db.session()

    def page(before: str | None) -> tuple[list[Sequence[object]], str | None]:
        found = activity.of_everyone(session, before=before, limit=IN_A_FILE, **asked)
        rows: list[Sequence[object]] = [
            (
                clock.timestamp(line.at),
                line.action,
                line.subject,
                told.customer_id,
                line.actor,
                told.by,
                json.dumps(line.details, ensure_ascii=False),
            )
            for line, told in zip(found.lines, words.told(session, found.lines), strict=True)
        ]
        return rows, found.older

    return csv_file.walked(session, page)
