"""What each ledger kind is called: by the API's `type`, and on the page."""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import Invalid


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of wallet movement. `api` is the documented `type`, `title` its heading when the entry has none."""

    ledger: str
    api: str
    title: str


# `topup invocation overage identity refund` are OPER's documented types; the others are ours (SPEC §12.1).
KINDS = (
    Kind("topup", "topup", "Top-up"),
    Kind("signup_credit", "credit", "Welcome credit"),
    Kind("promo", "credit", "Promotional credit"),
    Kind("promo_taken", "credit", "Promotional credit taken back"),
    Kind("adjustment", "adjustment", "Adjustment"),
    Kind("debit", "debit", "Debit"),
    Kind("invocation", "invocation", "Paid skill"),
    Kind("compute", "compute", "Compute"),
    Kind("identity", "identity", "Identity check"),
    Kind("overage", "overage", "Overage"),
    Kind("llm", "llm", "Model call"),
    Kind("subscription", "subscription", "Subscription"),
    Kind("subscription_return", "subscription", "Unused plan time"),
    Kind("subscription_return_promo", "subscription", "Unused plan time, promotional"),
    Kind("invoice", "invoice", "Invoice"),
    Kind("pack", "pack", "Credit pack"),
    Kind("refund", "refund", "Refund"),
    Kind("refund_restored", "refund", "Refund returned"),
    Kind("provider_refund", "refund", "Refund"),
    Kind("chargeback", "chargeback", "Chargeback"),
    Kind("chargeback_won", "chargeback", "Chargeback returned"),
    Kind("chargeback_won_promo", "chargeback", "Chargeback returned, promotional"),
    Kind("expiry", "expiry", "Expired"),
    Kind("reversal", "reversal", "Reversed"),
)

OF_LEDGER = {kind.ledger: kind for kind in KINDS}
API_TYPES = tuple(dict.fromkeys(kind.api for kind in KINDS))

# A type with several kinds is called like the first, except where that would hide the others.
_TYPE_TITLES = {"credit": "Welcome and promotional credit"}
TYPES = tuple((api, _TYPE_TITLES.get(api) or next(k.title for k in KINDS if k.api == api)) for api in API_TYPES)


def named(ledger_kind: str) -> Kind:
    """The kind of a ledger entry; one the table does not know yet keeps its own name rather than failing a page."""
    return OF_LEDGER.get(ledger_kind) or Kind(ledger_kind, ledger_kind, ledger_kind.replace("_", " ").capitalize())


def of_type(api_type: str) -> list[str]:
    """The ledger kinds behind one API type. Raises Invalid for a type nobody knows (SPEC §12.1)."""
    found = [kind.ledger for kind in KINDS if kind.api == api_type]
    if not found:
        raise Invalid(f"Unknown type. Use one of: {', '.join(API_TYPES)}.", field="type", allowed=list(API_TYPES))
    return found
