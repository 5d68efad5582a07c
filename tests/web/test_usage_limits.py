"""What a customer sets for their usage: a spend cap, and the percentages at which they are told."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from app.db import transaction
from app.metering import caps
from app.notices import choices
from tests.support.page_figures import Figures

HX = {"HX-Request": "true"}


def test_a_cap_is_set_and_taken_away(session, ada, metered, client_of):
    browser = client_of(ada)

    browser.post("/usage/spend-cap", data={"cap": "50"})
    session.rollback()
    assert caps.spend_cap(session, ada.customer_id) == 50_000_000
    assert 'value="50.00"' in browser.get("/usage").text

    browser.post("/usage/spend-cap", data={"cap": ""})
    session.rollback()
    assert caps.spend_cap(session, ada.customer_id) is None


def test_the_answer_says_what_a_change_means(ada, metered, client_of):
    browser = client_of(ada)

    def said(path, **typed):
        return re.search(r'id="flash".*', browser.post(path, data=typed, headers=HX).text, re.DOTALL)[0]

    assert "Overage stops at your spend cap." in said("/usage/spend-cap", cap="50")
    assert "refused from now on" in said("/usage/spend-cap", cap="0")
    assert "We do not tell you of allowances any more." in said("/usage/thresholds", percents=" ")


WRONG = [
    ("/usage/spend-cap", {"cap": "fifty"}, "Enter an amount in figures"),
    ("/usage/spend-cap", {"cap": "1000000.01"}, "Enter $1,000,000.00 or less."),
    ("/usage/thresholds", {"percents": "most"}, "Enter whole percentages"),
    ("/usage/thresholds", {"percents": "0"}, "whole percentages from 1"),
]


def test_what_makes_no_sense_is_told_beside_the_field_and_kept(ada, metered, client_of):
    browser = client_of(ada)

    for path, typed, words in WRONG:
        for headers in ({}, HX):
            answer = browser.post(path, data=typed, headers=headers)

            assert answer.status_code == 422
            assert words in answer.text
            assert f'value="{next(iter(typed.values()))}"' in answer.text
            assert ("<h1" in answer.text) == (not headers)


def test_thresholds_are_set_and_leave_other_choices_alone(session, ada, metered, client_of):
    with transaction(session):
        chosen = {"percents": [80], "low_micros": 7_000_000, "mails": False}
        choices.choose(session, ada.customer_id, **chosen, actor="test")

    answer = client_of(ada).post("/usage/thresholds", data={"percents": "50%, 90"}, headers=HX)

    session.rollback()
    kept = choices.of(session, ada.customer_id)
    assert (kept.percents, kept.low_micros, kept.mails) == ([50, 90], 7_000_000, False)
    assert 'id="flash"' in answer.text


def test_who_may_only_read_sees_the_limits_and_sets_none(ada, cy, metered, client_of):
    browser = client_of(cy)

    assert "<form" not in re.search(r'id="limits".*?</section>', browser.get("/usage").text, re.DOTALL)[0]
    assert "Top up</a>" not in browser.get("/usage").text
    assert browser.post("/usage/spend-cap", data={"cap": "1"}).status_code == 403


def test_a_cap_that_will_be_reached_ends_the_projection(session, ada, uses, client_of, clock):
    ada.gets(10_000)
    clock.set(datetime(2026, 3, 10, 12, tzinfo=UTC))
    uses(ada, "calls", 5_000)
    clock.advance(days=1)
    with transaction(session):
        caps.set_spend_cap(session, ada.customer_id, 10_000_000, actor="test")

    figure, note = Figures(client_of(ada).get("/usage").text).stats()["Projected overage by 31 Mar"]

    assert figure == "$10.00"
    assert note == "Your spend cap stops it there; without it about $43.60"
