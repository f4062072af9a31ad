"""From lake and state to ``warehouse.duckdb``, without Dagster: half a second of CPU and 27 MiB that ``douyin publish`` does not need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from resources import shutdown
from resources.runtime import Runtime
from resources.state.load_status import changed_days
from resources.storage.partition import LakeCorrupt
from resources.warehouse.publisher import ExtraTables, Publication, TableByDay
from resources.warehouse.state_tables import load_status_batches, read_state_tables
from services.marts.binding import CompiledMart, keep
from services.marts.build import Marts
from services.reporting.dictionary import dictionary, first_days


def publish(runtime: Runtime, *, marts: bool = True, rebuild: bool = False, again: bool = True) -> Publication:
    """Make the marts that are out of date, then bring ``warehouse.duckdb`` up to the lake and the state, or make it anew.

    Days whose files do not read back are left out and told of (``damaged``); damaged files of marts are put aside, and
    made again where ``marts`` are made. Without ``again`` a file that holds all that is there stays as it is; what it
    says of the clock is then that of its publication, on the same day (UTC).
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
    """Both as one publication, of which the first found damaged files of marts that the second made again."""
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


def _handed_over(runtime: Runtime, bound: Mapping[str, CompiledMart]) -> dict[str, ExtraTables]:
    """What lies in no file of the lake, as it is now."""
    return {
        "meta.load_status": TableByDay(changed_days(runtime.state), partial(load_status_batches, runtime.state)),
        "meta.dictionary": dictionary(bound, first_days(runtime.lake, bound)),
        **read_state_tables(runtime.state, runtime.settings, runtime.clock.now()),
    }
