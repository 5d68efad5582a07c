"""Where a webhook may go: https to the public internet, unless the installation allows addresses of its own network.

A name is looked up anew for each delivery, every address behind it must be allowed, and the connection is made to the
very address that was checked: a name that changes its mind in between leads nowhere else (ASVS 4: no SSRF).
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from app.errors import Invalid

LONGEST = 2000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # an IPv4 address in its last 32 bits
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Exception):
    """The name leads to an address we do not send to, or to none."""


def check(url: str, *, private: bool) -> str:
    """The URL if its shape is one we send to. `private` allows plain http and addresses that are not public.

    Raises Invalid, with a sentence fit for the field.
    """
    parts = _parts(url)
    if parts.scheme not in (("https", "http") if private else ("https",)):
        raise Invalid("The address must begin with https://.", field="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("Leave user names, passwords and #fragments out of the address.", field="url")
    literal = _literal(parts.hostname or "")
    if not private and literal is not None and not is_public(literal):
        raise Invalid("This address is not on the public internet.", field="url")
    return url


def resolve(host: str, port: int, *, private: bool) -> str:
    """The address to connect to. Network, so never within a transaction. Raises AddressRefused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as trouble:
        raise AddressRefused("The name of the host is not known.") from trouble
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses:
        raise AddressRefused("The name of the host is not known.")
    if not private and not all(is_public(address) for address in addresses):
        raise AddressRefused("The host has an address that is not on the public internet.")
    return str(addresses[0])


def is_public(address: Address) -> bool:
    """Whether it is on the public internet, also as an IPv4 address that is dressed as IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local:  # deprecated, still routed within networks, and "global" to the library
            return False
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    odd = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not odd


def _parts(url: str) -> SplitResult:
    wrong = Invalid("Enter a full address, such as https://example.com/webhooks.", field="url")
    if not url or len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise wrong
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as unreadable:
        raise wrong from unreadable
    if not parts.hostname:
        raise wrong
    return parts


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
