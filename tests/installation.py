"""A whole installation for a test: a sandbox over real HTTP, and a runtime in the test's own home."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx
    import pyarrow as pa

    from resources.runtime import Runtime
    from resources.state.load_status import LoadStatus
    from sandbox.config import SandboxConfig
    from services.ingest.run import IngestResult

START = "2026-11-16T11:00:00+08:00"
"""A Monday, after the platform's daily jobs are done."""
TODAY, YESTERDAY = date(2026, 11, 16), date(2026, 11, 15)


@dataclass
class World:
    """A running installation. ``accounts`` are its open_ids, in the sandbox's order."""

    url: str
    config: SandboxConfig
    control: httpx.Client
    home: Path
    options: dict[str, Any]
    runtime: Runtime = field(init=False)
    accounts: list[str] = field(default_factory=list)
    now: str = START
    received: int = 0
    """Webhook events that :meth:`receive` made."""

    def open(self) -> World:
        """Open a runtime as a new process would."""
        from apps.cli.simulation import sandbox_settings
        from resources.config.settings import Settings
        from resources.runtime import Runtime

        quick = {
            "home": self.home,
            "clock": self.now,
            "retry_base_s": 0.001,
            "timeout_s": 10,
            "flush_s": 0.05,
            "start_date": date(2026, 11, 1),
        }
        self.runtime = Runtime(
            sandbox_settings(Settings(_env_file=None), self.url, self.config, **(quick | self.options))
        )
        return self

    def restart(self, **options: Any) -> World:
        """Close everything and open it again in the same home; ``options`` change settings."""
        self.runtime.close()
        self.options |= options
        return self.open()

    def authorize(self) -> World:
        from apps.cli.simulation import authorize_all

        self.accounts = authorize_all(self.runtime)
        self.clear()
        return self

    # ---- what the test does to the world

    def at(self, instant: str) -> World:
        """Move the sandbox's clock and ours, e.g. ``2026-11-16T15:00:00+08:00``."""
        from apps.cli.simulation import move_clock

        self.now = instant
        move_clock(self.runtime, datetime.fromisoformat(instant))
        return self

    def fault(self, operation: str, kind: str, account: int | None = None, times: int | None = 1, **more: Any) -> None:
        """Order a fault, for one account if given."""
        open_id = {} if account is None else {"open_id": self.accounts[account]}
        self._ok("POST", "faults", {"operation": operation, "kind": kind, "times": times, **open_id, **more})

    def clear(self) -> None:
        """Remove all faults and set the counts to 0."""
        self._ok("DELETE", "faults")
        self._ok("DELETE", "stats")

    def watch(self, *pairs: tuple[str, str]) -> World:
        """Put (kind, value) on the watch lists; a video is one of the first account's."""
        from resources.state.watched import NEED_ACCOUNT, WatchedItem, watch

        values = [WatchedItem(kind, value, self.accounts[0] if kind in NEED_ACCOUNT else "") for kind, value in pairs]
        watch(self.runtime.state, self.config.client_key, values, self.runtime.clock.now())
        return self

    def switch_on(self, operation: str) -> None:
        """Switch an operation on, as an operator does for a capability that came back."""
        from resources.state.capabilities import switch_on

        assert switch_on(self.runtime.state, self.config.client_key, operation)

    def receive(self, *names: str, at: str | None = None, client_key: str | None = None, **changes: Any) -> list[bool]:
        """Receive the contract's samples of some webhook events for the first account; by default of all events.

        ``at`` is the instant of receipt; ``changes`` replace members of the content. Each is another event, unless
        ``message_id`` is given.
        """
        import orjson

        import catalog
        from resources.state.inbox import begin_receiving, make_event, store

        app, now = client_key or self.config.client_key, datetime.fromisoformat(at) if at else self.runtime.clock.now()
        folder = Path(catalog.__file__).parent / "contract" / "samples"
        begin_receiving(self.runtime.state, [app], now)
        message_id = changes.pop("message_id", None)
        events = []
        for path in (
            sorted(folder.glob("webhook.*.json")) if not names else [folder / f"webhook.{name}.json" for name in names]
        ):
            self.received += 1
            envelope = orjson.loads(path.read_bytes()) | {"client_key": app, "log_id": f"{self.received:034}"}
            if self.accounts and "to_user_id" in envelope:
                envelope["to_user_id"] = self.accounts[0]
            if changes:
                as_text = isinstance(envelope["content"], str)
                content = (orjson.loads(envelope["content"]) if as_text else envelope["content"]) | changes
                envelope["content"] = orjson.dumps(content).decode() if as_text else content
            events.append(make_event(app, orjson.dumps(envelope), envelope, message_id or f"m-{self.received}", now))
        return store(self.runtime.state, events)

    def ingest(self, table: str, *dts: date, call: bool = True) -> IngestResult:
        """Bring a table up to date.

        Without given days: yesterday for T+1 series, this week for published weeks, today for the others.
        """
        from catalog import TABLES
        from catalog.records import History
        from services.ingest.run import ingest

        chosen = TABLES[table]
        return ingest(
            self.runtime,
            chosen,
            dts
            or [YESTERDAY if chosen.history is History.WINDOW else chosen.latest_partition(self.runtime.clock.today())],
            call=call,
        )

    # ---- what the test looks at

    def stats(self) -> dict[str, Any]:
        return self._ok("GET", "stats")

    def calls(self, operation: str | None = None) -> int:
        """Count the requests that arrived at the sandbox since :meth:`clear`."""
        stats = self.stats()
        return stats["total"] if operation is None else stats["operations"].get(operation, {"requests": 0})["requests"]

    def requested(self, operation: str) -> dict[str, int]:
        """Requests per request key."""
        return self.stats()["operations"].get(operation, {"by_key": {}})["by_key"]

    def calls_of(self, operation: str, account: int) -> int:
        """Requests that arrived for one account."""
        return sum(n for key, n in self.requested(operation).items() if f"open_id={self.accounts[account]}" in key)

    def rows(self, table: str, dt: date) -> list[dict[str, Any]]:
        return self.read(table, dt).to_pylist()

    def read(self, table: str, dt: date) -> pa.Table:
        return self.runtime.lake.read(table, dt)

    def accounts_in(self, table: str, dt: date) -> set[int]:
        """Return the accounts with rows in a partition; none if there is no file."""
        if not self.runtime.lake.path(table, dt).exists():
            return set()
        return {self.accounts.index(o) for o in set(self.read(table, dt)["open_id"].to_pylist())}

    def status(self, table: str, dt: date) -> dict[Any, LoadStatus]:
        """Load status by number of account (or by operation, where it has no account)."""
        from resources.state.load_status import read_load_status

        found = read_load_status(self.runtime.state, table=table, dts=[dt])
        return {self.accounts.index(s.open_id) if s.open_id else s.operation: s for s in found}

    def lake_files(self) -> dict[str, bytes]:
        """Return every file of the lake with its bytes, except checksums, which follow from the bytes."""
        root = self.runtime.lake.root
        return {
            str(name): p.read_bytes()
            for p in sorted(root.rglob("*"))
            if p.is_file() and ".sha256-" not in p.name and (name := p.relative_to(root)).parts[0] != "marts"
        }

    def archived(self, operation: str) -> list[Any]:
        """Index lines of an operation, all days."""
        archive = self.runtime.archive
        return list(archive.index(operation, archive.days(operation)))

    def _ok(self, method: str, path: str, body: Any = None) -> Any:
        response = self.control.request(method, f"{self.url}/_sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()
