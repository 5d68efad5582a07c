"""The frame of a page: the ways to other pages, whose pages they are, and how one leaves."""

from __future__ import annotations

import re

from app.http import staff_places
from app.http.shell import CUSTOMER_PLACES, CUSTOMER_TABS
from app.http.staff_places import STAFF_PLACES, STAFF_TABS, StaffPlace


def addresses(places):
    return [place[0] for group in places.values() for place in group]


def test_every_way_of_the_customers_leads_to_a_page(ada, client_of):
    browser = client_of(ada)

    for href in [*addresses(CUSTOMER_PLACES), *(place[0] for place in CUSTOMER_TABS)]:
        assert browser.get(href).status_code == 200, href


def test_every_way_of_the_staff_leads_to_a_page(admin, client_of):
    browser = client_of(admin)

    for href in {*addresses(STAFF_PLACES), *(place.href for place in STAFF_TABS)}:
        assert browser.get(href).status_code == 200, href


def test_no_role_is_led_to_a_page_that_refuses_it(support, client_of):
    browser = client_of(support)

    shown = {*addresses(staff_places.shown_to("support")), *(place[0] for place in staff_places.tabs_of("support"))}

    assert [href for href in shown if browser.get(href).status_code != 200] == []


def test_a_way_for_one_role_is_not_shown_to_another(monkeypatch):
    places = {"": (StaffPlace("/a", "home", "All"),), "Staff": (StaffPlace("/b", "team", "Staff", ("admin",)),)}
    monkeypatch.setattr(staff_places, "STAFF_PLACES", places)

    assert list(staff_places.shown_to("support")) == [""]
    assert list(staff_places.shown_to("admin")) == ["", "Staff"]


def test_the_page_one_is_on_is_marked_once_in_each_navigation(ada, client_of):
    page = client_of(ada).get("/wallet").text

    assert re.findall(r'<a href="([^"]+)" aria-current="page">', page) == ["/wallet", "/wallet"]


def test_staff_pages_say_so(admin, client_of):
    page = client_of(admin).get("/admin/customers").text

    assert '<body class="staff">' in page
    assert "Ann, admin" in page


def test_signing_out_is_a_form(ada, client_of):
    assert re.search(r'<form method="post" action="/sign-out">', client_of(ada).get("/").text)


def test_the_first_stop_of_the_tab_key_skips_the_navigation(ada, client_of):
    page = client_of(ada).get("/").text

    assert page.index('<a class="skip" href="#main">') < page.index("<nav")
    assert '<main class="main" id="main" tabindex="-1">' in page
