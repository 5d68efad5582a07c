"""What credits and their movements are called: by the API's `type`, and on pages."""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import Invalid
from app.ledger import Line

# What a grant is called that has no description of its own.
TITLES = {
    "pack": "Credit pack",
    "welcome": "Welcome credits",
    "included": "Included credits",
    "checkin": "Check-in",
    "coupon": "Coupon",
    "adjustment": "Credits from us",
    "promo": "Promotional credits",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of movement: the ledger's name, the API's `type`, and the word for it on pages."""

    ledger: str
    api: str
    title: str


KINDS = (
    Kind("credit_spend", "spend", "Use"),
    Kind("pack", "pack", "Purchase"),
    Kind("credit_grant", "grant", "Grant"),
    Kind("checkin", "checkin", "Check-in"),
    Kind("promo", "promo", "Gift"),
    Kind("adjustment", "adjustment", "Adjustment"),
    Kind("reversal", "return", "Return"),
    Kind("credit_expiry", "expiry", "Expiry"),
)
API_TYPES = tuple(kind.api for kind in KINDS)
TYPES = tuple((kind.api, kind.title) for kind in KINDS)
_OF_LEDGER = {kind.ledger: kind for kind in KINDS}


def named(ledger_kind: str) -> Kind:
    """The kind of a ledger entry; one the table does not know yet keeps its own name rather than failing a page."""
    return _OF_LEDGER.get(ledger_kind) or Kind(ledger_kind, ledger_kind, ledger_kind.replace("_", " ").capitalize())


def of_type(api_type: str) -> list[str]:
    """The ledger kinds behind one API type. Raises Invalid for a type nobody knows."""
    found = [kind.ledger for kind in KINDS if kind.api == api_type]
    if not found:
        raise Invalid(f"Unknown type. Use one of: {', '.join(API_TYPES)}.", field="type", allowed=list(API_TYPES))
    return found


def line_title(line: Line) -> tuple[str, str]:
    """What a row of the history says: a heading, and a second line that may be empty."""
    told = str(line.data.get("description") or "")
    if line.kind == "credit_spend":
        quantity, each = line.data.get("quantity", 1), line.data.get("unit_cost", -line.amount)
        return told, f"{quantity:,} × {each:,} credits" if quantity > 1 else ""
    if line.kind == "checkin" and line.data.get("bonus"):
        return told, f"Bonus of {line.data['bonus']:,} included"
    if line.kind == "adjustment":
        return (TITLES["adjustment"] if line.amount > 0 else "Correction"), told
    if line.kind == "reversal":
        return "Returned" if line.amount > 0 else "Taken back", str(line.data.get("reason") or "")
    return told or named(line.kind).title, ""


def description(line: Line) -> str:
    """The one line the API gives as `description`."""
    return str(line.data.get("description") or line.data.get("reason") or named(line.kind).title)
