"""Staff: the audit log."""

from __future__ import annotations

import csv
import io
import json

import pytest

from app import activity
from app.admin import activity as the_pages
from app.db import transaction
from tests.admin.conftest import HX
from tests.support import outgoing


def test_signed_out_it_asks_to_sign_in(client):
    assert client.get("/admin/activity").status_code == 303
    assert client.get("/admin/activity.csv").status_code == 303


def test_customers_may_not_enter(client_of, ada):
    assert client_of(ada).get("/admin/activity").status_code == 403
    assert client_of(ada).get("/admin/activity.csv").status_code == 403


@pytest.mark.parametrize("role", ["support", "finance", "admin"])
def test_every_role_reads_who_did_what(request, client_of, ada, role):
    page = client_of(request.getfixturevalue(role)).get("/admin/activity").text

    for words in ("Customer opened", "Welcome credit given", "Ada", "Analytical Engines"):
        assert words in page, words


def test_it_filters_by_action_customer_and_actor(as_support, ada, bo):
    def rows(**asked):
        return as_support.get("/admin/activity", query_string=asked, headers=HX).text

    assert "Customer opened" not in rows(action="wallet.")
    assert "Bo&#39;s Boats" not in rows(customer=ada.customer_id)
    assert "Analytical Engines" not in rows(actor=bo.id)
    assert "Nothing matches" in rows(customer="cus_nobody")


def test_it_pages_without_repeating_or_skipping(session, as_support, clock, monkeypatch):
    monkeypatch.setattr(the_pages, "PER_PAGE", 2)
    for number in range(5):
        clock.advance(seconds=1)
        with transaction(session):
            activity.record(session, "system", "order.opened", f"number-{number}")
    seen, address = [], "/admin/activity?action=order."

    while address:
        page = as_support.get(address, headers=HX).text
        seen += [number for number in range(5) if f"number-{number}<" in page]
        address = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0] if 'rel="next"' in page else ""
        address = address.replace("&amp;", "&")

    assert sorted(seen) == [0, 1, 2, 3, 4]
    assert len(seen) == 5


def test_a_made_up_cursor_is_refused(as_support):
    assert as_support.get("/admin/activity?before=nonsense").status_code == 422


def test_what_people_typed_is_shown_as_text(session, as_support):
    with transaction(session):
        activity.record(session, "system", "customer.renamed", "cus_1", before="<script>", after="=1+1", name="<i>")

    page = as_support.get("/admin/activity").text
    file = as_support.get("/admin/activity.csv").text

    assert "<script>" not in page.split("</head>")[1].replace("<script src", "")
    assert "&lt;script&gt;" in page
    cells = next(cells for cells in csv.reader(io.StringIO(file)) if cells[1] == "customer.renamed")
    assert json.loads(cells[-1]) == {"before": "<script>", "after": "=1+1", "name": "<i>"}


def test_what_money_and_people_do_can_each_be_looked_at_alone(session, as_support):
    with transaction(session):
        for action in ("refund.denied", "dispute.moved", "adjustment.denied", "reconciliation.asked"):
            activity.record(session, "system", action, f"the {action}")
        activity.record(
            session, "cli", "catalogue.version", "plan:studio", facts={"monthly": ["29.00 USD", "39.00 USD"]}
        )

    page = as_support.get("/admin/activity").text
    disputes = as_support.get("/admin/activity?action=dispute.", headers=HX).text

    for group in ("refund.", "dispute.", "adjustment.", "reconciliation.", "session."):
        assert f'value="{group}"' in page, group
    assert "New version, studio" in page
    assert ("the dispute.moved" in disputes, "the refund.denied" in disputes) == (True, False)


def test_a_file_holds_no_transaction_open_while_it_is_fetched(session, as_support, ada):
    session.rollback()
    answer = as_support.get("/admin/activity.csv", buffered=False)

    for _ in answer.iter_encoded():
        outgoing.refuse_inside_a_transaction("sending a line")
    answer.close()
