"""Finding customers: by whatever one has of theirs, with why, by filter, page by page."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, text, union_all

from app import clock, ids
from app.customers.models import Customer
from app.db import transaction
from app.dossier import find, named
from app.dossier.find import Wanted
from app.flows import reactions
from app.flows.news import News, Seen
from app.money import Money
from app.payments import customers, disputes, known_cards, refunds
from app.payments.disputes import Paid
from app.payments.models import Order, Payment
from app.providers.events import DisputeChanged, PaidByCard
from app.providers.values import CustomerRef
from app.subscriptions.models import Subscription
from app.wallet import frozen


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def order_of(session, customer_id, order_id="ord_1", **how):
    now = clock.now()
    row = {
        "customer_id": customer_id, "id": order_id, "kind": "topup", "amount_minor": 5000, "currency": "usd",
        "channel": "stripe", "state": "paid", "form_key": order_id, "attempt": 1, "request": {},
        "provider_ref": "cs_test_1", "payment_id": "pi_1", "created_by": "usr_1", "created_at": now, "updated_at": now,
        "polls": 0,
    }  # fmt: skip
    session.execute(insert(Order).values(row | how))


def payment_of(session, customer_id, payment_id="pi_2"):
    row = {
        "channel": "stripe", "payment_id": payment_id, "customer_id": customer_id, "order_id": "ord_1",
        "net_minor": 5000, "tax_minor": 0, "currency": "usd", "invoice_id": "in_1", "is_extra": True, "event_id": "",
        "at": clock.now(),
    }  # fmt: skip
    session.execute(insert(Payment).values(row))


def dispute_of(session, customer_id):
    told = DisputeChanged(
        provider="stripe", event_id="evt_2", raw_type="charge.dispute.created", occurred_at=clock.now(),
        livemode=False, dispute_id="dp_1", payment_id="pi_9", amount=Money(5000, "usd"), phase="open", reason=None,
        due_by=None,
    )  # fmt: skip
    return disputes.keep(session, told, Paid(customer_id, "wallet", 5000, 0, "usd"))


def found(session, text="", **filters):
    session.rollback()
    return find.find(session, Wanted(text=text, **filters)).rows


def test_every_exact_name_leads_to_its_customer_and_says_why(session, ada, bo, subscriber, invoice_for):
    subscriber.gets(10_000)
    sub = subscriber.subscribes()
    invoice = subscriber.invoices[0]
    with transaction(session):
        order_of(session, ada.customer_id)
        payment_of(session, ada.customer_id)
        customers.remember(session, CustomerRef("cus_Stripe1", ada.customer_id), "stripe")
        dispute = dispute_of(session, ada.customer_id)
        money = {"net_minor": 500, "tax_minor": 0, "currency": "usd"}
        about = {"kind": "balance", "state": "requested", "reason": "", "requested_by": ada.id}
        refund, _ = refunds.make(session, customer_id=ada.customer_id, key="asked", **about, **money)
        session.get(Customer, ada.customer_id).external_id = "acme-77"

    for name, what in {
        ada.customer_id: "customer", "acme-77": "external ID", ada.id: "member", "ord_1": "order",
        "cs_test_1": "checkout", "pi_1": "payment", "pi_2": "payment", "in_1": "invoice", "cus_Stripe1": "customer",
        dispute.id: "dispute", "dp_1": "dispute", "pi_9": "disputed payment", refund.id: "refund",
        sub.id: "subscription", invoice.id: "invoice", invoice.number: "invoice", invoice.number.lower(): "invoice",
    }.items():  # fmt: skip
        [one] = found(session, name)
        assert (one.id, one.why) == (ada.customer_id, [f"{what} {name}"]), name


def test_an_exact_name_is_looked_up_by_indexes_alone(session):
    ways = union_all(*named._ways("pi_3Nabc@example.com"))
    query = ways.compile(session.get_bind(), compile_kwargs={"literal_binds": True})

    plan = [row.detail for row in session.execute(text(f"EXPLAIN QUERY PLAN {query}"))]

    scanned = [
        step for step in plan if step.startswith("SCAN ") and "anon" not in step and "subquery" not in step.lower()
    ]
    assert scanned == [], plan


def test_a_card_that_is_saved_or_has_paid_finds_its_owner_by_the_last_four(session, ada, bo):
    with transaction(session):
        known_cards.keep(session, ada.customer_id, "stripe", "pm_1", kind="saved", brand="visa", last4="4242")
        known_cards.keep(session, bo.customer_id, "stripe", "pi_7", kind="paid", brand="amex", last4="4242")
        known_cards.keep(session, bo.customer_id, "stripe", "pm_2", kind="saved", brand="visa", last4="0005")

    told = {one.id: one.why for one in found(session, "4242")}

    assert told == {
        ada.customer_id: ["Visa ending 4242"],
        bo.customer_id: ["American Express ending 4242, payment pi_7"],
    }


def test_the_card_of_a_payment_is_kept_when_the_provider_tells_it(session, ada):
    with transaction(session):
        customers.remember(session, CustomerRef("cus_Stripe1", ada.customer_id), "stripe")
    told = PaidByCard(
        provider="stripe", event_id="evt_1", raw_type="charge.succeeded", occurred_at=clock.now(), livemode=False,
        payment_id="pi_1", customer_id="cus_Stripe1", brand="visa", last4="4242",
    )  # fmt: skip

    for _ in range(2):
        with transaction(session):
            reactions.react(session, told, News("whe_1", "stripe", Seen(clock.now()), 7))

    [card] = known_cards.of_customer(session, ada.customer_id)
    assert (card.reference, card.kind, card.last4) == ("pi_1", "paid", "4242")


def test_a_whole_address_needs_no_looking_through(session, ada, bo, cy):
    [member] = found(session, "CY@example.com")
    [owner] = found(session, "ada@example.com")

    assert (member.id, member.why) == (ada.customer_id, ["member CY@example.com"])
    assert (owner.id, owner.why) == (ada.customer_id, ["mail ada@example.com", "member ada@example.com"])


def test_names_and_addresses_are_found_by_a_part_of_them(session, ada, bo, cy):
    [one] = found(session, "CY@exam")

    assert one.id == ada.customer_id
    assert one.why == ["member Cy, cy@example.com"]
    assert [each.id for each in found(session, "boats")] == [bo.customer_id]
    assert found(session, "boats")[0].why == ["name Bo's Boats"]


@pytest.mark.parametrize("odd", ["100%", "_", "\0", "'; DROP TABLE customer; --", "x" * 5000, "0000", "🦀🦀🦀🦀"])
def test_what_matches_nothing_finds_nobody(session, ada, odd):
    assert found(session, odd) == [] or odd == "\0"


def test_filters_are_by_plan_and_status(session, subscriber, ada, bo):
    subscriber.gets(10_000)
    sub = subscriber.subscribes()
    both, adas, bos = {ada.customer_id, bo.customer_id}, {ada.customer_id}, {bo.customer_id}

    def ids_of(**filters):
        return {one.id for one in found(session, **filters)}

    assert (ids_of(), ids_of(plan=sub.plan_id), ids_of(plan="free")) == (both, adas, bos)
    assert (ids_of(status="active"), ids_of(status="free"), ids_of(status="past_due")) == (adas, bos, set())
    with transaction(session):
        live = session.get(Subscription, (ada.customer_id, sub.id))
        live.status, live.past_due_since, live.grace_ends_at = "past_due", clock.now(), clock.now()
    assert (ids_of(status="past_due"), ids_of(status="active")) == (adas, set())
    assert found(session, status="past_due")[0].status == "restricted"


def test_filters_are_by_frozen_wallet_and_open_dispute(session, ada, bo):
    with transaction(session):
        frozen.freeze_by_hand(session, bo.customer_id, "usd", reason="Card testing", actor="staff:usr_1")
        dispute_of(session, ada.customer_id)

    assert [one.id for one in found(session, frozen=True)] == [bo.customer_id]
    assert [one.id for one in found(session, disputed=True)] == [ada.customer_id]
    assert found(session, "boats", disputed=True) == []


def test_it_pages_without_repeating_or_skipping(session):
    with transaction(session):
        for number in range(7):
            row = {"id": ids.new("cus"), "name": f"Number {number}", "email": "n@example.com", "time_zone": "UTC"}
            session.execute(insert(Customer).values(row | {"created_at": clock.now()}))
    seen, before = [], None

    while True:
        page = find.find(session, Wanted("number"), before=before, limit=3)
        seen += [one.name for one in page.rows]
        before = page.older
        if before is None:
            break

    assert sorted(seen) == [f"Number {number}" for number in range(7)]
