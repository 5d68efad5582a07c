"""One API call as an endpoint sees it, and what endpoints share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.sandbox.blanks import Object
from app.sandbox.fault import not_built, refused
from app.sandbox.tx import Tx


@dataclass(frozen=True)
class Call:
    """`params` are typed and already as Stripe describes them; `ids` are the names in the path."""

    tx: Tx
    params: Object
    ids: dict[str, str]

    def given(self, *names: str) -> Object:
        """Those of the parameters that were sent."""
        return {name: self.params[name] for name in names if name in self.params}


Endpoint = Callable[[Call], Object]
Endpoints = dict[tuple[str, str], Endpoint]


def honours(*names: str) -> Callable[[Endpoint], Endpoint]:
    """Mark the parameters an endpoint honours; any other is refused, because ignoring it would be a lie."""

    def mark(endpoint: Endpoint) -> Endpoint:
        def checked(call: Call) -> Object:
            for name in call.params:
                if name not in names and name != "expand":
                    raise not_built(f"The parameter {name} of this call")
            return endpoint(call)

        return checked

    return mark


def free_id(call: Call, noun: str) -> None:
    """Raises the Fault resource_already_exists when an id was chosen that is taken."""
    chosen = call.params.get("id")
    if chosen is not None and call.tx.find(chosen) is not None:
        raise refused(f"{noun} already exists.", code="resource_already_exists", param="id")


def unset(value: Any) -> Any:
    """Stripe's way to clear a field is to send it empty."""
    return None if value == "" else value


def merged_metadata(old: Object, sent: Any) -> Object:
    """Keys are added and replaced; an empty value removes its key, an empty whole removes all."""
    if sent == "":
        return {}
    both = {**old, **(sent or {})}
    return {key: value for key, value in both.items() if value != ""}
