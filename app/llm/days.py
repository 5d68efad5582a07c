"""The sums of each day by model and API key, written with the call that adds to them."""

from __future__ import annotations

from datetime import UTC
from functools import cache
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.llm.models import LlmCall, LlmDay

_KEY = ("customer_id", "day", "model", "key_id")
_SUMS = ("calls", "prompt_tokens", "completion_tokens", "cached_tokens", "cost_micros")


def add(session: Session, call: LlmCall) -> None:
    """Add a billed call to its day, the date of its entry in UTC. The caller ended it just now, so this is once."""
    assert call.ended_at is not None, "a billed call has ended"
    figures = {
        "customer_id": call.customer_id,
        "day": call.ended_at.astimezone(UTC).date().isoformat(),
        "model": call.model,
        "key_id": call.key_id,
        "calls": 1,
        **{name: getattr(call, name) for name in _SUMS[1:]},
    }
    session.connection().execute(_adding(session.get_bind().dialect.name), figures)


@cache  # putting the statement together takes longer than running it
def _adding(dialect: str) -> Any:
    table = LlmDay.__table__
    made = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    more = {name: table.c[name] + made.excluded[name] for name in _SUMS}
    return made.on_conflict_do_update(index_elements=list(_KEY), set_=more)
