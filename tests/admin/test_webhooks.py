"""Staff: the webhook inbox; replaying and putting away."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from app.admin import webhooks as the_pages
from app.db import transaction
from app.payments import inbox, reads
from app.payments.models import ProviderEvent, RefusedDelivery
from tests.admin.conftest import HX
from tests.support.fake_provider import FakeProvider


def test_signed_out_it_asks_to_sign_in(client, event):
    kept = event()

    for address in ("/admin/webhooks", f"/admin/webhooks/{kept.id}"):
        assert client.get(address).status_code == 303
    for verb in ("replay", "ignore"):
        assert client.post(f"/admin/webhooks/{kept.id}/{verb}").status_code == 303


def test_customers_may_not_enter_and_support_may_only_read(client_of, ada, as_support, event):
    kept = event(dead="It is for another amount.")

    assert client_of(ada).get("/admin/webhooks").status_code == 403
    assert as_support.get(f"/admin/webhooks/{kept.id}").status_code == 200
    for verb in (f"{kept.id}/replay", f"{kept.id}/ignore", "replay-dead"):
        assert as_support.post(f"/admin/webhooks/{verb}", data={"reason": "Because"}).status_code == 403
    assert "Replay" not in as_support.get(f"/admin/webhooks/{kept.id}").text


def test_it_lists_and_counts_by_state(as_support, event):
    event("a.done", effects=[])
    event("b.dead", dead="It broke.")
    event("c.waits")

    page = as_support.get("/admin/webhooks").text
    dead = as_support.get("/admin/webhooks?state=dead", headers=HX).text

    assert "1 applied, 1 waiting, 1 gave up, 0 ignored." in page
    assert "Gave up" in dead
    assert "b.<wbr>dead" in dead
    assert "a.<wbr>done" not in dead


def test_it_filters_by_the_beginning_of_the_type(as_support, event):
    event("invoice.paid")
    event("checkout.session.expired")

    rows = as_support.get("/admin/webhooks?type=invoice.", headers=HX).text

    assert "invoice.<wbr>paid" in rows
    assert "expired" not in rows


@pytest.mark.parametrize("odd", ["state=gone", "before=whe_nobody"])
def test_a_filter_nobody_knows_is_refused(as_support, event, odd):
    event()

    assert as_support.get(f"/admin/webhooks?{odd}").status_code in (404, 422)


def test_it_pages_without_repeating_or_skipping(as_support, event, monkeypatch):
    monkeypatch.setattr(the_pages, "PER_PAGE", 2)
    for number in range(5):
        event(f"number.{number}")
    seen, address = [], "/admin/webhooks"

    while address:
        page = as_support.get(address, headers=HX).text
        seen += [number for number in range(5) if f"number.<wbr>{number}<" in page]
        address = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0] if 'rel="next"' in page else ""

    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_one_event_shows_what_came_safely(as_support, event):
    kept = event(retried="There is no order ord_1 here.")

    page = as_support.get(f"/admin/webhooks/{kept.id}").text

    assert "&lt;b&gt;&amp;" in page
    assert "There is no order ord_1 here." in page
    assert "Retrying" in page
    assert "0123456789abcdef" not in page


def test_its_effects_lead_to_the_ledger_entry(as_support, event, ada):
    did = {
        "kind": "wallet.credited",
        "order": "ord_1",
        "customer": ada.customer_id,
        "entry": "wtxn_1",
        "amount_minor": 500,
    }
    kept = event(effects=[did])

    page = as_support.get(f"/admin/webhooks/{kept.id}").text

    assert f'href="/admin/books/entries/{ada.customer_id}/wtxn_1"' in page
    assert "Wallet credited, $5.00" in page


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[]", b"null", b"{", b'{"a": NaN}', b"x" * 300_000])
def test_a_strange_body_is_shown_all_the_same(as_support, event, body):
    assert as_support.get(f"/admin/webhooks/{event(body=body).id}").status_code == 200


def test_an_event_nobody_knows_is_not_found(as_admin):
    assert as_admin.get("/admin/webhooks/whe_nobody").status_code == 404
    assert as_admin.post("/admin/webhooks/whe_nobody/replay").status_code == 404


def test_finance_replays_and_the_log_has_it(session, as_finance, event):
    kept = event(dead="It broke.")

    answer = as_finance.post(f"/admin/webhooks/{kept.id}/replay")

    assert answer.status_code == 303
    assert state_of(session, kept) == "pending"
    assert "Webhook replayed" in as_finance.get("/admin/activity").text


def test_a_replayed_event_asks_for_itself_until_it_is_applied(as_finance, event):
    kept = event(dead="It broke.")

    waiting = as_finance.post(f"/admin/webhooks/{kept.id}/replay", headers=HX).text

    assert 'hx-trigger="every 2s"' in waiting


def test_an_event_that_is_done_asks_no_more(as_finance, event):
    page = as_finance.get(f"/admin/webhooks/{event(effects=[]).id}", headers=HX).text

    assert 'hx-trigger="every 2s"' not in page


def test_finance_puts_an_event_away_with_a_reason(session, as_finance, event):
    kept = event(dead="It broke.")

    refused = as_finance.post(f"/admin/webhooks/{kept.id}/ignore", data={"reason": "no"})
    done = as_finance.post(f"/admin/webhooks/{kept.id}/ignore", data={"reason": "A test of the provider's"})

    assert refused.status_code == 422
    assert 'value="no"' in refused.text
    assert done.status_code == 303
    assert state_of(session, kept) == "ignored"


def test_what_was_applied_cannot_be_put_away(session, as_finance, event):
    kept = event(effects=[])

    assert as_finance.post(f"/admin/webhooks/{kept.id}/ignore", data={"reason": "Because"}).status_code == 409
    assert state_of(session, kept) == "done"


def test_all_that_gave_up_are_replayed_at_once(session, as_finance, event):
    dead = [event(dead="It broke.") for _ in range(3)]
    done = event(effects=[])

    answer = as_finance.post("/admin/webhooks/replay-dead")

    assert answer.status_code == 303
    assert {state_of(session, each) for each in dead} == {"pending"}
    assert state_of(session, done) == "done"


def test_an_empty_inbox_says_what_will_come(as_support):
    assert "No event has come yet" in as_support.get("/admin/webhooks").text
    assert "Nothing matches" in as_support.get("/admin/webhooks?state=dead").text


def state_of(session, kept) -> str:
    session.rollback()
    return session.get(ProviderEvent, kept.id, populate_existing=True).state


def test_every_try_is_shown_with_its_time_and_error(session, as_support, as_finance, event, clock):
    kept = event(retried="The order is not here <yet>.")
    clock.advance(hours=2)
    with transaction(session):
        [claim] = inbox.claim(session, limit=1)
        inbox.dead(session, claim, "It is for another amount.")
    as_finance.post(f"/admin/webhooks/{kept.id}/ignore", data={"reason": "A test of theirs"})

    page = as_support.get(f"/admin/webhooks/{kept.id}").text

    tries = page.split("<h3>Tries</h3>")[1].split("</ol>")[0]
    assert tries.index("another amount") < tries.index("not here &lt;yet&gt;")
    assert "11:30" in tries
    assert "09:30" in tries
    people = page.split("<h3>By people</h3>")[1].split("</ol>")[0]
    assert "A test of theirs" in people
    assert "Webhook ignored" in people


def test_of_many_tries_the_newest_stay(session, event, clock):
    kept = event()
    for number in range(inbox.MOST_TRIES + 5):
        with transaction(session):
            [claim] = inbox.claim(session, limit=1)
            inbox.retry(session, claim, f"away {number}", counts=False)
        clock.advance(hours=2)

    tries = session.get(ProviderEvent, kept.id, populate_existing=True).tries

    assert len(tries) == inbox.MOST_TRIES
    assert tries[-1]["why"] == f"away {inbox.MOST_TRIES + 4}"


def test_the_very_bytes_can_be_fetched_and_are_no_page(as_support, event):
    kept = event(body=b"<script>\xff")

    answer = as_support.get(f"/admin/webhooks/{kept.id}/body")

    assert answer.data == b"<script>\xff"
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_it_says_what_is_known_of_the_sender(session, as_support, event):
    kept = event()
    assert "Verified over the bytes that came" in as_support.get(f"/admin/webhooks/{kept.id}").text

    session.rollback()
    with transaction(session):
        session.execute(update(ProviderEvent).values(body=b"{}"))

    assert "it was changed in the database" in as_support.get(f"/admin/webhooks/{kept.id}").text


def test_the_list_is_a_file_too(as_support, event):
    event("invoice.paid", dead="=It broke.")
    event("charge.failed")

    lines = as_support.get("/admin/webhooks.csv?type=invoice.").text.splitlines()

    assert len(lines) == 2
    assert ",'=It broke." in lines[1]


def test_refused_deliveries_are_counted_and_nothing_of_them_is_kept(app, client, session, as_support):
    app.extensions["providers"] = {"stripe": FakeProvider()}
    assert "could be verified" in as_support.get("/admin/webhooks").text
    for _ in range(5):
        assert client.post("/payment/webhook/stripe", data=b"4242", headers={"X-Bad": "1"}).status_code == 400
    session.rollback()
    assert [row.count for row in session.scalars(select(RefusedDelivery))] == [1], "the others wait for a minute"

    page = as_support.get("/admin/webhooks").text

    panel = page.split('id="refused"')[1].split("</section>")[0]
    assert ">5<" in panel
    assert "Stripe" in panel
    assert "4242" not in page
    assert session.scalars(select(ProviderEvent)).all() == []


def test_an_inbox_of_millions_is_not_counted_for_a_heading(as_support, event, monkeypatch):
    monkeypatch.setattr(reads, "MOST_COUNTED", 2)
    for _ in range(3):
        event(dead="It broke.")

    assert "0 applied, 0 waiting, 2+ gave up, 0 ignored." in as_support.get("/admin/webhooks").text
