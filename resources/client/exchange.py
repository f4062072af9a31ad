"""Values that the client passes on: successful responses to callers, and every exchange to the archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Params = Mapping[str, str | int | list[str]]
"""Request parameters without secrets; lists occur in bodies only."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One unmodified response, successful or not, with its request.

    ``params`` contain no secret: the access token is sent in a header. ``code`` is None if the body is not the
    platform's JSON or came with an HTTP error status. ``document`` is the decoded body, None if it is not JSON.
    ``said`` is the platform's text of a refusal. ``tag`` is the caller's, passed through. Instants are UTC and of the
    pipeline's clock.
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
class ApiResponse:
    """A successful response; ``document`` is its decoded body, ``calls`` the number of requests it took."""

    body: bytes = field(repr=False)
    document: Any = field(repr=False)
    observed_at: datetime
    calls: int
