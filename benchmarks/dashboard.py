"""How soon the dashboard's first page shows: seconds from navigation to the first chart, in headless Chromium.

``python -m benchmarks.dashboard HOME [--visits 3]``: starts the dashboard over a home (see ``benchmarks.big_home`` for one of 1,000 accounts and a year),
visits it once right after its start and then as often as asked, each with an empty browser profile and again with a filled cache. The bar: 2 s.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
_CHART = ".vega-embed svg, .vega-embed canvas"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--visits", type=int, default=3)
    given = parser.parse_args()
    chromium = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if chromium is None:
        sys.exit("Chromium is not installed")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    server = subprocess.Popen([sys.executable, "-m", "pipelines.cli", "dashboard", "--port", str(port)], env=os.environ | {"DOUYIN_HOME": str(given.home.resolve())}, start_new_session=True)
    try:
        _wait(url, server)
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
            print(f"first visit after the server's start: {_visit(browser.new_context(), url):.2f} s")
            empty, filled = [], []
            for _ in range(given.visits):
                profile = browser.new_context()
                empty.append(_visit(profile, url))
                filled.append(_visit(profile, url))
                profile.close()
            browser.close()
        print(f"a new browser: {statistics.median(empty):.2f} s; one that was here before: {statistics.median(filled):.2f} s (medians of {given.visits})")
    finally:
        os.killpg(server.pid, signal.SIGKILL)


def _wait(url: str, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit("the dashboard did not start")


def _visit(profile, url: str) -> float:
    page = profile.new_page()
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(_CHART, timeout=60_000)
    took = time.perf_counter() - began
    page.close()
    return took


if __name__ == "__main__":
    main()
