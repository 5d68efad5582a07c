"""What credits and their movements are called: by the API's `type`, and on pages."""

from __future__ import annotations

from app.ledger import Kind, KindWords, Line

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
TYPES = tuple((kind.api, kind.title) for kind in KINDS)
_WORDS = KindWords(KINDS)
named, of_type, API_TYPES = _WORDS.named, _WORDS.of_type, _WORDS.api_types


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
