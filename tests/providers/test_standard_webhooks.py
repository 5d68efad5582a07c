"""Forged, stale and mangled Standard Webhooks: none is accepted; both keys of a secret are, and both secrets."""

from __future__ import annotations

import base64

import pytest

from app.providers import standard_webhooks
from app.providers.errors import BadSignature
from app.providers.standard_webhooks import check, keys_of, signature

BODY, AT = b'{"type":"order.paid","data":{}}', 1_795_219_200
SECRET = "whsec_" + base64.b64encode(b"secret-secret-secret").decode()
NEW, OLD = (
    "v1,5aWRkvJqmX9ynunsTuHusRhj1KBiBxH2Zc+m6Dck6DE=",
    "v1,BqwrXqj+x/45FGbJD8MPqTIGbqg5uzsGNf+7fJqqXRU=",
)


def headers(given: str = NEW, *, at: object = AT, event_id: str = "msg_1") -> dict[str, str]:
    return {"webhook-id": event_id, "webhook-timestamp": str(at), "webhook-signature": given}


def accepted(told: dict[str, str], *secrets: str, body: bytes = BODY, now: int = AT) -> bool:
    try:
        check(body, told, secrets or (SECRET,), now=now)
    except BadSignature:
        return False
    return True


def test_the_published_signatures_are_accepted_and_made() -> None:
    assert check(BODY, headers(NEW), [SECRET], now=AT) == "msg_1"
    assert check(BODY, headers(OLD), [SECRET], now=AT) == "msg_1"
    assert [signature(BODY, key, event_id="msg_1", at=AT) for key in keys_of(SECRET)] == [NEW, OLD]


def test_headers_are_found_however_they_are_written() -> None:
    assert accepted({name.title(): value for name, value in headers().items()})
    assert accepted({name.upper(): value for name, value in headers().items()})


def test_one_right_signature_among_several_is_enough() -> None:
    assert accepted(headers(f"v1,AAAA v1a,{NEW[3:]} {OLD} v1,BBBB"))
    assert not accepted(headers(f"v1,AAAA v2,{NEW[3:]}"))


def test_the_secret_before_is_accepted_while_it_is_replaced() -> None:
    newer = "whsec_" + base64.b64encode(b"another-secret-altogether").decode()

    assert accepted(headers(), newer, SECRET)
    assert not accepted(headers(), newer)


@pytest.mark.parametrize("shift", [-300, -299, 0, 299, 300])
def test_five_minutes_either_way_are_lately(shift: int) -> None:
    assert accepted(headers(), now=AT + shift)


@pytest.mark.parametrize("shift", [-(10**9), -301, 301, 10**9])
def test_more_than_that_is_refused(shift: int) -> None:
    assert not accepted(headers(), now=AT + shift)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", " ", "x" * 5000, "é", "v1,", "-1", "1.5", "1795219201"])
def test_a_header_that_is_missing_or_another_is_refused(name: str, value: str | None) -> None:
    told = {**headers(), name: value}

    assert not accepted({known: said for known, said in told.items() if said is not None})


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b"\n", BODY.replace(b"paid", b"Paid"), b"", b"\xef\xbb\xbf" + BODY])
def test_another_body_is_refused(body: bytes) -> None:
    assert not accepted(headers(), body=body)


def test_another_event_id_is_refused_for_it_is_signed_too() -> None:
    assert not accepted(headers(event_id="msg_2"))


@pytest.mark.parametrize("secret", ["", " " * 40, "whsec_", "whsec_AAAA", "short"])
def test_a_secret_that_could_be_guessed_stands_for_no_key(secret: str) -> None:
    assert keys_of(secret) == []
    assert not accepted(headers(signature(BODY, secret.encode(), event_id="msg_1", at=AT)), secret)


def test_a_secret_that_is_no_base64_signs_with_itself() -> None:
    plain = "polar_whs_of_the_tests_only"

    assert keys_of(plain) == [plain.encode()]
    assert accepted(headers(signature(BODY, plain.encode(), event_id="msg_1", at=AT)), plain)


def test_a_short_key_behind_a_long_prefix_is_not_used() -> None:
    secret = "whsec_" + base64.b64encode(b"eleven char").decode()

    assert b"eleven char" not in keys_of(secret)
    assert standard_webhooks.SHORTEST_SECRET == 16
