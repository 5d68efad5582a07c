"""What the back office's tests need: a browser for each role, and events in the inbox."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from app import clock
from app.db import transaction
from app.payments import inbox
from app.payments.models import ProviderEvent
from app.providers.values import Verified

HX = {"HX-Request": "true"}
CONFIRMED = re.compile(r'name="confirmed" value="(\w+)"')


def saves(browser, address, form):
    """Posts a form, looks at what it would change, and confirms it; where nothing is asked, the first answer."""
    looked = browser.post(address, data=form)
    shown = CONFIRMED.search(looked.text)
    return browser.post(address, data=form | {"confirmed": shown[1]}) if shown else looked


@pytest.fixture
def as_support(client_of, support):
    return client_of(support)


@pytest.fixture
def as_finance(client_of, finance):
    return client_of(finance)


@pytest.fixture
def as_admin(client_of, admin):
    return client_of(admin)


@pytest.fixture
def event(session) -> Callable[..., ProviderEvent]:
    """Keeps an event in the inbox: `event("charge.failed")`, dead with `dead="why"`, done with `effects=[…]`."""
    made = 0

    def keep(event_type="checkout.session.completed", *, dead="", effects=None, retried="", body=None):
        nonlocal made
        made += 1
        number = f"evt_{made}"
        told = body or json.dumps({"id": number, "type": event_type, "note": "<b>&"}).encode()
        verified = Verified(number, event_type, clock.now(), False, f"cs_{made}", None)
        headers = {"Content-Type": "application/json", "Stripe-Signature": "t=1773480600,v1=0123456789abcdef"}
        with transaction(session):
            inbox.keep(session, provider="stripe", verified=verified, body=told, headers=headers)
            if dead or retried or effects is not None:
                [claim] = inbox.claim(session, limit=1)
                _end(session, claim, dead, retried, effects)
        return session.query(ProviderEvent).filter_by(event_id=number).populate_existing().one()

    return keep


def _end(session, claim, dead, retried, effects):
    if dead:
        inbox.dead(session, claim, dead)
    elif retried:
        inbox.retry(session, claim, retried)
    else:
        inbox.done(session, claim, effects)
