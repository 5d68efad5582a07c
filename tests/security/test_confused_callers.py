"""Names and encodings that two readers understand differently: refused, so that nobody acts for somebody else."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from app.http import csv_file, limits
from tests.support.people import Person
from tests.support.programs import Program


@pytest.fixture
def host(app: Flask, service_key: str) -> Program:
    return Program(app, service_key)


def test_an_external_id_cannot_pass_for_another_customers_id(host: Program, ada: Person) -> None:
    # given a host product whose users choose the names it gives its customers, and one who chose Ada's id
    for name in (ada.customer_id, ada.customer_id.upper(), "cus_", "CUS_1"):
        answer = host.post("/v1/customers", {"name": "Mallory", "email": "m@example.com", "external_id": name})

        # then the name is refused, or "take a dollar from that customer" would take it from Ada
        assert answer.status_code == 422, name
        assert answer.get_json()["error"]["details"]["field"] == "external_id"


def test_a_body_is_utf_8_and_nothing_else(host: Program, ada: Person) -> None:
    ada.gets(1_000)
    before = ada.balance()

    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
        body = json.dumps({"amount_cents": 100, "description": "in disguise"}).encode(encoding)

        assert host.in_the_name_of(ada).post_raw("/v1/wallet/debits", body).status_code == 400, encoding
    assert ada.balance() == before


@pytest.mark.parametrize("sign", "=+-@＝＋－＠\t\r\n\0")
def test_no_cell_of_a_file_begins_a_formula(sign: str) -> None:
    assert csv_file.safe(f"{sign}HYPERLINK(1)") == f"'{sign}HYPERLINK(1)"


ADDRESSES = [
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
    ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ("::ffff:192.0.2.1", "192.0.2.1", True),
    ("192.0.2.1", "192.0.2.2", False),
    ("fe80::1%eth0", "fe80::2%eth1", True),
    ("unknown", "also unknown", False),
]


def test_an_address_limit_counts_a_network_not_its_countless_addresses(app: Flask) -> None:
    def counted(as_from: str) -> str:
        with app.test_request_context(environ_base={"REMOTE_ADDR": as_from}):
            return limits.address()

    for one, other, are_one in ADDRESSES:
        assert (counted(one) == counted(other)) is are_one, (one, other)


def test_a_forwarded_address_is_not_believed_without_a_proxy_of_ours(app: Flask) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    with app.test_request_context(headers=claimed, environ_base={"REMOTE_ADDR": "192.0.2.1"}):
        assert limits.address() == "192.0.2.1"
