"""The tests' network is this machine: a connection to anywhere else is a failure, not a wait."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest


class NetworkForbidden(AssertionError):
    """A test tried to leave this machine."""


@pytest.fixture(autouse=True, scope="session")
def only_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        _guard(patch, "connect")
        _guard(patch, "connect_ex")
        _guard_names(patch)
        yield


def _guard(patch: pytest.MonkeyPatch, name: str) -> None:
    real = getattr(socket.socket, name)

    def guarded(self: socket.socket, address: Any, *args: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
            raise NetworkForbidden(f"A test tried to connect to {address[0]}:{address[1]}.")
        return real(self, address, *args)

    patch.setattr(socket.socket, name, guarded)


def _guard_names(patch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None and not _is_local(host):
            raise NetworkForbidden(f"A test tried to look up {host!r}.")
        return real(host, *args, **kwargs)

    patch.setattr(socket, "getaddrinfo", guarded)


def _is_local(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in ("localhost", "", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback or name in ("0.0.0.0", "::")
    except ValueError:
        return False
