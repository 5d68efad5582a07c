"""Hostile values in every field of every call: a clear refusal that names the field, never a 5xx, never money moved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.fake_provider import FakeProvider
from tests.support.people import Person
from tests.support.programs import Program, error

HOLD = "hold_01k9yq3v7n4m8s2t6w0x5z1b3d"
BODIES: dict[str, dict[str, Any]] = {
    "/v1/billing/topup": {"amount_cents": 5000},
    "/api/wallet/topup": {"amountCents": 5000},
    "/v1/charges": {"service": "a", "list_price_micros": 1, "publisher": "acme", "description": "d"},
    "/v1/wallet/debits": {"amount_micros": 1, "description": "d"},
    "/v1/wallet/holds": {"amount_micros": 1, "expires_in": 60, "description": "d"},
    f"/v1/wallet/holds/{HOLD}/settle": {"amount_micros": 1},
}
# Each is JSON text, because some of it cannot be said in Python.
NUMBERS = [
    "-1", "-0.5", "0.1", "1.5", "1e400", "-1e400", "9223372036854775808", "-9223372036854775809", "1e22", "1" * 40,
    "true", "false", "null", '"1"', '"5000"', '"1e3"', '"NaN"', '""', "[]", "[1]", "{}", '{"$gt":0}', '"\\u0661"',
]  # fmt: skip
TEXTS = [
    "5", "true", "null", "[]", '["a"]', "{}", '""', '"   "', '"\\u0000"', '"a\\u0000b"', '"\\ud800"',
    '"\\udfff\\ud800"', '"\\u001b[31m"', '"\\uffff"', json.dumps("x" * 10_000), json.dumps("\u0301" * 500),
]  # fmt: skip
ODD_BUT_FINE = [
    '"<script>alert(1)</script>"',
    '"=1+1"',
    '"\\r\\nX: y"',
    '"\\ud83d\\ude80"',
    '"\\u202eabc"',
    '"{{7*7}}"',
]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Shape is checked before any database is asked; what reaches one is tested on both in tests/wallet."""
    return sqlite_url


def fields() -> list[tuple[str, str]]:
    return [(path, field) for path, body in BODIES.items() for field in body]


def raw(path: str, field: str, value: str) -> bytes:
    return json.dumps({**BODIES[path], field: "HERE"}).replace('"HERE"', value).encode()


@pytest.mark.parametrize(("path", "field"), fields())
def test_it_refuses_nonsense_and_names_the_field(
    host: Program, ada: Person, provider: FakeProvider, path: str, field: str
) -> None:
    is_text = isinstance(BODIES[path][field], str)
    for value in TEXTS if is_text else NUMBERS:
        answer = host.post_raw(path, raw(path, field, value))

        assert answer.status_code == 422, (value, answer.get_data())
        assert error(answer)["details"]["field"] == field, value
    assert ada.balance() == 5_000_000


def test_a_nul_is_refused_wherever_it_is(host: Program) -> None:
    for path, field, body in (
        ("/v1/billing/subscribe", "plan", b'{"plan": "a\\u0000"}'),
        ("/payment/create-session", "plan_id", b'{"channel": "s", "type": "subscription", "plan_id": "\\u0000"}'),
        ("/v1/billing/subscribe", "plan", b'{"plan": ["a", {"b": ["\\u0000"]}]}'),
    ):
        answer = host.post_raw(path, body)

        assert answer.status_code == 422
        assert answer.get_json()["error"]["details"]["field"] == field


def test_odd_words_are_only_words(host: Program, ada: Person) -> None:
    for number, value in enumerate(ODD_BUT_FINE, 1):
        answer = host.post_raw("/v1/wallet/debits", raw("/v1/wallet/debits", "description", value))

        assert answer.status_code == 200, value
        assert ada.balance() == 5_000_000 - number
    newest = host.get("/v1/billing/transactions").get_json()["transactions"]
    assert "<script>alert(1)</script>" in [line["description"] for line in newest]


@pytest.mark.parametrize("path", BODIES)
def test_it_refuses_fields_nobody_documented(host: Program, ada: Person, path: str) -> None:
    for name in (
        "balance",
        "customer_id",
        "id",
        "is_admin",
        "amount",
        "Amount_Cents",
        "__proto__",
        "",
        "a" * 500,
        "\ud800",
    ):
        answer = host.post(path, {**BODIES[path], name: 1})

        assert answer.status_code == 422, name
        assert error(answer)["details"]["field"] == (name if name.isprintable() else "\\ud800")[:60] + "…" * (
            len(name) > 60
        )
    assert ada.balance() == 5_000_000


@pytest.mark.parametrize("path", BODIES)
def test_it_reads_one_json_object_or_nothing(host: Program, ada: Person, path: str) -> None:
    whole = json.dumps(BODIES[path]).encode()
    name = next(iter(BODIES[path]))
    for body, status in (
        (b"", 400), (b"null", 400), (b"[]", 400), (b"5", 400), (json.dumps(whole.decode()).encode(), 400),
        (whole[:-1], 400), (whole + b"}", 400), (whole + whole, 400), (b"\xff\xfe" + whole, 400), (b"\xc0\xaf", 400),
        (whole[:-1] + b', "' + name.encode() + b'": 1}', 422), (b'{"a":NaN}', 400), (b'{"a":-Infinity}', 400),
        (b"[" * 10_000, 400), (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400), (b'{"a":' + b"1" * 5_000 + b"}", 400),
        (b'{"a":"' + b"x" * 65_536 + b'"}', 413), (b" " * 10_000_000, 413), (b"{}", 422),
    ):  # fmt: skip
        answer = host.post_raw(path, body)

        assert answer.status_code == status, (body[:60], answer.get_data()[:200])
        error(answer)
    assert ada.balance() == 5_000_000


@pytest.mark.parametrize("path", BODIES)
def test_it_reads_json_only_as_json(host: Program, path: str) -> None:
    whole = json.dumps(BODIES[path]).encode()
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "json",
        "application/jsonp",
    ):
        answer = host.post_raw(path, whole, kind)

        assert (answer.status_code, error(answer)["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE"), kind
    for kind in ("application/json; charset=utf-8", "Application/JSON"):
        assert host.post_raw(path, b"{}", kind).status_code == 422, kind


def test_it_does_not_unpack_what_is_packed(host: Program) -> None:
    answer = host.post("/v1/wallet/debits", BODIES["/v1/wallet/debits"], Content_Encoding="gzip")

    assert answer.status_code == 415


def test_a_whole_number_with_a_point_is_one(host: Program, ada: Person) -> None:
    for number in (b"5.0", b"5e0", b"50E-1"):
        answer = host.post_raw("/v1/wallet/debits", b'{"description":"d","amount_micros":' + number + b"}")
        assert (answer.status_code, answer.get_json()["amount_micros"]) == (200, -5)
    assert ada.balance() == 4_999_985


def test_strange_ids_in_addresses_are_not_found(host: Program) -> None:
    for name in ("x", "%00", "..%2f..", "%F0%9F%9A%80", "' OR 1=1", "x" * 64, "hold_%25"):
        assert host.get(f"/v1/wallet/holds/{name}").status_code == 404, name
    assert host.get("/v1/wallet/holds/" + "x" * 5_000).status_code == 422


def test_unlisted_methods_are_told_which_are(host: Program, ada: Person) -> None:
    client = host.app.test_client()
    for method in ("DELETE", "PUT", "PATCH", "TRACE", "GET"):
        answer = client.open("/v1/wallet/debits", method=method, headers={"X-HTTP-Method-Override": "POST"})

        assert (answer.status_code, error(answer)["code"]) == (405, "METHOD_NOT_ALLOWED"), method
        assert "POST" in answer.headers["Allow"]
