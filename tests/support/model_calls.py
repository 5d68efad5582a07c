"""Model calls that were billed, made by the verbs the proxy uses, without any upstream."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from app.db import transaction
from app.llm import calls
from app.llm.calls import Ask, Told
from app.llm.models import LlmCall
from tests.support.people import Person

TOKENS = (1_200, 310, 200)  # prompt, completion, cached


def billed(
    session: Session,
    who: Person,
    cost: int,
    *,
    model: str = "gpt-5-mini",
    key_id: str = "key_1",
    tokens: tuple[int, int, int] = TOKENS,
) -> LlmCall:
    """A call through this key that cost so many micros."""
    ask = Ask("openai", model, False, key_id, None, "hash", 1_000, "v1")
    with transaction(session):
        opened = calls.open_call(session, who.customer_id, ask, lambda _: cost, lives=timedelta(minutes=5))
        return calls.settle(session, who.customer_id, opened.id, Told(*tokens, cost))
