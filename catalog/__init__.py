"""What the platform offers: records without I/O. The lowest floor of the house; it imports no other room."""

from catalog.endpoints import ENDPOINTS, endpoints_of
from catalog.fields import FIELDS
from catalog.operations import OPERATIONS, OTHER_OPERATIONS
from catalog.tables import TABLES

__all__ = ["ENDPOINTS", "FIELDS", "OPERATIONS", "OTHER_OPERATIONS", "TABLES", "endpoints_of"]
