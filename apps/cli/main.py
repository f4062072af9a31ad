"""Define the ``douyin`` command. Heavy libraries are imported by the commands that need them."""

from __future__ import annotations

import typer

from apps.cli import (
    accounts,
    alerts,
    authorize,
    backfill,
    coverage,
    dashboard,
    demo,
    develop,
    doctor,
    export,
    needs,
    outreach,
    parse,
    project,
    receive,
    replay,
    report,
    run,
    sandbox,
    sql,
    status,
    storage,
    verify,
    watch,
)
from apps.cli.error_messages import Explaining, speak_any_text
from resources.storage.private import keep_private

app = typer.Typer(
    name="douyin",
    cls=Explaining,
    help="抖音开放平台数据仓库 / Douyin Open Platform into a DuckDB warehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)

app.command()(demo.demo)
app.command()(project.init)
app.command()(sandbox.sandbox)
app.add_typer(develop.app, name="dev")
app.command()(run.run)
app.command()(backfill.backfill)
app.command()(replay.replay)
app.command()(verify.verify)
app.command()(run.publish)
app.command()(status.status)
app.command()(sql.sql)
app.command()(parse.parse)
app.command()(export.export)
app.command()(report.report)
app.command()(dashboard.dashboard)
app.command()(doctor.doctor)
app.command()(authorize.authorize)
app.add_typer(accounts.app, name="accounts")
app.command()(coverage.coverage)
app.add_typer(watch.app, name="watch")
app.add_typer(storage.app, name="storage")
app.add_typer(needs.app, name="needs")
app.add_typer(receive.app, name="receive")
app.add_typer(outreach.app, name="outreach")
app.add_typer(alerts.app, name="alerts")


def main() -> None:
    """Run the ``douyin`` command."""
    keep_private()
    speak_any_text()
    app()


if __name__ == "__main__":
    main()
