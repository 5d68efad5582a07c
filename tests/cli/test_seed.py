"""The seed: people with a past, made through the real verbs, safe to run twice."""

from __future__ import annotations

from sqlalchemy import select

from app import coupons, ledger
from app.catalogue import reads
from app.cli import story
from app.customers.models import Customer
from app.invoices import reads as invoices
from app.money import Money
from app.payments.models import Order, ProviderEvent
from app.people import sign_in
from app.subscriptions import standing
from app.wallet.accounts import wallet_of


def wallet(session, person):
    customer = session.scalars(select(Customer).where(Customer.email == person.email)).one()
    return wallet_of(customer.id)


def test_everyone_is_there_with_their_story(purser, session, clock):
    said = purser("seed", "--json").json

    ada, bo, cy = (wallet(session, person) for person in (story.ADA, story.BO, story.CY))
    assert set(said["made"]) == {person.email for person in story.EVERYONE}
    assert ledger.balance(session, ada).available > 100_000_000
    assert ledger.balance(session, bo).balance == 0
    assert session.scalars(
        select(Order.state).where(Order.customer_id == cy.customer_id, Order.state == "failed")
    ).all()
    assert {state for (state,) in session.execute(select(ProviderEvent.state))} == {"done"}
    oldest = ledger.history(session, ada, limit=500)[-1]
    assert (clock.now - oldest.occurred_at).days > 100


def test_everyone_can_sign_in(purser, session):
    purser("seed")

    for person in story.EVERYONE:
        assert sign_in.check(session, person.email, story.PASSWORD).staff_role == (person.role or None)


def test_a_second_time_nobody_is_made_and_no_money_moves(purser, session):
    purser("seed")
    before = ledger.balance(session, wallet(session, story.ADA))

    again = purser("seed", "--json").json

    session.rollback()
    assert (again["made"], again["keys"]) == ([], {})
    assert ledger.balance(session, wallet(session, story.ADA)) == before


def test_the_shop_has_plans_a_coupon_that_works_and_a_customer(purser, session):
    purser("seed")
    ada, bo = (
        session.scalars(select(Customer).where(Customer.email == person.email)).one()
        for person in (story.ADA, story.BO)
    )

    plans = {plan.key: plan for plan in reads.offered_plans(session)}
    price = Money(plans["growth"].monthly_minor, "usd")
    off = coupons.quote(session, "harbor20", customer_id=bo.id, what="plan:growth", price=price)
    now, bills = standing.of(session, ada.id), invoices.page(session, ada.id).rows

    assert list(plans) == ["free", "starter", "growth", "enterprise"]
    assert (off.off, off.after) == (Money(1_980, "usd"), Money(7_920, "usd"))
    assert (now.tier, now.status, now.subscription.paid_by) == ("starter", "active", "wallet")
    # 29.00 less 20 % is 23.20, and 20 % VAT on it.
    assert [(row.invoice.status, row.invoice.tax_minor, row.invoice.total_minor) for row in bills] == (
        [("paid", 464, 2_784)] * 4
    )
