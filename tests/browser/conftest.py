"""The Dagster UI of an installation, in a real browser. Skipped where Chromium is not installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import children
import httpx
import pytest
from patience import scaled

if TYPE_CHECKING:
    from installation import World
    from playwright.sync_api import Page

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Ui:
    """Dagster's web server and daemon over a world's home."""

    url: str

    def ask(self, question: str, **variables: Any) -> dict[str, Any]:
        """Query the UI's own GraphQL."""
        sent = {"query": question, "variables": variables}
        answer = httpx.post(f"{self.url}/graphql", json=sent, trust_env=False, timeout=120).json()
        assert "errors" not in answer, answer
        return answer["data"]


@pytest.fixture
def serve() -> Iterator[Callable[[World], Ui]]:
    """Start ``douyin dev`` over a world, as its own process group; everything ends with the test."""
    from apps.cli.develop import environment

    started: list[subprocess.Popen] = []

    def start(world: World) -> Ui:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        world.runtime.close()
        words = [sys.executable, "-m", "apps.cli.main", "dev", "--port", str(port)]
        with open(world.home.parent / "dev.txt", "w") as said:
            started.append(
                children.start(
                    words,
                    cwd=world.home,
                    env=environment(world.runtime.settings),
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                )
            )
        ui, deadline = Ui(f"http://127.0.0.1:{port}"), time.monotonic() + scaled(180)
        while True:
            assert started[-1].poll() is None, Path(said.name).read_text()
            assert time.monotonic() < deadline, "the UI did not answer"
            try:
                httpx.get(f"{ui.url}/server_info", trust_env=False, timeout=10)
            except httpx.HTTPError:
                time.sleep(0.3)
            else:
                return ui

    yield start
    for process in started:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=scaled(30))
        finally:
            children.end(process)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A page of headless Chromium. ``TEST_SCREENSHOTS`` names a folder for the tests' screenshots."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        opened = browser.new_page(viewport={"width": 1500, "height": 1000}, locale="en-US", timezone_id="Asia/Shanghai")
        opened.set_default_timeout(60_000)
        yield opened
        browser.close()


@pytest.fixture
def look(page: Page, tmp_path: Path) -> Callable[[str], Path]:
    """Save a screenshot of the page for people."""
    folder = Path(os.environ.get("TEST_SCREENSHOTS", tmp_path / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)

    def keep(name: str) -> Path:
        page.screenshot(path=folder / f"{name}.png")
        return folder / f"{name}.png"

    return keep
