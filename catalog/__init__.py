"""Describe the platform's operations, events, tables and columns as records without I/O.

This is the lowest layer: it imports no other package of the project.
"""

from functools import cache

from catalog.endpoints import ENDPOINTS
from catalog.events import EVENTS, OTHER_EVENTS
from catalog.fields import FIELDS
from catalog.operations import OPERATIONS, OTHER_OPERATIONS
from catalog.records import Endpoint
from catalog.tables import TABLES

SOURCES: dict[str, Endpoint] = ENDPOINTS | EVENTS | {OTHER_EVENTS.name: OTHER_EVENTS}
"""All sources of tables: operations that are requested, and events that the platform pushes."""


@cache
def endpoints_of(table: str) -> tuple[Endpoint, ...]:
    """Return the sources that fill ``table``, in catalogue order."""
    return tuple(e for e in SOURCES.values() if table in e.tables)


__all__ = ["ENDPOINTS", "EVENTS", "FIELDS", "OPERATIONS", "OTHER_OPERATIONS", "SOURCES", "TABLES", "endpoints_of"]
