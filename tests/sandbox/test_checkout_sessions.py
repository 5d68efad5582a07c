"""/v1/checkout/sessions."""

from __future__ import annotations

from dataclasses import replace

import pytest
import stripe

from app.sandbox import running_sandbox
from app.sandbox.engine.amounts import tax_on

DAY = 86400


def test_an_open_session_has_a_page_an_amount_and_no_payment_yet(api, ada, top_up, sandbox):
    session = top_up()

    assert session.url == f"{sandbox.url}/c/pay/{session.id}"
    assert (session.status, session.payment_status, session.mode) == ("open", "unpaid", "payment")
    assert (session.amount_subtotal, session.amount_total, session.currency) == (5000, 5000, "usd")
    assert (session.payment_intent, session.invoice, session.customer) == (None, None, ada.id)
    assert session.expires_at == session.created + DAY
    assert session.metadata.to_dict() == {"of": "session"}
    assert api.checkout.sessions.retrieve(session.id).client_reference_id == "ord_1"


def test_it_sells_prices_by_id_in_any_quantity(api, top_up):
    price = api.prices.create({"currency": "usd", "unit_amount": 900, "product_data": {"name": "Pack"}})

    session = top_up(line_items=[{"price": price.id, "quantity": 3}])

    line = api.checkout.sessions.line_items.list(session.id).data[0]
    assert session.amount_total == 2700
    assert (line.description, line.quantity, line.amount_total, line.price.id) == ("Pack", 3, 2700, price.id)


def test_line_items_can_be_expanded_and_paged(api, top_up):
    price = {"currency": "usd", "unit_amount": 100, "product_data": {"name": "Pack"}}
    session = top_up(
        line_items=[{"price_data": price, "quantity": number} for number in (1, 2, 3)], expand=["line_items"]
    )

    first = api.checkout.sessions.line_items.list(session.id, {"limit": 2})
    rest = api.checkout.sessions.line_items.list(session.id, {"starting_after": first.data[-1].id})
    back = api.checkout.sessions.line_items.list(session.id, {"ending_before": rest.data[0].id, "limit": 1})

    assert [line.quantity for line in session.line_items.data] == [1, 2, 3]
    assert [[line.quantity for line in page.data] for page in (first, rest, back)] == [[1, 2], [3], [2]]
    assert [first.has_more, rest.has_more, back.has_more] == [True, False, True]


def test_sessions_can_be_listed_by_what_they_belong_to(api, ada, top_up):
    mine = top_up()
    bo = api.customers.create({"name": "Bo"})
    theirs = top_up(customer=bo.id)
    api.checkout.sessions.expire(theirs.id)

    assert [each.id for each in api.checkout.sessions.list({"customer": ada.id}).data] == [mine.id]
    assert [each.id for each in api.checkout.sessions.list({"status": "expired"}).data] == [theirs.id]


def test_expiring_closes_the_session_and_tells(api, top_up, sandbox, receiver):
    session = top_up()

    api.checkout.sessions.expire(session.id)
    with pytest.raises(stripe.InvalidRequestError):
        api.checkout.sessions.expire(session.id)
    sandbox.deliver()

    assert receiver.only("checkout.session.expired").data.object.id == session.id
    assert api.checkout.sessions.retrieve(session.id).url is None


@pytest.mark.parametrize("wait", [1800, 3600])
def test_a_session_expires_by_itself_when_its_time_has_come(api, top_up, sandbox, receiver, wait):
    session = top_up(expires_at=sandbox.sandbox.clock.now() + wait)
    before = api.checkout.sessions.retrieve(session.id).status

    sandbox.advance(wait + 1)
    after = api.checkout.sessions.retrieve(session.id).status
    sandbox.deliver()

    assert (before, after) == ("open", "expired")
    assert receiver.only("checkout.session.expired").created == session.expires_at


@pytest.mark.parametrize("wait", [0, 600, DAY + 600])
def test_a_session_lasts_between_half_an_hour_and_a_day(top_up, sandbox, wait):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        top_up(expires_at=sandbox.sandbox.clock.now() + wait)

    assert refusal.value.param == "expires_at"


def test_what_belongs_to_another_mode_is_refused(top_up):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        top_up(mode="subscription")

    assert refusal.value.http_status == 400
    assert refusal.value.param == "payment_intent_data"


PRICE = {"currency": "usd", "unit_amount": 5000, "product_data": {"name": "x"}}


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"customer_email": "a@b.c"}, "customer_email"),
        ({"customer_creation": "always"}, "customer_creation"),
        ({"line_items": [{"quantity": 0, "price_data": PRICE}]}, "line_items[0][quantity]"),
        ({"line_items": [{"quantity": 1}]}, "line_items[0][price]"),
        ({"line_items": [{"quantity": 1, "price": "price_none"}]}, "line_items[0][price]"),
        ({"line_items": [{"price_data": {"currency": "usd", "unit_amount": 5}}]}, "line_items[0][price_data][product]"),
        ({"line_items": [{"price_data": {**PRICE, "recurring": {"interval": "month"}}}]}, "line_items[0]"),
        ({"line_items": [{"price_data": PRICE}, {"price_data": {**PRICE, "currency": "eur"}}]}, "line_items"),
        ({"line_items": [{"price_data": {**PRICE, "unit_amount": 49}}]}, "line_items"),
        ({"success_url": "/wallet"}, "success_url"),
        ({"cancel_url": "javascript:alert(1)"}, "cancel_url"),
        ({"setup_intent_data": {"metadata": {"a": "b"}}}, "setup_intent_data"),
        ({"customer": "cus_none"}, "customer"),
        ({"automatic_tax": {"enabled": True}}, "automatic_tax"),
        ({"mode": "setup"}, "currency"),
        ({"mode": "setup", "currency": "usd"}, "line_items"),
    ],
)
def test_rules_between_parameters_are_kept(top_up, more, param):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        top_up(**more)

    assert (refusal.value.http_status, refusal.value.param) == (400, param)


@pytest.mark.parametrize("more", [{"ui_mode": "embedded_page"}, {"payment_intent_data": {"capture_method": "manual"}}])
def test_what_a_session_cannot_do_yet_is_refused(top_up, more):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        top_up(**more)

    assert refusal.value.code == "sandbox_not_built"


def test_exclusive_tax_comes_on_top(config, ada, sandbox, sdk):
    with running_sandbox(
        replace(config, database=config.database.with_name("taxed.db"), tax_basis_points=825), delivers=False
    ) as taxed:
        api = sdk(base_addresses={"api": taxed.url}).v1
        session = api.checkout.sessions.create(
            {
                "line_items": [
                    {"quantity": 1, "price_data": {**PRICE, "unit_amount": 4999, "tax_behavior": "exclusive"}}
                ],
                "automatic_tax": {"enabled": True},
                "success_url": "http://shop.example/",
            }
        )

    assert (session.amount_subtotal, session.total_details.amount_tax, session.amount_total) == (4999, 412, 5411)
    assert session.automatic_tax.status == "complete"


@pytest.mark.parametrize(
    ("amount", "basis_points", "tax"),
    [(0, 900, 0), (100, 0, 0), (5, 1000, 1), (4, 1000, 0), (10**15, 825, 825 * 10**11)],
)
def test_tax_is_rounded_half_up_in_whole_cents(amount, basis_points, tax):
    assert tax_on(amount, basis_points) == tax
