"""Describe every operation of the platform as one record, with a module per domain."""

from __future__ import annotations

from catalog.endpoints import (
    account,
    billboard,
    comment,
    ent_rank,
    fans,
    hotsearch,
    im,
    item,
    lead,
    ops,
    poi,
    user,
    video,
)
from catalog.records import Endpoint

MODULES = (hotsearch, billboard, ent_rank, account, fans, video, item, user, comment, lead, im, poi, ops)
"""The domains. A module may have ``TABLES`` and ``FIELDS`` beside ``ENDPOINTS``, which add to those of the catalogue."""

_RECORDS = [e for module in MODULES for e in module.ENDPOINTS]

ENDPOINTS: dict[str, Endpoint] = {e.name: e for e in _RECORDS}
if len(ENDPOINTS) != len(_RECORDS):
    raise ValueError("an operation is recorded twice in catalog/endpoints")
