"""Purser as your back end sees it: customers, the portal, what was sent to your endpoints, and `customer()` for one."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self, cast

import httpx

from purser_client.answers import (
    CustomerAnswer,
    DeliveriesAnswer,
    OneDeliveryAnswer,
    PortalSessionAnswer,
)
from purser_client.billing_answers import PlanAnswer
from purser_client.customer import Customer
from purser_client.transport import Transport, segment


class Purser:
    """An installation of Purser, with a service key. One per process; threads may share it.

    Requests that got no answer, a 5xx or 429 are tried again `retries` times: POSTs with the same Idempotency-Key, and
    not before `Retry-After`. `timeout` is in seconds and for each try. All calls raise `Refused` (by kind) and
    `Unreachable`.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout: float = 20.0,
        retries: int = 3,
        sleep: Callable[[float], None] = time.sleep,
        http: httpx.Client | None = None,
    ) -> None:
        self._transport = Transport(base_url, key, timeout=timeout, retries=retries, sleep=sleep, http=http)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    def customer(self, customer: str) -> Customer:
        """A customer to act for, by your name of it or by Purser's id. Asks nothing yet."""
        return Customer(self._transport, customer)

    def open_customer(self, external_id: str, *, name: str, email: str) -> CustomerAnswer:
        """The customer you call so, opened if there is none yet. Raises Conflict where it has another name or address.

        `email` is where notices about money go, and the first owner's where nobody else comes first.
        """
        body = {"name": name, "email": email, "external_id": external_id}
        return cast("CustomerAnswer", self._transport.call("POST", "/v1/customers", body=body))

    def get_customer(self, customer: str) -> CustomerAnswer:
        """One customer, by your name of it or by Purser's id. Raises NotFound."""
        return cast("CustomerAnswer", self._transport.call("GET", f"/v1/customers/{segment(customer)}"))

    def portal_session(
        self,
        customer: str,
        *,
        email: str | None = None,
        name: str | None = None,
        permission: Literal["billing:read", "billing:write", "owner"] | None = None,
        path: str | None = None,
        return_url: str | None = None,
    ) -> PortalSessionAnswer:
        """A link that signs one person in to this customer's pages: once, for five minutes. Redirect to it at once.

        Without `email` it is the owner. Somebody new becomes a member, with `permission`; LimitReached where the plan
        has no seat. `return_url` must be at an origin in PURSER_RETURN_ORIGINS.
        """
        body = {
            "customer": customer,
            "email": email,
            "name": name,
            "permission": permission,
            "path": path,
            "return_url": return_url,
        }
        return cast("PortalSessionAnswer", self._transport.call("POST", "/v1/portal-sessions", body=body))

    def plans(self) -> list[PlanAnswer]:
        """What is on offer."""
        return cast("list[PlanAnswer]", self._transport.call("GET", "/subscription/plans")["data"])

    def deliveries(
        self,
        *,
        state: Literal["pending", "delivered", "gave_up", "stopped"] | None = None,
        type: str | None = None,  # noqa: A002 - the parameter's own name
        customer: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> DeliveriesAnswer:
        """What was sent to your endpoints, newest first; go on with `cursor=` the page's `next_cursor`."""
        query = {"state": state, "type": type, "customer": customer, "limit": limit, "cursor": cursor}
        return cast("DeliveriesAnswer", self._transport.call("GET", "/v1/webhook-deliveries", query=query))

    def delivery(self, delivery_id: str) -> OneDeliveryAnswer:
        """One delivery, with its message and its tries. Raises NotFound."""
        return cast("OneDeliveryAnswer", self._transport.call("GET", f"/v1/webhook-deliveries/{segment(delivery_id)}"))

    def resend(self, delivery_id: str) -> OneDeliveryAnswer:
        """Have it sent once more. Raises NotFound, and Conflict while its endpoint is switched off."""
        path = f"/v1/webhook-deliveries/{segment(delivery_id)}/resend"
        return cast("OneDeliveryAnswer", self._transport.call("POST", path))
