"""What the stand-in's things look like on the wire: the shapes of Polar's API 2026-10. Pure."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
ORGANIZATION = "1dbfc517-0bbf-4301-9ba8-555ca42b9737"
_MONTHS = {"month": 1, "year": 12}


def text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def later(anchor: datetime, number: int, interval: str) -> datetime:
    """So many months or years after the anchor; a day the month does not have is its last."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + number * _MONTHS[interval], 12)
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, monthrange(year, month + 1)[1]))


def customer(told: Json) -> Json:
    plain = {"email_verified": True, "type": "individual", "billing_name": told.get("name"), "tax_id": None}
    address = {"line1": None, "line2": None, "postal_code": None, "city": None, "state": None, "country": "SG"}
    return {**plain, "billing_address": address, "metadata": {}, "deleted_at": None, "external_id": None, **told}


def product(told: Json, prices: list[Json]) -> Json:
    every = told.get("recurring_interval")
    return {
        "name": told["name"],
        "description": None,
        "visibility": told.get("visibility", "public"),
        "recurring_interval": every,
        "recurring_interval_count": 1 if every else None,
        "is_recurring": every is not None,
        "is_archived": False,
        "organization_id": ORGANIZATION,
        "metadata": told.get("metadata") or {},
        "prices": prices,
        "benefits": [],
        "medias": [],
    }


def price(told: Json, name: str, product_id: str, *, source: str) -> Json:
    kept = {"amount_type": "fixed", "price_currency": "usd", "tax_behavior": "exclusive", "is_archived": False, **told}
    return {**kept, "id": name, "source": source, "product_id": product_id}


def checkout(asked: Json, sold: Json, asked_price: Json, who: Json, *, tax: int, url: str, expires: str) -> Json:
    net = asked_price["price_amount"]
    return {
        "status": "open",
        "url": url,
        "expires_at": expires,
        "success_url": asked.get("success_url"),
        "return_url": asked.get("return_url"),
        "amount": net,
        "discount_amount": 0,
        "net_amount": net,
        "tax_amount": tax,
        "total_amount": net + tax,
        "currency": asked_price["price_currency"],
        "organization_id": ORGANIZATION,
        "product_id": sold["id"],
        "product_price_id": asked_price["id"],
        "discount_id": asked.get("discount_id"),
        "allow_discount_codes": asked.get("allow_discount_codes", True),
        "customer_id": who["id"],
        "external_customer_id": who["external_id"],
        "customer_email": who["email"],
        "metadata": asked.get("metadata") or {},
        "product": sold,
        "product_price": asked_price,
        "subscription_id": None,
    }


def subscription(page: Json, sold: Json, who: Json, now: datetime) -> Json:
    cost = sold["prices"][0]
    return {
        "status": "active",
        "amount": cost["price_amount"],
        "currency": cost["price_currency"],
        "recurring_interval": sold["recurring_interval"],
        "recurring_interval_count": 1,
        "current_period_start": text(now),
        "current_period_end": text(later(now, 1, sold["recurring_interval"])),
        "trial_start": None,
        "trial_end": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "started_at": text(now),
        "ends_at": None,
        "ended_at": None,
        "past_due_at": None,
        "customer_id": who["id"],
        "product_id": sold["id"],
        "discount_id": None,
        "checkout_id": page["id"],
        "customer_cancellation_reason": None,
        "customer_cancellation_comment": None,
        "metadata": page["metadata"],
        "customer": who,
        "product": sold,
        "prices": sold["prices"],
        "pending_update": None,
    }


def order(why: str, who: Json, sold: Json, items: list[Json], *, percent: int, number: int) -> Json:
    net = sum(item["amount"] for item in items)
    for item in items:
        item["tax_amount"] = item["amount"] * percent // 100
    tax = sum(item["tax_amount"] for item in items)
    return {
        "status": "pending",
        "paid": False,
        "subtotal_amount": net,
        "discount_amount": 0,
        "net_amount": net,
        "tax_amount": tax,
        "total_amount": net + tax,
        "applied_balance_amount": 0,
        "due_amount": net + tax,
        "refunded_amount": 0,
        "refunded_tax_amount": 0,
        "refundable_amount": 0,
        "refundable_tax_amount": 0,
        "currency": sold["prices"][0]["price_currency"],
        "billing_reason": why,
        "billing_name": who.get("name"),
        "billing_address": who["billing_address"],
        "invoice_number": f"ACME-{number:04}",
        "is_invoice_generated": False,
        "customer_id": who["id"],
        "product_id": sold["id"],
        "discount_id": None,
        "subscription_id": None,
        "checkout_id": None,
        "next_payment_attempt_at": None,
        "metadata": {},
        "customer": who,
        "product": {name: value for name, value in sold.items() if name != "prices"},
        "discount": None,
        "subscription": None,
        "items": items,
        "description": sold["name"],
    }


def item(label: str, amount: int, price_id: str, *, proration: bool = False) -> Json:
    times = {"start_timestamp": None, "end_timestamp": None}
    return {"label": label, "amount": amount, "proration": proration, "product_price_id": price_id, **times}
