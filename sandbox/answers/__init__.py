"""Answers of the data operations: a function per operation, or one for a whole domain of the catalogue."""

from __future__ import annotations

from catalog.records import Endpoint
from sandbox.answers import billboard, fans, hotsearch, item, user, video
from sandbox.answers.call import Answer, Call

__all__ = ["Answer", "Call", "answer_for"]

BY_NAME: dict[str, Answer] = {**hotsearch.ANSWERS, **fans.ANSWERS, **video.ANSWERS, **item.ANSWERS, **user.ANSWERS}


def answer_for(endpoint: Endpoint) -> Answer | None:
    """The function that answers ``endpoint``; None when the sandbox does not simulate it.

    The mini-app paths (``*_apps_v1``) answer as their twins do; their envelope differs, which is not the answer's business.
    """
    if endpoint.domain == "billboard":
        return billboard.answer if billboard.is_known(endpoint.name) else None
    return BY_NAME.get(endpoint.name.removesuffix("_apps_v1"))
