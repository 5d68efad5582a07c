"""Lists: newest first, in pages between cursors."""

from __future__ import annotations

import json
import re
from typing import Any

from app.sandbox.api.call import Call
from app.sandbox.blanks import Object
from app.sandbox.fault import missing, refused

_PAGING = ("limit", "starting_after", "ending_before")
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_PATH = re.compile(r"[a-z_]+(\[0\])?(\.[a-z_]+(\[0\])?)*\Z")


def listing(call: Call, kind: str, url: str, **filters: Any) -> Object:
    """A page of the objects of a kind whose fields have these values (None: any); `created` may be a range."""
    limit = _limit(call)
    assert _PATH.match(kind), kind
    where: list[str] = [f"object = '{kind}'"]  # in the text, so that the indexes of single kinds are found
    values: list[Any] = []
    for path, value in filters.items():
        _filter(where, values, path.replace("__", "."), value)
    created = call.params.get("created")
    for sign, at in created.items() if isinstance(created, dict) else [("", created)] if created is not None else []:
        where.append(f"json_extract(body, '$.created') {_SIGNS.get(sign, '=')} ?")
        values.append(at)
    backwards = "ending_before" in call.params
    for name, sign in (("starting_after", "<"), ("ending_before", ">")):
        if name in call.params:
            where.append(f"seq {sign} ?")
            values.append(_place(call, name))
    order = "ASC" if backwards else "DESC"
    query = f"SELECT body FROM objects WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?"  # noqa: S608  # our own words
    rows = [json.loads(row[0]) for row in call.tx.sql.execute(query, (*values, limit + 1))]
    page = rows[:limit]
    return as_list(page[::-1] if backwards else page, url, has_more=len(rows) > limit)


def whole(call: Call, items: list[Object], url: str) -> Object:
    """A page of a short list that lives inside another object, in its own order."""
    limit, ids = _limit(call), [item["id"] for item in items]
    start, end = 0, len(items)
    for name in ("starting_after", "ending_before"):
        if name in call.params and call.params[name] not in ids:
            raise missing("object", call.params[name], name)
    if "starting_after" in call.params:
        start = ids.index(call.params["starting_after"]) + 1
    if "ending_before" in call.params:
        end = ids.index(call.params["ending_before"])
        start = max(0, end - limit)
        return as_list(items[start:end], url, has_more=start > 0)
    return as_list(items[start : start + limit], url, has_more=start + limit < len(items))


def as_list(data: list[Object], url: str, *, has_more: bool = False) -> Object:
    """The envelope."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def paging(*names: str) -> tuple[str, ...]:
    """The parameters every list has, and these."""
    return (*_PAGING, *names)


def _filter(where: list[str], values: list[Any], path: str, value: Any) -> None:
    assert _PATH.match(path), path
    if value is None:
        return
    several = value if isinstance(value, list | tuple) else [value]
    where.append(f"json_extract(body, '$.{path}') IN ({', '.join('?' * len(several))})")
    values.extend(several)


def _limit(call: Call) -> int:
    limit = call.params.get("limit", 10)
    if not 1 <= limit <= 100:
        words = "less than or equal to 100" if limit > 100 else "greater than or equal to 1"
        raise refused(f"This value must be {words}.", code="parameter_invalid_integer", param="limit")
    return int(limit)


def _place(call: Call, name: str) -> int:
    row = call.tx.sql.execute("SELECT seq FROM objects WHERE id = ?", (call.params[name],)).fetchone()
    if row is None:
        raise missing("object", call.params[name], name)
    return int(row[0])
