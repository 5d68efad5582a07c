"""`expand[]`: ids in an answer replaced by the objects they name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.sandbox.blanks import Object
from app.sandbox.engine import bills
from app.sandbox.fault import Fault, refused
from app.sandbox.spec import pinned
from app.sandbox.tx import Tx

_DEEPEST = 4


def _line_items(tx: Tx, session: Object) -> Object:
    lines = tx.hidden(session["id"])["lines"]
    return {
        "object": "list",
        "data": lines,
        "has_more": False,
        "url": f"/v1/checkout/sessions/{session['id']}/line_items",
    }


def _payments(tx: Tx, invoice: Object) -> Object:
    paid = tx.every("invoice_payment", invoice=invoice["id"])
    return {"object": "list", "data": paid, "has_more": False, "url": f"/v1/invoice_payments?invoice={invoice['id']}"}


def _refunds(tx: Tx, charge: Object) -> Object:
    made = tx.every("refund", charge=charge["id"])
    return {"object": "list", "data": made, "has_more": False, "url": f"/v1/charges/{charge['id']}/refunds"}


def _confirmation_secret(tx: Tx, invoice: Object) -> Object | None:
    payment = bills.default_payment(tx, invoice)
    if payment is None:
        return None
    intent = tx.get("payment_intent", payment["payment"]["payment_intent"])
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _applies_to(tx: Tx, coupon: Object) -> Object | None:
    products = tx.hidden(coupon["id"]).get("products")
    return {"products": products} if products else None


# Fields that exist only when they are asked for.
INCLUDABLE: dict[tuple[str, str], Callable[[Tx, Object], Object | None]] = {
    ("checkout.session", "line_items"): _line_items,
    ("invoice", "payments"): _payments,
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("coupon", "applies_to"): _applies_to,
    ("charge", "refunds"): _refunds,
}


def expand(tx: Tx, answer: Object, paths: list[str]) -> Object:
    """The answer with every path expanded. Raises a Fault for a path that leads nowhere."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST:
            raise refused(f"You cannot expand more than {_DEEPEST} levels of a property: {path}.", param="expand")
        _expand(tx, answer, steps, path, "", [])
    return answer


def _expand(tx: Tx, at: Any, steps: list[str], path: str, kind: str, trail: list[str]) -> None:
    """Expand below `at`, which is reached from an object of this kind by this trail of fields."""
    if isinstance(at, list):
        for each in at:
            _expand(tx, each, steps, path, kind, trail)
    if not isinstance(at, dict):
        return
    if "object" in at:
        kind, trail = str(at["object"]), []
    name, further = steps[0], steps[1:]
    include = INCLUDABLE.get((kind, name))
    if include is not None and name not in at:
        at[name] = include(tx, at)
    elif name not in at:
        raise _cannot(path)
    elif not further or isinstance(at[name], str) or _are_ids(at[name]):
        at[name] = _object(tx, at[name], path, pinned().expandable(kind, [*trail, name]))
    if further:
        _expand(tx, at[name], further, path, kind, [*trail, name])


def _are_ids(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _object(tx: Tx, value: Any, path: str, expandable: bool) -> Any:
    if isinstance(value, list) and expandable:
        return [_object(tx, each, path, expandable) for each in value]
    found = tx.find(value) if isinstance(value, str) else value
    if not expandable or (found is None and value is not None):
        raise _cannot(path)
    return found


def _cannot(path: str) -> Fault:
    return refused(f"This property cannot be expanded ({path}).", param="expand")
