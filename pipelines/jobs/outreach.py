"""Define the Dagster jobs of the outreach: plan due campaigns, send approved plans.

The same as ``douyin outreach plan`` and ``send``.
"""

from collections import Counter

import dagster as dg

from resources.runtime import Runtime


@dg.op(
    description=(
        "为到期的活动生成计划，等待人工批准 / plans the campaigns that are due; nothing is sent without approval"
    )
)
def plan_campaigns(context: dg.OpExecutionContext, runtime: dg.ResourceParam[Runtime]) -> None:
    """Plan the campaigns that are due and report the states of their messages.

    Raises:
        dg.Failure: a campaign is invalid or could not be planned.
    """
    from resources.state.ledger import read_lines
    from services.outreach.campaigns import BadCampaign
    from services.outreach.work import plan_due

    try:
        done = plan_due(runtime)
    except BadCampaign as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    plans = {}
    for plan in done.plans:
        counts = Counter(str(line.state) for line in read_lines(runtime.state, plan_id=plan.id))
        plans[f"{plan.id} {plan.name}"] = dict(counts)
        context.log.info(f"plan {plan.id} of {plan.name} waits for approval: {dict(counts)}")
    context.add_output_metadata({"plans": plans, "failed": done.failed})
    if done.failed:
        raise dg.Failure("; ".join(f"{name}: {why}" for name, why in done.failed.items()), allow_retries=False)


@dg.op(description="发送已批准的计划 / sends what approved plans still have to send")
def send_plans(context: dg.OpExecutionContext, runtime: dg.ResourceParam[Runtime]) -> None:
    """Send the waiting messages of approved plans, then publish.

    Raises:
        dg.Failure: a plan was stopped.
    """
    from services.marts.publishing import publish
    from services.outreach.work import send_approved

    done = send_approved(runtime)
    sent = {
        str(plan): dict(one.states) | ({"waiting": dict(one.waiting)} if one.waiting else {})
        for plan, one in done.items()
    }
    context.add_output_metadata({"plans": sent})
    if done:
        publish(runtime)
    if stopped := {str(plan): one.stopped for plan, one in done.items() if one.stopped}:
        raise dg.Failure("; ".join(f"plan {plan}: {why}" for plan, why in stopped.items()), allow_retries=False)


@dg.job(description="生成触达计划 / plans campaigns that are due", executor_def=dg.in_process_executor)
def outreach_plan_job() -> None:
    """Plan the campaigns that are due."""
    plan_campaigns()


@dg.job(description="发送已批准的触达计划 / sends approved plans", executor_def=dg.in_process_executor)
def outreach_send_job() -> None:
    """Send approved plans."""
    send_plans()


def outreach_schedules() -> list[dg.ScheduleDefinition]:
    """Run each job every ten minutes; both are off until they are turned on."""
    return [
        dg.ScheduleDefinition(
            name=f"{job.name.removesuffix('_job')}_schedule",
            job=job,
            cron_schedule=cron,
            execution_timezone="Asia/Shanghai",
            default_status=dg.DefaultScheduleStatus.STOPPED,
            description=job.description,
        )
        for job, cron in ((outreach_plan_job, "*/10 * * * *"), (outreach_send_job, "5-59/10 * * * *"))
    ]
