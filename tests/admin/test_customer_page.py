"""One customer's page: all there is of them, what can be done for them, and why money is missing."""

from __future__ import annotations

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import select

from app import clock as the_clock
from app import ledger
from app.db import transaction
from app.errors import WalletFrozen
from app.extensions import db
from app.flows import change_from_wallet
from app.payments import inbox, orders
from app.payments.models import ProviderEvent
from app.providers.values import CheckoutSession, Verified
from app.wallet import debit, frozen

MOST = 25


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What locks and guards is tested on both databases where it is made."""
    return sqlite_url


@pytest.fixture
def address(ada):
    return f"/admin/customers/{ada.customer_id}"


@pytest.fixture
def top_up(session, ada, clock):
    """Ada's top-up of $50 at Stripe, whose page is open."""
    with transaction(session):
        order = orders.open_order(
            session,
            customer_id=ada.customer_id,
            kind="topup",
            amount_minor=5000,
            currency="usd",
            channel="stripe",
            form_key="a-form",
            created_by=ada.id,
        )
        page = CheckoutSession("cs_1", "https://pay.example/", "open", False, order.id, None, None, None)
        orders.sent(session, order, page)
    return order


def told_of(session, object_id, *, number="evt_1"):
    with transaction(session):
        kind = "checkout.session.completed"
        about = Verified(number, kind, the_clock.now(), False, object_id, None)
        inbox.keep(session, provider="stripe", verified=about, body=b"{}", headers={})


def ended(session, verb, *why, **how):
    with transaction(session):
        [claim] = inbox.claim(session, limit=1)
        verb(session, claim, *why, **how)
    return session.scalars(select(ProviderEvent)).one()


def test_it_says_that_nothing_was_told_and_when_it_is_asked_for(as_support, address, top_up):
    page = as_support.get(address).text

    assert "Stripe has told us nothing: nobody paid there, or their webhook did not reach us." in page
    assert "We ask Stripe at " in page


def test_it_names_the_webhook_that_gave_up_with_its_error_and_leads_to_it(session, as_support, address, top_up):
    told_of(session, "cs_1")
    event = ended(session, inbox.dead, "The channel stripe is not configured here.")

    page = as_support.get(address).text

    assert "applying that was given up: The channel stripe is not configured here." in page
    assert "replay the webhook" in page
    assert f'href="/admin/webhooks/{event.id}#event"' in page
    assert "Not applied" in page


def test_it_says_that_it_is_tried_again(session, as_support, address, top_up):
    told_of(session, "cs_1")
    ended(session, inbox.retry, "There is no order yet.")

    assert "Applying that failed once so far: There is no order yet." in as_support.get(address).text


def test_it_says_that_the_money_is_about_to_come(session, as_support, address, top_up):
    told_of(session, "cs_1")

    assert "Stripe has told us of this payment; it is applied in a moment." in as_support.get(address).text


def test_a_dead_webhook_of_theirs_without_an_order_is_told_of_first(session, as_support, address, ada):
    told_of(session, "in_77")
    event = ended(session, inbox.dead, "KeyError: 'total'")
    with transaction(session):
        inbox.belongs(session, event.id, customer_id=ada.customer_id, order_id=None)

    page = as_support.get(address).text

    assert "A webhook of theirs gave up" in page
    assert "KeyError: &#39;total&#39;" in page


def test_somebody_elses_dead_webhook_is_not_told_of(session, as_support, bo, address):
    told_of(session, "in_77")
    event = ended(session, inbox.dead, "KeyError: 'total'")
    with transaction(session):
        inbox.belongs(session, event.id, customer_id=bo.customer_id, order_id=None)

    assert "gave up" not in as_support.get(address).text


def test_with_all_there_can_be_it_stays_within_its_queries(
    app, session, as_finance, subscriber, ada, address, top_up, cy
):
    subscriber.gets(20_000)
    subscriber.subscribes("growth")
    shown = change_from_wallet.preview(session, {}, ada.customer_id, "starter", "month", actor=ada.id)
    change_from_wallet.confirm(session, {}, ada.customer_id, shown.id, actor=ada.id)
    told_of(session, "cs_1")
    with transaction(session):
        frozen.freeze_by_hand(session, ada.customer_id, "usd", reason="Card testing", actor="staff:usr_1")
    asked = []
    with app.app_context():
        sql_event.listen(db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    page = as_finance.get(address)

    assert page.status_code == 200
    assert "Growth" in page.text
    assert "<dt>Frozen</dt>" in page.text
    assert "Until it is thawed nothing is spent" in page.text
    assert len([one for one in asked if not one.startswith("BEGIN")]) <= MOST, "\n".join(asked)


@pytest.mark.parametrize("what", ["orders", "notices", "members", "keys", "timeline"])
def test_each_panel_has_its_whole_list_with_a_file_and_an_empty_state(as_support, ada, bo, address, what):
    page = as_support.get(f"{address}/{what}")
    file = as_support.get(f"{address}/{what}.csv")

    assert page.status_code == file.status_code == 200
    assert f"{what}.csv" in page.text
    assert file.text.startswith("at,what,detail,status,amount,by,id\r\n")
    assert as_support.get(f"{address}/{what}?{'source' if what == 'timeline' else 'state'}=nonsense").status_code in (
        (200,) if what == "members" else (422,)
    )


def test_a_list_without_anything_says_so(as_support, address):
    assert "Nothing here yet" in as_support.get(f"{address}/orders").text
    assert "Nothing matches" in as_support.get(f"{address}/orders?state=paid").text


def test_usage_is_a_panel_and_a_page(as_support, subscriber, address):
    assert as_support.get(f"{address}/usage").text.count("<h1") == 1
    assert as_support.get(f"{address}/usage", headers={"HX-Request": "true"}).text.lstrip().startswith("<section")


def test_freezing_by_hand_refuses_spending_and_the_customer_reads_why(session, client_of, as_finance, ada, address):
    ada.gets(5_000)

    assert as_finance.post(f"{address}/freeze", data={"reason": "x"}).status_code == 422
    assert as_finance.post(f"{address}/freeze", data={"reason": "Card testing"}).status_code == 303

    with pytest.raises(WalletFrozen), transaction(session):
        debit.debit(session, ada.customer_id, 10_000, description="A test", key="a-debit", by="key_1")
    assert "Card testing" in client_of(ada).get("/wallet").text
    assert "Frozen by hand since" in as_finance.get(address).text
    assert as_finance.post(f"{address}/freeze", data={"reason": "Card testing"}).status_code == 409


def test_thawing_by_hand_lets_them_spend_again(as_finance, ada, address):
    as_finance.post(f"{address}/freeze", data={"reason": "Card testing"})

    answer = as_finance.post(f"{address}/thaw", data={"reason": "It was them"}, follow_redirects=True)

    assert "can be spent from again" in answer.text
    assert as_finance.post(f"{address}/thaw", data={"reason": "Once more"}).status_code == 409


def test_a_plan_is_changed_for_them_after_its_price_was_shown(session, as_finance, finance, subscriber, address):
    subscriber.gets(20_000)
    subscriber.subscribes()
    asked = {"plan": "growth", "interval": "month", "reason": "They asked by phone"}

    shown = as_finance.post(f"{address}/plan/preview", data=asked)
    change = shown.text.split('name="change_id" value="')[1].split('"')[0]
    done = as_finance.post(f"{address}/plan", data={"change_id": change, "reason": asked["reason"]})

    assert "Charged today" in shown.text
    assert done.status_code == 303
    assert subscriber.sub.plan_id != ""
    log = as_finance.get(f"{address}/timeline?source=activity").text
    assert "They asked by phone" in log
    assert "Fay" in log


def test_a_plan_is_ended_for_them_with_its_period_or_now(client_of, finance, subscriber, clock, address):
    subscriber.gets(20_000)
    subscriber.subscribes()
    clock.advance(days=10)
    as_finance = client_of(finance)
    why = {"reason": "They asked by phone"}

    assert as_finance.post(f"{address}/plan/cancel", data={"when": "period_end", **why}).status_code == 303
    shown = as_finance.post(f"{address}/plan/cancel", data={"when": "now", **why})
    confirmed = shown.text.split('name="confirmed" value="')[1].split('"')[0]
    ended_now = as_finance.post(f"{address}/plan/cancel", data={"when": "now", "confirmed": confirmed, **why})

    assert "Goes back to the wallet" in shown.text
    assert ended_now.status_code == 303
    assert "goes back to the wallet" in as_finance.get(address).text


def test_without_a_plan_there_is_nothing_to_change(as_finance, address):
    assert "On the free plan" in as_finance.get(f"{address}/plan").text
    assert as_finance.post(f"{address}/plan/cancel", data={"when": "now", "reason": "They asked"}).status_code == 404


def test_two_freezes_do_not_undo_one_another(session, ada):
    wallet, cus = ada.wallet, ada.customer_id
    with transaction(session):
        frozen.freeze_by_hand(session, cus, "usd", reason="Card testing", actor="staff:usr_1")
        frozen.decide(session, cus, "usd")  # as a dispute that is over does
    assert ledger.balance(session, wallet).frozen
    with transaction(session):
        assert not frozen.thaw_by_hand(session, cus, "usd", reason="It was them", actor="staff:usr_1")
    assert not ledger.balance(session, wallet).frozen
