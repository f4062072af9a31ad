"""``douyin dev``: Dagster's UI and daemon on this machine, against the sandbox unless credentials are set."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from typing import Annotated

import typer

from pipelines.console import console, load_settings


def dev(
    port: Annotated[int, typer.Option(help="port of the UI on 127.0.0.1")] = 3000,
    sandbox_port: Annotated[int, typer.Option(help="port of the sandbox, when one is needed")] = 8765,
) -> None:
    """Open the Dagster UI with assets, partitions and schedules. Without credentials a sandbox is started beside it."""
    settings = load_settings()
    from pipelines.home import REPOSITORY, prepare_dagster_home
    from pipelines.simulation import authorize_all, running_sandbox, sandbox_settings
    from resources.runtime import Runtime

    with ExitStack() as stack:
        if not settings.has_credentials:
            from sandbox.config import SandboxConfig

            config = SandboxConfig(port=sandbox_port)
            url = stack.enter_context(running_sandbox(config))
            settings = sandbox_settings(settings, url, config, home=settings.home / "demo")
            settings.home.mkdir(parents=True, exist_ok=True)
            (settings.home / ".demo").touch()
            runtime = Runtime(settings)
            authorized = authorize_all(runtime)
            runtime.close()
            console.print(f"no credentials: using the sandbox at [bold]{url}[/bold] with {len(authorized)} accounts, data in {settings.home}")
        home = prepare_dagster_home(settings)
        command = [
            sys.executable, "-m", "dagster", "dev", "--workspace", str(REPOSITORY / "workspace.yaml"),
            "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning",
        ]  # fmt: skip
        console.print(f"Dagster UI: [bold]http://127.0.0.1:{port}[/bold]  (home {home}; Ctrl-C ends it)\nSchedules are off until you turn them on under Automation.")
        # A process group of its own: `dagster dev` starts a daemon and a server, and all of them must end together.
        child = subprocess.Popen(command, cwd=REPOSITORY, env=environment(settings), start_new_session=True)
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        try:
            code = child.wait()
        except KeyboardInterrupt:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait(timeout=30)
            code = 0
    raise typer.Exit(code)


def environment(settings) -> dict[str, str]:
    """Environment variables from which a child process reads these settings."""
    values = {
        "DOUYIN_HOME": str(settings.home), "DOUYIN_BASE_URL": settings.base_url, "DOUYIN_CLIENT_KEY": settings.client_key,
        "DOUYIN_CLIENT_SECRET": settings.client_secret.get_secret_value() if settings.client_secret else None,
        "DOUYIN_QPS": str(settings.qps), "DOUYIN_CLOCK": settings.clock,
    }  # fmt: skip
    return os.environ | {k: v for k, v in values.items() if v}
