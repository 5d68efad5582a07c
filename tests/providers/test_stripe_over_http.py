"""The real adapter and SDK against the sandbox over HTTP. Every request is held to Stripe's description on its way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.money import Money
from app.providers.errors import Conflict, InvalidRequest, NotFound
from app.providers.events import CheckoutCompleted, CheckoutExpired, PaymentFailed, PaymentSucceeded
from app.providers.values import CheckoutRequest, CustomerRef
from app.sandbox.server import Running
from tests.support.payments import Buyer

DECLINED, SLOW, THREE_D = "4000000000000002", "000123456789", "4000002500003155"


@pytest.fixture
def customer(stripe: Any) -> CustomerRef:
    return stripe.ensure_customer(customer_id="cus_1", email="ada@example.com", name="Ada", key="cus_1:customer")


@pytest.fixture
def request_for(customer: CustomerRef) -> CheckoutRequest:
    return CheckoutRequest(
        order_id="ord_1",
        kind="topup",
        customer=customer,
        title="Wallet top-up",
        success_url="https://x.example/done",
        cancel_url="https://x.example/back",
        amount=Money(5000, "usd"),
    )


def test_a_customer_is_made_once_per_key(stripe: Any, customer: CustomerRef) -> None:
    again = stripe.ensure_customer(customer_id="cus_1", email="ada@example.com", name="Ada", key="cus_1:customer")

    assert again == customer
    with pytest.raises(Conflict) as other:
        stripe.ensure_customer(customer_id="cus_1", email="else@example.com", name="Ada", key="cus_1:customer")
    assert other.value.code == "idempotency_error"


def test_a_page_is_made_once_per_key_and_can_be_read(stripe: Any, request_for: CheckoutRequest) -> None:
    page = stripe.create_checkout(request_for, key="ord_1:1")

    assert (page.status, page.paid, page.order_id) == ("open", False, "ord_1")
    assert page.url is not None
    assert stripe.create_checkout(request_for, key="ord_1:1") == page
    assert stripe.get_checkout(page.id) == page
    assert stripe.recheck_checkout(page.id) is None, "nothing has happened yet"


def test_the_payment_intent_carries_the_order_too(
    stripe: Any, request_for: CheckoutRequest, sandbox: Running, buyer: Buyer
) -> None:
    page = stripe.create_checkout(request_for, key="k")
    buyer.pays(page.id)

    with sandbox.sandbox.reading() as tx:
        session = tx.get("checkout.session", page.id)
        intent = tx.get("payment_intent", session["payment_intent"])
    assert session["metadata"]["intent_id"] == intent["metadata"]["intent_id"] == "ord_1"
    assert session["client_reference_id"] == "ord_1"
    assert session["invoice"], "there is an invoice for the top-up"


def test_a_paid_page_is_told_when_asked(stripe: Any, request_for: CheckoutRequest, buyer: Buyer) -> None:
    page = stripe.create_checkout(request_for, key="k")
    assert buyer.pays(page.id) == "succeeded"

    heard = stripe.recheck_checkout(page.id)

    assert heard.verified.event_id == f"poll:{page.id}:paid"
    completed, paid = stripe.normalize(heard.body)
    assert isinstance(completed, CheckoutCompleted)
    assert isinstance(paid, PaymentSucceeded)
    assert (paid.order_id, paid.net, paid.livemode) == ("ord_1", Money(5000, "usd"), False)
    assert paid.customer_id == request_for.customer.id


def test_a_declined_card_leaves_the_page_open(stripe: Any, request_for: CheckoutRequest, buyer: Buyer) -> None:
    page = stripe.create_checkout(request_for, key="k")
    buyer.pays(page.id, DECLINED)

    assert stripe.get_checkout(page.id).status == "open"
    assert stripe.recheck_checkout(page.id) is None


def test_a_slow_payment_is_processing_until_it_is_paid(
    stripe: Any, request_for: CheckoutRequest, sandbox: Running, buyer: Buyer
) -> None:
    page = stripe.create_checkout(request_for, key="k")
    buyer.pays(page.id, SLOW)
    waiting = stripe.recheck_checkout(page.id)
    sandbox.advance(4 * 86_400)
    sandbox.deliver()
    done = stripe.recheck_checkout(page.id)

    assert [type(each) for each in stripe.normalize(waiting.body)] == [CheckoutCompleted]
    assert waiting.verified.event_id.endswith(":processing")
    assert PaymentSucceeded in [type(each) for each in stripe.normalize(done.body)]


def test_a_slow_payment_that_fails_is_told(
    stripe: Any, request_for: CheckoutRequest, sandbox: Running, buyer: Buyer
) -> None:
    page = stripe.create_checkout(request_for, key="k")
    buyer.pays(page.id, "000111111116")
    sandbox.advance(4 * 86_400)
    sandbox.deliver()

    heard = stripe.recheck_checkout(page.id)

    assert [type(each) for each in stripe.normalize(heard.body)] == [PaymentFailed]


def test_a_page_can_be_closed(stripe: Any, request_for: CheckoutRequest) -> None:
    page = stripe.create_checkout(request_for, key="k")

    closed = stripe.expire_checkout(page.id)

    assert (closed.status, closed.url) == ("expired", None)
    heard = stripe.recheck_checkout(page.id)
    assert [type(each) for each in stripe.normalize(heard.body)] == [CheckoutExpired]
    with pytest.raises(InvalidRequest):
        stripe.expire_checkout(page.id)


def test_what_is_not_there_is_not_found(stripe: Any, customer: CustomerRef) -> None:
    with pytest.raises(NotFound):
        stripe.get_checkout("cs_test_none")
    with pytest.raises(NotFound):
        stripe.list_cards(replace(customer, id="cus_none"))


def test_a_card_can_be_saved_seen_made_default_and_removed(
    stripe: Any, customer: CustomerRef, request_for: CheckoutRequest, buyer: Buyer
) -> None:
    wanted = replace(request_for, kind="save_card", amount=None, currency="usd")
    page = stripe.create_checkout(wanted, key="save")
    buyer.pays(page.id)

    (card,) = stripe.list_cards(customer)
    assert (card.brand, card.last4, card.is_default) == ("visa", "4242", False)
    stripe.set_default_card(customer, card.id)
    assert [each.is_default for each in stripe.list_cards(customer)] == [True]
    stripe.detach_card(customer, card.id)
    assert list(stripe.list_cards(customer)) == []


def test_another_customers_card_is_not_found(
    stripe: Any, customer: CustomerRef, request_for: CheckoutRequest, buyer: Buyer
) -> None:
    bo = stripe.ensure_customer(customer_id="cus_2", email="bo@example.com", name="Bo", key="cus_2:customer")
    wanted = replace(request_for, kind="save_card", amount=None, currency="usd")
    buyer.pays(stripe.create_checkout(wanted, key="save").id)
    (card,) = stripe.list_cards(customer)

    for verb in (stripe.detach_card, stripe.set_default_card):
        with pytest.raises(NotFound):
            verb(bo, card.id)
    assert len(stripe.list_cards(customer)) == 1


def test_a_setup_has_a_secret_for_the_browser(stripe: Any, customer: CustomerRef) -> None:
    setup = stripe.create_setup(customer, key="setup")

    assert setup.client_secret.startswith(setup.id)


def test_a_saved_card_is_charged_once_per_key(
    stripe: Any, customer: CustomerRef, request_for: CheckoutRequest, buyer: Buyer
) -> None:
    buyer.pays(stripe.create_checkout(replace(request_for, save_card=True), key="k").id)
    (card,) = stripe.list_cards(customer)
    told = {"intent_id": "ord_9", "kind": "auto_topup"}
    charge = {"card_id": card.id, "description": "Automatic top-up", "metadata": told}

    first = stripe.charge_saved_card(customer, Money(2500, "usd"), key="ord_9:1", **charge)
    second = stripe.charge_saved_card(customer, Money(2500, "usd"), key="ord_9:1", **charge)

    assert first.status == "succeeded"
    assert second == first


def test_without_a_card_there_is_nothing_to_charge(stripe: Any, customer: CustomerRef) -> None:
    with pytest.raises(InvalidRequest):
        stripe.charge_saved_card(
            customer, Money(2500, "usd"), card_id=None, description="d", key="k", metadata={"kind": "auto_topup"}
        )


def test_a_payment_can_be_paid_back_in_parts_and_never_more(
    stripe: Any, request_for: CheckoutRequest, buyer: Buyer
) -> None:
    page = stripe.create_checkout(request_for, key="k")
    buyer.pays(page.id)
    payment = stripe.get_checkout(page.id).payment_id

    def back(cents: int, key: str) -> Any:
        return stripe.refund(
            payment_id=payment, amount=Money(cents, "usd"), reason="requested", our_refund_id=key, key=key
        )

    assert back(2000, "r1") == back(2000, "r1")
    assert back(3000, "r2").status == "succeeded"
    with pytest.raises(InvalidRequest):
        back(1, "r3")
    assert sorted(refund.our_refund_id for refund in stripe.list_refunds(payment)) == ["r1", "r2"]


def test_the_portal_is_a_link(stripe: Any, customer: CustomerRef) -> None:
    assert stripe.portal(customer, return_url="https://x.example/").url.startswith("http")


def test_a_setting_turns_invoices_off(
    sandbox: Running, request_for: CheckoutRequest, stripe: Any, buyer: Buyer
) -> None:
    from tests.support.payments import stripe_adapter

    adapter = stripe_adapter(api_base=sandbox.url, invoices=0)
    page = adapter.create_checkout(request_for, key="k")
    buyer.pays(page.id)

    with sandbox.sandbox.reading() as tx:
        assert tx.get("checkout.session", page.id)["invoice"] is None


def test_nobody_at_the_other_end_means_unknown() -> None:
    from app.providers.errors import Unavailable
    from tests.support.payments import stripe_adapter

    with pytest.raises(Unavailable):
        stripe_adapter(api_base="http://127.0.0.1:9").get_checkout("cs_1")
