"""Call the Open Platform: one client per run, which manages tokens and rate limits itself."""

from typing import TYPE_CHECKING, Any

from resources.client.errors import CallFailed, NotConfigured, PagingError, QuotaExhausted
from resources.client.exchange import ApiResponse, Exchange
from resources.client.paging import Resume, pages

if TYPE_CHECKING:
    from resources.client.client import DouyinClient

__all__ = [
    "ApiResponse",
    "CallFailed",
    "DouyinClient",
    "Exchange",
    "NotConfigured",
    "PagingError",
    "QuotaExhausted",
    "Resume",
    "pages",
]


def __getattr__(name: str) -> Any:
    """Import the client on first use: runs without requests do not wait for the HTTP stack to load."""
    if name != "DouyinClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from resources.client.client import DouyinClient

    return DouyinClient
