"""Amounts in a body: in cents or in micros, exactly one of the two."""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import ConfigDict

from app.errors import Invalid
from app.money import minor_to_micros


class Amount(Protocol):
    @property
    def amount_cents(self) -> int | None: ...
    @property
    def amount_micros(self) -> int | None: ...


def one_of(*names: str, example: dict[str, Any]) -> ConfigDict:
    """A model's settings that say in the document: exactly one of these fields, for example so."""
    either: list[Any] = [{"required": [name]} for name in names]
    return ConfigDict(json_schema_extra={"oneOf": either, "examples": [example]})


def micros_of(body: Amount, currency: str) -> int:
    """The amount in micros. Raises Invalid unless exactly one of the two fields is there."""
    if body.amount_micros is not None:
        if body.amount_cents is not None:
            raise Invalid("Send amount_cents or amount_micros, not both.", field="amount_cents")
        return body.amount_micros
    if body.amount_cents is None:
        raise Invalid("Send amount_cents or amount_micros.", field="amount_micros")
    return minor_to_micros(body.amount_cents, currency)
