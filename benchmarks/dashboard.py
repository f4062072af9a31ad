"""Measure how soon the dashboard's first page shows, in headless Chromium.

Measured are the seconds from navigation to the first chart, and to the interactive page. ``python -m
benchmarks.dashboard HOME [--visits 3]`` starts the dashboard over a home (see ``benchmarks.big_home`` for one of 1,000
accounts and a year). It visits the page once right after the start and then ``--visits`` times, each with an empty
browser profile and again with a filled cache. The first chart is the server's drawing, or the interactive one where
that comes first; a chart counts when the browser has painted it. The bar for it: 2 s.
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

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_WATCH = """(() => {
  const seen = window.__seen = {};
  const note = name => seen[name] ??= performance.now() / 1000;
  const look = () => {
    const first = document.querySelector("#dw-first svg");
    const living = [...document.querySelectorAll("marimo-mime-renderer")].some(
        place => place.shadowRoot?.querySelector(".vega-embed svg, .vega-embed canvas"));
    // Callbacks of a frame run before it is painted: what was there in the last one is on the screen in this one.
    if (look.first || living) note("first");
    if (look.living) note("living");
    look.first = !!first; look.living = living;
    if (!seen.living) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();"""
"""Runs in the page, so that no message between two programs waits for the page's own work."""


def main() -> None:
    """Visit the dashboard and print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--visits", type=int, default=3)
    given = parser.parse_args()
    chromium = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if chromium is None:
        sys.exit("Chromium is not installed")
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    server = subprocess.Popen(
        [sys.executable, "-m", "apps.cli.main", "dashboard", "--port", str(port)],
        env=os.environ | {"DOUYIN_HOME": str(given.home.resolve())},
        start_new_session=True,
    )
    try:
        _wait(url, server)
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
            began = _visit(browser.new_context(), url)
            print(f"first visit after the server's start: first chart {began[0]:.2f} s, living page {began[1]:.2f} s")
            empty, filled = [], []
            for _ in range(given.visits):
                profile = browser.new_context()
                empty.append(_visit(profile, url))
                filled.append(_visit(profile, url))
                profile.close()
            browser.close()
        for who, visits in (("a new browser", empty), ("one that was here before", filled)):
            first, living = (statistics.median(one) for one in zip(*visits, strict=True))
            print(f"{who}: first chart {first:.2f} s, living page {living:.2f} s (medians of {given.visits})")
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


def _visit(profile, url: str) -> tuple[float, float]:
    """Return seconds from navigation, by the browser's clock, to the first chart and to the interactive one."""
    page = profile.new_page()
    page.add_init_script(_WATCH)
    page.goto(url, wait_until="commit")
    page.wait_for_function("() => window.__seen?.living", timeout=60_000)
    seen = page.evaluate("() => window.__seen")
    page.close()
    return seen["first"], seen["living"]


if __name__ == "__main__":
    main()
