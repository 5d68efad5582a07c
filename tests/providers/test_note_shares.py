"""Sharing out what is unused over invoices: all of it, and of none more than it came to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.providers.billing import UnusedPart
from app.providers.stripe.note_shares import shared_out
from app.providers.stripe.sources import Source

amounts = st.integers(0, 50_000)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[UnusedPart], list[Source]]:
    """What is unused, and invoices that together came to at least that."""
    count = draw(st.integers(1, 4))
    chain = [
        Source(f"in_{at}", f"il_{at}" if at else None, draw(amounts), draw(amounts), is_paid=True)
        for at in range(count)
    ]
    rest = sum(source.left + source.credit for source in chain)
    parts = []
    for at in range(draw(st.integers(1, 3))):
        gross = draw(st.integers(0, rest))
        tax = draw(st.integers(0, gross // 5))
        rest -= gross
        parts.append(UnusedPart("in_0", f"part_{at}", gross - tax, tax))
    return parts, chain


@given(cases())
def test_all_of_it_is_given_back_and_of_no_invoice_more_than_it_came_to(
    case: tuple[list[UnusedPart], list[Source]],
) -> None:
    parts, chain = case

    shares = shared_out(parts, chain)

    nets = [amount for share in shares for _, amount in share.lines]
    assert sum(nets) == sum(part.net for part in parts)
    assert all(amount > 0 for amount in nets)
    assert all(share.gross <= share.source.left + share.source.credit for share in shares)


@given(cases())
def test_cards_come_before_balances_and_the_newest_before_the_older(
    case: tuple[list[UnusedPart], list[Source]],
) -> None:
    parts, chain = case
    due = sum(part.net + part.tax for part in parts)

    given_back = {share.source.invoice_id: share.gross for share in shared_out(parts, chain)}

    cards = 0
    for source in chain:
        wanted = min(source.left, due - cards)
        cards += wanted
        assert given_back.get(source.invoice_id, 0) >= wanted - 1  # a share of less than a cent before tax is none
