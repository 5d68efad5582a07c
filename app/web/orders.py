"""The orders: everything bought through a provider, a list, one with its state told by the provider, and a CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, make_response, render_template, request, url_for
from flask_login import current_user
from wtforms import StringField
from wtforms.validators import ValidationError

from app import activity, clock, credits
from app.customers import members
from app.extensions import db
from app.http import csv_file, hx
from app.http.auth import current_customer_id, customer_required
from app.http.forms import Form
from app.http.paging import Pager
from app.invoices import Invoice
from app.money import minor_to_micros
from app.payments import reads, refund_reads
from app.payments.models import Order
from app.payments.titles import title_of
from app.subscriptions import standing
from app.subscriptions.order_invoices import invoices_of
from app.web import order_rows, pack_status, plan_order_status, refund_rows, top_up_status
from app.web.invoice_sheet import number_of
from app.web.waiting import Action, Status, at_rest

ROWS = 50
HEADING = (
    "id", "ordered", "type", "description", "status", "amount", "currency", "paid_at", "channel", "invoice", "failure",
)  # fmt: skip
KIND_CHOICES = (
    ("", "Everything"), ("plan", "Plans"), ("pack", "Credit packs"), ("topup", "Wallet top-ups"),
    ("invoice", "Invoices by card"),
)  # fmt: skip
STATE_CHOICES = (("", "All"), ("waiting", "Waiting"), ("paid", "Paid"), ("failed", "Failed"), ("closed", "Closed"))

orders = Blueprint("orders", __name__, url_prefix="/invoices")  # /orders itself is the API's (SPEC §12.2)


class OrderFilter(Form):
    """What was bought, and how its payment stands."""

    kind = StringField()
    state = StringField()

    def validate_kind(self, field: StringField) -> None:
        if field.data and field.data not in reads.KINDS:
            raise ValidationError("Choose one of these.")

    def validate_state(self, field: StringField) -> None:
        if field.data and field.data not in reads.STATES:
            raise ValidationError("Choose one of these.")

    @property
    def query(self) -> dict[str, Any]:
        """The filter as it stands in an address; nothing where it is wrong, so that everything is shown."""
        named = {"kind": self.kind.data, "state": self.state.data}
        return {} if self.errors else {name: value for name, value in named.items() if value}


@orders.get("/orders")
@customer_required("read")
def show() -> Response:
    """The whole page; for htmx only the list, at the same address."""
    filters = _filters()
    template = "orders/_list.html" if hx.is_partial() else "orders/show.html"
    return make_response(render_template(template, **_list(filters)), 422 if filters.errors else 200)


@orders.get("/orders.csv")
@customer_required("read")
def listed_csv() -> Response:
    """Every order of the filter, a line each."""
    filters = _filters()
    if filters.errors:
        return make_response(render_template("orders/show.html", **_list(filters)), 422)
    rows = _csv_rows(current_customer_id(), filters.query)
    return csv_file.answer(f"orders-{clock.now():%Y-%m-%d}.csv", HEADING, rows)


@orders.get("/orders/<order_id>")
@customer_required("read")
def one(order_id: str) -> str:
    """What was bought, and how it stands. A pack's checkout sends people back to here, where the news is waited for."""
    order = _mine(order_id)
    session = db.session()
    invoice = invoices_of(session, order.customer_id, [order]).get(order.id)
    provider = current_app.extensions["providers"].get(order.channel)
    log = activity.of_everyone(session, customer_id=order.customer_id, subject=order.id, limit=20).lines
    return render_template(
        "orders/one.html",
        order=order,
        reference=order.id,
        title=title_of(order),
        status=_status(order, invoice),
        bill=order_rows.bill_of(order, invoice),
        invoice=invoice,
        invoice_number=number_of(invoice) if invoice else "",
        movement=order_rows.movement_of(session, order),
        refunds=refund_reads.by_order(session, order.customer_id, [order.id]).get(order.id, []),
        refund_states=refund_rows.STATES,
        provider_title=provider.title if provider else order.channel.capitalize(),
        happened=[(word, line.at) for line in log if (word := order_rows.happened(line.action))],
    )


@orders.get("/orders/<order_id>/status")
@customer_required("read")
def status(order_id: str) -> Response:
    """The waiting part alone. Nothing new is an empty answer, so the page stands still while it waits."""
    order = _mine(order_id)
    now = _status(order, None)
    if request.args.get("seen") == now.seen:
        return make_response("", 204)
    template = "waiting/_news.html" if order.is_final else "waiting/_status.html"
    body = render_template(template, reference=order.id, status=now)
    return hx.answer(body, trigger="credits-changed" if order.state == "paid" else "order-changed")


def _status(order: Order, invoice: Invoice | None) -> Status:
    """How it stands, in the words of what was bought."""
    session, left = db.session(), request.args.get("left") == "1"
    may_pay = members.allows(current_user.permission, "write")
    is_paid = order.state == "paid"
    if order.kind == "pack":
        has = credits.balance(session, order.customer_id).available if is_paid else 0
        return pack_status.of(order, may_pay=may_pay, left=left, has=has)
    if order.kind == "topup":
        return top_up_status.read(session, order, may_pay=may_pay, left=left)
    if order.kind == "subscription":
        now = standing.of(session, order.customer_id)
        return plan_order_status.of(order, now, may_pay=may_pay, left=left, first=invoice)
    return at_rest(_of_saved_card(order))


def _of_saved_card(order: Order) -> Status:
    """A charge of a saved card: nobody waits for it, so it says how it stands and leads to what it was for."""
    word = order_rows.STATES[order.state]
    tone, icon = {"Paid": ("pos", "ok"), "Payment failed": ("neg", "fail")}.get(word, ("warn", "clock"))
    title = {"Paid": "The card was charged", "Payment failed": "The card was not charged"}.get(
        word, "The card is asked"
    )
    if order.kind == "auto_topup":
        about = "The charge was to top the wallet up automatically."
        to_it = Action("See the wallet", url_for("wallet.show"))
    else:
        about = "The charge was for an invoice that the wallet could not pay."
        to_it = Action("See the invoice", url_for("invoices.one", invoice_id=order.request.get("invoice", "")))
    return Status(word, icon, tone, title, order.failure or about, [], [to_it])


def _mine(order_id: str) -> Order:
    return reads.order(db.session(), current_customer_id(), order_id)


def _filters() -> OrderFilter:
    form = OrderFilter(formdata=request.args)
    form.validate()
    return form


def _list(filters: OrderFilter) -> dict[str, Any]:
    session, customer_id = db.session(), current_customer_id()
    before = request.args.get("before") or None
    page = reads.order_page(session, customer_id, before=before, limit=ROWS, **filters.query)
    theirs = invoices_of(session, customer_id, page.orders)
    back = refund_reads.by_order(session, customer_id, [order.id for order in page.orders])
    newer = url_for("orders.show", **filters.query) if before else ""
    older = url_for("orders.show", **filters.query, before=page.older) if page.older else ""
    return {
        "filters": filters,
        "kinds": KIND_CHOICES,
        "states": STATE_CHOICES,
        "rows": [order_rows.row_of(order, theirs, back.get(order.id, ())) for order in page.orders],
        "pager": Pager("Newest first", newer, older),
        "filtered": bool(filters.query),
        "csv_url": url_for("orders.listed_csv", **filters.query),
    }


def _csv_rows(customer_id: str, wanted: dict[str, Any]) -> Iterator[Sequence[object]]:
    session = db.session()

    def page(before: str | None) -> tuple[list[Sequence[object]], str | None]:
        found = reads.order_page(session, customer_id, before=before, limit=ROWS, **wanted)
        theirs = invoices_of(session, customer_id, found.orders)
        return [_csv_row(order, theirs.get(order.id)) for order in found.orders], found.older

    return csv_file.walked(session, page)


def _csv_row(order: Order, invoice: Invoice | None) -> Sequence[object]:
    return (
        order.id,
        clock.timestamp(order.created_at),
        order.kind,
        title_of(order),
        order.state,
        csv_file.decimal(minor_to_micros(order.due_minor, order.currency)),
        order.currency.upper(),
        clock.timestamp(order.paid_at) if order.paid_at else "",
        order.channel,
        number_of(invoice) if invoice else "",
        order.failure or "",
    )
