"""A client for Purser, for the back end of the product that it bills for: typed, retrying safely, refusing by name."""

from __future__ import annotations

from purser_client.billing import Billing
from purser_client.client import Purser
from purser_client.customer import Customer
from purser_client.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    PaymentNeeded,
    PurserError,
    RateLimited,
    Refused,
    ServerFault,
    Unauthorized,
    Unreachable,
    WebhookInvalid,
)
from purser_client.webhooks import Event, verify_webhook

__all__ = [
    "Billing",
    "Conflict",
    "Customer",
    "Event",
    "Forbidden",
    "Invalid",
    "LimitReached",
    "NotFound",
    "PaymentNeeded",
    "Purser",
    "PurserError",
    "RateLimited",
    "Refused",
    "ServerFault",
    "Unauthorized",
    "Unreachable",
    "WebhookInvalid",
    "verify_webhook",
]
