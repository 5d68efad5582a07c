"""What every adapter in the registry must keep to, whatever its vendor."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from app import settings_problems
from app.config import Settings, variable
from app.errors import UnsupportedByChannel
from app.providers import port, registry
from app.providers.billing_roles import OWN_CAPS
from app.providers.errors import BadPayload, BadSignature, ProviderError
from app.providers.events import Event, Told
from app.providers.port import Provider
from app.providers.values import Cap
from tests.support.channels import CHANNELS, every_channel
from tests.support.fake_provider import FakeProvider

PAYLOADS = Path(__file__).parent / "payloads"


def adapters() -> list[Any]:
    return list(registry.build(every_channel()).values())


def samples(adapter: Provider) -> list[Path]:
    found = sorted((PAYLOADS / adapter.name).glob("*.json"))
    assert found, f"there are no samples of {adapter.name}'s events"
    return found


def verbs(role: type) -> set[str]:
    return {name for name, value in vars(role).items() if inspect.isfunction(value) and not name.startswith("_")}


def promised(adapter: Provider, cap: Cap) -> set[str]:
    """The verbs this capability promises, without those that an adapter may lack."""
    role = verbs(port.ROLES[cap]) if cap in port.ROLES else set()
    return {verb for verb in role if OWN_CAPS.get(verb, cap) in adapter.capabilities}


def test_every_adapter_of_the_table_can_be_built() -> None:
    assert set(registry.build(every_channel())) == set(registry.ADAPTERS) == set(CHANNELS)


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
            Cap.DISPUTE_POLL: port.dispute_feed_of,
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
        for file in samples(adapter):
            body = file.read_bytes()
            told = adapter.normalize(body)
            assert list(told) == list(adapter.normalize(body)), file.name
            assert told, f"{file.name}: even nothing is said, as Ignored"
            assert all(isinstance(each, get_args(Event)) and each.provider == adapter.name for each in told)

    def test_a_body_that_is_no_event_is_a_bad_payload(self, adapter: Provider) -> None:
        for body in (b"", b"null", b"[]", b"{}", b"\xff", b"1", b'"x"', b"[" * 100_000, b'{"a": NaN}'):
            with pytest.raises(BadPayload):
                adapter.normalize(body)


@pytest.mark.parametrize("adapter", adapters(), ids=lambda each: each.name)
class TestSignedBody:
    def test_every_sample_is_accepted_and_says_who_and_when(self, adapter: Provider) -> None:
        for file in samples(adapter):
            body = file.read_bytes()
            verified = adapter.verify(body, CHANNELS[adapter.name].signed(body))
            assert verified.event_id, file.name
            assert verified.raw_type == adapter.normalize(body)[0].raw_type, file.name
            assert verified.occurred_at.tzinfo is not None, file.name

    def test_another_byte_anywhere_is_refused(self, adapter: Provider) -> None:
        body = samples(adapter)[0].read_bytes()
        headers = CHANNELS[adapter.name].signed(body)
        for at in (0, 1, len(body) // 2, len(body) - 1):
            tampered = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
            assert is_refused(adapter, tampered, headers)
        assert is_refused(adapter, body + b" ", headers)
        assert is_refused(adapter, body[:-1], headers)

    def test_another_secret_is_refused_and_so_is_none(self, adapter: Provider) -> None:
        body, channel = samples(adapter)[0].read_bytes(), CHANNELS[adapter.name]
        for secret in (channel.secret[:-2] + "x", "", "whsec_", "secret", channel.secret.upper()):
            assert is_refused(adapter, body, channel.signed(body, secret)), secret

    def test_the_secret_before_is_accepted_while_it_is_replaced(self, adapter: Provider) -> None:
        body, channel = samples(adapter)[0].read_bytes(), CHANNELS[adapter.name]
        assert is_refused(adapter, body, channel.signed(body, channel.previous))
        both = registry.build(replace(every_channel(), **channel.settings_with_previous))[adapter.name]
        assert not is_refused(both, body, channel.signed(body, channel.previous))
        assert not is_refused(both, body, channel.signed(body))

    def test_a_signed_time_is_now_or_the_signature_is_refused(self, adapter: Provider) -> None:
        body, channel = samples(adapter)[0].read_bytes(), CHANNELS[adapter.name]
        for seconds in (-86_400, -301, 302, 86_400):
            is_late = is_refused(adapter, body, channel.signed(body, shifted=seconds))
            assert is_late is channel.signs_the_time, seconds
        for seconds in (-290, 290):
            assert not is_refused(adapter, body, channel.signed(body, shifted=seconds))

    def test_a_short_or_missing_secret_is_named_and_never_used(self, adapter: Provider) -> None:
        channel = CHANNELS[adapter.name]
        for secret in ("", " " * 40, "whsec_", "short"):
            settings = replace(every_channel(), **{channel.secret_setting: secret})
            name = variable(channel.secret_setting)
            assert [problem for problem in settings_problems.of(settings) if problem.startswith(name + " ")], secret
            with pytest.raises(ValueError, match=name):
                registry.build(settings)


def is_refused(adapter: Provider, body: bytes, headers: dict[str, str]) -> bool:
    try:
        adapter.verify(body, headers)
    except BadSignature:
        return True
    return False


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
    assert len(kinds) == 11
