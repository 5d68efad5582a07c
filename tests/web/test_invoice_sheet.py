"""The texts of an invoice's sheet that are easy to get wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.web.invoice_sheet import span

NOV_4 = datetime(2026, 11, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (NOV_4, datetime(2026, 12, 4, tzinfo=UTC), "4 Nov 2026 to 3 Dec 2026"),
        (NOV_4 + timedelta(hours=10), datetime(2026, 12, 4, 10, tzinfo=UTC), "4 Nov 2026 to 3 Dec 2026"),
        (NOV_4 + timedelta(days=13, hours=22), datetime(2026, 12, 4, tzinfo=UTC), "17 Nov 2026 to 3 Dec 2026"),
        (NOV_4, NOV_4 + timedelta(days=1), "4 Nov 2026"),
        (NOV_4 + timedelta(hours=10), NOV_4 + timedelta(hours=11), "4 Nov 2026"),
        (NOV_4, NOV_4, ""),
        (NOV_4, None, ""),
    ],
)
def test_a_period_is_told_in_days_and_never_overlaps_the_next(start, end, said) -> None:
    assert span(start, end).replace("\N{NO-BREAK SPACE}", " ") == said
