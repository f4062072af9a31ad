"""Make the home of an installation of this release, with invented data.

Run ``python tests/homes/make_home.py <folder>`` in a checkout of that release. Two simulated days of the sandbox are
loaded through the ``douyin`` command. Beside the home comes ``expected.json`` with the checksums that a replay must
reproduce.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
DAYS = ("2026-11-16T16:40:00+08:00", "2026-11-17T16:40:00+08:00")
SANDBOX = {"accounts": 2, "videos": 4, "most_fans": 3_000}
START_DATE = "2026-11-14"
LEFT_OUT = {
    "hot_word_videos",
    "billboard_creator_videos",
    "billboard_creators",
    "poi_billboard",
    "search_videos",
    "search_comments",
    "search_comment_replies",
}
"""Large tables: the home stays below a megabyte."""


def environment(home: Path, url: str) -> dict[str, str]:
    """Settings of the installation; none of them is a secret."""
    from apps.cli.simulation import SANDBOX_TOKEN_KEY

    return {
        "PATH": os.defpath,
        "HOME": str(home.parent),
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "DOUYIN_HOME": str(home),
        "DOUYIN_BASE_URL": url,
        "DOUYIN_CLIENT_KEY": "sandbox-key",
        "DOUYIN_CLIENT_SECRET": "sandbox-secret",
        "DOUYIN_TOKEN_KEY": SANDBOX_TOKEN_KEY,
        "DOUYIN_START_DATE": START_DATE,
        "DOUYIN_QPS": "1000",
        "DOUYIN_RETRY_BASE_S": "0.01",
    }


def main(target: Path) -> None:
    from catalog import TABLES
    from sandbox.config import SandboxConfig
    from sandbox.server import running

    home = target / "home"
    home.mkdir(parents=True)
    with (
        running(SandboxConfig(**SANDBOX, now=datetime.fromisoformat(DAYS[0]))) as handle,
        httpx.Client(base_url=f"{handle.url}/_sandbox/", trust_env=False) as control,
    ):
        reported = environment(home, handle.url)

        def douyin(*words: str, at: str = DAYS[0]) -> None:
            subprocess.run(
                [sys.executable, "-m", "apps.cli.main", *words],
                env=reported | {"DOUYIN_CLOCK": at},
                cwd=target,
                check=True,
            )

        for account in control.get("accounts").json():
            douyin("authorize", "--code", account["code"], "--name", account["name"])
        for kind, value in (("keyword", "咖啡"), ("poi-keyword", "咖啡"), ("amap", "B0SANDBOX0001")):
            douyin("watch", "add", kind, value)
        for kind in ("unknown_member", "malformed_row"):
            control.post(
                "faults", json={"operation": "hotsearch_sentences", "kind": kind, "times": 1}
            ).raise_for_status()
        for n, at in enumerate(DAYS):
            control.put("clock", json={"now": at}).raise_for_status()
            _receive(reported | {"DOUYIN_CLOCK": at}, f"{at}-{n}")
            douyin("run", "--select", ",".join(t for t in TABLES if t not in LEFT_OUT), at=at)
    _pack(target, home)


def _receive(settings: dict[str, str], number: str) -> None:
    """One webhook event of each kind, as its sample in the contract."""
    os.environ.update(settings)
    import orjson

    from resources.runtime import Runtime
    from resources.state.accounts import list_accounts
    from resources.state.inbox import begin_receiving, make_event, store

    runtime = Runtime()
    now, account = runtime.clock.now(), list_accounts(runtime.state, "sandbox-key")[0].open_id
    begin_receiving(runtime.state, ["sandbox-key"], now)
    events = []
    for path in sorted((ROOT / "catalog" / "contract" / "samples").glob("webhook.*.json")):
        envelope = orjson.loads(path.read_bytes()) | {"client_key": "sandbox-key", "to_user_id": account}
        events.append(make_event("sandbox-key", orjson.dumps(envelope), envelope, f"{path.stem}-{number}", now))
    store(runtime.state, events)
    runtime.close()


def _pack(target: Path, home: Path) -> None:
    lake = home / "lake"
    files = sorted(p for p in lake.rglob("*") if p.is_file() and p.relative_to(lake).parts[0] != "marts")
    sums = {str(p.relative_to(lake)): blake2b(p.read_bytes(), digest_size=16).hexdigest() for p in files}
    (target / "expected.json").write_text(json.dumps({"made": date.today().isoformat(), "lake": sums}, indent=0) + "\n")
    with tarfile.open(target / "home.tar.xz", "w:xz", preset=9) as tar:
        for path in sorted(home.rglob("*")):
            if path.relative_to(home).parts[0] not in ("dagster", "locks", "tmp", "pins"):
                tar.add(path, str(path.relative_to(home)), recursive=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
