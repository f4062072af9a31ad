"""Store what runs and processes share: tokens, rate limits, load status, plans and messages, alerts."""

from resources.state.engine import OUT_OF_ORDER, State

__all__ = ["OUT_OF_ORDER", "State"]
