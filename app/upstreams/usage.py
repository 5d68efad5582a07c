"""What a call used, in tokens, as an upstream tells it or as it is counted."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_MOST = 1_000_000_000  # tokens


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `prompt` is all input, with what was read from and written to a cache; `completion` is all
    output, with reasoning. `told_cost`: what the upstream says it charged, in US dollars, exactly as it says it.
    """

    prompt: int
    completion: int
    cached: int = 0
    written: int = 0  # to a cache; those kept for an hour are in `written_hour` as well
    written_hour: int = 0
    reasoning: int = 0
    told_cost: Decimal | None = None

    @property
    def is_told(self) -> bool:
        """Whether it can be billed: a call without input there is none, so one that tells none tells nothing."""
        return self.prompt > 0 or bool(self.told_cost)


def count(told: dict[str, Any] | None, name: str) -> int:
    """A number of tokens, 0 where it is not told as one, and never more than can be kept."""
    value = (told or {}).get(name)
    return min(value, _MOST) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def inner(told: dict[str, Any], name: str) -> dict[str, Any]:
    """An object within an object, empty where there is none."""
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def as_openai(usage: Usage) -> dict[str, Any]:
    """The usage as OpenAI's answers tell it."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
