"""What every adapter in the registry must keep to, whatever its vendor."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from app.config import Settings
from app.errors import UnsupportedByChannel
from app.providers import port, registry
from app.providers.billing_roles import OWN_CAPS
from app.providers.errors import BadPayload, BadSignature, ProviderError
from app.providers.events import Event, Told
from app.providers.port import Provider
from app.providers.values import Cap
from tests.support.fake_provider import FakeProvider

PAYLOADS = Path(__file__).parent / "payloads"
EVERYTHING = Settings(
    env="test", stripe_secret_key="sk_test_of_the_tests", stripe_webhook_secret="whsec_of_the_tests_only"
)


def adapters() -> list[Any]:
    return list(registry.build(EVERYTHING).values())


def verbs(role: type) -> set[str]:
    return {name for name, value in vars(role).items() if inspect.isfunction(value) and not name.startswith("_")}


def promised(adapter: Provider, cap: Cap) -> set[str]:
    """The verbs this capability promises, without those that an adapter may lack."""
    role = verbs(port.ROLES[cap]) if cap in port.ROLES else set()
    return {verb for verb in role if OWN_CAPS.get(verb, cap) in adapter.capabilities}


def test_every_adapter_of_the_table_can_be_built() -> None:
    assert set(registry.build(EVERYTHING)) == set(registry.ADAPTERS)


def test_without_keys_there_is_no_channel() -> None:
    assert registry.build(Settings(env="test")) == {}


@pytest.mark.parametrize("adapter", adapters(), ids=lambda each: each.name)
class TestAdapter:
    def test_it_has_the_core_verbs(self, adapter: Provider) -> None:
        assert not [verb for verb in verbs(Provider) if not callable(getattr(adapter, verb, None))]

    def test_it_has_the_verbs_it_declares_as_the_port_names_them(self, adapter: Provider) -> None:
        for cap in adapter.capabilities:
            for verb in promised(adapter, cap):
                ours = inspect.signature(getattr(adapter, verb)).parameters
                wanted = list(inspect.signature(getattr(port.ROLES[cap], verb)).parameters)[1:]
                assert set(wanted) <= set(ours), f"{verb} of {adapter.name}"

    def test_it_declares_nothing_it_has_not(self, adapter: Provider) -> None:
        undeclared = {role for cap, role in port.ROLES.items() if cap not in adapter.capabilities}
        declared = {role for cap, role in port.ROLES.items() if cap in adapter.capabilities}
        for role in undeclared - declared:
            assert not [verb for verb in verbs(role) if hasattr(adapter, verb)], (
                f"{role.__name__} is built, not declared"
            )

    def test_a_verb_with_a_capability_of_its_own_is_there_if_and_only_if_it_is_declared(
        self, adapter: Provider
    ) -> None:
        for verb, cap in OWN_CAPS.items():
            assert hasattr(adapter, verb) == (cap in adapter.capabilities), verb
            if cap in adapter.capabilities:
                port.can(adapter, cap, verb)

    def test_what_it_cannot_do_is_refused_by_name(self, adapter: Provider) -> None:
        asks = {
            Cap.SUBSCRIPTIONS: port.subscriptions_of,
            Cap.INVOICES: port.invoices_of,
            Cap.DISCOUNTS: port.discounts_of,
            Cap.EVENT_LIST: port.event_feed_of,
            Cap.PORTAL: port.portal_of,
            Cap.SAVED_CARDS: port.cards_of,
            Cap.OFF_SESSION: port.off_session_of,
            Cap.REFUND_FULL: port.refunds_of,
            Cap.DIAGNOSIS: port.self_checking_of,
            Cap.EXPIRE_CHECKOUT: port.expiring_of,
        }
        for cap, ask in asks.items():
            if cap in adapter.capabilities:
                assert ask(adapter) is adapter
            else:
                with pytest.raises(UnsupportedByChannel):
                    ask(adapter)

    def test_an_unsigned_body_is_refused(self, adapter: Provider) -> None:
        for body in (b"", b"{}", b"[]", b"\xff\xfe", b'{"id":"evt_1"}'):
            with pytest.raises(BadSignature):
                adapter.verify(body, {})

    def test_reading_is_pure(self, adapter: Provider) -> None:
        for file in sorted((PAYLOADS / adapter.name).glob("*.json")):
            body = file.read_bytes()
            told = adapter.normalize(body)
            assert list(told) == list(adapter.normalize(body)), file.name
            assert told, f"{file.name}: even nothing is said, as Ignored"
            assert all(isinstance(each, get_args(Event)) and each.provider == adapter.name for each in told)

    def test_a_body_that_is_no_event_is_a_bad_payload(self, adapter: Provider) -> None:
        for body in (b"", b"null", b"[]", b"{}", b"\xff", b"1", b'"x"', b"[" * 100_000, b'{"a": NaN}'):
            with pytest.raises(BadPayload):
                adapter.normalize(body)


def test_the_double_keeps_to_the_port_too() -> None:
    fake = FakeProvider()

    assert not [verb for verb in verbs(Provider) if not hasattr(fake, verb)]


def test_every_event_says_who_when_and_in_which_mode() -> None:
    shared = {field.name for field in fields(Told)}

    assert all(shared <= {field.name for field in fields(kind)} for kind in get_args(Event))


def test_every_error_of_a_provider_is_one_of_ours() -> None:
    errors = importlib.import_module("app.providers.errors")
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]

    assert all(issubclass(kind, ProviderError) for kind in kinds)
    assert len(kinds) == 10
