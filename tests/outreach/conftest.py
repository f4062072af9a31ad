"""Fixtures of outreach. Nothing heavy is imported before a test asks for one."""

from __future__ import annotations

import pytest


@pytest.fixture
def noon(make_world):
    """A receiver that replies, at noon, and its worker."""
    from replying import NOON, answering

    world = make_world(platform={"seed": 13, "accounts": 2, "videos": 12, "most_fans": 300_000})
    world.at(NOON)
    with answering(world) as (post, worker):
        yield post, worker
