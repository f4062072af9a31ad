"""What the pipeline must remember between runs and share between processes: tokens, limits, load status."""

from resources.state.engine import OUT_OF_ORDER, State

__all__ = ["OUT_OF_ORDER", "State"]
