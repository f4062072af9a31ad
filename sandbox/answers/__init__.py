"""Handle the data operations: one function per operation, or one for a whole domain of the catalogue."""

from __future__ import annotations

from catalog.records import Endpoint, Operation
from sandbox.answers import (
    account,
    billboard,
    comment,
    ent_rank,
    fans,
    hotsearch,
    im,
    item,
    leads,
    ops,
    poi,
    user,
    video,
    writes,
)
from sandbox.answers.call import Call, Handler, name_of

__all__ = ["Call", "Handler", "answer_for"]

BY_NAME: dict[str, Handler] = {
    name: answer
    for module in (account, hotsearch, ent_rank, fans, video, item, user, comment, leads, im, poi, ops)
    for name, answer in module.ANSWERS.items()
}


def answer_for(endpoint: Endpoint | Operation) -> Handler | None:
    """Return the function that handles ``endpoint``; None if the sandbox does not simulate it.

    The mini-app paths (``*_apps_v1``, ``*_bc``) share the handlers of their twins; their envelope is added elsewhere.
    """
    if isinstance(endpoint, Operation):
        return writes.ANSWERS.get(endpoint.name)
    if endpoint.domain == "billboard":
        return billboard.answer if billboard.is_known(endpoint.name) else None
    return BY_NAME.get(name_of(endpoint))
