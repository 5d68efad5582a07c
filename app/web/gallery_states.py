"""What the gallery shows: made-up figures, long names and edges, built from the same classes the pages use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from markupsafe import Markup

from app import clock
from app.catalogue.terms import PlanTerms
from app.entitlements.team import Fullness
from app.errors import LimitReached
from app.ledger import Balance
from app.payments.models import ORDER_STATES, Order, Refund
from app.wallet import kinds
from app.wallet.refundable import TopUp
from app.web import top_up_panel, top_up_status
from app.web.channel_choice import Choice
from app.web.refund_rows import STATES, Mark
from app.web.top_up_panel import Closed, Preset, Quote, figures
from app.web.waiting import at_rest
from app.web.wallet_forms import PRESETS, FilterForm, TopUpForm
from app.web.wallet_rows import HoldLine, Row

LONG = "Reserved for the nightly re-indexing of Bartholomew-Featherstonehaugh & Sons, batch 4471"


def limit() -> dict[str, Any]:
    """What a page action is told that a limit of the plan refuses."""
    ways = [("Look at Growth", "/plan/change?plan=growth", "primary"), ("Manage the team", "/team", "")]
    text = "5 are in use. Remove one, or move to Growth for up to 25 team members. Nothing was changed."
    return {"title": "Starter includes 5 team members", "text": text, "bill": [], "actions": ways}


def team_full() -> dict[str, Any]:
    remedy = "Remove one, or move to Growth for up to 25 team members."
    return {"seats": Fullness("Starter", 5, 5, LimitReached(remedy, remedy=remedy))}


def balance() -> dict[str, Any]:
    soon = clock.now() + timedelta(minutes=15)
    holds = [HoldLine("Compute, agent run", 7_240_000, soon), HoldLine(LONG, 2_000_000, soon)]
    return {
        "balance": Balance(54_590_000, 9_240_000, 0, 5_000_000, 19),
        "holds": holds,
        "other_holds": 0,
        "balance_places": 4,
        "under_way": [_order("processing")],
        **_asked(None, may_ask=True),
    }


def under_way() -> dict[str, Any]:
    return {"under_way": [_order("processing")]}


def balance_empty() -> dict[str, Any]:
    nothing = {"holds": [], "other_holds": 0, "balance_places": 4, "under_way": []}
    return {"balance": Balance(), **nothing, **_asked(None, may_ask=False)}


def balance_below_zero() -> dict[str, Any]:
    return {
        "balance": Balance(-12_500_100, 0, 12_500_100, 0, 3),
        "holds": [],
        "other_holds": 0,
        "balance_places": 4,
        "under_way": [],
        **_asked(None, may_ask=False),
    }


def balance_frozen() -> dict[str, Any]:
    return {**balance(), "balance": Balance(54_590_000, 9_240_000, 0, 5_000_000, 19, frozen=True)}


def balance_huge() -> dict[str, Any]:
    soon = clock.now() + timedelta(days=7)
    many = [HoldLine(f"Hold {number}", 100, soon) for number in range(1, 51)]
    return {
        "balance": Balance(1_234_567_890_000, 705_000, 0, 0, 9),
        "holds": many,
        "other_holds": 700_000,
        "balance_places": 4,
        "under_way": [],
        **_asked(Refund(amount_minor=123_456_789, currency="usd", created_at=clock.now()), may_ask=True),
    }


def _asked(waiting: Refund | None, *, may_ask: bool) -> dict[str, Any]:
    return {"asked_back": waiting, "may_ask_back": may_ask}


def top_up() -> dict[str, Any]:
    return _panel(form=top_up_panel.fresh_form(), quote=Quote(5_000))


def top_up_channels() -> dict[str, Any]:
    known = [
        Choice("stripe", "Stripe", "", chosen=True),
        Choice("creem", "Creem", "Sells to you itself, and adds the tax of where you are", chosen=False),
    ]
    return _panel(form=top_up_panel.fresh_form(), quote=Quote(5_000), channels=known)


def top_up_error() -> dict[str, Any]:
    form = TopUpForm(formdata=None, data={"form_key": "form_gallery", "amount": "50.00", "custom": "9.99"})
    form.validate()
    return _panel(form=form, quote=top_up_panel.quote_of(form))


def top_up_read_only() -> dict[str, Any]:
    return _panel(closed=top_up_panel.READ_ONLY)


def top_up_switched_off() -> dict[str, Any]:
    return _panel(closed=top_up_panel.SWITCHED_OFF)


def quote() -> dict[str, Any]:
    return _panel(quote=Quote(1_000_000))


def quote_none() -> dict[str, Any]:
    return _panel(quote=Quote(None, "Enter $10.00 or more."))


def transactions() -> dict[str, Any]:
    pager = {"label": "1,234 transactions, newest first", "newer": "/wallet", "older": "/wallet?before=czE"}
    tally = {"came": 182_500_000, "went": -127_910_000}
    return _ledger(rows=_rows(), tally=tally, pager=pager, filtered=True)


def transactions_none() -> dict[str, Any]:
    return _ledger(rows=[])


def transactions_no_match() -> dict[str, Any]:
    return _ledger(rows=[], filtered=True)


def transactions_bad_filter() -> dict[str, Any]:
    filters = FilterForm(formdata=None, data={"type": "gift", "since": "yesterday", "until": "2026-13-01"})
    filters.validate()
    return _ledger(filters=filters, rows=[], filtered=True)


def _order(state: str) -> Order:
    now = clock.now()
    return Order(
        id="ord_gallery", customer_id="cus_gallery", kind="topup", amount_minor=5_000, currency="usd", state=state,
        failure="The bank declined the card." if state == "failed" else None, checkout_url="/gallery",
        created_at=now, updated_at=now, paid_at=now,
    )  # fmt: skip


def waiting(state: str, left: bool = False) -> dict[str, Any]:
    order = _order(state)
    status = top_up_status.of(order, may_pay=True, left=left, balance=Balance(55_000_000))
    # The gallery's order is in no table, so its page does not ask again.
    return {"reference": order.id, "status": at_rest(status)}


WAITING: dict[str, Callable[[], dict[str, Any]]] = {
    **{state: partial(waiting, state) for state in ORDER_STATES},
    "left": partial(waiting, "open", left=True),
}


def overview_wallet() -> dict[str, Any]:
    balance = Balance(54_590_000, 9_240_000, 0, 5_000_000, 19)
    auto = {"state": "on", "amount_minor": 2_500, "threshold_micros": 10_000_000, "currency": "usd"}
    return {"balance": balance, "may_pay": True, "wallet_places": 2, "under_way": [], "lasts": "3 days", "auto": auto}


def overview_start() -> dict[str, Any]:
    return {"may_pay": True}


def overview_verify() -> dict[str, Any]:
    return {"email": "rosa@alderfinch.example"}


def overview_plan() -> dict[str, Any]:
    free = PlanTerms(key="free", rank=0, name="Free", description="", currency="usd", monthly_minor=0)
    return {"plan": free, "included": [("Passports", "50,000", ""), ("Proxy calls", "5,000", "")]}


def overview_plan_none() -> dict[str, Any]:
    return {"plan": None, "included": []}


def trouble() -> dict[str, Any]:
    return {"trouble": top_up_panel.NO_ANSWER}


def error() -> dict[str, Any]:
    return {"code": "404, not found", "title": "There is nothing here", "text": "There is no such top-up.", "note": ""}


def _panel(**given: Any) -> dict[str, Any]:
    offered = [Preset(figures(minor), f"${minor // 100}") for minor in PRESETS]
    usual: dict[str, Any] = {"form": None, "closed": Closed("", ""), "quote": None}
    words: dict[str, Any] = {
        "limits": "$10.00 to $10,000.00",
        "provider_title": "Stripe",
        "channels": [],
        "adds_tax": False,
    }
    return {**usual, "presets": offered, **words, **given}


def _ledger(**given: Any) -> dict[str, Any]:
    return {
        "filters": FilterForm(formdata=None),
        "types": [("", "All types"), *kinds.TYPES],
        "tally": None,
        "pager": {"label": "Newest first", "newer": "", "older": ""},
        "filtered": False,
        "row_places": 4,
        "clear_link": Markup('<a class="btn" href="/wallet">Clear filters</a>'),
        "csv_url": "/wallet/transactions.csv",
        **given,
    }


def _rows() -> list[Row]:
    now = clock.now()
    day = now - timedelta(days=4)
    left = TopUp("wtxn_1", "stripe", "pi_1", None, day, 5_000, 1_200, 3_800)
    return [
        Row("Paid skill", "summarise-a-contract, 1 call at $0.0001", now, -100, 54_589_900),
        Row("Refund", "", now, -10_000, 54_590_000, "wtxn_2", Mark(STATES["sent"])),
        Row("Top-up", "Stripe", day, 50_000_000, 54_590_000, "wtxn_1", Mark(("Partly refunded", "return", ""), left)),
        Row(LONG, "Settled hold", now - timedelta(days=9), -1_234_567_890_000, 4_590_000),
        Row("Correction", "<b>Refused</b> & returned", now - timedelta(days=30), -10_000, 4_600_000),
        Row("Welcome credit", "", now - timedelta(days=90), 5_000_000, 5_000_000),
    ]
