"""The contract's samples through the code that a run uses, for tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from contract_reading import SAMPLES, contract_name

from catalog import ENDPOINTS
from catalog.records import STANDARD_FIELDS
from services.ingest.parse import ParseReport, parse_body


def sample(name: str) -> bytes:
    """A sample's body by its operation, with ``__variant`` behind it where there are several; a twin answers like what it is the twin of."""
    endpoint = ENDPOINTS.get(name)
    return (SAMPLES / f"{contract_name(endpoint) if endpoint else name}.json").read_bytes()


@cache  # several tests look at what a sample becomes, and none alters it
def parse(name: str, **params: str) -> ParseReport:
    """A sample as its operation's answer to a request with these parameters."""
    return parse_body(ENDPOINTS[name.split("__")[0]], sample(name), params)


def rows(parsed: ParseReport, table: str) -> list[dict[str, Any]]:
    """Rows of one table over all its days, without the standard columns."""
    found = [r for p in parsed.partitions if p.table.name == table for r in p.rows.to_pylist()]
    return [{k: v for k, v in r.items() if k not in STANDARD_FIELDS} for r in found]
