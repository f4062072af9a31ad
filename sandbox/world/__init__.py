"""The invented world: accounts, videos, fans, hot words and billboards as functions of (seed, instant)."""

from sandbox.world.world import World

__all__ = ["World"]
