"""Where a webhook may go: the public internet over https, however an address is dressed."""

from __future__ import annotations

import ipaddress

import pytest

from app.errors import Invalid
from app.outgoing import addresses

INSIDE = """
127.0.0.1 127.8.8.8 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 192.0.0.1
192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.1.2.3 240.0.0.1 255.255.255.255
:: ::1 fe80::1 fec0::1 fc00::1 fd12::1 ff02::1 2001:db8::1 ::ffff:127.0.0.1 ::ffff:10.1.2.3 ::ffff:169.254.169.254
64:ff9b::7f00:1 64:ff9b::a00:1 2002:7f00:1:: 2002:a00:1:: 2002:a9fe:a9fe::
"""
OUTSIDE = "1.1.1.1 8.8.8.8 93.184.216.34 2606:4700:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808"
REFUSED = """
http://example.com/ ftp://example.com/ javascript:alert(1) //example.com/ example.com https:/// https:example.com
https://127.0.0.1/ https://[::1]/ https://10.0.0.8:8443/x https://[::ffff:127.0.0.1]/ https://169.254.169.254/latest
https://user:secret@example.com/ https://user@example.com/ https://example.com/#part https://example.com:99999/
https://exa\\mple.com/ https://[::1 https://exämple.com/ file:///etc/passwd gopher://example.com/
"""


def test_addresses_inside_are_never_public() -> None:
    public = [text for text in INSIDE.split() if addresses.is_public(ipaddress.ip_address(text))]

    assert public == []


def test_addresses_outside_are() -> None:
    assert [text for text in OUTSIDE.split() if not addresses.is_public(ipaddress.ip_address(text))] == []


def test_strange_urls_are_refused() -> None:
    for url in [
        *REFUSED.split(),
        "",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://e.com/" + "a" * 2000,
    ]:
        with pytest.raises(Invalid):
            addresses.check(url, private=False)


def test_a_name_is_refused_for_any_address_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.7", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_kwargs: behind)

    with pytest.raises(addresses.AddressRefused):
        addresses.resolve("example.com", 443, private=False)

    assert addresses.resolve("example.com", 443, private=True) == "93.184.216.34"
    assert addresses.check("https://example.com/hooks?a=1", private=False)
