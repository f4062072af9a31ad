"""Answers of the data operations: a function per operation, or one for a whole domain of the catalogue."""

from __future__ import annotations

from catalog.records import Endpoint
from sandbox.answers import billboard, fans, hotsearch, item, user, video
from sandbox.answers.call import Answer, Call

__all__ = ["Answer", "Call", "answer_for"]

BY_NAME: dict[str, Answer] = {**hotsearch.ANSWERS, **fans.ANSWERS, **video.ANSWERS}
BY_DOMAIN: dict[str, Answer] = {"billboard": billboard.answer, "item": item.answer, "user": user.answer}


def answer_for(endpoint: Endpoint) -> Answer | None:
    """The function that answers ``endpoint``; None when the sandbox does not simulate it."""
    return BY_NAME.get(endpoint.name) or BY_DOMAIN.get(endpoint.domain)
