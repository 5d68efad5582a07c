"""`/v1/resources`: the host product acquires and releases what a plan counts (SPEC U5, §12.4)."""

from __future__ import annotations

from flask import Response, current_app
from pydantic import BaseModel, Field

from app.api import calls
from app.api.values import Answer, Body
from app.db import transaction
from app.entitlements import resources
from app.errors import Invalid
from app.extensions import db

api_resources = calls.group(
    "api_resources", "Resources", "What a plan counts: acquire before you make one, release after."
)

_ID = r"^[!-.0-~]+$"  # what a path can hold: printable ASCII without spaces and slashes


class NewResource(Body):
    id: str = Field(
        min_length=1,
        max_length=200,
        pattern=_ID,
        description="What you call it. The same id again is the same resource.",
        examples=["wallet-7"],
    )


class ResourceAnswer(Answer):
    """A resource the customer holds."""

    kind: str = Field(examples=["wallets"])
    id: str = Field(examples=["wallet-7"])
    in_use: int = Field(description="How many of the kind there are now, with this one.", examples=[2])
    limit: int | None = Field(description="Null for no limit.", examples=[3])
    left: int | None = Field(description="Null for no limit.", examples=[1])


class KindPath(BaseModel):
    kind: str = Field(max_length=40, description="The key of a count limit.")


class ResourcePath(KindPath):
    resource_id: str = Field(max_length=200)


@api_resources.post("/v1/resources/<kind>", responses={201: ResourceAnswer, 200: ResourceAnswer})
@calls.call("resources:write", kinds=("service",))
def acquire(path: KindPath, body: NewResource) -> Response:
    """Acquire a resource

    201 for a new one, 200 for one the customer holds already. At the limit 403 `TIER_LIMIT_EXCEEDED`: `details` has
    `limit`, `used`, and in `upgrade` the cheapest plan that would allow one more. What is held stays held when the plan
    becomes a smaller one.
    """
    if body.id in (".", ".."):  # programs that build addresses take these out of them
        raise Invalid("An id cannot be only dots.", field="id")
    with transaction(db.session()) as session:
        made = resources.acquire(session, calls.customer_id(), path.kind, body.id, actor=calls.caller().key_id)
    left = None if made.limit is None else max(0, made.limit - made.in_use)
    told = ResourceAnswer(kind=made.kind, id=made.id, in_use=made.in_use, limit=made.limit, left=left)
    return calls.reply(told, 201 if made.is_new else 200)


@api_resources.delete("/v1/resources/<kind>/<resource_id>", responses={204: None})
@calls.call("resources:write", kinds=("service",))
def release(path: ResourcePath) -> Response:
    """Release a resource

    Twice is once: an id that is not held gets the same answer. 404 is for a kind that no plan counts.
    """
    with transaction(db.session()) as session:
        resources.release(session, calls.customer_id(), path.kind, path.resource_id, actor=calls.caller().key_id)
    return current_app.response_class(status=204)
