"""The contract's samples through the code that a run uses, for tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from contract_reading import SAMPLES, contract_name

from catalog import ENDPOINTS
from catalog.records import STANDARD_FIELDS
from services.ingest.parse import ParseReport, parse_body


def sample(name: str) -> bytes:
    """Return a sample's body by its operation, with ``__variant`` after it if there are several.

    A twin has the samples of its original.
    """
    endpoint = ENDPOINTS.get(name)
    return (SAMPLES / f"{contract_name(endpoint) if endpoint else name}.json").read_bytes()


@cache  # several tests use the same parsed sample, and none modifies it
def parse(name: str, **params: str) -> ParseReport:
    """Parse a sample as its operation's response to a request with these parameters."""
    return parse_body(ENDPOINTS[name.split("__")[0]], sample(name), params)


def rows(parsed: ParseReport, table: str) -> list[dict[str, Any]]:
    """Return the rows of one table over all its days, without the standard columns."""
    found = [r for p in parsed.partitions if p.table.name == table for r in p.rows.to_pylist()]
    return [{k: v for k, v in r.items() if k not in STANDARD_FIELDS} for r in found]
