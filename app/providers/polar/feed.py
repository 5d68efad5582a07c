"""What Polar can be asked for afterwards: the events it tried to deliver, and the disputes it tells nobody of."""

from __future__ import annotations

from datetime import datetime

from app.providers.bodies import moment
from app.providers.errors import BadPayload
from app.providers.polar.body import parsed, verified, written
from app.providers.polar.connection import Connection, Json
from app.providers.polar.told import POLLED_DISPUTE
from app.providers.values import FEED_MOST, Heard


class Asking:
    """The verbs that look for what no webhook brought."""

    _polar: Connection
    _livemode: bool

    def events_since(self, since: datetime) -> list[Heard]:
        """Every event Polar has tried to deliver since then, oldest first, under the id its webhook had.

        One that was skipped because the endpoint was switched off, and never tried, is not among them.
        """
        tried = self._polar.pages("/v1/webhooks/deliveries", start_timestamp=since.isoformat(), most=FEED_MOST)
        found: dict[str, Heard] = {}
        for delivery in reversed(tried):  # the newest comes first
            event = delivery["webhook_event"]
            heard = self._heard(event) if moment(delivery["created_at"]) >= since else None
            if heard is not None:
                found[event["id"]] = heard
        return sorted(found.values(), key=lambda heard: heard.verified.occurred_at)

    def _heard(self, event: Json) -> Heard | None:
        if not event.get("payload"):  # archived
            return None
        body = event["payload"].encode()
        try:
            return Heard(verified(parsed(body), event["id"], livemode=self._livemode), body)
        except BadPayload:
            return None  # of an endpoint of another format, such as a chat

    def disputes_since(self, since: datetime) -> list[Heard]:
        disputes = self._polar.pages("/v1/disputes/", sorting="-created_at", most=FEED_MOST)
        return [self._dispute(each) for each in reversed(disputes) if _changed_at(each) >= since]

    def _dispute(self, dispute: Json) -> Heard:
        at, name = _changed_at(dispute), f"poll:{dispute['id']}:{dispute['status']}"
        body = written(POLLED_DISPUTE, dispute, at=at)
        return Heard(verified(parsed(body), name, livemode=self._livemode), body)


def _changed_at(dispute: Json) -> datetime:
    return moment(dispute.get("modified_at") or dispute["created_at"])
