"""The types of the API's fields: whole numbers that are whole, texts with an end, bodies without surprises."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.wallet.amounts import LARGEST_MICROS
from app.wallet.holds import LONGEST, SHORTEST

_FIGURES = re.compile(r"-?[0-9]{1,19}\Z", re.ASCII)


class Body(BaseModel):
    """A JSON body: unknown fields and nulls are refused by name (SPEC §12)."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _said(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("null", "Leave the field out rather than sending null")
        return value


class OptionalBody(Body):
    """A body that may be left out, as every field of it may be."""

    @model_validator(mode="before")
    @classmethod
    def _nothing_said(cls, value: Any) -> Any:
        return {} if value is None else value


class Query(BaseModel):
    """A query string: unknown and misspelt names are refused, since ignoring one would answer another question."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """A JSON answer, with every field of its model."""

    model_config = ConfigDict(extra="forbid")

    def to_json(self) -> str:
        return self.model_dump_json()


class SparseAnswer(Answer):
    """A JSON answer that leaves out what there is not, rather than saying null."""

    def to_json(self) -> str:
        return self.model_dump_json(exclude_none=True)


def whole(value: Any) -> Any:
    """A number as JSON Schema understands whole ones; a text or a boolean is none."""
    # JSON Schema calls 5000.0 an integer, so it is one here; "5000" and true are not, whatever Python thinks.
    if isinstance(value, bool | str | bytes):
        raise PydanticCustomError("whole_number", "A whole number is needed, not a text or a boolean")
    return value


def _from_figures(value: Any) -> Any:
    if isinstance(value, str) and not _FIGURES.match(value):
        raise PydanticCustomError("whole_number", "A whole number in plain figures is needed")
    return value


def _sensible(value: AwareDatetime) -> AwareDatetime:
    if not 2000 <= value.year < 2999:
        raise PydanticCustomError("year", "A year from 2000 to 2998 is needed")
    return value.astimezone(UTC)


# The bounds stand before the validator, so that they become `minimum` and `maximum` in the document.
Micros = Annotated[int, Field(ge=1, le=LARGEST_MICROS), BeforeValidator(whole)]
MicrosOrNone = Annotated[int, Field(ge=0, le=LARGEST_MICROS), BeforeValidator(whole)]
Cents = Annotated[int, Field(ge=1, le=LARGEST_MICROS // 10_000), BeforeValidator(whole)]
TopUpCents = Annotated[int, Field(ge=1000, le=1_000_000), BeforeValidator(whole)]
Quantity = Annotated[int, Field(ge=1, le=10**12), BeforeValidator(whole)]
HoldSeconds = Annotated[int, Field(ge=SHORTEST, le=LONGEST), BeforeValidator(whole)]
Count = Annotated[int, Field(ge=0, le=10**15), BeforeValidator(whole)]
PageSize = Annotated[int, Field(ge=1, le=200), BeforeValidator(_from_figures)]
PageNumber = Annotated[int, Field(ge=1, le=10**9), BeforeValidator(_from_figures)]
Skipped = Annotated[int, Field(ge=0, le=2**63 - 1), BeforeValidator(_from_figures)]
Moment = Annotated[AwareDatetime, AfterValidator(_sensible)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ChannelName = Field(
    default=None,
    min_length=1,
    max_length=40,
    description="Which of the configured providers to pay through; else the first that sells it.",
    examples=["stripe"],
)


class Limited(Query):
    """A list that is answered in pages."""

    limit: PageSize = Field(default=50, description="How many to answer, 1 to 200.")


class Paged(Limited):
    """A list paged by passing over so many of the newest."""

    offset: Skipped = Field(default=0, description="How many of the newest to pass over.")
