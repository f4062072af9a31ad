"""What passes between the client and its callers: answers, and every response for the archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Params = Mapping[str, str | int | list[str]]
"""Request parameters without secrets; a list stands in a body only."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One response as it came, whatever it says, with its request.

    ``params`` hold no secret: the access token travels in a header. ``code`` is None where the
    body is not the platform's JSON or came with an HTTP status of failure; ``document`` is the body
    decoded, None where it is no JSON. ``said`` are the platform's words of a refusal. ``tag`` is the caller's, passed
    through. Instants are UTC and of the pipeline's clock.
    """

    operation: str
    client_key: str
    open_id: str
    params: Params
    sent_at: datetime
    observed_at: datetime
    http_status: int
    body: bytes = field(repr=False)
    document: Any = field(repr=False)
    code: int | None
    logid: str | None
    attempt: int
    said: str = ""
    tag: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful response. ``document`` is its decoded body; ``calls`` counts the requests it took."""

    body: bytes = field(repr=False)
    document: Any = field(repr=False)
    observed_at: datetime
    calls: int
