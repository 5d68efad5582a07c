"""/v1/billing_portal: sessions and configurations."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours, merged_metadata
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object, blank
from app.sandbox.engine.portal import default_configuration
from app.sandbox.fault import not_built, refused

_FLOWS = ("payment_method_update", "subscription_cancel")


@honours("customer", "return_url", "configuration", "flow_data", "locale")
def create_session(call: Call) -> Object:
    """POST /v1/billing_portal/sessions."""
    tx, params = call.tx, call.params
    if "customer" not in params:
        raise refused("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = tx.get("customer", params["customer"], "customer")
    if "configuration" in params:
        configuration = tx.get("billing_portal.configuration", params["configuration"], "configuration")
    else:
        configuration = default_configuration(tx)
    session = tx.new(
        "billing_portal.session",
        configuration=configuration["id"],
        customer=customer["id"],
        flow=_flow(call),
        return_url=params.get("return_url", configuration["default_return_url"]),
        **call.given("locale"),
    )
    tx.change(session, url=f"{tx.root}/p/{session['id']}")
    return session


@honours("features", "business_profile", "default_return_url", "metadata", "name", "login_page")
def create_configuration(call: Call) -> Object:
    """POST /v1/billing_portal/configurations."""
    resting = blank("billing_portal.configuration")
    asked = call.params.get("features", {})
    features = {name: {**known, **asked.get(name, {})} for name, known in resting["features"].items()}
    return call.tx.new(
        "billing_portal.configuration",
        features=features,
        business_profile={**resting["business_profile"], **call.params.get("business_profile", {})},
        metadata=merged_metadata({}, call.params.get("metadata")),
        updated=call.tx.now,
        **call.given("default_return_url", "name"),
    )


@honours(*paging("active", "is_default"))
def list_configurations(call: Call) -> Object:
    """GET /v1/billing_portal/configurations."""
    return listing(
        call, "billing_portal.configuration", "/v1/billing_portal/configurations", **call.given("active", "is_default")
    )


@honours()
def retrieve_configuration(call: Call) -> Object:
    """GET /v1/billing_portal/configurations/{configuration}."""
    return call.tx.get("billing_portal.configuration", call.ids["configuration"])


def _flow(call: Call) -> Object | None:
    asked = call.params.get("flow_data")
    if asked is None:
        return None
    if asked["type"] not in _FLOWS:
        raise not_built(f"The portal flow {asked['type']}")
    after = {
        "hosted_confirmation": None,
        "redirect": None,
        "type": "portal_homepage",
        **asked.get("after_completion", {}),
    }
    others = ("subscription_pause", "subscription_update", "subscription_update_confirm")
    ends = None
    if asked["type"] == "subscription_cancel":
        named = asked.get("subscription_cancel", {}).get("subscription")
        ends = {"retention": None, "subscription": call.tx.get("subscription", str(named), "flow_data")["id"]}
    return {"after_completion": after, "type": asked["type"], "subscription_cancel": ends, **dict.fromkeys(others)}


ENDPOINTS: Endpoints = {
    ("post", "/v1/billing_portal/sessions"): create_session,
    ("post", "/v1/billing_portal/configurations"): create_configuration,
    ("get", "/v1/billing_portal/configurations"): list_configurations,
    ("get", "/v1/billing_portal/configurations/{configuration}"): retrieve_configuration,
}
