"""What the platform offers: records without I/O. The lowest floor of the house; it imports no other room."""

from functools import cache

from catalog.endpoints import ENDPOINTS
from catalog.events import EVENTS, OTHER_EVENTS
from catalog.fields import FIELDS
from catalog.operations import OPERATIONS, OTHER_OPERATIONS
from catalog.records import Endpoint
from catalog.tables import TABLES

SOURCES: dict[str, Endpoint] = ENDPOINTS | EVENTS | {OTHER_EVENTS.name: OTHER_EVENTS}
"""Whatever fills tables: operations that are asked, and events that are pushed."""


@cache
def endpoints_of(table: str) -> tuple[Endpoint, ...]:
    """The doors through which ``table`` is filled, in catalogue order."""
    return tuple(e for e in SOURCES.values() if table in e.tables)


__all__ = ["ENDPOINTS", "EVENTS", "FIELDS", "OPERATIONS", "OTHER_OPERATIONS", "SOURCES", "TABLES", "endpoints_of"]
