"""/v1/invoices and /v1/invoice_payments: of subscriptions, and the receipts of one-time checkouts."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours
from app.sandbox.api.lists import listing, paging, whole
from app.sandbox.api.payment_methods import named
from app.sandbox.blanks import Object
from app.sandbox.engine import bills, collection, fates
from app.sandbox.fault import not_built, refused


@honours()
def retrieve(call: Call) -> Object:
    """GET /v1/invoices/{invoice}."""
    return call.tx.get("invoice", call.ids["invoice"])


@honours(*paging("customer", "status", "created", "subscription"))
def index(call: Call) -> Object:
    """GET /v1/invoices."""
    filters = call.given("customer", "status")
    if "subscription" in call.params:
        filters["parent__subscription_details__subscription"] = call.params["subscription"]
    return listing(call, "invoice", "/v1/invoices", **filters)


@honours("payment_method", "off_session", "paid_out_of_band")
def pay(call: Call) -> Object:
    """POST /v1/invoices/{invoice}/pay. A refusal answers 402, and the invoice stays open."""
    tx = call.tx
    invoice = tx.get("invoice", call.ids["invoice"])
    if invoice["status"] == "paid":
        raise refused("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "void":
        raise refused("This invoice is void and cannot be paid.", code="invoice_not_editable")
    if invoice["status"] == "draft":
        bills.finalize(tx, invoice)
    if call.params.get("paid_out_of_band"):
        collection.paid_elsewhere(tx, invoice)
        fates.follow(tx, invoice)
        return invoice
    fates.charge(tx, invoice, _method(call, invoice), automatic=False)
    if invoice["status"] != "paid":
        raise collection.refusal(tx, invoice)
    return invoice


@honours()
def void(call: Call) -> Object:
    """POST /v1/invoices/{invoice}/void."""
    invoice = _open(call, "voided")
    bills.void(call.tx, invoice)
    fates.follow(call.tx, invoice)
    return invoice


@honours()
def mark_uncollectible(call: Call) -> Object:
    """POST /v1/invoices/{invoice}/mark_uncollectible."""
    invoice = _open(call, "marked as uncollectible")
    bills.give_up(call.tx, invoice)
    fates.follow(call.tx, invoice)
    return invoice


@honours("auto_advance")
def finalize(call: Call) -> Object:
    """POST /v1/invoices/{invoice}/finalize."""
    invoice = call.tx.get("invoice", call.ids["invoice"])
    if invoice["status"] != "draft":
        raise refused("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    bills.finalize(call.tx, invoice)
    if invoice["amount_due"] == 0 or call.params.get("auto_advance", invoice["auto_advance"]):
        fates.charge(call.tx, invoice)
    return invoice


@honours(*paging())
def lines(call: Call) -> Object:
    """GET /v1/invoices/{invoice}/lines."""
    invoice = call.tx.get("invoice", call.ids["invoice"])
    return whole(call, invoice["lines"]["data"], f"/v1/invoices/{invoice['id']}/lines")


@honours()
def retrieve_payment(call: Call) -> Object:
    """GET /v1/invoice_payments/{invoice_payment}."""
    return call.tx.get("invoice_payment", call.ids["invoice_payment"])


@honours(*paging("invoice", "status", "payment", "created"))
def list_payments(call: Call) -> Object:
    """GET /v1/invoice_payments."""
    intent = call.params.get("payment", {}).get("payment_intent")
    return listing(
        call,
        "invoice_payment",
        "/v1/invoice_payments",
        payment__payment_intent=intent,
        **call.given("invoice", "status"),
    )


def _open(call: Call, done: str) -> Object:
    invoice = call.tx.get("invoice", call.ids["invoice"])
    if invoice["status"] not in ("open", "uncollectible"):
        words = f"You can only pass in open invoices. This invoice is {invoice['status']} and cannot be {done}."
        raise refused(words, code="invoice_not_editable")
    return invoice


def _method(call: Call, invoice: Object) -> Object | None:
    if "payment_method" not in call.params:
        return None
    method = named(call.tx, call.params["payment_method"])
    if method["type"] != "card":
        raise not_built("An invoice paid by bank debit")
    if method["customer"] != invoice["customer"]:
        words = f"The PaymentMethod {method['id']} does not belong to the Customer of this invoice."
        raise refused(words, param="payment_method")
    return method


ENDPOINTS: Endpoints = {
    ("get", "/v1/invoices"): index,
    ("get", "/v1/invoices/{invoice}"): retrieve,
    ("get", "/v1/invoices/{invoice}/lines"): lines,
    ("post", "/v1/invoices/{invoice}/pay"): pay,
    ("post", "/v1/invoices/{invoice}/void"): void,
    ("post", "/v1/invoices/{invoice}/mark_uncollectible"): mark_uncollectible,
    ("post", "/v1/invoices/{invoice}/finalize"): finalize,
    ("get", "/v1/invoice_payments"): list_payments,
    ("get", "/v1/invoice_payments/{invoice_payment}"): retrieve_payment,
}
