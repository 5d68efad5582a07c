"""What pages and the API read of a wallet."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app import ledger
from app.db import transaction
from app.errors import Invalid
from app.wallet import charges, holds, kinds, reads
from app.wallet.debit import debit
from tests.support.people import Person


@pytest.fixture
def ten_debits(session: Session, ada: Person) -> None:
    """Ten debits of 1 to 10 cents, after the sign-up credit."""
    for cents in range(1, 11):
        with transaction(session):
            debit(session, ada.customer_id, cents * 10_000, description=f"Print {cents}", key=str(cents), by="key_host")


def test_every_kind_of_the_chart_that_touches_a_wallet_has_a_name() -> None:
    assert set(kinds.OF_LEDGER) == set(ledger.WALLET_KINDS)


def test_every_documented_type_is_one() -> None:
    assert {"topup", "invocation", "overage", "identity", "refund"} <= set(kinds.API_TYPES)
    assert kinds.of_type("refund") == ["refund", "refund_restored", "provider_refund"]
    with pytest.raises(Invalid) as refused:
        kinds.of_type("settlement")
    assert refused.value.field == "type"


def test_a_page_has_balance_holds_lines_and_totals(session: Session, ada: Person, ten_debits: None) -> None:
    with transaction(session):
        hold = holds.authorise(session, ada.customer_id, 1, description="Batch job", key="h", by="key_host")

    page = reads.wallet_page(session, ada.customer_id, "usd", limit=4)

    assert page.balance.balance == 5_000_000 - 550_000
    assert page.balance.available == page.balance.balance - 1
    assert [one.id for one in page.holds] == [hold.id]
    assert [line.data["description"] for line in page.lines] == ["Print 10", "Print 9", "Print 8", "Print 7"]
    assert page.totals == {"debit": (10, 0, 550_000), "signup_credit": (1, 5_000_000, 0)}


def test_the_pages_are_the_whole_and_no_line_twice(session: Session, ada: Person, ten_debits: None) -> None:
    for limit in (1, 2, 3, 10, 11, 50):
        seen: list[int] = []
        before = None
        while before is not None or not seen:
            page = reads.wallet_page(session, ada.customer_id, "usd", before=before, limit=limit)
            seen += [line.seq for line in page.lines]
            before = page.next_cursor
            if before is None:
                break

        assert seen == list(range(11, 0, -1))


def test_offset_and_cursor_page_alike(session: Session, ada: Person, ten_debits: None) -> None:
    only = kinds.of_type("debit")

    total, first, cursor = reads.transactions_at(session, ada.customer_id, "usd", offset=0, kinds=only, limit=4)
    count, second, _ = reads.transactions_after(session, ada.customer_id, "usd", cursor=cursor, kinds=only, limit=4)
    _, same, _ = reads.transactions_at(session, ada.customer_id, "usd", offset=4, kinds=only, limit=4)

    assert total == count == 10
    assert second == same
    assert not {line.seq for line in first} & {line.seq for line in second}


def test_a_line_says_what_it_was(session: Session, ada: Person, ten_debits: None) -> None:
    ada.gets(cents=100)
    adjusted, printed, *_, welcome = ledger.history(session, ada.wallet)

    assert reads.line_title(adjusted) == ("Credit from us", "Money for a test")
    assert reads.line_title(printed) == ("Print 10", "")
    assert reads.line_title(welcome) == ("Welcome credit", "")


def test_a_charge_does_not_say_its_kind_twice(session: Session, ada: Person) -> None:
    ada.gets(cents=100)
    priced = charges.at_list_price("translate", 10_000, publisher=None, commission_percent=20)
    with transaction(session):
        charges.charge(session, ada.customer_id, priced, description=None, key="run-1", by="test")

    charged = ledger.history(session, ada.wallet)[0]

    assert reads.line_title(charged) == ("Paid skill", "translate")
    assert reads.description(charged) == "Paid skill: translate"


def test_a_hold_has_ended_before_it_shows_no_more(session: Session, ada: Person) -> None:
    with transaction(session):
        hold = holds.authorise(session, ada.customer_id, 1, description=None, key="h", by="key_host")
        holds.release(session, ada.customer_id, hold.id)

    assert reads.wallet_page(session, ada.customer_id, "usd").holds == []
