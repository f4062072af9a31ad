"""The mart campaign_effect: manual counts, intervals by another formula, and a campaign from SQL to its effect."""

from __future__ import annotations

import math

import pytest
from installation import TODAY
from receiving import receiving

from resources.state.ledger import read_lines
from resources.state.plans import approve
from services.marts.publishing import publish
from services.outreach.campaigns import load_campaign
from services.outreach.planning import plan_campaign
from services.outreach.work import send_one

Z = 1.959964
NAMES = (
    "confirm_review",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("benefits", "collect_profile")),
)


def wilson(x: int, n: int) -> tuple[float, float]:
    """The textbook form: centre and half width."""
    p = x / n
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return centre - half, centre + half


def effects(world) -> dict[str, dict]:
    with world.runtime.warehouse.connect() as connection:
        rows = connection.execute("SELECT * FROM marts.campaign_effect")
        names = [c[0] for c in rows.description]
        return {row["campaign"]: row for row in (dict(zip(names, r, strict=True)) for r in rows.fetchall())}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_campaign_from_sql_to_its_effect(make_world, name: str):
    """Every person who gets the message replies; the control group does not.

    Earlier actions, and late ones, do not count.
    """
    world = make_world(
        platform={
            "seed": 9,
            "accounts": 3,
            "videos": 12,
            "most_fans": 300_000,
            "answers": (("write", 1.0),),
            "answer_delay_s": 600,
        }
    )
    with receiving(world) as post:
        post.order("DELETE", "people")
        world.at("2026-11-16T21:00:00+08:00")
        for table in ("lead_ids", "leads", "lead_events", "im_consents"):
            world.ingest(table)
        for row in world.rows("leads", TODAY)[:60]:
            post.person_does(world.accounts.index(row["open_id"]), "write", row["lead_open_id"])
        post.settle()
        publish(world.runtime)
        runtime = world.runtime
        plan = plan_campaign(runtime, load_campaign(runtime.settings, name), runtime.clock.now())
        approve(runtime.state, plan.id, "an operator", runtime.clock.now())
        sent = send_one(runtime, plan.id).states["sent"]
        world.at("2026-11-16T21:30:00+08:00")
        post.settle()
        for table in ("im_messages", "im_entries"):
            world.ingest(table)
        publish(runtime)
    found = effects(world)[name]
    control = sum(str(line.state) == "control" for line in read_lines(runtime.state, plan_id=plan.id))
    assert sent > 0
    assert (found["people_sent"], found["delivered"], found["people_control"]) == (sent, sent, control)
    assert found["replied"] == found["responded"] == sent, "everybody answers"
    assert found["control_responded"] == 0, "what people wrote before does not count"
    assert (found["response_low"], found["response_high"]) == pytest.approx(wilson(sent, sent), abs=1e-4)
    assert found["response_high"] == 1, "where everybody answers, the interval ends at 1"
    if control:
        assert found["control_low"] == 0
        low, high = wilson(found["control_responded"], control)
        assert found["uplift"] == pytest.approx(1 - found["control_responded"] / control)
        assert (found["control_low"], found["control_high"]) == pytest.approx((low, high), abs=1e-4)
        assert found["uplift_low"] <= found["uplift"] <= found["uplift_high"]
    else:
        assert found["uplift"] is found["uplift_low"] is found["control_ratio"] is None
