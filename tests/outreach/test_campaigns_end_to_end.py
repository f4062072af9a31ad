"""The campaigns of the repository, from SQL over plan, approval and sending to what the sandbox received."""

from __future__ import annotations

import pytest
from receiving import receiving
from assets.outreach.campaigns import load_campaign
from assets.outreach.planning import plan_campaign
from assets.outreach.work import send_one
from resources.state.outbox import LineState, read_lines
from resources.state.plans import approve

TABLES = ("lead_ids", "leads", "lead_events", "im_consents")


def test_try(make_world):
    world = make_world(platform={"accounts": 3, "videos": 12, "most_fans": 60_000, "answers": (("write", 0.4), ("enter", 0.3))})
    from assets.warehouse import publish
    with receiving(world) as post:
        world.at("2026-11-16T21:00:00+08:00")
        post.settle()
        print(world._ok("GET","webhooks"))
        for t in TABLES:
            world.ingest(t)
        for t in ("im_messages","im_entries","webhook_events","interactions"):
            d=world.ingest(t); print(t, {k:v.rows.num_rows for k,v in d.partitions.items()}, [(s.operation,str(s.status),s.rows) for s in d.statuses if s.rows])
        publish(world.runtime)
        for name in ("benefits", "collect_profile", "confirm_review"):
            c = load_campaign(world.runtime.settings, name)
            plan = plan_campaign(world.runtime, c, world.runtime.clock.now())
            lines = read_lines(world.runtime.state, plan_id=plan.id)
            from collections import Counter
            print(name, Counter((str(l.state), l.why) for l in lines))
            approve(world.runtime.state, plan.id, "me", world.runtime.clock.now())
            print(send_one(world.runtime, plan.id))
        post.settle()
        print(world._ok("GET","webhooks"))
        print(post.messages())
        for l in read_lines(world.runtime.state, states=[LineState.SENT]): print(l)
    assert 0
