"""/v1/customers and the lists every kind has."""

from __future__ import annotations

import pytest
import stripe


def test_a_customer_has_what_was_sent(api):
    address = {"line1": "1 Main St", "city": "Springfield", "country": "US"}

    made = api.customers.create({"name": "Ada", "email": "a@example.com", "address": address, "metadata": {"a": "1"}})

    found = api.customers.retrieve(made.id)
    assert (found.name, found.email, found.address.city, found.address.state) == (
        "Ada",
        "a@example.com",
        "Springfield",
        None,
    )
    assert found.metadata.to_dict() == {"a": "1"}
    assert found.invoice_settings.default_payment_method is None
    assert found.livemode is False


def test_an_update_changes_only_what_it_names(api, ada):
    api.customers.update(ada.id, {"phone": "123"})

    found = api.customers.retrieve(ada.id)
    assert (found.name, found.phone) == ("Ada", "123")


def test_an_empty_value_clears_a_field(api, ada):
    api.customers.update(ada.id, {"name": ""})

    assert api.customers.retrieve(ada.id).name is None


def test_metadata_is_merged_key_by_key(api, ada):
    api.customers.update(ada.id, {"metadata": {"plan": "pro"}})
    both = api.customers.retrieve(ada.id).metadata.to_dict()
    api.customers.update(ada.id, {"metadata": {"org": ""}})
    one = api.customers.retrieve(ada.id).metadata.to_dict()
    api.customers.update(ada.id, {"metadata": ""})

    assert both == {"org": "ada", "plan": "pro"}
    assert one == {"plan": "pro"}
    assert api.customers.retrieve(ada.id).metadata.to_dict() == {}


def test_the_default_card_must_be_the_customers_own(api, ada):
    bo = api.customers.create({"name": "Bo"})
    card = api.payment_methods.attach("pm_card_visa", {"customer": bo.id})

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.customers.update(ada.id, {"invoice_settings": {"default_payment_method": card.id}})

    assert refusal.value.param == "invoice_settings[default_payment_method]"


def test_an_update_event_tells_what_was_before(api, ada, sandbox, receiver):
    api.customers.update(ada.id, {"name": "Ada Lovelace", "metadata": {"plan": "pro"}})
    api.customers.update(ada.id, {"name": "Ada Lovelace"})
    sandbox.deliver()

    told = receiver.only("customer.updated")
    assert told.data.previous_attributes.to_dict() == {"name": "Ada", "metadata": {"plan": None}}
    assert told.data.object.name == "Ada Lovelace"
    assert told.request.id.startswith("req_")


def test_a_list_is_newest_first_and_pages_by_cursor(api):
    made = [api.customers.create({"name": str(number)}).id for number in range(5)]

    first = api.customers.list({"limit": 2})
    second = api.customers.list({"limit": 2, "starting_after": first.data[-1].id})
    third = api.customers.list({"limit": 2, "starting_after": second.data[-1].id})
    back = api.customers.list({"limit": 2, "ending_before": third.data[0].id})

    pages = [[customer.id for customer in page.data] for page in (first, second, third)]
    assert pages == [made[4:2:-1], made[2:0:-1], made[:1]]
    assert [first.has_more, second.has_more, third.has_more] == [True, True, False]
    assert [customer.id for customer in back.data] == pages[1]
    assert back.has_more is True


def test_the_sdk_walks_through_all_pages(api):
    made = [api.customers.create({"name": str(number)}).id for number in range(7)]

    walked = [customer.id for customer in api.customers.list({"limit": 3}).auto_paging_iter()]

    assert walked == made[::-1]


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_page_has_1_to_100_entries(api, limit):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.customers.list({"limit": limit})

    assert refusal.value.param == "limit"


def test_a_cursor_must_exist(api):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.customers.list({"starting_after": "cus_none"})

    assert refusal.value.code == "resource_missing"


def test_a_list_can_be_narrowed(api, ada, sandbox):
    sandbox.advance(1000)
    bo = api.customers.create({"name": "Bo", "email": "bo@example.com"})

    assert [each.id for each in api.customers.list({"email": "bo@example.com"}).data] == [bo.id]
    assert [each.id for each in api.customers.list({"created": {"gte": bo.created}}).data] == [bo.id]
    assert [each.id for each in api.customers.list({"created": {"lt": bo.created}}).data] == [ada.id]
    assert [each.id for each in api.customers.list({"created": ada.created}).data] == [ada.id]
