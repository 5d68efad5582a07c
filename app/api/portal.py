"""`/v1/portal-sessions`: the hand-off from the host product's own sign-in to a customer's pages (SPEC §12.4)."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from flask import Response
from pydantic import Field

from app import clock
from app.api import calls
from app.api.answers import Instant
from app.api.values import Answer, Body
from app.errors import Invalid
from app.extensions import db
from app.flows import open_portal
from app.http import destinations, return_urls
from app.http.shell import CUSTOMER_PLACES

api_portal = calls.group("api_portal", "Portal sessions", "Bring a user of yours to their billing pages, signed in.")

# The pages of the navigation but one's own profile, which such a session does not open, and what lies just behind them.
PAGES = (
    *(place[0] for group in CUSTOMER_PLACES.values() for place in group if place[0] != "/profile"),
    "/plan/cancel",
    "/plan/change",
    "/pricing",
    "/wallet/auto-top-up",
    "/invoices/buyer",
    "/invoices/orders",
)
_ONE_INVOICE = re.compile(r"/invoices/[a-z0-9_]{1,60}\Z")
_PERMISSIONS = {"billing:read": "read", "billing:write": "write", "owner": "owner"}


class NewPortalSession(Body):
    customer: str = Field(
        min_length=1, max_length=200, description="Our id of the customer, or yours.", examples=["team-42"]
    )
    email: str | None = Field(
        default=None,
        min_length=3,
        max_length=254,
        description="Whom you signed in. Somebody new becomes a member. Left out: the customer's owner.",
        examples=["ada@example.com"],
    )
    name: str | None = Field(default=None, min_length=1, max_length=120, description="Of somebody new.")
    permission: Literal["billing:read", "billing:write", "owner"] | None = Field(
        default=None,
        description="Of somebody new; `billing:write`, which includes reading, when left out. The first is the owner.",
    )
    path: str = Field(
        default="/", min_length=1, max_length=1000, description="The page to begin on.", examples=["/wallet"]
    )
    return_url: str | None = Field(
        default=None,
        min_length=1,
        max_length=return_urls.LONGEST,
        description="Where “Back to …” leads: here, or at an origin the operator has listed.",
    )


class PortalSessionAnswer(Answer):
    """A link that signs one person in, once."""

    url: str = Field(
        description="Send the browser there at once; keep it out of mails and logs.",
        examples=["https://billing.example.com/portal/h3rF…"],
    )
    expires_at: Instant


@api_portal.post("/v1/portal-sessions", responses={201: PortalSessionAnswer})
@calls.call("portal:write", kinds=("service",), for_a_customer=False)
def create(body: NewPortalSession) -> Response:
    """Open the portal for a user of yours

    The link works once, for five minutes. The session it opens reaches this customer's pages and nothing else: no other
    customer of the same person, not their own profile, never the back office. Where the plan limits team members,
    somebody new needs a free seat, else 403 `TIER_LIMIT_EXCEEDED`.
    """
    settings = calls.settings()
    back = return_urls.checked(body.return_url, "return_url", settings, default="/") if body.return_url else None
    wish = open_portal.Wish(
        customer=body.customer,
        path=_page(body.path),
        actor=calls.caller().key_id,
        email=body.email,
        name=body.name,
        permission=_PERMISSIONS[body.permission] if body.permission else None,
        return_url=back,
    )
    link, token = open_portal.open_portal(db.session(), wish)
    answer = PortalSessionAnswer(url=f"{settings.base_url}/portal/{token}", expires_at=clock.timestamp(link.expires_at))
    return calls.reply(answer, 201)


def _page(path: str) -> str:
    """The path when it is one of the pages a portal may begin on, with its query. Raises Invalid for any other."""
    page = urlsplit(destinations.safe(path, "")).path
    if page not in PAGES and not _ONE_INVOICE.match(page):
        raise Invalid("The portal does not begin on this page.", field="path", allowed=list(PAGES))
    return path
