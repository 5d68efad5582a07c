"""The catalogue's pages in a real browser: a plan edited as one types, nothing too wide, nothing axe objects to."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.catalogue import file, publish, reads, shipped
from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.invoices import rates

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def database_url(sqlite_url) -> str:
    """One database is enough to look at pages."""
    return sqlite_url


@pytest.fixture
def shop(session):
    """What there is to look at: plans, a coupon, a tax rate."""
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")
        coupon = issue.make(session, Terms("OFF20", "percent", 20, Limits("20% off")), actor="system")
        rates.set_rate(session, country="CA", region="QC", name="QST", rate_ppm=99_750, actor="system")
        plan = next(plan for plan in reads.offered_plans(session) if plan.key == "growth")
        publish.mark_sold(session, plan.id, 1)
    return plan, coupon


@pytest.mark.slow
def test_the_catalogue_is_edited_and_accessible(page, sign_in, admin, ada, address, session, shop):
    plan, coupon = shop
    sign_in(admin)

    # What changes is told as one types, a row comes by a button, and publishing makes the new version.
    page.goto(f"{address}/admin/plans/{plan.id}")
    page.get_by_label("Monthly price").fill("109.00")
    page.get_by_label("Yearly price").press("Tab")
    page.locator("#changes").get_by_text("109.00 USD").wait_for()
    page.get_by_role("button", name="Add count").click()
    page.get_by_label("What is counted, row 2").fill("seats")
    page.get_by_label("At most, row 2").fill("7")
    page.get_by_label("At most, row 2").press("Tab")
    page.locator("#changes").get_by_text("Count seats").wait_for()
    page.get_by_role("button", name="Preview the pricing page").click()
    page.get_by_text("Nothing is saved").wait_for()
    page.get_by_role("button", name="Back to the form").click()
    page.get_by_role("button", name="Publish version 2").click()
    page.get_by_text("Growth is on offer in a new version").wait_for()

    session.rollback()
    now = next(each for each in reads.offered_plans(session) if each.key == "growth")
    assert (now.version, now.monthly_minor, now.limit("count", "seats").amount) == (2, 10_900, 7)
    session.rollback()

    pages = [
        "/catalogue",
        "/catalogue/file",
        "/packs/medium",
        "/llm-prices/new-one",
        "/check-in",
        "/plans",
        f"/plans/{plan.id}",
        "/coupons",
        "/coupons/new",
        f"/coupons/{coupon.id}",
        "/tax-rates",
    ]
    pages += [f"/customers/{ada.customer_id}", f"/customers/{ada.customer_id}/terms"]
    faults = []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for path in pages:
            page.goto(f"{address}/admin{path}")
            too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            faults += [f"{path} at {width}: {too_wide} px too wide"] if too_wide > 0 else []
            if width == 1280:
                page.evaluate(AXE)
                found = page.evaluate("axe.run(document)")["violations"]
                faults += [f"{path}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in found]
    assert not faults, "\n".join(faults)
