"""Checking what the usage page says of model calls against the calls themselves and the wallet's legs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from app.llm.models import LlmCall
from tests.support.page_figures import Figures, count, money
from tests.web.raw_books import Books


def check_models(shown: Callable[..., str], books: Books) -> None:
    """What model calls cost by month, model and key, from the calls and the wallet's legs, whose sum is all of them."""
    months = books.model_calls()
    legs = [leg.amount for leg in books.legs("wallet") if leg.kind == "llm"]
    assert -sum(legs) == sum(cost for calls in months.values() for _, cost in calls)
    if not months:
        assert "Model calls in" not in shown("/usage")
    for month, calls in months.items():
        page, name = Figures(shown("/usage/models", month=month)), f"{date.fromisoformat(month + '-01'):%B %Y}"
        rows = page.table(f"Model calls in {name}")[1:]
        names = [*sorted({call.model for call, _ in calls}), "In all"]
        assert sorted(row[0] for row in rows) == sorted(names)
        for row in rows:
            check_calls(row, [one for one in calls if row[0] in (one[0].model, "In all")])
        by_key = page.table("Model calls by API key")[1:]
        assert len(by_key) == 1 + len({call.key_id for call, _ in calls})
        assert sum(money(row[-1]) for row in by_key[:-1]) == money(by_key[-1][-1]) == sum(cost for _, cost in calls)
        csv = [line.split(",") for line in shown("/usage/models.csv", month=month).splitlines()[1:]]
        for day in {f"{call.ended_at:%Y-%m-%d}" for call, _ in calls}:
            of_day = [cost for call, cost in calls if f"{call.ended_at:%Y-%m-%d}" == day]
            lines = [line for line in csv if line[0] == day]
            assert sum(money("$" + line[7]) for line in lines) == sum(of_day)
            assert sum(int(line[3]) for line in lines) == len(of_day)


def check_calls(row: list[str], calls: list[tuple[LlmCall, int]]) -> None:
    asked = [call for call, _ in calls]
    assert [count(cell) for cell in row[1:5]] == [
        len(calls),
        sum(call.prompt_tokens for call in asked),
        sum(call.cached_tokens for call in asked),
        sum(call.completion_tokens for call in asked),
    ]
    assert money(row[5]) == sum(cost for _, cost in calls) == sum(call.cost_micros for call in asked)
