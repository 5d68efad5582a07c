"""/v1/events and /v1/webhook_endpoints."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours, merged_metadata
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object
from app.sandbox.fault import not_built, refused
from app.sandbox.ids import random_text
from app.sandbox.webhooks import deliveries


@honours()
def retrieve(call: Call) -> Object:
    """GET /v1/events/{id}."""
    event = call.tx.get("event", call.ids["id"])
    event["pending_webhooks"] = deliveries.undelivered(call.tx, event["id"])
    return event


@honours(*paging("created", "type", "types", "delivery_success"))
def index(call: Call) -> Object:
    """GET /v1/events."""
    if "delivery_success" in call.params:
        raise not_built("The filter delivery_success")
    if "type" in call.params and "types" in call.params:
        raise refused("You may only specify one of these parameters: type, types.", param="types")
    wanted = [call.params["type"]] if "type" in call.params else call.params.get("types")
    return listing(call, "event", "/v1/events", type=wanted)


@honours("url", "enabled_events", "api_version", "description", "metadata")
def create_endpoint(call: Call) -> Object:
    """POST /v1/webhook_endpoints. The secret is told in this answer only."""
    url = call.params["url"]
    if not url.startswith(("http://", "https://")):
        raise refused(
            "Invalid URL: An explicit scheme (such as https) must be provided.", code="url_invalid", param="url"
        )
    secret = f"whsec_{random_text(32)}"
    endpoint = call.tx.new(
        "webhook_endpoint",
        hidden={"secret": secret},
        url=url,
        metadata=merged_metadata({}, call.params.get("metadata")),
        **call.given("enabled_events", "api_version", "description"),
    )
    return {**endpoint, "secret": secret}


@honours()
def retrieve_endpoint(call: Call) -> Object:
    """GET /v1/webhook_endpoints/{webhook_endpoint}."""
    return call.tx.get("webhook_endpoint", call.ids["webhook_endpoint"])


@honours(*paging())
def list_endpoints(call: Call) -> Object:
    """GET /v1/webhook_endpoints."""
    return listing(call, "webhook_endpoint", "/v1/webhook_endpoints")


ENDPOINTS: Endpoints = {
    ("get", "/v1/events"): index,
    ("get", "/v1/events/{id}"): retrieve,
    ("post", "/v1/webhook_endpoints"): create_endpoint,
    ("get", "/v1/webhook_endpoints"): list_endpoints,
    ("get", "/v1/webhook_endpoints/{webhook_endpoint}"): retrieve_endpoint,
}
