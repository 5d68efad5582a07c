"""What the wallet's entry of a model call says: the model, its tokens, and what its provider took (SPEC W3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app import money


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call. `cached_tokens` are among the prompt's; the provider's cost is in micros of a dollar."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    provider_cost_micros: int

    @property
    def in_words(self) -> str:
        """One line for the statement."""
        cached = f" ({self.cached_tokens:,} cached)" if self.cached_tokens else ""
        return (
            f"{self.model}: {self.prompt_tokens:,} prompt{cached} and {self.completion_tokens:,} completion tokens. "
            f"Provider cost ${money.decimal(self.provider_cost_micros)}"
        )


def of(kind: str, data: Mapping[str, Any]) -> ModelCall | None:
    """The call behind an entry; None for an entry of something else."""
    if kind != "llm" or "model" not in data:
        return None
    figures = ("prompt_tokens", "completion_tokens", "cached_tokens", "provider_cost_micros")
    return ModelCall(str(data["model"]), *(int(data.get(name) or 0) for name in figures))
