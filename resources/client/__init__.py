"""The Open Platform's client: one for a whole run, which keeps tokens and limits by itself."""

from typing import TYPE_CHECKING, Any

from resources.client.errors import CallFailed, NotConfigured, PagingError, QuotaExhausted
from resources.client.exchange import Answer, Exchange
from resources.client.paging import Resume, pages

if TYPE_CHECKING:
    from resources.client.client import DouyinClient

__all__ = [
    "Answer",
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
    """The client brings the HTTP stack with it, which a run that asks nothing does not wait for."""
    if name != "DouyinClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from resources.client.client import DouyinClient

    return DouyinClient
