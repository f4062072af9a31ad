"""``douyin dev``: Dagster's UI and daemon on this machine."""
from __future__ import annotations


def dev() -> None:
    raise NotImplementedError
