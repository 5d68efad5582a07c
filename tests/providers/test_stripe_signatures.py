"""Forged, stale and mangled Stripe webhooks: none is ever accepted, and none breaks the reader."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable

import pytest

from app import clock as the_clock
from app.providers.errors import BadPayload, BadSignature
from app.providers.stripe import Stripe
from app.providers.stripe import signature as check
from tests.support.fake_provider import SECRET

BODY = json.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "created": 1_793_491_800,
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {"object": {"id": "cs_1", "object": "checkout.session", "amount_total": 5000}},
    },
    separators=(",", ":"),
).encode()
OLD = "whsec_the_one_before_this"
ADAPTER = Stripe("sk_test_x", (SECRET, OLD))


def now() -> int:
    return int(the_clock.real_now().timestamp())


def v1(body: bytes = BODY, secret: str = SECRET, at: int | str | None = None, digest: str = "sha256") -> str:
    stamp = str(now() if at is None else at).encode()
    return hmac.new(secret.encode(), stamp + b"." + body, digest).hexdigest()


def header(body: bytes = BODY, secret: str = SECRET, at: int | None = None) -> str:
    stamp = now() if at is None else at
    return f"t={stamp},v1={v1(body, secret, stamp)}"


def accepted(body: bytes, signed: str | None, name: str = "Stripe-Signature") -> bool:
    try:
        ADAPTER.verify(body, {} if signed is None else {name: signed})
    except BadSignature:
        return False
    return True


@pytest.mark.parametrize("name", ["Stripe-Signature", "stripe-signature", "STRIPE-SIGNATURE"])
def test_a_right_one_is_accepted(name: str) -> None:
    assert accepted(BODY, header(), name)


def test_either_secret_is_accepted_while_they_are_rotated() -> None:
    assert accepted(BODY, header(secret=OLD))
    assert accepted(BODY, f"t={now()},v1={'0' * 64},v1={v1()}"), "one good signature is enough"
    assert accepted(BODY, f"t={now()},v0={'0' * 64},v1={v1()}")


@pytest.mark.parametrize(("drift", "taken"), [(0, True), (299, True), (300, True), (301, False), (315_360_000, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_time_may_be_off_by_five_minutes_either_way(drift: int, taken: bool, sign: int) -> None:
    at = 1_800_000_000
    signed = f"t={at},v1={v1(at=at)}"
    try:
        check.check(BODY, signed, (SECRET,), now=at + sign * drift)
        fine = True
    except BadSignature:
        fine = False
    assert fine == taken


FORGERIES: dict[str, Callable[[], tuple[bytes, str | None]]] = {
    "no header": lambda: (BODY, None),
    "empty header": lambda: (BODY, ""),
    "spaces": lambda: (BODY, "   "),
    "empty secret": lambda: (BODY, header(secret="")),
    "secret without its prefix": lambda: (BODY, header(secret=SECRET.removeprefix("whsec_"))),
    "secret decoded": lambda: (BODY, header(secret=base64.b64encode(SECRET.encode()).decode())),
    "secret in capitals": lambda: (BODY, header(secret=SECRET.upper())),
    "secret with a newline": lambda: (BODY, header(secret=SECRET + "\n")),
    "half the secret": lambda: (BODY, header(secret=SECRET[:10])),
    "both secrets joined": lambda: (BODY, header(secret=SECRET + OLD)),
    "another account's secret": lambda: (BODY, header(secret="whsec_of_somebody_else")),
    "the API key": lambda: (BODY, header(secret="sk_test_x")),
    "the word None": lambda: (BODY, header(secret="None")),
    "only v0": lambda: (BODY, f"t={now()},v0={v1()}"),
    "only v2": lambda: (BODY, f"t={now()},v2={v1()}"),
    "V1 in capitals": lambda: (BODY, f"t={now()},V1={v1()}"),
    "T in capitals": lambda: (BODY, f"T={now()},v1={v1()}"),
    "no time": lambda: (BODY, f"v1={v1()}"),
    "no signature": lambda: (BODY, f"t={now()}"),
    "empty time": lambda: (BODY, f"t=,v1={v1(at='')}"),
    "empty signature": lambda: (BODY, f"t={now()},v1="),
    "time twice, second signed": lambda: (BODY, f"t=1,t={now()},v1={v1()}"),
    "time twice, first signed": lambda: (BODY, f"t={now()},t=1,v1={v1()}"),
    "the same time twice": lambda: (BODY, f"t={now()},t={now()},v1={v1()}"),
    "header twice, joined": lambda: (BODY, f"{header()},{header()}"),
    "header twice, joined with a space": lambda: (BODY, f"{header()}, {header()}"),
    "upper-case hex": lambda: (BODY, f"t={now()},v1={v1().upper()}"),
    "one letter in capitals": lambda: (BODY, f"t={now()},v1={_one_capital(v1())}"),
    "truncated": lambda: (BODY, header()[:-1]),
    "truncated to half": lambda: (BODY, header()[:-32]),
    "one more digit": lambda: (BODY, header() + "0"),
    "trailing dot": lambda: (BODY, header() + "."),
    "0x before it": lambda: (BODY, f"t={now()},v1=0x{v1()}"),
    "base64 instead of hex": lambda: (BODY, f"t={now()},v1={base64.b64encode(bytes.fromhex(v1())).decode()}"),
    "in quotes": lambda: (BODY, f't={now()},v1="{v1()}"'),
    "percent-encoded": lambda: (BODY, header().replace("=", "%3D")),
    "semicolons": lambda: (BODY, header().replace(",", ";")),
    "SHA-1": lambda: (BODY, f"t={now()},v1={v1(digest='sha1')}"),
    "SHA-512": lambda: (BODY, f"t={now()},v1={v1(digest='sha512')}"),
    "MD5": lambda: (BODY, f"t={now()},v1={v1(digest='md5')}"),
    "a plain hash": lambda: (BODY, f"t={now()},v1={hashlib.sha256(BODY).hexdigest()}"),
    "secret and body hashed together": lambda: (
        BODY,
        f"t={now()},v1={hashlib.sha256(SECRET.encode() + BODY).hexdigest()}",
    ),
    "signed without the time": lambda: (
        BODY,
        f"t={now()},v1={hmac.new(SECRET.encode(), BODY, 'sha256').hexdigest()}",
    ),
    "signed with another separator": lambda: (
        BODY,
        f"t={now()},v1={hmac.new(SECRET.encode(), str(now()).encode() + b':' + BODY, 'sha256').hexdigest()}",
    ),
    "time in milliseconds": lambda: (BODY, header(at=now() * 1000)),
    "negative time": lambda: (BODY, f"t=-{now()},v1={v1(at=f'-{now()}')}"),
    "time with a plus": lambda: (BODY, f"t=+{now()},v1={v1(at=f'+{now()}')}"),
    "time with underscores": lambda: (BODY, _odd_time("_")),
    "time with a fraction": lambda: (BODY, f"t={now()}.5,v1={v1(at=f'{now()}.5')}"),
    "time in hex": lambda: (BODY, f"t={hex(now())},v1={v1(at=hex(now()))}"),
    "time with an exponent": lambda: (BODY, f"t=18e8,v1={v1(at='18e8')}"),
    "time NaN": lambda: (BODY, f"t=NaN,v1={v1(at='NaN')}"),
    "time Infinity": lambda: (BODY, f"t=inf,v1={v1(at='inf')}"),
    "time in other digits": lambda: (BODY, f"t={_arabic(now())},v1={v1(at=_arabic(now()))}"),
    "a thousand digits of time": lambda: (BODY, f"t={'9' * 1000},v1={v1(at='9' * 1000)}"),
    "zero": lambda: (BODY, header(at=0)),
    "five minutes and a bit ago": lambda: (BODY, header(at=now() - 310)),
    "an hour ago": lambda: (BODY, header(at=now() - 3600)),
    "a day ago": lambda: (BODY, header(at=now() - 86_400)),
    "ten years ago": lambda: (BODY, header(at=now() - 315_360_000)),
    "five minutes and a bit ahead": lambda: (BODY, header(at=now() + 310)),
    "an hour ahead": lambda: (BODY, header(at=now() + 3600)),
    "ten years ahead": lambda: (BODY, header(at=now() + 315_360_000)),
    "fresh time, old signature": lambda: (BODY, f"t={now()},v1={v1(at=now() - 3600)}"),
    "ten thousand signatures": lambda: (BODY, f"t={now()}," + ",".join(["v1=" + "0" * 64] * 10_000)),
    "a megabyte of header": lambda: (BODY, "t=" + "1" * 1_000_000),
    "not ASCII": lambda: (BODY, header() + "é"),
    "a null byte": lambda: (BODY, header() + "\0"),
    "empty body, signature of another": lambda: (b"", header()),
    "signature of an empty body": lambda: (BODY, header(b"")),
    "body with a space more": lambda: (BODY + b" ", header()),
    "body with a newline more": lambda: (BODY + b"\n", header()),
    "body with a byte-order mark": lambda: (b"\xef\xbb\xbf" + BODY, header()),
    "body with its keys sorted": lambda: (_again(sort_keys=True), header()),
    "body indented": lambda: (_again(indent=1), header()),
    "body with spaces": lambda: (_again(separators=(", ", ": ")), header()),
    "body with an escape": lambda: (BODY.replace(b"checkout", rb"\u0063heckout"), header()),
    "body in UTF-16": lambda: (BODY.decode().encode("utf-16"), header()),
    "body in base64": lambda: (base64.b64encode(BODY), header()),
    "body as a form": lambda: (b"payload=" + BODY, header()),
    "another amount": lambda: (BODY.replace(b"5000", b"9000"), header()),
    "another id": lambda: (BODY.replace(b"evt_1", b"evt_2"), header()),
    "body twice": lambda: (BODY + BODY, header()),
    "body cut short": lambda: (BODY[:-1], header()),
    "time moved into the body": lambda: (str(now()).encode() + b"." + BODY, f"t=,v1={v1()}"),
    "another vendor's header": lambda: (BODY, hmac.new(SECRET.encode(), BODY, "sha256").hexdigest()),
    "standard webhooks": lambda: (BODY, "v1," + base64.b64encode(bytes.fromhex(v1())).decode()),
    "JSON": lambda: (BODY, json.dumps({"t": now(), "v1": v1()})),
    "only commas": lambda: (BODY, "," * 100),
    "only equals signs": lambda: (BODY, "=" * 100),
}


def _one_capital(text: str) -> str:
    place = next(i for i, letter in enumerate(text) if letter.isalpha())
    return text[:place] + text[place].upper() + text[place + 1 :]


def _odd_time(between: str) -> str:
    odd = f"{str(now())[:3]}{between}{str(now())[3:]}"
    return f"t={odd},v1={v1(at=odd)}"


def _arabic(number: int) -> str:
    return "".join(chr(0x660 + int(digit)) for digit in str(number))


def _again(**how: object) -> bytes:
    return json.dumps(json.loads(BODY), **how).encode()  # type: ignore[arg-type]


@pytest.mark.parametrize("how", sorted(FORGERIES))
def test_a_forgery_is_refused(how: str) -> None:
    body, signed = FORGERIES[how]()

    assert not accepted(body, signed)


def test_no_single_bit_may_change() -> None:
    """3,000 random bit flips of header or body, and every bit of the signature's first byte."""
    chance, right = random.Random(20261121), header()
    for _ in range(3000):
        body, signed = bytearray(BODY), bytearray(right.encode())
        target = chance.choice([body, signed])
        target[chance.randrange(len(target))] ^= 1 << chance.randrange(8)
        assert not accepted(bytes(body), signed.decode("latin-1")), (body, signed)


SIGNED_NONSENSE = {
    "nothing": b"",
    "an empty list": b"[]",
    "a number": b"1",
    "null": b"null",
    "a string": b'"evt_1"',
    "invalid UTF-8": b"\xff\xfe\x00",
    "half a character": BODY[:-2] + b"\xc3",
    "cut short": BODY[:-1],
    "a hundred thousand brackets": b"[" * 100_000,
    "NaN": BODY.replace(b"5000", b"NaN"),
    "no id": BODY.replace(b'"id":"evt_1",', b""),
    "an empty id": BODY.replace(b"evt_1", b""),
    "an id of a kilobyte": BODY.replace(b"evt_1", b"e" * 1024),
    "an id with a newline": BODY.replace(b"evt_1", rb"evt\n1"),
    "an id with a null": BODY.replace(b"evt_1", rb"evt\u0000"),
    "a lone surrogate": BODY.replace(b"evt_1", rb"evt_\ud800"),
    "a numeric id": BODY.replace(b'"evt_1"', b"1"),
    "a thin event": BODY.replace(b'"event"', b'"v2.core.event"'),
    "no object": BODY.replace(b'"data":', b'"date":'),
    "a list for an object": BODY.replace(b'{"id":"cs_1","object":"checkout.session","amount_total":5000}', b"[]"),
    "time as text": BODY.replace(b"1793491800", b'"now"'),
    "time true": BODY.replace(b"1793491800", b"true"),
    "time before time": BODY.replace(b"1793491800", b"-1"),
    "time after all time": BODY.replace(b"1793491800", b"999999999999999"),
    "mode as text": BODY.replace(b"false", b'"no"'),
}


@pytest.mark.parametrize("what", sorted(SIGNED_NONSENSE))
def test_rightly_signed_nonsense_is_a_bad_payload_and_no_fault(what: str) -> None:
    body = SIGNED_NONSENSE[what]

    with pytest.raises(BadPayload):
        ADAPTER.verify(body, {"stripe-signature": header(body)})


@pytest.mark.parametrize("secret", ["", " ", "short", "               ", "whsec_"])
def test_corpus_016_an_empty_or_short_secret_is_refused_at_the_start(secret: str) -> None:
    with pytest.raises(ValueError, match="too short"):
        Stripe("sk_test_x", (secret,))
    with pytest.raises(ValueError, match="too short"):
        Stripe("sk_test_x", (SECRET, secret))
    with pytest.raises(ValueError, match="missing"):
        Stripe("sk_test_x", ())


def test_a_live_key_and_another_address_are_refused_together() -> None:
    with pytest.raises(ValueError, match="live"):
        Stripe("sk_live_x", (SECRET,), api_base="http://127.0.0.1:1")


def test_there_are_a_hundred_forgeries_and_more() -> None:
    assert len(FORGERIES) + len(SIGNED_NONSENSE) >= 110
