"""Measure a scheduled run with nothing to fetch against an empty Dagster run.

The difference is the cost of start-up, definitions and settled steps. Two homes have the same ``dagster.yaml``. Each
has a code server that is up, as the daemon keeps one. Runs are submitted to it as the daemon does when it takes a run
from the queue. The server starts a process, which loads the definitions and executes the run, steps in that process.
One server has ours, the other a single asset that does nothing. Our jobs have run before against a sandbox, so
everything is settled, and the measured runs make no call. (A request that failed for a transient reason is repeated;
the table counts those.) Measured are the time from submission until the run is a SUCCESS, and the CPU of the process
from its start to its end. The wait in the queue (0 to 5 s, the daemon's pause) is the same for both and excluded.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import dagster as dg
import httpx

from benchmarks.results import Figure, Table, save

INSTANT = "2026-11-17T15:30:00+08:00"
TODAY, YESTERDAY = date(2026, 11, 17), date(2026, 11, 16)
HOURLY = "hot_words_job"
JOBS = {
    HOURLY: (TODAY, TODAY),
    "billboards_job": (TODAY, TODAY),
    "snapshots_job": (TODAY, TODAY),
    "daily_metrics_job": (date(2026, 11, 14), YESTERDAY),
}
QUIET = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}
"""The log level of our schedules."""
REACH = 1.3
AUTHORIZE = """
from pipelines.home import prepare_dagster_home
from apps.cli.simulation import authorize_all
from resources.runtime import Runtime
runtime = Runtime()
prepare_dagster_home(runtime.settings)
print(len(authorize_all(runtime)))
runtime.close()
"""


@dg.asset
def nothing() -> None:
    """Do nothing: the asset of an empty run."""


empty = dg.Definitions(
    assets=[nothing],
    jobs=[dg.define_asset_job("empty_job", executor_def=dg.in_process_executor)],
    executor=dg.in_process_executor,
)


# --------------------------------------------------------------------------- in a process for each home


def serve(module: str, attribute: str) -> None:
    """Keep a code server for ``module`` up and execute the run named by each line of stdin.

    The reply to each is a line of measurements.
    """
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import ModuleTarget

    with dg.DagsterInstance.get() as instance:
        began = time.monotonic()
        with WorkspaceProcessContext(instance, ModuleTarget(module, attribute, None, "bench")) as workspace:
            context = workspace.create_request_context()
            next(iter(context.code_locations)).get_repositories()
            print(json.dumps({"wall": time.monotonic() - began, "cpu": _used(_server())[0]}), flush=True)
            for line in sys.stdin:
                job, tags = json.loads(line)
                print(json.dumps(make_run(instance, workspace, job, tags)), flush=True)


def make_run(instance: dg.DagsterInstance, workspace, job_name: str, tags: dict[str, str]) -> dict[str, float]:
    """Submit a run to the code server as a schedule does and measure it.

    Returns:
        Seconds until it is a success, CPU seconds of its process, and its steps.
    """
    context = workspace.create_request_context()
    (location,) = context.code_locations
    (repository,) = location.get_repositories().values()
    job = repository.get_full_job(job_name)
    plan = location.get_execution_plan(job, QUIET, step_keys_to_execute=None, known_state=None, instance=instance)
    run = instance.create_run(
        job_name=job_name,
        run_id=None,
        run_config=QUIET,
        resolved_op_selection=None,
        step_keys_to_execute=None,
        op_selection=None,
        status=dg.DagsterRunStatus.NOT_STARTED,
        root_run_id=None,
        parent_run_id=None,
        tags={**job.run_tags, **tags},
        job_snapshot=job.job_snapshot,
        execution_plan_snapshot=plan.execution_plan_snapshot,
        parent_job_snapshot=job.parent_job_snapshot,
        remote_job_origin=job.get_remote_origin(),
        job_code_origin=job.get_python_origin(),
        asset_selection=None,
        asset_check_selection=None,
        asset_graph=repository.asset_graph,
    )
    server = _server()
    _, before = _used(server)
    began = time.monotonic()
    instance.launch_run(run.run_id, context)
    while not (found := instance.get_run_by_id(run.run_id)).is_finished:
        time.sleep(0.02)
    wall = time.monotonic() - began
    if found.status is not dg.DagsterRunStatus.SUCCESS:
        raise RuntimeError(
            f"{job_name}: {found.status}\n" + "\n".join(e.user_message for e in instance.all_logs(run.run_id))[-3000:]
        )
    until = time.monotonic() + 60
    while (after := _used(server)[1]) == before:  # the server has not reaped its child yet
        if time.monotonic() > until:
            raise RuntimeError("the code server does not collect its child")
        time.sleep(0.05)
    stats = instance.get_run_stats(run.run_id)
    record = instance.get_run_record_by_id(run.run_id)
    return {
        "wall": wall,
        "cpu": after - before,
        "steps": stats.steps_succeeded,
        "executing": record.end_time - record.start_time,
    }


def _server() -> int:
    """Return the process of the code server, the only child of this one."""
    (child,) = (pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split())
    return int(child)


def _used(pid: int) -> tuple[float, float]:
    """Return CPU seconds of a process, and of its children that have ended."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    own, children = sum(map(int, words[11:13])), sum(map(int, words[13:15]))
    return own / os.sysconf("SC_CLK_TCK"), children / os.sysconf("SC_CLK_TCK")


# --------------------------------------------------------------------------- the comparison


class Served:
    """A process that keeps a code server up and executes runs."""

    def __init__(self, module: str, attribute: str, environment: dict[str, str]) -> None:
        words = [sys.executable, "-m", "benchmarks.scheduled_run", "--serve", module, attribute]
        self.process = subprocess.Popen(
            words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.loading = self._answer()

    def run(self, job: str, tags: dict[str, str]) -> dict[str, float]:
        """Execute a run of a job with these tags and return its measurements."""
        self.process.stdin.write(json.dumps([job, tags]) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, float]:
        while "- dagster" in (line := self.process.stdout.readline()):
            pass  # a log line of the server
        if not line.startswith("{"):
            raise RuntimeError(f"the code server's process ended with {self.process.wait()} {line}")
        return json.loads(line)

    def close(self) -> None:
        """Stop the process."""
        self.process.stdin.close()
        self.process.wait(timeout=60)


def main() -> None:
    """Measure the jobs, or serve, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="all jobs instead of the hourly one alone")
    parser.add_argument("--serve", nargs=2, metavar=("MODULE", "ATTRIBUTE"), help="used by the script itself")
    given = parser.parse_args()
    if given.serve:
        serve(*given.serve)
        return
    jobs, rounds = list(JOBS) if given.full else [HOURLY], 3
    words = [
        sys.executable,
        "-m",
        "apps.cli.main",
        "sandbox",
        "--port",
        "0",
        "--accounts",
        "10",
        "--videos",
        "30",
        "--now",
        INSTANT,
        "--qps",
        "100000",
    ]
    with tempfile.TemporaryDirectory(prefix="douyin-bench-") as folder:
        box = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "400"})
        try:
            url = next(found[0] for line in box.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            report(url, Path(folder), jobs, rounds)
        finally:
            box.terminate()
            box.wait()


def report(url: str, folder: Path, jobs: list[str], rounds: int) -> None:
    """Measure our jobs against an empty run, and save the figures."""
    environment = prepare(url, folder)
    plain = environment | {"DAGSTER_HOME": str(folder / "empty")}
    (folder / "empty").mkdir()
    (folder / "empty" / "dagster.yaml").write_bytes((folder / "home" / "dagster" / "dagster.yaml").read_bytes())
    imports = {
        name: statistics.median(_import(name, environment) for _ in range(3))
        for name in ("dagster", "pipelines.code_location")
    }
    ours, other = (
        Served("pipelines.code_location", "repository", environment),
        Served("benchmarks.scheduled_run", "empty", plain),
    )
    tags = {job: _tags(*JOBS[job]) for job in jobs}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ("empty run", *jobs)}
    for job in (
        "snapshots_job",
        *(j for j in jobs if j != "snapshots_job"),
    ):  # the first run makes the requests; snapshot jobs give other jobs their videos
        ours.run(job, _tags(*JOBS[job]))
        ours.run(job, _tags(*JOBS[job]))
    other.run("empty_job", {})
    for _ in range(rounds):
        found["empty run"].append(other.run("empty_job", {}) | {"calls": 0})
        for job in jobs:
            httpx.delete(f"{url}/_sandbox/stats", trust_env=False).raise_for_status()
            ran = ours.run(job, tags[job])
            found[job].append(
                ran | {"calls": httpx.get(f"{url}/_sandbox/stats", timeout=60, trust_env=False).json()["total"]}
            )
    assert not any(r["calls"] for r in found[HOURLY]), "calls were made by runs that had nothing to fetch"
    ours.close()
    other.close()
    middle = {name: {k: statistics.median(r[k] for r in runs) for k in runs[0]} for name, runs in found.items()}
    base = middle["empty run"]
    ratio = middle[HOURLY]["wall"] / base["wall"]
    cpu_ratio = middle[HOURLY]["cpu"] / base["cpu"]
    save(
        "scheduled_run",
        [
            Figure(
                "scheduled run with nothing to do against an empty Dagster run, CPU",
                f"≤ {REACH}",
                f"{cpu_ratio:.2f}×",
                cpu_ratio <= REACH,
                "" if cpu_ratio <= REACH else WHY,
            ),
            Figure("the same, wall time", f"≤ {REACH}", f"{ratio:.2f}×", ratio <= REACH, "" if ratio <= REACH else WHY),
        ],
        [
            Table(
                f"A launched run with nothing to fetch, median of {rounds}",
                ["", "steps", "calls", "wall, s", "CPU, s", "of it the run itself, s", "wall ratio", "CPU ratio"],
                [
                    [
                        name,
                        f"{m['steps']:.0f}",
                        f"{m['calls']:.0f}",
                        f"{m['wall']:.2f}",
                        f"{m['cpu']:.2f}",
                        f"{m['executing']:.2f}",
                        f"{m['wall'] / base['wall']:.2f}×",
                        f"{m['cpu'] / base['cpu']:.2f}×",
                    ]
                    for name, m in middle.items()
                ],
                f"A code server with our definitions is up after {ours.loading['wall']:.1f} s "
                f"({ours.loading['cpu']:.1f} s CPU), one with the empty ones after "
                f"{other.loading['wall']:.1f} s ({other.loading['cpu']:.1f} s CPU). "
                f"`import dagster` takes {imports['dagster']:.2f} s of CPU, `import "
                f"pipelines.code_location` {imports['pipelines.code_location']:.2f} s.",
            )
        ],
    )


WHY = (
    "what a step makes the day's rows of the archive with, Arrow, DuckDB and pandas, takes longer to "
    "import than to work; then four steps with their checks and events, "
    "and the versions of their inputs that Dagster reads"
)


def prepare(url: str, folder: Path) -> dict[str, str]:
    """Prepare a home with authorised accounts and Dagster's configuration; return its environment."""
    from apps.cli.simulation import SANDBOX_TOKEN_KEY

    home = folder / "home"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DOUYIN_", "DAGSTER_"))} | {
        "DOUYIN_HOME": str(home),
        "DOUYIN_BASE_URL": url,
        "DOUYIN_CLIENT_KEY": "sandbox-key",
        "DOUYIN_CLIENT_SECRET": "sandbox-secret",
        "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
        "DOUYIN_CLOCK": INSTANT,
        "DOUYIN_START_DATE": "2026-10-01",
        "DOUYIN_QPS": "1000",
        "DAGSTER_HOME": str(home / "dagster"),
        "PYTHONPATH": os.getcwd(),
    }
    subprocess.run([sys.executable, "-c", AUTHORIZE], env=environment, check=True, capture_output=True)
    return environment


def _tags(first: date, last: date) -> dict[str, str]:
    """Return the tags of a schedule's run request: one partition, or a range of them in one run."""
    from pipelines.jobs.tables import range_tags

    return {"dagster/partition": first.isoformat()} if first == last else range_tags(first, last)


def _import(name: str, environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", f"import {name}"], env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
