"""Asset checks that follow from the catalogue: what must hold of every partition of a core table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from assets.ingest.normalise import newest_observation
from assets.ingest.run import Ingested
from catalog import FIELDS, endpoints_of
from catalog.records import Field, History, Table, beijing_day

UNIQUE, NOT_NULL, RANGES, FRESH, ACCOUNTS, PARSED = (
    "key_is_unique", "not_null", "accepted_ranges", "fresh", "one_status_per_account", "no_quarantine",
)  # fmt: skip


def check_specs(table: Table) -> list[dg.AssetCheckSpec]:
    """The checks of one table; their results come from the asset itself, over the rows it just landed."""
    return [
        dg.AssetCheckSpec(UNIQUE, asset=table.name, description=f"{', '.join(table.primary_key)} identify a row / 主键唯一"),
        dg.AssetCheckSpec(NOT_NULL, asset=table.name, description=f"never empty: {', '.join(table.not_null)} / 非空"),
        dg.AssetCheckSpec(RANGES, asset=table.name, description="values lie in the ranges that the catalogue accepts / 取值范围"),
        dg.AssetCheckSpec(FRESH, asset=table.name, description="max(observed_at) is as recent as the partition can be / 数据新鲜"),
        dg.AssetCheckSpec(ACCOUNTS, asset=table.name, description="every account and operation has one outcome, and none failed / 账号采集结果"),
        dg.AssetCheckSpec(PARSED, asset=table.name, description="no row is in quarantine / 无隔离数据"),
    ]


def check_results(ingested: Ingested, now: datetime) -> Iterator[dg.AssetCheckResult]:
    """Results over all partitions that landed. Failures of accounts and rows warn; broken keys and ranges are errors."""
    table = ingested.table
    parts = [p.rows for p in ingested.partitions.values()]
    rows = pa.concat_tables(parts) if parts else None
    if rows is not None:
        yield _result(UNIQUE, {"duplicate_keys": _duplicate_keys(table, rows)})
        yield _result(NOT_NULL, {name: rows[name].null_count for name in table.not_null})
        yield _result(RANGES, {f.name: n for f in map(FIELDS.get, table.columns) if (n := _outside(f, rows[f.name]))})
        yield _fresh(ingested, now)
    yield _accounts(ingested)
    quarantined = {str(d): p.quarantine.num_rows for d, p in ingested.partitions.items() if p.quarantine.num_rows}
    reasons = Counter(r for p in ingested.partitions.values() for r in p.quarantine["reason"].to_pylist())
    yield _result(PARSED, quarantined, dg.AssetCheckSeverity.WARN, {"reasons": dict(reasons.most_common(5))} if reasons else {})


def _result(name: str, counts: dict[str, int], severity=dg.AssetCheckSeverity.ERROR, more: dict | None = None) -> dg.AssetCheckResult:
    """Passes when every count is 0."""
    bad = {k: v for k, v in counts.items() if v}
    return dg.AssetCheckResult(
        check_name=name, passed=not bad, severity=severity, metadata=bad | (more or {}),
        description="" if not bad else ", ".join(f"{k}: {v}" for k, v in bad.items()),
    )  # fmt: skip


def _duplicate_keys(table: Table, rows: pa.Table) -> int:
    key = ["dt", *table.primary_key]
    return rows.num_rows - rows.group_by(key).aggregate([]).num_rows


def _outside(field: Field, values: pa.ChunkedArray) -> int:
    """How many values are outside of what the catalogue accepts."""
    bad = 0
    if field.minimum is not None:
        bad += pc.sum(pc.less(values, field.minimum)).as_py() or 0
    if field.maximum is not None:
        bad += pc.sum(pc.greater(values, field.maximum)).as_py() or 0
    if field.allowed is not None:
        bad += pc.sum(pc.invert(pc.is_in(pc.drop_null(values), pa.array(field.allowed, values.type)))).as_py() or 0
    return bad


def _fresh(ingested: Ingested, now: datetime) -> dg.AssetCheckResult:
    """The newest partition was observed within its cadence. A backfill of old days says nothing about freshness and passes."""
    table = ingested.table
    dt = max(ingested.partitions)
    newest = newest_observation(ingested.partitions[dt].rows)
    cadence = endpoints_of(table.name)[0].cadence
    latest = beijing_day(now) - timedelta(days=1) if table.history is History.WINDOW else beijing_day(now)
    metadata = {"observed_at": str(newest), "cadence": cadence.doc_en}
    passed = dt < latest or newest is None or newest >= cadence.slot(now) or newest >= now - timedelta(days=1, hours=1)
    return dg.AssetCheckResult(check_name=FRESH, passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)


def _accounts(ingested: Ingested) -> dg.AssetCheckResult:
    seen = Counter((s.dt, s.operation, s.client_key, s.open_id) for s in ingested.statuses)
    twice = sum(1 for n in seen.values() if n > 1)
    failed = Counter(str(s.status) for s in ingested.failures())
    first = next((s.reason for s in ingested.failures()), None)
    return dg.AssetCheckResult(
        check_name=ACCOUNTS,
        passed=not failed and not twice,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"outcomes": dict(Counter(str(s.status) for s in ingested.statuses)), "listed_twice": twice},
        description=f"{dict(failed)}; first: {first}" if failed else "",
    )
