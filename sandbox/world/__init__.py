"""Compute the invented world: accounts, videos, fans, hot words, billboards from (seed, instant)."""

from sandbox.world.world import World

__all__ = ["World"]
