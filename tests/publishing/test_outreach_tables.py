"""Planned and sent messages in the published warehouse, without their texts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from resources.config.settings import Settings
from resources.runtime import Runtime
from resources.state import State
from resources.state.tables import opt_outs, outbox, plans
from resources.warehouse.outreach_tables import OUTREACH_TABLES, read_outreach, schema_of
from resources.warehouse.publisher import Warehouse
from services.marts.publishing import publish

AT = datetime(2026, 11, 16, 2, tzinfo=UTC)


def ask(warehouse: Warehouse, question: str) -> list[tuple]:
    with warehouse.connect() as connection:
        return connection.execute(question).fetchall()


@pytest.fixture
def runtime(tmp_path: Path):
    runtime = Runtime(Settings(_env_file=None, home=tmp_path / "home"))
    yield runtime
    runtime.close()


def fill(state: State) -> None:
    with state.begin() as db:
        db.execute(
            plans.insert().values(
                id=1,
                kind="messages",
                name="spring",
                occasion="2026",
                planned_at=AT.timestamp(),
                good_until=AT.timestamp() + 0.25,
                hash="h",
                state="open",
                rules="{}",
            )
        )
        db.execute(
            outbox.insert().values(
                id=7,
                plan_id=1,
                operation="im_send_msg",
                campaign="spring",
                client_key="app",
                open_id="shop",
                person_open_id="p",
                reason="r",
                messages=1,
                request="sealed:words",
                fingerprint="1:secret",
                state="sent",
                key="k",
                claim="k",
                planned_at=AT.timestamp(),
                claimed_by="host-1",
                code=2**40,
            )
        )
        db.execute(
            opt_outs.insert().values(
                client_key="app", open_id="", person_open_id="p", since=AT.timestamp(), how="command"
            )
        )


def test_plans_messages_and_opt_outs_are_published_without_what_was_said(runtime: Runtime):
    publish(runtime)
    assert ask(runtime.warehouse, "SELECT count(*) FROM outreach.messages") == [(0,)]
    fill(runtime.state)
    assert set(publish(runtime).changed) == {"marts/campaign_effect"}, "it reads the ledger"
    warehouse = runtime.warehouse
    assert ask(
        warehouse,
        "SELECT name, planned_at, epoch_us(good_until) - epoch_us(planned_at), approved_at FROM outreach.plans",
    ) == [("spring", AT, 250_000, None)]
    assert ask(warehouse, "SELECT plan_id, state, planned_at, ended_at, code FROM outreach.messages") == [
        (1, "sent", AT, None, 2**40)
    ]
    assert ask(warehouse, "SELECT open_id, person_open_id, since, how FROM outreach.opt_outs") == [
        ("", "p", AT, "command")
    ]
    assert b"sealed:words" not in warehouse.path.read_bytes()
    assert not {"request", "fingerprint", "claimed_by"} & set(schema_of(outbox).names)
    types = dict(ask(warehouse, "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'outreach'"))
    assert {t for name, t in types.items() if name.endswith("_at") or name in ("since", "good_until")} == {
        "TIMESTAMP WITH TIME ZONE"
    }
    comments = dict(ask(warehouse, "SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 'outreach'"))
    assert {name: " / " in comment for name, comment in comments.items()} == dict.fromkeys(OUTREACH_TABLES, True)


@pytest.mark.slow
def test_a_publication_of_the_lake_alone_leaves_them_as_they_were(runtime: Runtime):
    fill(runtime.state)
    publish(runtime)
    runtime.warehouse.publish()
    assert ask(runtime.warehouse, "SELECT count(*) FROM outreach.messages") == [(1,)]
    runtime.warehouse.publish(rebuild=True)
    assert ask(runtime.warehouse, "SELECT count(*) FROM outreach.messages") == [(0,)]


def test_an_empty_ledger_has_its_columns(runtime: Runtime):
    assert {name: t.num_rows for name, t in read_outreach(runtime.state).items()} == dict.fromkeys(OUTREACH_TABLES, 0)
