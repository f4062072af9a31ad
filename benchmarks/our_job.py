"""Run the job of ``benchmarks.end_to_end`` without Dagster, as a process of its own.

It fetches, archives, writes the lake and publishes the warehouse. Before the measurement, ``publish`` creates an empty
warehouse, and ``authorize N`` exchanges the consents of N accounts.
"""

import sys

from catalog import TABLES
from resources.runtime import Runtime
from services.marts.publishing import publish


def authorize(runtime: Runtime, accounts: int) -> None:
    """Exchange the consents of so many accounts for tokens."""
    from resources.client.client import DouyinClient

    async def exchange() -> None:
        async with DouyinClient(runtime.settings, runtime.state, runtime.clock) as client:
            for n in range(1, accounts + 1):
                await client.authorize(f"{n:08d}")

    runtime.run(exchange())


def ingest_and_publish(runtime: Runtime) -> None:
    """Fill both tables of videos and publish them."""
    from services.ingest.run import ingest

    for name in ("videos", "video_totals"):
        if failed := ingest(runtime, TABLES[name], [runtime.clock.today()]).failures():
            sys.exit(f"{len(failed)} accounts failed, such as {failed[0]}")
    publish(runtime, marts=False)  # dlt builds no marts


if __name__ == "__main__":
    runtime = Runtime()
    if sys.argv[1:2] == ["authorize"]:
        authorize(runtime, int(sys.argv[2]))
    elif sys.argv[1:] == ["publish"]:
        publish(runtime, marts=False)
    else:
        ingest_and_publish(runtime)
    runtime.close()
