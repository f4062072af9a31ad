"""The ``douyin`` command. Heavy libraries are imported by the commands that need them."""

from __future__ import annotations

import typer

from pipelines.commands import account, demo, develop, inspect, parse, run, sandbox, sql

app = typer.Typer(
    name="douyin",
    help="抖音开放平台数据仓库 / Douyin Open Platform into a DuckDB warehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)

app.command()(demo.demo)
app.command()(sandbox.sandbox)
app.command("dev")(develop.dev)
app.command()(run.run)
app.command()(run.publish)
app.command()(inspect.status)
app.command()(sql.sql)
app.command()(parse.parse)
app.command()(inspect.doctor)
app.command()(account.authorize)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
