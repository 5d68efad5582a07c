"""The endpoints of Stripe's API that the sandbox answers. A new group is a new file and a line here."""

from app.sandbox.api import (
    balances,
    catalogue,
    checkout_sessions,
    coupons,
    credit_notes,
    customers,
    disputes,
    events,
    invoices,
    money,
    payment_intents,
    payment_methods,
    portal,
    previews,
    schedules,
    setup_intents,
    subscriptions,
)
from app.sandbox.api.call import Call, Endpoints

ENDPOINTS: Endpoints = {
    **customers.ENDPOINTS,
    **payment_methods.ENDPOINTS,
    **catalogue.ENDPOINTS,
    **checkout_sessions.ENDPOINTS,
    **coupons.ENDPOINTS,
    **credit_notes.ENDPOINTS,
    **balances.ENDPOINTS,
    **payment_intents.ENDPOINTS,
    **setup_intents.ENDPOINTS,
    **money.ENDPOINTS,
    **disputes.ENDPOINTS,
    **invoices.ENDPOINTS,
    **previews.ENDPOINTS,
    **subscriptions.ENDPOINTS,
    **schedules.ENDPOINTS,
    **portal.ENDPOINTS,
    **events.ENDPOINTS,
}

__all__ = ["ENDPOINTS", "Call"]
