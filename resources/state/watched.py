"""Store watch lists: values to request that no table of the platform contains, such as keywords and places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from resources.state.engine import State
from resources.state.tables import watched

KINDS = {
    "video": "videos by item_id, of one account 视频",
    "keyword": "words for the video search 视频搜索词",
    "poi": "places by poi_id 门店",
    "poi-keyword": "words for the place search 门店关键词",
    "amap": "places by AMap id 高德 POI id",
}
NEED_ACCOUNT = frozenset({"video"})
"""Kinds whose values are valid for one account only."""


@dataclass(frozen=True, slots=True)
class WatchedItem:
    """One value of a watch list; ``open_id`` is empty if no account is named."""

    kind: str
    value: str
    open_id: str


def watch(state: State, client_key: str, values: Iterable[WatchedItem], now: datetime) -> int:
    """Add values and return how many are new; existing ones stay unchanged.

    Raises:
        ValueError: the kind is unknown, the value empty, or an account is missing.
    """
    wanted = list(dict.fromkeys(values))
    for one in wanted:
        if one.kind not in KINDS:
            raise ValueError(f"{one.kind!r} is no watch list; there are: {', '.join(KINDS)}")
        if not one.value.strip():
            raise ValueError(f"an empty {one.kind} cannot be watched")
        if one.kind in NEED_ACCOUNT and not one.open_id:
            raise ValueError(f"a {one.kind} belongs to one account: name it with --account")
    known = set(list_watched(state, client_key))
    new = [one for one in wanted if one not in known]
    if new:
        with state.begin() as db:
            db.execute(
                insert(watched),
                [
                    {
                        "client_key": client_key,
                        "kind": w.kind,
                        "value": w.value,
                        "open_id": w.open_id,
                        "added_at": now.timestamp(),
                    }
                    for w in new
                ],
            )
    return len(new)


def unwatch(state: State, client_key: str, kind: str, value: str) -> int:
    """Remove a value from a list for all accounts, and return how many lines were removed."""
    key = (watched.c.client_key == client_key) & (watched.c.kind == kind) & (watched.c.value == value)
    with state.begin() as db:
        return db.execute(delete(watched).where(key)).rowcount


def list_watched(state: State, client_key: str, kind: str | None = None) -> list[WatchedItem]:
    """Return the watched values, optionally of one kind, in order of kind, account and value."""
    query = (
        select(watched)
        .where(watched.c.client_key == client_key)
        .order_by(watched.c.kind, watched.c.open_id, watched.c.value)
    )
    if kind is not None:
        query = query.where(watched.c.kind == kind)
    with state.read() as db:
        return [WatchedItem(r.kind, r.value, r.open_id) for r in db.execute(query)]
