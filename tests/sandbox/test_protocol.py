"""Stripe's HTTP protocol: keys, versions, parameters, errors, expansion."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import stripe

from app.sandbox import SandboxConfig, running_sandbox


def test_it_refuses_a_call_without_a_key(raw):
    answer = raw.get("/v1/customers", headers={"Authorization": ""})

    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_it_refuses_another_key_and_does_not_repeat_it(sdk):
    with pytest.raises(stripe.AuthenticationError) as refusal:
        sdk("sk_test_somebody_elses_key").v1.customers.list()

    assert refusal.value.http_status == 401
    assert "somebody_elses" not in str(refusal.value)


def test_it_takes_the_key_as_a_user_name_too(raw):
    answer = raw.get("/v1/customers", headers={"Authorization": ""}, auth=("sk_test_of_these_tests", ""))

    assert answer.status_code == 200


def test_it_speaks_the_version_the_sdk_sends_and_no_other(raw, api):
    api.customers.list()

    answer = raw.get("/v1/customers", headers={"Stripe-Version": "2019-01-01"})

    assert answer.status_code == 400
    assert "2026-10-28.endive" in answer.json()["error"]["message"]


def test_every_answer_has_an_id_of_its_own(raw):
    first, second = raw.get("/v1/customers"), raw.get("/v1/customers/none")

    assert first.headers["Request-Id"].startswith("req_")
    assert first.headers["Request-Id"] != second.headers["Request-Id"]


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/customers/a/b/c"])
def test_an_address_that_does_not_exist_is_404(raw, path):
    answer = raw.get(path)

    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_verb_that_does_not_exist_is_an_error_object_too(raw):
    answer = raw.put("/v1/customers", data={})

    assert answer.status_code == 404
    assert "PUT" in answer.json()["error"]["message"]


def test_what_is_not_built_says_so(api):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.radar.early_fraud_warnings.list()

    assert refusal.value.http_status == 400
    assert refusal.value.code == "sandbox_not_built"
    assert "not built yet in this sandbox" in refusal.value.user_message


def test_a_filter_that_is_not_built_is_refused_rather_than_ignored(api):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.customers.list({"test_clock": "clock_1"})

    assert refusal.value.code == "sandbox_not_built"


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"nickname": "x"}, "parameter_unknown", "nickname"),
        ({"address[planet]": "x"}, "parameter_unknown", "address[planet]"),
        ({"balance": "much"}, "parameter_invalid_integer", "balance"),
    ],
)
def test_a_parameter_that_stripe_does_not_describe_is_named(raw, form, code, param):
    answer = raw.post("/v1/customers", data=form)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)


def test_a_missing_parameter_is_named_deep_down(raw):
    form = {"success_url": "http://x", "line_items[0][price_data][unit_amount]": "1"}

    answer = raw.post("/v1/checkout/sessions", data=form)

    assert answer.json()["error"]["param"] == "line_items[0][price_data][currency]"
    assert answer.json()["error"]["code"] == "parameter_missing"


def test_the_parameter_that_the_version_took_away_has_its_own_code(raw):
    form = {"success_url": "http://x", "payment_method_types[0]": "card"}

    answer = raw.post("/v1/checkout/sessions", data=form)

    assert answer.json()["error"]["code"] == "payment_method_types_no_longer_supported"


@pytest.mark.parametrize("body", ["name=a&name=b", "metadata=x&metadata[a]=b", "=x", "name"])
def test_a_body_that_contradicts_itself_is_400(raw, body):
    answer = raw.post("/v1/customers", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_an_unknown_id_is_404_when_asked_for_and_400_when_named(api):
    with pytest.raises(stripe.InvalidRequestError) as asked:
        api.customers.retrieve("cus_none")
    with pytest.raises(stripe.InvalidRequestError) as named:
        api.payment_intents.create({"amount": 500, "currency": "usd", "customer": "cus_none"})

    assert (asked.value.http_status, asked.value.code, asked.value.param) == (404, "resource_missing", "id")
    assert (named.value.http_status, named.value.code, named.value.param) == (400, "resource_missing", "customer")


def test_an_id_of_another_kind_is_not_found(api, ada):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.payment_intents.retrieve(ada.id)

    assert refusal.value.code == "resource_missing"


def test_expanding_replaces_ids_by_objects(api, ada):
    method = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    paid = {"amount": 700, "currency": "usd", "customer": ada.id, "payment_method": method.id, "confirm": True}

    intent = api.payment_intents.create(
        {**paid, "expand": ["customer", "latest_charge.customer", "latest_charge.refunds"]}
    )
    listed = api.payment_intents.list({"expand": ["data.customer"]})

    assert intent.customer.name == "Ada"
    assert intent.latest_charge.customer.email == "ada@example.com"
    assert intent.latest_charge.refunds.data == []
    assert listed.data[0].customer.id == ada.id


@pytest.mark.parametrize("path", ["nonsense", "name.more.and.more.still", "metadata"])
def test_expanding_what_cannot_be_expanded_is_refused(api, ada, path):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.customers.retrieve(ada.id, {"expand": [path]})

    assert refusal.value.http_status == 400


def test_expanding_reaches_into_hashes(api, ada):
    method = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    api.customers.update(ada.id, {"invoice_settings": {"default_payment_method": method.id}})

    customer = api.customers.retrieve(ada.id, {"expand": ["invoice_settings.default_payment_method"]})

    assert customer.invoice_settings.default_payment_method.card.last4 == "4242"


def test_the_error_objects_have_the_fields_of_stripes_own(api, ada):
    method = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.id})
    paid = {"amount": 700, "currency": "usd", "customer": ada.id, "payment_method": method.id, "confirm": True}

    with pytest.raises(stripe.CardError) as refusal:
        api.payment_intents.create({**paid, "off_session": True})

    error = refusal.value.json_body["error"]
    known = {"advice_code", "charge", "code", "decline_code", "doc_url", "message", "network_decline_code"}
    assert known | {"payment_intent", "payment_method", "type"} == set(error)
    assert error["payment_intent"]["last_payment_error"]["payment_method"]["id"] == method.id


def test_headers_and_body_arrive_in_one_piece(sandbox):
    where = urlsplit(sandbox.url)
    asked = b"GET /v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_test_of_these_tests\r\n\r\n"

    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.sendall(asked)
        first = connection.recv(65536)

    head, _, body = first.partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert json.loads(body)["object"] == "list"


def test_it_can_be_mounted_under_a_prefix(tmp_path: Path):
    from werkzeug.middleware.dispatcher import DispatcherMiddleware
    from werkzeug.test import Client

    from app.sandbox import create_sandbox

    app = create_sandbox(SandboxConfig(database=tmp_path / "s.db", base_url="http://127.0.0.1:8000/sandbox"))
    client = Client(DispatcherMiddleware(lambda *_: [], {"/sandbox": app}))
    auth = {"Authorization": "Bearer sk_test_sandbox"}

    form = "success_url=http://x/&mode=setup&currency=usd"
    made = client.post("/sandbox/v1/checkout/sessions", data=form, headers=auth, content_type="text/plain").get_json()
    page = client.get("/sandbox/c/pay/" + made["id"])

    assert made["url"] == f"http://127.0.0.1:8000/sandbox/c/pay/{made['id']}"
    assert f'action="/sandbox/c/pay/{made["id"]}"' in page.text
    assert '"/sandbox/static/purser.css"' in page.text
    app.extensions["sandbox"].close()


def test_without_a_public_address_pages_are_where_the_call_came(tmp_path: Path):
    from app.sandbox import create_sandbox

    app = create_sandbox(SandboxConfig(database=tmp_path / "s.db"))
    form = {"success_url": "http://x/", "mode": "setup", "currency": "usd"}

    made = app.test_client().post(
        "/v1/checkout/sessions", data=form, headers={"Authorization": "Bearer sk_test_sandbox"}
    )

    assert made.get_json()["url"].startswith("http://localhost/c/pay/cs_test_")
    app.extensions["sandbox"].close()


def test_a_strict_sandbox_answers_500_rather_than_something_stripe_would_not_say(config):
    from app.sandbox.blanks import blank

    with running_sandbox(config, delivers=False) as running, running.sandbox.writing() as tx:
        tx.new("customer", name={"not": "a text"})
    assert blank("customer")["name"] is None

    with running_sandbox(config, delivers=False) as running:
        headers = {"Authorization": f"Bearer {config.secret_key}"}
        answer = httpx.get(running.url + "/v1/customers", headers=headers)
        faults = list(running.sandbox.faults)

    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "api_error"
    assert faults == ["get /v1/customers: data[0].name: expected a string, got dict"]
