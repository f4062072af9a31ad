"""``douyin dev``: start Dagster's UI and daemon on this machine, against the sandbox unless credentials are set.

Its commands change the source code of a checkout.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import Annotated

import typer
from pydantic import SecretStr

from apps.cli.console import console, fail, load_settings, open_runtime
from apps.cli.new_endpoint import new_endpoint
from resources.config.settings import Settings
from resources.config.settings_parts import App

app = typer.Typer(invoke_without_command=True)
app.command()(new_endpoint)


@app.callback()
def dev(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535, help="port of the UI on 127.0.0.1")] = 3000,
    sandbox_port: Annotated[int, typer.Option(min=0, max=65535, help="port of the sandbox, when one is needed")] = 8765,
) -> None:
    """Open the Dagster UI with assets, partitions and schedules. Without credentials it also starts a sandbox."""
    if context.invoked_subcommand is not None:
        return
    settings = load_settings(has_own_home=True)
    from apps.cli.demo import DEMO_START
    from apps.cli.process_guard import guarded
    from apps.cli.simulation import authorize_all, running_sandbox, sandbox_settings
    from pipelines.home import prepare_dagster_home
    from resources.config.project import SHIPPED

    with ExitStack() as stack:
        if not settings.has_credentials:
            from sandbox.config import SandboxConfig

            config = SandboxConfig(port=sandbox_port)
            try:
                url = stack.enter_context(running_sandbox(config))
            except OSError as error:
                fail(
                    f"the sandbox cannot listen on port {sandbox_port} ({error.strerror}): choose another "
                    "with --sandbox-port"
                )
            settings = sandbox_settings(settings, url, config, home=settings.home / "demo", start_date=DEMO_START)
            settings.home.mkdir(parents=True, exist_ok=True)
            (settings.home / ".demo").touch()
            with open_runtime(settings) as runtime:
                authorized = authorize_all(runtime)
            console.print(
                f"no credentials: using the sandbox at [bold]{url}[/bold] with {len(authorized)} "
                f"accounts, data in {settings.home}"
            )
        else:
            load_settings()
        home = prepare_dagster_home(settings)
        command = [
            sys.executable,
            "-m",
            "dagster",
            "dev",
            "--workspace",
            str(SHIPPED / "workspace.yaml"),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--log-level",
            "warning",
        ]
        console.print(
            f"Dagster UI: [bold]http://127.0.0.1:{port}[/bold]  (home {home}; Ctrl-C ends it)\nSchedules "
            "are off until you turn them on under Automation."
        )
        # A process group of its own: `dagster dev` starts a daemon and a server, and all of them must end together.
        child = subprocess.Popen(
            command, cwd=home, env=environment(settings), start_new_session=True, preexec_fn=_listen
        )
        for number in (signal.SIGTERM, signal.SIGHUP):  # SIGHUP: the terminal was closed
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, _interrupt)
        try:
            with guarded(child):
                code = child.wait()
        except KeyboardInterrupt:
            _stop_group(child)
            code = 0
    raise typer.Exit(code)


def _listen() -> None:
    """Receive SIGINT in the child also when shells disabled it for a command in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(_signal, _frame) -> None:
    raise KeyboardInterrupt


def _stop_group(child: subprocess.Popen) -> None:
    """End all processes of the child's group by SIGINT, SIGTERM, then SIGKILL."""
    for number, patience_s in ((signal.SIGINT, 10), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        try:
            child.wait(timeout=patience_s)
        except subprocess.TimeoutExpired:
            continue
        with suppress(ProcessLookupError):  # the group may outlive its leader
            os.killpg(child.pid, signal.SIGKILL)
        return


def _plain(app: App) -> dict[str, str]:
    """Return an app as JSON, with its secrets in the clear."""
    return {
        k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in app.model_dump(exclude_none=True).items()
    }


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables from which a child process reads these settings, wherever it runs."""
    values = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif name == "apps":
            value = json.dumps([_plain(app) for app in value])
        elif isinstance(value, list):
            value = json.dumps(value)
        elif isinstance(value, dict):
            value = json.dumps({key: limit.model_dump(exclude_none=True) for key, limit in value.items()})
        if value is not None:
            values[f"DOUYIN_{name.upper()}"] = str(value)
    # `dagster dev` recommends a tool of its makers on every start; this project does not need it.
    return os.environ | values | {"PYTHONWARNINGS": "ignore:Function `dev_command`"}
