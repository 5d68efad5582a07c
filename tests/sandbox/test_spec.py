"""Stripe's description as a check: of forms, answers, objects and events."""

from __future__ import annotations

import pytest

from app.sandbox.api import ENDPOINTS
from app.sandbox.blanks import blank
from app.sandbox.ids import PREFIXES
from app.sandbox.spec import SpecCheck, decode_form, pinned


@pytest.mark.parametrize(
    ("body", "decoded"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[b]=1&a[c]=2", {"a": {"b": "1", "c": "2"}}),
        ("a[0][b]=1&a[1][b]=2", {"a": [{"b": "1"}, {"b": "2"}]}),
        ("e[]=x&e[]=y", {"e": ["x", "y"]}),
        ("m[1]=x", {"m": {"1": "x"}}),
        (b"a=%C3%A9+%26", {"a": "é &"}),
    ],
)
def test_forms_are_decoded_by_stripes_rules(body, decoded):
    assert decode_form(body) == decoded


@pytest.mark.parametrize("body", ["a=1&a=2", "a=1&a[b]=2", "a[b]=1&a=2", "nonsense", "[]=1", "a" + "[b]" * 500 + "=1"])
def test_a_form_that_contradicts_itself_is_refused(body):
    with pytest.raises(ValueError, match=r"parameter|bad query"):
        decode_form(body)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ("payment_intent=pi_1&amount=500", []),
        ("payment_intent=pi_1&amount=5e2", ["amount: expected an integer, got '5e2'"]),
        ("payment_intent=pi_1&ammount=5", ["ammount: unknown parameter"]),
        ("reason=bored", ["reason: 'bored' is not one of ['duplicate', 'fraudulent', 'requested_by_customer']"]),
        ("metadata[a]=1", []),
        ("metadata=", []),
        ("expand[0]=charge", []),
    ],
)
def test_a_request_is_held_against_the_description(body, faults):
    assert pinned().request("post", "/v1/refunds", body) == faults


def test_a_query_is_checked_like_a_form():
    assert pinned().request("get", "/v1/refunds?limit=3&created[gte]=5") == []
    assert pinned().request("get", "/v1/refunds?limits=3") == ["limits: unknown parameter"]


def test_an_address_that_does_not_exist_is_a_fault():
    assert pinned().request("post", "/v1/nothing") == ["no such endpoint in 2026-10-28.endive: POST /v1/nothing"]
    assert pinned().response("get", "/v1/nothing", 200, {}) == [
        "no such endpoint in 2026-10-28.endive: GET /v1/nothing"
    ]


def test_an_object_is_checked_by_what_it_says_it_is():
    charge = blank("charge", id="ch_1", created=1)

    assert pinned().object(charge) == []
    assert pinned().object({**charge, "amount": "5"}) == ["charge.amount: expected an integer, got '5'"]
    assert pinned().object({**charge, "amount": 5.0}) == ["charge.amount: expected an integer, got 5.0"]
    assert pinned().object({**charge, "amount": True}) == ["charge.amount: expected an integer, got True"]
    assert pinned().object({**charge, "colour": "red"}) == ["charge.colour: unknown field"]
    assert pinned().object({**charge, "amount": None}) == ["charge.amount: null is not allowed"]
    assert pinned().object({"object": "unicorn"}) == ["unknown object type 'unicorn'"]


def test_an_event_is_checked_with_the_object_inside():
    inner = blank("customer", id="cus_1", created=1)
    event = blank("event", id="evt_1", created=1, type="customer.created", data={"object": inner})

    assert pinned().event(event) == []
    inner["email"] = 5
    assert pinned().event(event) == ["data.object: customer.email: expected a string, got int"]


def test_errors_have_a_shape_too():
    error = {"error": {"type": "invalid_request_error", "message": "No."}}

    assert pinned().response("post", "/v1/refunds", 400, error) == []
    assert pinned().response("post", "/v1/refunds", 400, {"message": "No."}) != []


def test_words_stripe_may_add_can_be_let_through():
    body = blank("refund", id="re_1", created=1, reason="a_new_reason")

    assert pinned().object(body) != []
    assert SpecCheck(closed_enums=False).object(body) == []


def test_parameters_are_given_their_types():
    operation = pinned().operation("post", "/v1/payment_intents")

    typed = pinned().typed(operation, decode_form("amount=5&currency=usd&confirm=true&off_session=false&metadata[n]=7"))

    assert typed == {"amount": 5, "currency": "usd", "confirm": True, "off_session": False, "metadata": {"n": "7"}}


def test_every_endpoint_of_ours_is_one_of_stripes():
    assert [where for where in ENDPOINTS if pinned().operation(*where) is None] == []


@pytest.mark.parametrize("kind", sorted(PREFIXES))
def test_every_object_starts_out_with_fields_stripe_knows(kind):
    dated = {} if kind in ("item", "line_item", "credit_note_line_item", "discount") else {"created": 1}

    faults = pinned().object(blank(kind, id="x", **dated))

    assert [fault for fault in faults if "unknown field" in fault] == []
