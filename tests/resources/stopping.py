"""Operations on the disk that stop in the middle, as if the process had been killed there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import pytest


class Stopped(BaseException):
    """The process would be dead here."""


def stops_at(step: int, names: Iterable[str], work: Callable[[], object]) -> None:
    """Run ``work`` until so many calls of the ``os`` functions ``names`` were made; the next one does not happen."""
    made = 0

    def counting(real):
        def call(*arguments, **more):
            nonlocal made
            if made == step:
                raise Stopped
            made += 1
            return real(*arguments, **more)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, counting(getattr(os, name)))
        with pytest.raises(Stopped):
            work()
