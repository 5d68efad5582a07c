"""`/v1/usage`: the host product reports what its customers used (SPEC U1, §12.4)."""

from __future__ import annotations

import re
from typing import Annotated, Any

from flask import Response
from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from app.api import calls
from app.api.values import Answer, Body, Quantity
from app.metering import NewEvent

api_usage = calls.group("api_usage", "Usage", "Report what was used: each event counts once per id.")

MOST_EVENTS = 1_000
LARGEST_BODY = 1_000_000  # bytes

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)


def _instant(value: Any) -> Any:
    # Without this a number would be taken for seconds since 1970, and a time without a zone for who knows whose.
    if not isinstance(value, str) or not _INSTANT.match(value):
        raise PydanticCustomError("instant", "A time as RFC 3339 with its zone is needed, like 2026-11-21T09:30:00Z")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_instant)]


class UsageEvent(Body):
    id: str = Field(
        min_length=1,
        max_length=255,
        description="Yours, for this customer: the same id counts once, for good.",
        examples=["run-81f2"],
    )
    meter: str = Field(
        min_length=1, max_length=40, description="A meter of the catalogue.", examples=["agent_executions"]
    )
    quantity: Quantity = Field(description="How many units.", examples=[1])
    source: str = Field(
        default="", max_length=200, description="Where they were used: a store, an agent, a key.", examples=["agent-7"]
    )
    occurred_at: Time | None = Field(
        default=None, description="When; now, if left out. At most five minutes ahead of our clock."
    )

    def event(self) -> NewEvent:
        return NewEvent(self.id, self.meter, self.quantity, self.source, self.occurred_at)


class UsageReport(Body):
    events: list[UsageEvent] = Field(min_length=1, max_length=MOST_EVENTS)


class RefusedEvent(Answer):
    """An event that was not counted. Its id can be sent again."""

    id: str = Field(examples=["run-81f2"])
    code: str = Field(description="For programs.", examples=["INSUFFICIENT_CREDITS"])
    message: str = Field(description="For people.")
    details: dict[str, Any] = Field(description="The limit, what is used and left, when it resets, what to do next.")


class UsageAnswer(Answer):
    """What became of the events: each is in exactly one of the three."""

    accepted: int = Field(examples=[1000])
    duplicates: int = Field(description="Their ids had been counted before, with whatever content.", examples=[0])
    refused: list[RefusedEvent] = Field(examples=[[]])


@api_usage.post("/v1/usage", responses={200: UsageAnswer})
@calls.call("usage:write", kinds=("service",), pays=True, largest=LARGEST_BODY)
def report(body: UsageReport) -> Response:
    """Report usage

    1 to 1,000 events, decided in their order: each is counted whole or refused whole, and a refused one keeps none of
    the others from counting. A request with one event that is refused answers with that refusal itself: 402
    INSUFFICIENT_CREDITS or SPEND_CAP_REACHED, 403 TIER_LIMIT_EXCEEDED, 422 UNKNOWN_METER.
    """
    told = calls.counter().record(calls.customer_id(), [event.event() for event in body.events])
    if len(body.events) == 1 and told.refused:
        raise told.refused[0].refusal
    refused = [
        RefusedEvent(id=one.id, code=one.refusal.code, message=one.refusal.sentence, details=one.refusal.details)
        for one in told.refused
    ]
    return calls.reply(UsageAnswer(accepted=told.accepted, duplicates=told.duplicates, refused=refused))
