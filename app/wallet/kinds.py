"""What each ledger kind is called: by the API's `type`, and on the page."""

from __future__ import annotations

from app.ledger import Kind, KindWords

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
_WORDS = KindWords(KINDS)
named, of_type, API_TYPES = _WORDS.named, _WORDS.of_type, _WORDS.api_types

# A type with several kinds is called like the first, except where that would hide the others.
_TYPE_TITLES = {"credit": "Welcome and promotional credit"}
TYPES = tuple((api, _TYPE_TITLES.get(api) or next(k.title for k in KINDS if k.api == api)) for api in API_TYPES)
