"""Sending the outgoing webhooks: signed, to an address that was checked, without following redirects (SPEC §12.4)."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache

import httpx
from httpx import URL, create_ssl_context
from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.errors import Invalid
from app.outgoing import addresses, deliveries, signing
from app.outgoing.addresses import AddressRefused
from app.outgoing.deliveries import Answer, Parcel

AT_ONCE = 4  # one receiver that is slow must not hold up the others
_TIMEOUT = httpx.Timeout(timeout=10.0, connect=5.0)  # seconds
DEADLINE = 30.0  # seconds for a batch in all; less than the lease
_TOO_LONG = "The receiver took too long."
_PORTS = {"https": 443, "http": 80}


def deliver_due(session_factory: Callable[[], Session], *, private: bool, limit: int = 20) -> int:
    """Send what is due and say how many were tried. A message may arrive twice after a crash, never be lost.

    `private` allows addresses that are not on the public internet.
    """
    with session_factory() as session:
        tried = 0
        while tried < limit and deliveries.is_due(session):
            with transaction(session):
                parcels = deliveries.take(session, AT_ONCE)
            if not parcels:
                break
            _send_all(session, parcels, private)
            tried += len(parcels)
        return tried


def _send_all(session: Session, parcels: list[Parcel], private: bool) -> None:
    pool = ThreadPoolExecutor(AT_ONCE)
    sendings = [pool.submit(send, parcel, private=private) for parcel in parcels]
    wait(sendings, timeout=DEADLINE)
    # A receiver that sends a byte now and then outlasts every timeout of the connection: it is left to itself.
    pool.shutdown(wait=False, cancel_futures=True)
    for parcel, sending in zip(parcels, sendings, strict=True):
        answer = sending.result() if sending.done() else Answer(None, _TOO_LONG, int(DEADLINE * 1000))
        with transaction(session):
            deliveries.record(session, parcel, answer)


def send(parcel: Parcel, *, private: bool) -> Answer:
    """Send one message once. Whatever goes wrong is an answer; only the kind of an error is kept, never its text."""
    begun = time.monotonic_ns()
    status, error = None, None
    try:
        status = _post(parcel, private)
    except Invalid:  # what is allowed may have been narrowed since it was opened
        error = "The address is not one we send to."
    except AddressRefused as refused:
        error = str(refused)
    except httpx.TimeoutException:
        error = _TOO_LONG
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as trouble:
        error = f"No answer: {type(trouble).__name__}."
    return Answer(status, error, (time.monotonic_ns() - begun) // 1_000_000)


def _post(parcel: Parcel, private: bool) -> int:
    url = URL(addresses.check(parcel.url, private=private))
    address = addresses.resolve(url.host, url.port or _PORTS[url.scheme], private=private)
    # Receivers compare with their own clock, so it is the real time that is signed, whatever the demo's says.
    signed = signing.headers(parcel.keys, parcel.event_id, int(clock.real_now().timestamp()), parcel.body)
    headers = {"host": url.netloc.decode(), "content-type": "application/json", "user-agent": "Purser/1.0", **signed}
    with httpx.Client(timeout=_TIMEOUT, verify=_trusted(), follow_redirects=False, trust_env=False) as client:
        request = client.build_request("POST", url.copy_with(host=address), headers=headers, content=parcel.body)
        # Connected to by address, and still asked for the certificate of the name.
        request.extensions["sni_hostname"] = url.host
        answer = client.send(request, stream=True)
        answer.close()  # what the receiver has to say is nobody's business
        return answer.status_code


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed. Reading them takes 0.1 s, so it is done once."""
    return create_ssl_context()
