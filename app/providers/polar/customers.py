"""Our customers at Polar: known there under our own id, made once."""

from __future__ import annotations

from app.providers.errors import InvalidRequest, NotFound
from app.providers.polar.connection import Connection, Json
from app.providers.values import CustomerRef


def ensure(polar: Connection, *, customer_id: str, email: str, name: str | None) -> CustomerRef:
    """Found by our id, or made now. Raises InvalidRequest for an address that is somebody else's at Polar."""
    known = _known(polar, customer_id)
    if known is None:
        wanted = {"external_id": customer_id, "email": email, "name": name, **polar.owner}
        try:
            known = polar.post("/v1/customers/", {**wanted, "metadata": {"customer_id": customer_id}})
        except InvalidRequest as refused:
            known = _known(polar, customer_id) or _adopted(polar, customer_id, email)
            if known is None:
                raise InvalidRequest(
                    f"Polar knows the address of {customer_id} as another customer's: {refused}", code=refused.code
                ) from refused
    return CustomerRef(known["id"], customer_id)


def _known(polar: Connection, customer_id: str) -> Json | None:
    try:
        return polar.get(f"/v1/customers/external/{customer_id}")
    except NotFound:
        return None


def _adopted(polar: Connection, customer_id: str, email: str) -> Json | None:
    """A customer of this address whom nobody has given a name of their own yet: a purchase made there by hand."""
    for each in polar.get("/v1/customers/", email=email, limit=10)["items"]:
        if each["email"].lower() == email.lower() and not each.get("external_id"):
            return polar.patch(f"/v1/customers/{each['id']}", {"external_id": customer_id})
    return None
