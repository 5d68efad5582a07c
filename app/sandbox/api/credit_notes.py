"""/v1/credit_notes."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours, merged_metadata
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object
from app.sandbox.engine import collection, credit_notes, discounts, fates
from app.sandbox.engine.credit_notes import Wish
from app.sandbox.fault import not_built, refused

_PLAIN = ("reason", "memo")
_HONOURED = (*_PLAIN, "invoice", "lines", "metadata", "refund_amount", "credit_amount", "out_of_band_amount", "refunds")


@honours(*_HONOURED)
def preview(call: Call) -> Object:
    """GET /v1/credit_notes/preview."""
    return credit_notes.compose(call.tx, _invoice(call), _wish(call))


@honours(*_HONOURED)
def create(call: Call) -> Object:
    """POST /v1/credit_notes. Refunds the card and books the credit as its parts say."""
    invoice = _invoice(call)
    note = credit_notes.issue(call.tx, invoice, _wish(call))
    if invoice["status"] == "open" and invoice["amount_remaining"] == 0:
        collection.collect(call.tx, invoice, None)
        fates.follow(call.tx, invoice)
    return note


@honours()
def retrieve(call: Call) -> Object:
    """GET /v1/credit_notes/{id}."""
    return call.tx.get("credit_note", call.ids["id"])


@honours(*paging("invoice", "customer", "created"))
def index(call: Call) -> Object:
    """GET /v1/credit_notes."""
    return listing(call, "credit_note", "/v1/credit_notes", **call.given("invoice", "customer"))


def _invoice(call: Call) -> Object:
    return call.tx.get("invoice", call.params["invoice"], "invoice")


def _wish(call: Call) -> Wish:
    params = call.params
    if not params.get("lines"):
        raise not_built("A credit note without lines")
    invoice = _invoice(call)
    return Wish(
        lines=[_line(invoice, each, f"lines[{at}]") for at, each in enumerate(params["lines"])],
        refund=params.get("refund_amount", 0),
        credit=params.get("credit_amount", 0),
        elsewhere=params.get("out_of_band_amount", 0),
        refunded=[(each["refund"], each["amount_refunded"]) for each in params.get("refunds", [])],
        more={**call.given(*_PLAIN), "metadata": merged_metadata({}, params.get("metadata"))},
    )


def _line(invoice: Object, asked: Object, at: str) -> tuple[str, int]:
    if asked["type"] != "invoice_line_item":
        raise not_built("A credit note line of another type")
    if "invoice_line_item" not in asked:
        words = f"Missing required param: {at}[invoice_line_item]."
        raise refused(words, code="parameter_missing", param=f"{at}[invoice_line_item]")
    if "amount" in asked:
        return asked["invoice_line_item"], asked["amount"]
    for line in invoice["lines"]["data"]:
        if line["id"] == asked["invoice_line_item"]:
            return line["id"], discounts.net(line)
    raise refused("No such invoice line item.", code="resource_missing", param=f"{at}[invoice_line_item]")


ENDPOINTS: Endpoints = {
    ("get", "/v1/credit_notes/preview"): preview,
    ("post", "/v1/credit_notes"): create,
    ("get", "/v1/credit_notes"): index,
    ("get", "/v1/credit_notes/{id}"): retrieve,
}
