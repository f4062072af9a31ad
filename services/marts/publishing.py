"""Publish lake and state to ``warehouse.duckdb`` without Dagster.

That saves ``douyin publish`` half a second of CPU and 27 MiB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pyarrow as pa

from resources import shutdown
from resources.runtime import Runtime
from resources.state.load_status import changed_days
from resources.storage.partition import LakeCorrupt
from resources.storage.schema import PUBLISHED_SCHEMA
from resources.warehouse.extra_tables import ExtraTable, TableByDay
from resources.warehouse.publication import Publication
from resources.warehouse.state_tables import load_status_batches, read_state_tables
from services.marts.binding import CompiledMart, keep
from services.marts.build import Marts
from services.reporting.dictionary import dictionary, first_days, joins, not_available


def publish(runtime: Runtime, *, marts: bool = True, rebuild: bool = False, again: bool = True) -> Publication:
    """Build the marts that are out of date, then update ``warehouse.duckdb`` from the lake and the state.

    Days with unreadable files are left out and reported (``damaged``). Damaged files of marts are moved aside, and
    rebuilt if ``marts`` is set.

    Args:
        runtime: settings, state, lake and warehouse.
        marts: whether to build the marts that are out of date.
        rebuild: rebuild the file from scratch instead of updating the previous one.
        again: False to leave a file unchanged that has all the data; its clock-dependent values are then those of its
        publication, on the same day (UTC).

    Returns:
        What was changed, and which files are damaged.

    Raises:
        BadMart: a mart is invalid, or its rows break its description.
        PublishFailed: the lake cannot be published; the old file stays.
    """
    answers = Marts(runtime)
    with runtime.ending_soon():
        shutdown.check()
        if marts:
            answers.build_stale()
        done = runtime.warehouse.publish(partial(_handed_over, runtime, answers.bound), rebuild=rebuild, again=again)
    keep(answers.bound, runtime.settings.mart_cache_path)
    done.damaged = [*{str(one): one for one in (*answers.damaged, *done.damaged)}.values()]
    if aside := [one for one in done.damaged if one.of_mart and one.path.exists()]:
        for one in aside:
            runtime.lake.set_aside(one.path)
        if marts:
            return _with(done, publish(runtime), aside)
    return done


def _with(done: Publication, after: Publication, aside: list[LakeCorrupt]) -> Publication:
    """Merge two publications; the second one rebuilt the damaged mart files that the first one found."""
    changed = {
        name: sorted({*done.changed.get(name, ()), *after.changed.get(name, ())})
        for name in done.changed | after.changed
    }
    return replace(
        after,
        changed=changed,
        rebuilt=done.rebuilt,
        made_again=[*aside, *after.made_again],
        seconds=done.seconds + after.seconds,
    )


def _handed_over(runtime: Runtime, bound: Mapping[str, CompiledMart]) -> dict[str, ExtraTable]:
    """Read the current tables that have no files in the lake."""
    days = changed_days(runtime.state)
    published = {"published_at": runtime.clock.now(), "data_until": max(days, default=None)}
    return {
        "meta.load_status": TableByDay(days, partial(load_status_batches, runtime.state)),
        "meta.dictionary": dictionary(bound, first_days(runtime.lake, bound)),
        "meta.not_available": not_available(),
        "meta.joins": joins(bound),
        "meta.published": pa.Table.from_pylist([published], PUBLISHED_SCHEMA),
        **read_state_tables(runtime.state, runtime.settings, runtime.clock.now()),
    }
