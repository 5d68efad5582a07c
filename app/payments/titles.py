"""What an order is called, for people: by the name that what was bought had then."""

from __future__ import annotations

from app.payments.models import Order


def title_of(order: Order) -> str:
    """`Wallet top-up`, `Automatic top-up`, `500 credits`, `Studio plan`, `Invoice INV-2026-0009`."""
    said = order.request
    if order.kind == "topup":
        return "Wallet top-up"
    if order.kind == "auto_topup":
        return "Automatic top-up"
    if order.kind == "subscription":
        return f"{said['name']} plan" if "name" in said else "Plan"
    if order.kind == "invoice":
        return f"Invoice {said.get('number') or ''}".strip()
    return str(said.get("name", "Credit pack"))
