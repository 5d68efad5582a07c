"""Staff: the dashboard. What the business earns, owes and waits for; each figure leads to the rows it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template
from sqlalchemy.orm import Session

from app import activity, adjustments, clock, ledger
from app.activity.models import Activity
from app.admin import days_chart
from app.admin.disputes import LIVE
from app.admin.roles import staff_reads
from app.customers import search
from app.extensions import db
from app.figures import days, recurring, waiting
from app.http.filters import currency_sign, default_currency
from app.invoices import everyone

pages = Blueprint("admin_dashboard", __name__)

_BOOKS = "books."  # also what the worker tells when it finds something


@dataclass(frozen=True, slots=True)
class Books:
    """The last audit of the books: when it was, and how many faults it found. None: there was none yet."""

    at: datetime | None
    faults: int


@pages.get("/admin")
@staff_reads
def show() -> str:
    """Every figure of now, and money by day over the last thirty days."""
    session, currency = db.session(), default_currency()
    groups, states = recurring.standing(session, currency)
    by_day = days.last_days(session, currency, clock.now().date())
    disputes = waiting.next_disputes(session)
    return render_template(
        "admin/dashboard/show.html",
        groups=groups,
        paying=sum(group.count for group in groups),
        each_month=recurring.each_month(groups),
        states=states,
        days=list(reversed(by_day)),
        chart=days_chart.chart(by_day, currency_sign()),
        topped_up=sum(day.topped_up for day in by_day),
        spent=sum(day.spent for day in by_day),
        failed=everyone.summed(session, everyone.Asked(state="failed"), currency),
        disputes=disputes,
        names=search.names(session, sorted({each.customer_id for each in disputes})),
        disputed=waiting.disputes(session, waiting.LIVE_DISPUTES, currency),
        live=LIVE,
        to_decide=waiting.refunds(session, ("requested",), currency),
        adjusting=adjustments.waiting(session),
        inbox=waiting.inbox(session),
        outgoing=waiting.outgoing(session),
        failing=waiting.failing_endpoints(session),
        books=_books(session),
        **_owed(session),
    )


def _owed(session: Session) -> dict[str, Any]:
    """What customers hold, in money and in credits, and how many of them are below zero."""
    wallets = ledger.account_sums(session, "wallet", ("some", "below", "held"))
    credits_ = ledger.account_sums(session, "credits")
    return {
        "wallets": wallets["some"], "below": wallets["below"], "held": wallets["held"], "credits": credits_["some"],
    }  # fmt: skip


def _books(session: Session) -> Books:
    last: Activity | None = next(iter(activity.of_everyone(session, action=_BOOKS, limit=1).lines), None)
    if last is None:
        return Books(None, 0)
    return Books(last.at, int(last.details.get("fault_count") or len(last.details.get("faults", ()))))
