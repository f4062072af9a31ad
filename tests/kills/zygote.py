"""Fork a day's work on each order from a process with all imports: 300 kills would otherwise be 300 imports.

Orders are lines of JSON on standard input: ``{"home": …, "settings": {DOUYIN_…}, "step": null or [name, number,
"before" or "after"]}``.

The child is a process group of its own and does the day: Dagster runs over the tables, then a publication. Replies are
lines too: ``started <pid>``, and ``ended <status>`` with the status of waitpid. Product code has no hook for this: the
child wraps the functions of the operating system and of the database driver that the named steps call, and kills itself
there.
"""

from __future__ import annotations

import json
import os
import signal
import sys

TABLES = (
    "hot_words",
    "videos",
    "video_totals",
    "fans_profile",
    "item_play",
    "user_fans",
    "comments",
    "comment_reads",
    "ent_rank_versions",
    "ent_ranks",
)
STEPS = (
    "archive write",
    "archive fsync",
    "archive rename",
    "archive folder fsync",
    "parquet write",
    "parquet fsync",
    "parquet rename",
    "state commit",
    "publish copy",
    "publish fsync",
    "publish swap",
)


def suicide(step: str, number: int, when: str) -> None:  # noqa: C901 - a wrapper for each step
    """Die at the ``number``-th ``step``, before or after it is done; half of a write is done."""
    from sqlalchemy.engine.default import DefaultDialect

    import resources.storage.atomic as pending

    seen = 0

    def dying(real, name_of):
        def call(*arguments, **more):
            nonlocal seen
            hit = False
            if name_of(*arguments) == step:
                seen += 1
                hit = seen == number
            if hit and when == "before":
                os.killpg(0, signal.SIGKILL)
            result = real(*arguments, **more)
            if hit:
                os.killpg(0, signal.SIGKILL)
            return result

        return call

    def dataset(path: str) -> str:
        return (
            "archive"
            if "/archive/" in path
            else "parquet"
            if "/lake/" in path
            else "publish"
            if "warehouse.duckdb" in path
            else "other"
        )

    def fsync_name(fd: int) -> str:
        path = os.readlink(f"/proc/self/fd/{fd}")
        return f"{dataset(path + '/')} folder fsync" if os.path.isdir(path) else f"{dataset(path)} fsync"

    def replace_name(_source, target) -> str:
        return "publish swap" if str(target).endswith("warehouse.duckdb") else f"{dataset(str(target))} rename"

    class Half:
        """A file whose write is interrupted."""

        def __init__(self, file) -> None:
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *error) -> None:
            self.file.close()

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data) -> int:
            nonlocal seen
            if f"{dataset(self.file.name)} write" == step:
                seen += 1
                if seen == number:
                    self.file.write(data[: len(data) // 2])
                    self.file.flush()
                    os.killpg(0, signal.SIGKILL)
            return self.file.write(data)

    os.fsync = dying(os.fsync, fsync_name)
    os.replace = dying(os.replace, replace_name)
    os.copy_file_range = dying(
        os.copy_file_range,
        lambda _source, target, _count: (
            "publish copy" if "warehouse" in os.readlink(f"/proc/self/fd/{target}") else "other"
        ),
    )
    DefaultDialect.do_commit = dying(DefaultDialect.do_commit, lambda *_: "state commit")
    pending.open = lambda *arguments: Half(open(*arguments))  # noqa: SIM115


def work(order: dict) -> int:
    """Do a day's work in the child: the plan's runs, and a publication. Returns 0 on success."""
    os.environ.update(order["settings"])
    from datetime import date

    from pipelines.runner import Runner, plan
    from resources.config.settings import Settings
    from resources.runtime import Runtime

    runtime = Runtime(Settings(_env_file=None))
    if order["step"]:
        suicide(*order["step"])
    problems = {}
    with Runner(runtime) as runner:
        for due in plan(TABLES, date.fromisoformat(order["day"]), runtime.settings):
            problems |= runner.run(due.cadence, due.first, due.tables, last=due.last).problems
        runner.publish()
    for step, said in problems.items():
        print(step, said, file=sys.stderr)
    return 1 if problems else 0


def main() -> None:
    import resources.client.client
    import resources.storage.lake
    import resources.warehouse.publisher  # noqa: F401
    from pipelines import definitions  # noqa: F401

    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()
            try:
                code = work(order)
            except BaseException as error:
                import traceback

                traceback.print_exception(error)
                code = 2
            sys.stderr.flush()
            os._exit(code)
        print("started", child, flush=True)
        print("ended", os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
