"""What the pipeline must remember between runs and share between processes: tokens, limits, load status."""

from resources.state.engine import State

__all__ = ["State"]
