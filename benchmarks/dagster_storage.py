"""Measure a Dagster run over assets with checks: Dagster's own SQLite storage against kept connections."""

from __future__ import annotations

import logging
import os
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import dagster as dg

ASSETS, CHECKS, ROUNDS = 15, 3, 3
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_KEPT = """
run_storage:
  module: pipelines.dagster_compat.storage
  class: KeptSqliteRunStorage
  config: {base_dir: {env: DAGSTER_HOME}}
event_log_storage:
  module: pipelines.dagster_compat.storage
  class: KeptSqliteEventLogStorage
  config: {base_dir: {env: DAGSTER_HOME}}
schedule_storage:
  module: pipelines.dagster_compat.storage
  class: KeptSqliteScheduleStorage
  config: {base_dir: {env: DAGSTER_HOME}}
"""
_COMMON = "telemetry: {enabled: false}\n"


def make_asset(number: int) -> dg.AssetsDefinition:
    """Create an asset with checks."""
    name = f"asset_{number}"

    @dg.asset(name=name, check_specs=[dg.AssetCheckSpec(f"check_{c}", asset=name) for c in range(CHECKS)])
    def _asset():
        return dg.MaterializeResult(
            check_results=[dg.AssetCheckResult(check_name=f"check_{c}", passed=True) for c in range(CHECKS)]
        )

    return _asset


def run_once(configuration: str) -> tuple[float, float]:
    """Return wall and CPU seconds of the second run in a fresh home."""
    with tempfile.TemporaryDirectory() as home:
        Path(home, "dagster.yaml").write_text(_COMMON + configuration, encoding="utf-8")
        os.environ["DAGSTER_HOME"] = home
        definitions = dg.Definitions(
            assets=[make_asset(n) for n in range(ASSETS)],
            jobs=[dg.define_asset_job("all")],
            executor=dg.in_process_executor,
        )
        job = definitions.resolve_job_def("all")
        with dg.DagsterInstance.get() as instance:
            assert job.execute_in_process(instance=instance, run_config=_QUIET).success
            wall, cpu = time.monotonic(), time.process_time()
            assert job.execute_in_process(instance=instance, run_config=_QUIET).success
            wall, cpu = time.monotonic() - wall, time.process_time() - cpu
            checks = sum(
                len(
                    instance.event_log_storage.get_asset_check_execution_history(
                        dg.AssetCheckKey(dg.AssetKey(f"asset_{n}"), "check_0"), limit=5
                    )
                )
                for n in range(ASSETS)
            )
            assert checks == 2 * ASSETS, checks
        return wall, cpu


def main() -> None:
    """Measure both storages in turns and print."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    found: dict[str, list[tuple[float, float]]] = {"Dagster's own": [], "kept open": []}
    for _ in range(ROUNDS):
        found["Dagster's own"].append(run_once(""))
        found["kept open"].append(run_once(_KEPT))
    walls = {name: statistics.median(w for w, _ in runs) for name, runs in found.items()}
    cpus = {name: statistics.median(c for _, c in runs) for name, runs in found.items()}
    print(f"{ASSETS} assets with {CHECKS} checks each, in process, median of {ROUNDS}")
    for name in found:
        print(
            f"  {name:15} {walls[name]:6.2f} s wall {cpus[name]:6.2f} s CPU  "
            f"{walls[name] / walls['kept open']:5.2f}x wall {cpus[name] / cpus['kept open']:5.2f}x CPU"
        )


if __name__ == "__main__":
    main()
