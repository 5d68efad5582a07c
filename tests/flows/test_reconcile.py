"""Reconciling: a day whose webhooks were all lost ends as one whose webhooks all came (SPEC V4)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from app import activity, ledger
from app.catalogue import file, publish
from app.db import make_engine, transaction
from app.flows import buy_pack, hear_disputes, reconcile, settle, top_up
from app.money import Money
from app.payments import inbox, reconciliations
from app.payments.models import ProviderEvent
from app.providers.errors import Unavailable
from app.providers.values import Cap, Verified
from app.sandbox.engine import disputes
from app.sandbox.engine import refunds as given_back
from tests.support.card_paid import Cardholder
from tests.support.creem import Regular
from tests.support.fake_provider import FakeProvider, heard, told
from tests.support.lemon import Shopper
from tests.support.patron import Patron
from tests.support.plans import PLANS
from tests.support.six_events import TABLES

PACK = '\n[packs.small]\nname = "100 credits"\ncredits = 100\nprice = "9.00"\n'


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The past is copied with its file."""
    return sqlite_url


def left(session: Session) -> dict[str, Any]:
    """What is in every table that news decides."""
    with transaction(session):
        found: dict[str, Any] = {
            table: sorted(map(repr, session.execute(text(f"SELECT {columns} FROM {table}"))))
            for table, columns in TABLES.items()
        }
        found["books"] = [(row.account, row.asset, row.balance) for row in ledger.trial_balance(session)]
        found["faults"] = ledger.audit(session, full=True).faults
        waits = select(ProviderEvent.type, ProviderEvent.error).where(ProviderEvent.state.in_(("pending", "dead")))
        found["not applied"] = [tuple(row) for row in session.execute(waits)]
    return found


class Parting:
    """Two futures of one past: this database, and a copy of it as it was."""

    def __init__(self, session: Session, home: Path) -> None:
        now = session.get_bind().engine.url.database
        assert now is not None
        self.file = home / "lost.db"
        with closing(sqlite3.connect(now)) as here, closing(sqlite3.connect(self.file)) as there:
            here.backup(there)
        self.engine = make_engine(f"sqlite:///{self.file}")
        self.sessions = sessionmaker(self.engine, expire_on_commit=False)

    def reconciles(self, providers: Any) -> Any:
        [channel] = providers
        return reconcile.run(self.sessions, providers, channel)

    def hears_late(self, who: Patron) -> None:
        """The very webhooks come after all."""
        with who.sessions() as there, transaction(there):
            sent = list(there.scalars(select(ProviderEvent)))
        with self.sessions() as here, transaction(here):
            for each in sent:
                named = each.event_id, each.type, each.occurred_at, each.livemode, each.object_id
                inbox.keep(here, provider=each.provider, verified=Verified(*named), body=each.body, headers={})
        while settle.apply_pending(self.sessions, who.providers):
            pass

    def left(self) -> dict[str, Any]:
        with self.sessions() as session:
            return left(session)


def a_day_at_stripe(who: Cardholder) -> None:
    """Top-ups, a pack, an upgrade, a renewal, a refund from the dashboard, a dispute, a cancellation."""
    where = {"return_url": "https://x.example/{order}", "actor": "usr_1"}
    for number, cents in enumerate((5000, 7000)):
        who.pays(top_up.start(who.session, who.stripe, who.customer, cents, form_key=f"day{number}", **where))
    wish = buy_pack.Wish("small", "day-pack", "usr_1", where["return_url"], where["return_url"])
    who.pays(buy_pack.start(who.session, who.stripe, who.customer, wish))


def later_at_stripe(who: Cardholder) -> None:
    assert who.sub is not None
    named, dearer = who.sub.provider_id, who.plan_at("growth").provider_price_id
    call = who.stripe._stripe.call
    item = call(lambda v1: v1.subscriptions.retrieve(named))["items"]["data"][0]["id"]
    change: Any = {"items": [{"id": item, "price": dearer}], "proration_behavior": "always_invoice"}
    call(lambda v1: v1.subscriptions.update(named, change))
    who.passes(days=1)
    with who.sandbox.sandbox.writing() as tx:
        of = {charge["amount"]: charge for charge in tx.every("charge")}
        given_back.refund(tx, of[5000], 2000)
        disputes.begin(tx, tx.get("charge", of[7000]["id"]))
    call(lambda v1: v1.subscriptions.update(named, {"cancel_at_period_end": True}))


def test_a_day_of_lost_webhooks_at_stripe_is_repaired_and_once(cardholder: Cardholder, tmp_path: Path) -> None:
    who = cardholder
    with transaction(who.session):
        publish.apply(who.session, file.read(PLANS + PACK, currency="usd"), actor="test")
    who.subscribes()
    who.plan_at("growth")
    who.hears()
    who.passes(days=30, hours=12)
    a_day_at_stripe(who)
    lost = Parting(who.session, tmp_path)
    later_at_stripe(who)

    who.hears()
    run = lost.reconciles(who.providers)
    again = lost.reconciles(who.providers)

    received = left(who.session)
    assert received["not applied"] == received["faults"] == []
    assert lost.left() == received
    did = {each["kind"] for each in run.changed}
    assert did >= {"wallet.credited", "credits.granted", "invoice.mirrored", "subscription.seen"}
    assert did >= {"refund.made_at_provider", "wallet.charged_back", "wallet.frozen"}
    assert (run.state, run.unread) == ("done", [])
    assert (again.state, again.change_count, again.unread) == ("done", 0, [])
    lost.engine.dispose()


def test_a_day_of_lost_webhooks_at_polar(patron: Patron, tmp_path: Path) -> None:
    books, plan = patron.there.books, patron.pays(patron.subscribes())
    patron.hears()
    growth = patron.adapter.ensure_price(
        plan="growth", version=1, interval="month", price=Money(3000, "usd"), name="Growth", key="k"
    )
    paid, other = (patron.pays(patron.tops_up(cents, str(cents))) for cents in (5000, 7000))
    patron.pays(patron.buys_pack())
    lost = Parting(patron.session, tmp_path)
    patron.passes(days=31)
    books.changes(plan["subscription_id"], {"product_id": growth, "proration_behavior": "invoice"})
    books.refunds({"order_id": paid["id"], "amount": 2500, "reason": "other"})
    books.disputes(other["id"])
    books.changes(plan["subscription_id"], {"cancel_at_period_end": True})

    hear_disputes.hear(patron.sessions, patron.providers)
    patron.hears()
    run, again = lost.reconciles(patron.providers), lost.reconciles(patron.providers)

    assert lost.left() == left(patron.session)
    assert (run.state, run.unread, again.change_count) == ("done", [], 0)
    lost.engine.dispose()


def test_a_day_of_lost_webhooks_at_creem_but_for_disputes(regular: Regular, tmp_path: Path) -> None:
    plan = regular.pays(regular.subscribes())
    regular.hears()
    books = regular.there.books
    paid = regular.pays(regular.tops_up(5000))
    regular.pays(regular.buys_pack())
    lost = Parting(regular.session, tmp_path)
    regular.passes(days=31)
    wanted = {"product_id": regular.products["growth"], "update_behavior": "proration-charge-immediately"}
    books.upgrades(plan["subscription"], wanted)
    books.refunds(paid["id"], 2500)
    books.cancels(plan["subscription"], {"mode": "scheduled"})

    regular.hears()
    run, again = lost.reconciles(regular.providers), lost.reconciles(regular.providers)
    assert "sum:" in str(lost.left()["refund"])
    lost.hears_late(regular)

    assert lost.left() == left(regular.session)
    assert (run.state, again.change_count, len(run.unread)) == ("done", 0, 2)
    assert "Creem tells of disputes by webhook alone" in run.unread[1]
    lost.engine.dispose()


def test_a_day_of_lost_webhooks_at_lemon_squeezy_but_for_disputes(shopper: Shopper, tmp_path: Path) -> None:
    shopper.is_on()
    books = shopper.lemon.books
    (there,) = books.things["subscriptions"].values()
    paid = shopper.pays(shopper.tops_up(5000))
    shopper.pays(shopper.buys_pack())
    lost = Parting(shopper.session, tmp_path)
    shopper.passes(days=31)
    books.changes(there["id"], {"variant_id": int(shopper.variants["growth"]), "invoice_immediately": True})
    books.refunds("orders", paid["id"], 2000)
    books.refunds("subscription-invoices", books.invoices_of(there["id"])[0]["id"])
    books.cancels(there["id"])

    shopper.hears()
    run, again = lost.reconciles(shopper.providers), lost.reconciles(shopper.providers)

    assert lost.left() == left(shopper.session)
    assert (run.state, again.change_count, len(run.unread)) == ("done", 0, 2)
    assert "Lemon Squeezy tells of disputes on its own pages alone" in run.unread[1]
    lost.engine.dispose()


def test_a_channel_that_is_away_says_so_and_stops_no_other(session, sessions, payer, fake, clock) -> None:
    away, there = FakeProvider("polar", caps=frozenset({Cap.CUSTOM_AMOUNT, Cap.EVENT_LIST})), fake
    heard_since, news = [], [heard(told("other", None))]

    def feed(since):
        heard_since.append(since)
        if len(heard_since) == 2:
            raise Unavailable("No answer")
        return news

    away.events_since = feed
    each_hour = reconcile.Hourly(sessions, {"polar": away, "stripe": there})
    begun = clock.now
    for _ in range(3):
        assert (each_hour(), each_hour()) == (2, 0)
        clock.advance(hours=1)

    runs = reconciliations.page(session, channel="polar")
    assert [run.state for run in runs] == ["done", "incomplete", "done"]
    assert runs[1].unread == ["Polar was away when its events were read: No answer."]
    assert {run.state for run in reconciliations.page(session, channel="stripe")} == {"done"}
    assert heard_since[1] == heard_since[2] == begun - timedelta(hours=2), "what was not read is asked for again"
    [kept] = session.scalars(select(ProviderEvent))
    assert (kept.event_id, kept.state, kept.deliveries) == (news[0].verified.event_id, "ignored", 1)


def test_one_run_of_a_channel_at_a_time_and_one_that_lost_its_process_is_put_away(session, sessions, fake, clock):
    with transaction(session):
        gone = reconciliations.begin(session, "stripe", actor="system").id

    assert reconcile.run(sessions, {"stripe": fake}, "stripe") is None
    clock.advance(minutes=16)
    assert reconcile.run(sessions, {"stripe": fake}, "stripe").state == "done"
    assert reconciliations.one(session, gone).state == "broken_off"


def test_a_webhook_after_its_event_was_read_again_raises_no_alarm(session, sessions, fake) -> None:
    fake.capabilities |= {Cap.EVENT_LIST}
    event = heard(told("other", None))
    fake.events_since = lambda _since: [event]
    reconcile.run(sessions, {"stripe": fake}, "stripe")

    with transaction(session):
        inbox.keep(session, provider="stripe", verified=event.verified, body=event.body + b" ", headers={"a": "b"})

    assert not [line for line in activity.of_everyone(session).lines if line.action == "webhook.changed_content"]
