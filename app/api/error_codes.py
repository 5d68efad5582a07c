"""What programs can be refused with, and what to do then: the table of `/docs/api` and of docs/api.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """Codes of one status with one advice. Backquotes in it set names of fields in type."""

    status: int
    codes: tuple[str, ...]
    advice: str

    def markdown(self) -> str:
        """The row as docs/api.md has it."""
        return f"| {self.status} | {', '.join(f'`{code}`' for code in self.codes)} | {self.advice} |"


TABLE = (
    Row(400, ("BAD_REQUEST",), "The body is not one JSON object."),
    Row(401, ("UNAUTHORIZED",), "Send a living key."),
    Row(402, ("INSUFFICIENT_CREDITS", "wallet-empty"), "Top up. `details` says what there is and what it takes."),
    Row(402, ("SPEND_CAP_REACHED",), "The customer's own cap on overage. They can raise it."),
    Row(402, ("PAYMENT_REQUIRED",), "Nothing saved can pay. Send the person to `details.checkout_url`."),
    Row(402, ("PAYMENT_FAILED", "NO_PAYMENT_METHOD"), "The card was refused, or there is none. `message` says why."),
    Row(402, ("PAYMENT_ACTION_REQUIRED",), "The bank wants the person to confirm. Send them to `details.url`."),
    Row(403, ("FORBIDDEN",), "The key lacks `details.permission`, or is of the wrong kind."),
    Row(
        403,
        ("TIER_LIMIT_EXCEEDED", "SUBSCRIPTION_RESTRICTED"),
        "The plan does not allow it, or is not paid. `details.remedy` and `details.upgrade` say what would help.",
    ),
    Row(403, ("WALLET_FROZEN",), "A dispute, or we, froze the wallet. Nothing is spent from it until it is thawed."),
    Row(403, ("CHECK_IN_NOT_ALLOWED",), "A condition is not met: `details.needs`."),
    Row(403, ("REFUND_WINDOW_CLOSED",), "Seven days are over: `details.until`. The customer may ask staff."),
    Row(404, ("NOT_FOUND", "NO_SUBSCRIPTION"), "There is no such thing, or it is another customer's."),
    Row(405, ("METHOD_NOT_ALLOWED",), "`Allow` lists the right ones."),
    Row(409, ("IDEMPOTENCY_KEY_REUSED",), "This key came before with another request. Take a new one."),
    Row(409, ("CONFLICT",), "Something else happened first. Read `details.remedy`, or try again."),
    Row(409, ("HOLD_ENDED",), "The hold was settled, released, or has expired: `details.state`."),
    Row(409, ("PREVIEW_EXPIRED", "PACK_CHANGED"), "The price is another one now. Ask for it again."),
    Row(409, ("CARD_NEEDED", "NO_SAVED_CARD"), "The cards are not as the call needs them."),
    Row(409, ("INVOICE_NOT_OPEN",), "The invoice is paid, void or a draft: `details.status`."),
    Row(409, ("NOTHING_TO_REFUND", "PAYMENT_DISPUTED"), "What was paid is spent, held, gone back, or disputed."),
    Row(409, ("ALREADY_CHECKED_IN", "CHECK_IN_OFF"), "Not today. `details.next_at` says when, if it does."),
    Row(413, ("PAYLOAD_TOO_LARGE",), "At most 64 kB; 1 MB of usage, and for models."),
    Row(415, ("UNSUPPORTED_MEDIA_TYPE",), "Send the body as `application/json`, not packed."),
    Row(422, ("INVALID_REQUEST", "INVALID_EMAIL"), "`details.field` names the field, `details.errors` lists them all."),
    Row(422, ("AMOUNT_OUT_OF_RANGE",), "`details.smallest` and `details.largest` are the bounds."),
    Row(422, ("PLAN_NOT_FOR_SALE", "PACK_NOT_FOR_SALE"), "This cannot be bought, or not like this."),
    Row(
        422,
        (
            "COUPON_REFUSED",
            "COUPON_UNKNOWN",
            "COUPON_NOT_STARTED",
            "COUPON_ENDED",
            "COUPON_USED_UP",
            "COUPON_ALREADY_USED",
            "COUPON_NOT_APPLICABLE",
        ),
        "The coupon is no good here. `message` says why.",
    ),
    Row(422, ("NOT_REFUNDABLE",), "This transaction is not a top-up that was paid."),
    Row(422, ("MORE_THAN_REFUNDABLE",), "`details.refundable_minor` is what can go back."),
    Row(422, ("UNSUPPORTED_BY_CHANNEL",), "This payment provider cannot do that. Another may."),
    Row(422, ("UNKNOWN_METER", "UNKNOWN_ACTION", "unknown-model"), "There is none of that name, or it has no price."),
    Row(422, ("SETTLEMENT_TOO_LARGE",), "At most twice the hold: `details.maximum`."),
    Row(422, ("upstream-refused",), "The model's provider refused the request itself. Nothing was charged."),
    Row(429, ("RATE_LIMITED",), "Wait `Retry-After` seconds."),
    Row(500, ("INTERNAL_ERROR",), "Send us `details.reference`, and the request again under the same key."),
    Row(502, ("upstream-failed",), "The model's provider failed. Nothing was charged."),
    Row(503, ("UNAVAILABLE", "PROVIDER_UNAVAILABLE", "upstream-busy"), "Ask again after `Retry-After` seconds."),
    Row(504, ("upstream-timeout",), "The model's provider took too long. Nothing was charged."),
)
