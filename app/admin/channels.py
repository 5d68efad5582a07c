"""Staff: the payment channels. What each can sell, what it lacks for the rest, and what could not be bought."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, current_app, render_template, url_for

from app.admin.roles import staff_reads
from app.catalogue import reads
from app.customers import search
from app.extensions import db
from app.flows import sold_by
from app.flows.sold_by import Lacking, Providers
from app.http import csv_file
from app.payments import refused
from app.payments.refused_table import RefusedCheckout

pages = Blueprint("admin_channels", __name__, url_prefix="/admin/channels")

MOST_REFUSED = 100
_COLUMNS: dict[str, Callable[[RefusedCheckout], object]] = {
    "channel": lambda row: row.channel,
    "what": lambda row: row.what,
    "status": lambda row: "sold since" if row.settled_at else "not sold",
    "reason": lambda row: row.reason,
    "code": lambda row: row.code,
    "times": lambda row: row.count,
    "customer_id": lambda row: row.customer_id,
    "order": lambda row: row.order_id,
    "first_at": lambda row: csv_file.instant(row.first_at),
    "last_at": lambda row: csv_file.instant(row.last_at),
    "settled_at": lambda row: csv_file.instant(row.settled_at),
}


@pages.get("")
@staff_reads
def index() -> str:
    """Every configured channel, the default first, and the things that were refused last."""
    session = db.session()
    providers: Providers = current_app.extensions["providers"]
    known = sold_by.lacking(session, providers, reads.live(session))
    rows = refused.latest(session, MOST_REFUSED)
    return render_template(
        "admin/channels/index.html",
        channels=[(channel, [(each, _address(each)) for each in channel.lacks]) for channel in known],
        rows=rows,
        open_count=sum(row.settled_at is None for row in rows),
        names=search.names(session, sorted({row.customer_id for row in rows})),
        titles={name: provider.title for name, provider in providers.items()},
    )


@pages.get("/refused.csv")
@staff_reads
def refused_csv() -> Response:
    """What was refused as a file, all of it."""
    session = db.session()
    return csv_file.of_list(session, "refused-checkouts", _COLUMNS, lambda _: (refused.latest(session), None))


def _address(lacks: Lacking) -> str:
    """Where it is put right; nothing for what stands in the settings."""
    if lacks.kind == "plan":
        return url_for("admin_plans.show", plan_id=lacks.key)
    return url_for("admin_rows.show", plural="packs", key=lacks.key) if lacks.kind == "pack" else ""
