"""A dashboard as its own process, over a home of the test's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import children
import httpx
import pytest
from patience import scaled

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start ``douyin dashboard`` over a home and give its address; further words are its options."""
    started = []

    def start(home: Path, *options: str) -> str:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        url, said = f"http://127.0.0.1:{port}/", tmp_path / "said.txt"
        environment = {
            "DOUYIN_HOME": str(home),
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
        }
        with open(said, "w") as out:
            process = children.start(
                [sys.executable, "-m", "apps.cli.main", "dashboard", "--port", str(port), *options],
                cwd=tmp_path,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        started.append(process)
        deadline = time.monotonic() + scaled(120)
        while True:
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            try:
                httpx.get(url, trust_env=False, timeout=30)
            except httpx.HTTPError:
                time.sleep(0.3)
            else:
                return url

    yield start
    for process in started:
        children.end(process)


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if chromium is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        opened = browser.new_page(viewport={"width": 1280, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai")
        opened.set_default_timeout(90_000)
        yield opened
        browser.close()
