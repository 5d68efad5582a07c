"""What Stripe can be asked for afterwards: the events of the last thirty days, whoever they were delivered to."""

from __future__ import annotations

import json
from datetime import datetime

from app.providers.stripe.body import parsed, verified
from app.providers.stripe.connection import Connection
from app.providers.stripe.told import READERS
from app.providers.values import FEED_MOST, Heard


class Asking:
    """The verb of Cap.EVENT_LIST."""

    _stripe: Connection

    def events_since(self, since: datetime) -> list[Heard]:
        """Those of the types that are used, oldest first, under the ids their webhooks have.

        The bytes are ours: Stripe answers the same event with other spaces than it sends it.
        """
        created = {"created": {"gte": int(since.timestamp())}}
        told = self._stripe.pages(lambda v1, page: v1.events.list({**created, **page}), most=FEED_MOST)
        bodies = [json.dumps(each, separators=(",", ":")).encode() for each in told[::-1] if each["type"] in READERS]
        return [Heard(verified(parsed(body)), body) for body in bodies]
