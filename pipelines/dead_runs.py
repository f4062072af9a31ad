"""Find and end runs whose process was killed.

Dagster believes them alive: they would occupy their pools and block the publishing sensor for ever.
"""

import dagster as dg

from resources.storage.atomic import RUN_PROCESS, is_dead

ACTIVE = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs whose process is gone as failed and free their pools; return their ids.

    Runs of other machines are left alone.
    """
    ended = []
    for run in instance.get_runs(dg.RunsFilter(statuses=ACTIVE)):
        if is_dead(run.tags.get(RUN_PROCESS, "")):
            instance.report_run_failed(
                run, "its process was killed; run the partition again: nothing is requested twice"
            )
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            ended.append(run.run_id)
    return ended
