"""Alert from Dagster: a sensor for failed runs, and a job for all other conditions.

The sensor alerts at once. ``douyin alerts send`` does the job's work, too.
"""

import dagster as dg

from catalog.alert_kinds import AlertCondition, AlertKind, Severity
from pipelines.step_failures import error_message_of
from resources.config.settings import Settings
from resources.runtime import Runtime

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def failed_run(context: dg.RunFailureSensorContext) -> AlertCondition:
    """Describe a failed run as an alert: job, days, steps, and the first line of the first step's error.

    One subject per job.
    """
    run, steps = context.dagster_run, context.get_step_failure_events()
    first = error_message_of(steps[0].step_failure_data) if steps else (context.failure_event.message or "failed")
    line = next((x for x in first.strip().splitlines() if x.strip()), "failed")
    # Error texts may quote rows. The first line of this project's errors does not, and it is cleaned and cut before it
    # is stored.
    names = [s.step_key or "?" for s in steps]
    where = ", ".join(names[:3]) + (f" + {len(names) - 3}" if len(names) > 3 else "") or "between its steps"
    tags = run.tags
    days = tags.get("dagster/partition") or " … ".join(
        t for t in (tags.get("dagster/asset_partition_range_start"), tags.get("dagster/asset_partition_range_end")) if t
    )
    of = f" ({days})" if days else ""
    name = "materialisation from the UI" if run.job_name.startswith("__") else run.job_name
    return AlertCondition(
        AlertKind.RUN_FAILED,
        run.job_name,
        Severity.CRITICAL,
        f"{name}{of}",
        f"任务 {name}{of} 在步骤 {where} 失败：{line}",
        f"failed at {where}: {line}",
        f"Dagster UI, run {run.run_id[:8]}; douyin status",
    )


def alert_failed_runs(settings: Settings) -> dg.SensorDefinition:
    """Create the sensor that alerts about each failed run within half a minute.

    On by default: without channels in ``alerts.yaml`` it only records the alert.
    """

    @dg.run_failure_sensor(
        name="tell_failed_runs",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="运行失败时告警 / alerts when a run fails",
    )
    def _sensor(context: dg.RunFailureSensorContext):
        from resources.delivery.outgoing import deliver, hide_secrets
        from resources.delivery.routes import BadAlerts
        from resources.state.alerts import happened
        from services.alerts.work import read_alerts

        with Runtime(settings) as runtime:
            try:
                hide_secrets(settings)
                alerts = read_alerts(runtime)
                now = runtime.clock.now()
                happened(runtime.state, failed_run(context), now, alerts.repeat_of)
                done = deliver(runtime.state, alerts, settings.locks_dir, now)
                for channel, why in done.problems.items():
                    context.log.warning(f"channel {channel}: {why}")
            except BadAlerts as error:
                # Dagster repeats a failed tick for the same run forever; the job, which runs anyhow, reports the file.
                context.log.error(str(error))

    return _sensor


@dg.op(description="检查告警条件并发送到期的告警 / checks for problems and sends the alerts that are due")
def send_alerts(context: dg.OpExecutionContext, runtime: dg.ResourceParam[Runtime]) -> None:
    """Resolve alerts of jobs that succeed again, check all other conditions, and send the alerts that are due.

    Raises:
        dg.Failure: ``alerts.yaml`` is invalid.
    """
    from resources.delivery.routes import BadAlerts
    from resources.state.alerts import list_alerts, resolve
    from services.alerts.work import run_alerts

    for open_one in list_alerts(runtime.state, kinds=[AlertKind.RUN_FAILED]):
        job = open_one.key.partition(":")[2]
        last = context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=_ENDED), limit=1)
        if last and last[0].status is dg.DagsterRunStatus.SUCCESS:
            resolve(runtime.state, open_one.key, runtime.clock.now())
    try:
        looked, done = run_alerts(runtime)
    except BadAlerts as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    context.add_output_metadata(
        {
            "wrong": len(looked.found),
            "messages": done.messages,
            "alerts": done.alerts,
            "waiting": done.waiting,
            "problems": done.problems,
            "not_looked": {str(k): why for k, why in looked.not_looked.items()},
            "no_route": done.nowhere,
        }
    )
    for kind, why in looked.not_looked.items():
        context.log.warning(f"alerts of the kind {kind} cannot be looked for: {why}")
    # A robot that does not respond must not fail the run: that would be one more alert for the same robot.
    for channel, why in done.problems.items():
        context.log.warning(f"channel {channel}: {why}; what is due stays due")


@dg.job(description="检查并发送告警 / looks for alerts and sends them", executor_def=dg.in_process_executor)
def alerts_job() -> None:
    """Check for problems and send alerts."""
    send_alerts()


def alerts_schedule() -> dg.ScheduleDefinition:
    """Run the alerts job every quarter of an hour; off until it is turned on."""
    return dg.ScheduleDefinition(
        name="alerts_schedule",
        job=alerts_job,
        cron_schedule="*/15 * * * *",
        execution_timezone="Asia/Shanghai",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=alerts_job.description,
    )
